/* SPDX-License-Identifier: Apache-2.0 */
#include "app/rulefiles.h"

#include "app/plugged.h"
#include "app/report.h"
#include "app/settings.h"
#include "app/sink.h"
#include "base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define RULES_NAME "saker_rules.yaml"

/* path in the folder of the running program; its own to free, NULL when there is none. */
static char *beside_program(const char *path)
{
	char program[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program));
	char *full = NULL;

	if (n <= 0 || n == sizeof(program))
		return NULL;
	while (n && program[n - 1] != '/')
		n--;
	full = xasprintf("%.*s%s", (int)n, program, path);
	if (access(full, R_OK) == 0)
		return full;
	free(full);
	return NULL;
}

/*
 * The bundled rules: of the source tree that the program was built in, or of the place that it is
 * installed in.  Never at a path that was fixed when it was built: others may own that here.
 */
char *rulefiles_bundled(void)
{
	const char *folder = getenv("SAKER_RULES_DIR");
	char *tree = NULL, *path = NULL;

	if (folder && *folder)
		return xasprintf("%s/" RULES_NAME, folder);
	tree = beside_program("../meson.build");
	if (tree)
		path = beside_program("../rules/" RULES_NAME);
	free(tree);
	return path ? path : beside_program("../share/saker/rules/" RULES_NAME);
}

static int is_rule_file(const struct dirent *d)
{
	const char *end = strrchr(d->d_name, '.');

	return d->d_name[0] != '.' && end && (!strcmp(end, ".yaml") || !strcmp(end, ".yml"));
}

/* The rule files in a folder, by name.  None is an error unless may_be_empty. */
static int add_folder(struct loader *l, const char *path, bool may_be_empty)
{
	struct dirent **entries;
	int n = scandir(path, &entries, is_rule_file, alphasort), r = 0;

	if (!n && may_be_empty) {
		free(entries);
		return 0;
	}
	if (n <= 0) {
		report(n ? "%s: cannot be read" : "%s: there are no *.yaml and *.yml in it", path);
		return -1;
	}
	for (int i = 0; i < n; i++) {
		char *file = xasprintf("%s/%s", path, entries[i]->d_name);

		if (r == 0)
			r = loader_add_file(l, file);
		free(file);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int rulefiles_add(struct loader *l, const char *path)
{
	struct stat st;

	if (!strcmp(path, "-"))
		return loader_add_file(l, "/dev/stdin");
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return add_folder(l, path, false);
	return loader_add_file(l, path);
}

/* As configurations have always been read: what is not there, or no rule file, is left out. */
static int add_configured(struct loader *l, const char *path)
{
	const char *end = strrchr(path, '.');
	struct stat st;

	if (stat(path, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return add_folder(l, path, true);
	if (end && (!strcmp(end, ".yaml") || !strcmp(end, ".yml")))
		return loader_add_file(l, path);
	report_warning("%s is left out: rule files are called *.yaml or *.yml", path);
	return 0;
}

const struct str *rulefiles_configured(size_t *ret_n)
{
	bool old = config_node(settings(), CONFIG_KEY_RULES_FILE);

	return config_texts(settings(), old ? CONFIG_KEY_RULES_FILE : CONFIG_KEY_RULES_FILES,
			    ret_n);
}

int rulefiles_add_configured(struct loader *l)
{
	size_t n;
	const struct str *paths = rulefiles_configured(&n);

	for (size_t i = 0; i < n; i++) {
		if (add_configured(l, paths[i].p) < 0)
			return -EINVAL;
	}
	return 0;
}

static bool load_bundled(struct loader *l)
{
	char *path = rulefiles_bundled();
	int r = -1;

	if (path)
		r = loader_add_file(l, path);
	else
		report("the bundled rules are not there: neither ../share/saker/rules beside the "
		       "program, nor SAKER_RULES_DIR in the environment");
	free(path);
	return r == 0;
}

static bool load(struct loader *l, const struct option_texts *paths)
{
	size_t n_configured;

	rulefiles_configured(&n_configured);
	if (!paths->n)
		return n_configured ? !rulefiles_add_configured(l) : load_bundled(l);
	for (size_t i = 0; i < paths->n; i++) {
		if (rulefiles_add(l, paths->items[i]) < 0)
			return false;
	}
	return true;
}

void rulefiles_each(const struct option_texts *paths, void (*visit)(void *arg, const char *path),
		    void *arg)
{
	size_t n;
	const struct str *configured = rulefiles_configured(&n);
	char *bundled = paths->n || n ? NULL : rulefiles_bundled();

	for (size_t i = 0; i < paths->n; i++)
		visit(arg, paths->items[i]);
	for (size_t i = 0; i < n && !paths->n; i++)
		visit(arg, configured[i].p);
	if (bundled)
		visit(arg, bundled);
	free(bundled);
}

static void report_results(const struct loader *l, bool only_last)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	if (only_last)
		loader_last_result_text(l, &text);
	else
		loader_results_text(l, false, &text);
	report_text(buf_str(&text));
	buf_done(&text);
}

struct loader *rulefiles_loader(const struct loader_config *cfg)
{
	struct loader_config with = *cfg;

	if (plugged())
		with.plugins = plugins_versions(plugged(), &with.n_plugins);
	return loader_new(&with);
}

struct ruleset *rulefiles_load(const struct option_texts *paths, const struct loader_config *cfg)
{
	struct loader *l = rulefiles_loader(cfg);
	struct ruleset *r = NULL;

	if (load(l, paths))
		r = loader_take(l);
	report_results(l, false);
	loader_free(l);
	return r;
}

bool rulefiles_condition(const struct option_texts *paths, struct str text, struct program *into)
{
	struct loader *l = rulefiles_loader(&RULEFILES_CONFIG);
	bool loaded = load(l, paths);
	bool ok = loaded && loader_add_condition(l, "filter", text, into) == 0;

	if (!ok) /* files that loaded are not the matter: most of what they define is not used */
		report_results(l, loaded);
	loader_free(l);
	return ok;
}

enum exit_status rulefiles_verdict(struct loader *l, bool json, enum exit_status status)
{
	enum exit_status written;
	struct sink s;

	sink_init(&s);
	if (json) {
		loader_results_json(l, &s.text);
		buf_addc(&s.text, '\n');
	} else {
		loader_results_text(l, true, &s.text);
	}
	written = sink_close(&s);
	loader_free(l);
	return status ? status : written;
}
