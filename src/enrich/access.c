/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/access.h"

#include "base/alloc.h"
#include "base/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	TOKEN_MAX = 1 << 16,
	KUBECONFIG_MAX = 4 << 20,
};

static int read_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error = 0;
	char chunk[4096];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_add(out, chunk, (size_t)n);
	if (n < 0)
		error = -errno;
	close(fd);
	return out->truncated ? -EFBIG : error;
}

/* A token that ended its header would begin another one. */
static bool is_printable(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	}
	return true;
}

int access_token(const struct access *a, struct buf *out)
{
	struct buf text;
	int r = 0;

	buf_init(&text, TOKEN_MAX);
	if (a->token_file)
		r = read_file(a->token_file, &text);
	else
		buf_adds(&text, a->token);
	if (!r && !is_printable(str_trim(buf_str(&text))))
		r = -EINVAL;
	if (!r)
		buf_adds(out, str_trim(buf_str(&text)));
	buf_done(&text);
	return r;
}

static const char *keep(struct access *a, struct str s)
{
	return arena_str(&a->arena, s).p;
}

/* What stands before the first of `ends`; *rest is what stands behind it. */
static struct str cut(struct str *rest, char end)
{
	ptrdiff_t at = str_chr(*rest, end);
	struct str head = at < 0 ? *rest : str_head(*rest, (size_t)at);

	*rest = at < 0 ? STR_EMPTY : str_from(*rest, (size_t)at + 1);
	return head;
}

/* "CERT:KEY[#PASSWORD][:CA]", or the name of a file that holds a token. */
static void take_cert(struct access *a, struct str cert)
{
	struct str rest = cert, first = cut(&rest, ':'), key, password;

	if (!rest.n) {
		a->token_file = keep(a, first);
		return;
	}
	a->remote.cert.file = keep(a, first);
	password = cut(&rest, ':');
	key = cut(&password, '#');
	a->remote.key.file = keep(a, key);
	if (password.n)
		a->remote.key_password = keep(a, password);
	if (rest.n)
		a->remote.ca.file = keep(a, rest);
}

/* "https://", "http://", or nothing that is known. */
static struct str scheme_of(struct str url)
{
	if (str_starts(url, STR("https://")))
		return STR("https://");
	return str_starts(url, STR("http://")) ? STR("http://") : STR_EMPTY;
}

static int take_url(struct access *a, struct str url, struct err *e)
{
	struct str scheme = scheme_of(url), host = str_from(url, scheme.n);
	ptrdiff_t at = str_rchr(host, '@');

	if (!scheme.n)
		return err_set(e, -EINVAL,
			       "the API server's address is such as https://10.0.0.1:6443, not "
			       "'%.*s'",
			       STR_ARG(str_head(url, 200)));
	while (str_ends(host, STR("/")))
		host.n--;
	if (at >= 0)
		a->remote.user = keep(a, str_head(host, (size_t)at));
	host = str_from(host, (size_t)(at + 1));
	a->remote.url = arena_printf(&a->arena, "%.*s%.*s", STR_ARG(scheme), STR_ARG(host)).p;
	return 0;
}

static int from_options(struct access *a, const struct access_config *cfg, struct err *e)
{
	if (cfg->cert)
		take_cert(a, str_of(cfg->cert));
	return take_url(a, str_of(cfg->url), e);
}

/* --- as a pod --- */

static int from_pod(struct access *a, const struct access_config *cfg, struct err *e)
{
	bool is_v6 = strchr(cfg->service_host, ':');
	struct str url =
		arena_printf(&a->arena, is_v6 ? "https://[%s]:%s" : "https://%s:%s",
			     cfg->service_host, cfg->service_port ? cfg->service_port : "443");

	a->remote.ca.file = arena_printf(&a->arena, "%s/ca.crt", cfg->account).p;
	a->token_file = arena_printf(&a->arena, "%s/token", cfg->account).p;
	return take_url(a, url, e);
}

/* --- kubeconfig --- */

static struct str text_of(const struct yaml *map, const char *key)
{
	const struct yaml *y = yaml_get(map, key);

	return yaml_is(y, YAML_SCALAR) ? y->text : STR_EMPTY;
}

/* In a list of {"name", `what`}: the value of `what` where the name is this. */
static const struct yaml *named(const struct yaml *root, const char *list, struct str name,
				const char *what)
{
	const struct yaml *l = yaml_get(root, list);

	for (uint32_t i = 0; yaml_is(l, YAML_LIST) && i < l->n; i++) {
		if (str_eq(text_of(l->items[i], "name"), name))
			return yaml_get(l->items[i], what);
	}
	return NULL;
}

static int digit_of(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Base64; what is no digit is skipped, padding too. */
static struct str decoded(struct access *a, struct str s)
{
	char *out = arena_alloc(&a->arena, s.n + 1);
	unsigned bits = 0, n_bits = 0;
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int digit = digit_of(s.p[i]);

		if (digit < 0)
			continue;
		bits = bits << 6 | (unsigned)digit;
		n_bits += 6;
		if (n_bits >= 8)
			out[n++] = (char)(bits >> (n_bits -= 8));
	}
	return (struct str){out, n};
}

/* A file that the configuration names is meant as seen from its own folder. */
static const char *beside(struct access *a, const char *config, struct str path)
{
	ptrdiff_t slash = str_rchr(str_of(config), '/');

	if (str_starts(path, STR("/")) || slash < 0)
		return keep(a, path);
	return arena_printf(&a->arena, "%.*s/%.*s", (int)slash, config, STR_ARG(path)).p;
}

static void take_pem(struct access *a, const char *config, const struct yaml *map, const char *key,
		     struct pem *ret)
{
	char data_key[64];
	struct str file = text_of(map, key), data;

	data_key[0] = '\0';
	strncat(data_key, key, sizeof(data_key) - 6);
	strcat(data_key, "-data");
	data = text_of(map, data_key);
	if (data.n)
		ret->text = decoded(a, data);
	else if (file.n)
		ret->file = beside(a, config, file);
}

static int take_cluster(struct access *a, const char *config, const struct yaml *cluster,
			struct err *e)
{
	bool insecure = false;

	yaml_bool(yaml_get(cluster, "insecure-skip-tls-verify"), &insecure);
	if (insecure)
		return err_set(e, -EINVAL,
			       "insecure-skip-tls-verify is not supported: the server's "
			       "certificate is always checked");
	take_pem(a, config, cluster, "certificate-authority", &a->remote.ca);
	return take_url(a, text_of(cluster, "server"), e);
}

static int take_user(struct access *a, const char *config, const struct yaml *user, struct err *e)
{
	struct str file = text_of(user, "tokenFile"), name = text_of(user, "username");

	if (yaml_get(user, "exec") || yaml_get(user, "auth-provider"))
		return err_set(e, -EINVAL,
			       "the user's credentials come from a program; programs are not "
			       "started");
	take_pem(a, config, user, "client-certificate", &a->remote.cert);
	take_pem(a, config, user, "client-key", &a->remote.key);
	a->token = arena_str(&a->arena, text_of(user, "token"));
	if (file.n)
		a->token_file = beside(a, config, file);
	if (name.n)
		a->remote.user = arena_printf(&a->arena, "%.*s:%.*s", STR_ARG(name),
					      STR_ARG(text_of(user, "password")))
					 .p;
	return 0;
}

static int take_context(struct access *a, const char *config, const struct yaml *root,
			struct err *e)
{
	struct str name = text_of(root, "current-context");
	const struct yaml *context = named(root, "contexts", name, "context");
	const struct yaml *cluster =
		named(root, "clusters", text_of(context, "cluster"), "cluster");
	const struct yaml *user = named(root, "users", text_of(context, "user"), "user");
	int r;

	if (!context || !cluster)
		return err_set(e, -EINVAL, "its current context or that one's cluster is missing");
	r = take_cluster(a, config, cluster, e);
	return r < 0 || !user ? r : take_user(a, config, user, e);
}

static int from_kubeconfig(struct access *a, const struct access_config *cfg, struct err *e)
{
	struct yaml_mark at;
	struct yaml **docs;
	struct arena yaml;
	struct buf text;
	size_t n = 0;
	int r;

	buf_init(&text, KUBECONFIG_MAX);
	arena_init(&yaml, 0);
	r = read_file(cfg->kubeconfig, &text);
	if (r < 0)
		err_set(e, r, "%s", strerror(-r));
	else
		r = yaml_parse(buf_str(&text), &yaml, &docs, &n, &at, e);
	if (!r)
		r = n ? take_context(a, cfg->kubeconfig, docs[0], e)
		      : err_set(e, -EINVAL, "it is empty");
	arena_done(&yaml);
	buf_done(&text);
	return r < 0 ? err_prepend(e, "%s: ", cfg->kubeconfig) : 0;
}

/* --- all --- */

/* Anybody on the way may read what is sent. */
static bool is_open(struct str url)
{
	return str_starts(url, STR("http://")) && !str_starts(url, STR("http://127.0.0.1")) &&
	       !str_starts(url, STR("http://localhost")) && !str_starts(url, STR("http://[::1]"));
}

static int check(const struct access *a, const struct access_config *cfg, struct err *e)
{
	if (is_open(str_of(a->remote.url)) && (a->token_file || a->token.n || a->remote.user))
		return err_set(e, -EINVAL, "%s: credentials are only sent over https",
			       a->remote.url);
	if (!cfg->node || !*cfg->node)
		return err_set(e, -EINVAL,
			       "the name of this node is not known: give it by --k8s-node or in "
			       "NODE_NAME");
	return 0;
}

static struct access *access_new(void)
{
	struct arena arena;
	struct access *a;

	arena_init(&arena, 4096);
	a = arena_calloc(&arena, 1, sizeof(*a));
	a->arena = arena;
	a->token = a->remote.ca.text = a->remote.cert.text = a->remote.key.text = STR_EMPTY;
	return a;
}

void access_close(struct access *a)
{
	struct arena arena;

	if (!a)
		return;
	arena = a->arena; /* a lives in it */
	arena_done(&arena);
}

int access_open(const struct access_config *cfg, struct access **ret, struct err *e)
{
	struct access *a;
	int r;

	if (!cfg->url && !cfg->kubeconfig && !cfg->service_host)
		return 0;
	a = access_new();
	if (cfg->url)
		r = from_options(a, cfg, e);
	else if (cfg->kubeconfig)
		r = from_kubeconfig(a, cfg, e);
	else
		r = from_pod(a, cfg, e);
	if (!r)
		r = check(a, cfg, e);
	if (r < 0) {
		access_close(a);
		return r;
	}
	a->node = keep(a, str_of(cfg->node));
	*ret = a;
	return 1;
}
