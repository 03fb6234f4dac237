/* SPDX-License-Identifier: Apache-2.0 */
/* tests/golden/detections: what the rules make of an attack, and of a day's work. */
#include "golden.h"
#include "scene.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/test.h"
#include "capture/capfile.h"
#include "rules/ruleset.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEFINITIONS_MAX = 32, LINE_MAX_BYTES = 8192, TABLE_MAX_BYTES = 1 << 16 };

/* Where a case has its events from. */
enum evidence { EVIDENCE_CAPTURED = 1 << 0, EVIDENCE_ENCODED = 1 << 1 };

struct definition {
	struct str name, text;
};

/* What a case says of one rule. */
struct verdict {
	unsigned fired, expected;
	bool is_mentioned;
	/* Over all cases: those where it must fire, and those where it must not but might. */
	unsigned positive, negative; /* enum evidence */
};

struct bench {
	struct ruleset *rules;
	struct verdict *verdicts; /* one a rule */
	struct scene scene;
	struct definition definitions[DEFINITIONS_MAX];
	size_t n_definitions;
	struct buf line; /* with definitions replaced */
	enum evidence evidence;
	unsigned failed;
};

static struct bench bench;

static void complain(const struct golden_file *f, unsigned line, const char *what, struct str text)
{
	fprintf(stderr, "%s:%u: %s: %.*s\n", f->path, line, what, STR_ARG(text));
	bench.failed++;
}

static char *source_path(const char *path)
{
	const char *source = getenv("SAKER_SOURCE");

	return xasprintf("%s/%s", source ? source : ".", path);
}

static struct ruleset *load_rules(void)
{
	struct loader *l = loader_new(
		&(struct loader_config){.min_priority = PRIORITY_DEBUG, .suggested_output = true});
	char *path = source_path("rules/saker_rules.yaml");
	struct ruleset *rules = NULL;
	struct buf text;

	buf_init(&text, 1 << 20);
	loader_add_file(l, path);
	loader_results_text(l, true, &text);
	rules = loader_take(l);
	if (!rules || str_find(buf_str(&text), STR("arning")) >= 0)
		fputs(buf_z(&text), stderr);
	buf_done(&text);
	free(path);
	loader_free(l);
	return rules;
}

static struct verdict *find_verdict(struct str rule)
{
	for (size_t i = 0; i < bench.rules->n_rules; i++)
		if (str_eq(bench.rules->rules[i].name, rule))
			return &bench.verdicts[i];
	return NULL;
}

static void evaluate(struct field_ctx *c)
{
	const uint32_t *ids;
	size_t n = program_eval(bench.rules->program, c, false, &ids);

	for (size_t i = 0; i < n; i++)
		bench.verdicts[ids[i]].fired++;
}

/* $NAME becomes what `define NAME ...` said. */
static struct str replace_definitions(struct str line)
{
	buf_reset(&bench.line);
	for (size_t at = 0; at < line.n;) {
		struct str rest = str_from(line, at);
		const struct definition *best = NULL;

		for (size_t i = 0; rest.p[0] == '$' && i < bench.n_definitions; i++) {
			const struct definition *d = &bench.definitions[i];

			if (str_starts(str_from(rest, 1), d->name) &&
			    (!best || d->name.n > best->name.n))
				best = d;
		}
		if (best)
			buf_adds(&bench.line, best->text);
		else
			buf_addc(&bench.line, rest.p[0]);
		at += best ? best->name.n + 1 : 1;
	}
	return buf_str(&bench.line);
}

static struct str take_word(struct str *line)
{
	ptrdiff_t n = str_chr(*line, ' ');
	struct str word = n < 0 ? *line : str_head(*line, (size_t)n);

	*line = str_trim(str_from(*line, word.n));
	return word;
}

/* "RULE" or "3 x RULE" */
static unsigned take_count(struct str *text)
{
	ptrdiff_t at = str_find(*text, STR(" x "));
	uint64_t n;

	if (at < 0 || !str_u64(str_head(*text, (size_t)at), &n))
		return 1;
	*text = str_from(*text, (size_t)at + 3);
	return (unsigned)n;
}

static void expect(const struct golden_file *f, struct str text, bool fires)
{
	unsigned n = fires ? take_count(&text) : 0;
	struct verdict *v = find_verdict(text);

	if (!v) {
		complain(f, f->line, "no such rule", text);
		return;
	}
	v->expected = n;
	v->is_mentioned = true;
	*(fires ? &v->positive : &v->negative) |= bench.evidence;
}

static void replay(const struct golden_file *f, struct str name)
{
	char *folder = source_path("tests/captures");
	char *path = xasprintf("%s/%.*s", folder, STR_ARG(name));
	struct field_ctx c = {.state = bench.scene.state, .m = &bench.scene.moment};
	struct source *source;
	struct record record;
	struct arena scratch;
	struct err e;

	bench.evidence = EVIDENCE_CAPTURED;
	arena_init(&scratch, 0);
	c.scratch = &scratch;
	if (capfile_open(path, &source, &e) < 0) {
		complain(f, f->line, "no capture", str_of(e.msg));
	} else {
		while (source_next(source, &record, &e) > 0) {
			arena_reset(&scratch);
			if (state_apply(bench.scene.state, &record, &bench.scene.moment) ==
			    STATE_DELIVER)
				evaluate(&c);
		}
		source_close(source);
	}
	arena_done(&scratch);
	free(path);
	free(folder);
}

static void run_line(const struct golden_file *f, struct str line)
{
	struct scene *s = &bench.scene;
	struct field_ctx c = {.state = s->state, .m = &s->moment, .scratch = &s->arena};
	struct str rest = line, word = take_word(&rest);
	struct err e;

	if (str_is(word, "fires") || str_is(word, "not")) {
		expect(f, rest, str_is(word, "fires"));
		return;
	}
	if (str_is(word, "capture")) {
		replay(f, rest);
		return;
	}
	s->has_event = false;
	if (scene_add(s, replace_definitions(line), &e) < 0)
		complain(f, f->line, "bad line", str_of(e.msg));
	else if (s->has_event)
		evaluate(&c);
}

/* One state for all cases: what an evaluator remembers of one must not reach the next. */
static void begin_case(void)
{
	struct moment m;

	bench.evidence = EVIDENCE_ENCODED;
	arena_reset(&bench.scene.arena);
	state_apply(bench.scene.state, &(struct record){.kind = RECORD_SECTION}, &m);
	for (size_t i = 0; i < bench.rules->n_rules; i++) {
		struct verdict *v = &bench.verdicts[i];

		v->fired = v->expected = 0;
		v->is_mentioned = false;
	}
}

static void end_case(const struct golden_file *f, unsigned line, struct str name)
{
	for (size_t i = 0; i < bench.rules->n_rules; i++) {
		const struct verdict *v = &bench.verdicts[i];

		if (v->fired == v->expected)
			continue;
		complain(f, line, "case", name);
		fprintf(stderr, "  fires %u times, should %u: %.*s\n", v->fired, v->expected,
			STR_ARG(bench.rules->rules[i].name));
	}
}

static void define(const struct golden_file *f, struct str line)
{
	struct str name = take_word(&line);

	if (bench.n_definitions == DEFINITIONS_MAX)
		complain(f, f->line, "too many definitions", name);
	else
		bench.definitions[bench.n_definitions++] = (struct definition){name, line};
}

static unsigned run_file(struct golden_file *f)
{
	unsigned failed_before = bench.failed;

	bench.n_definitions = 0;
	while (golden_skip(f)) {
		unsigned at = f->line;
		struct str line = golden_take_line(f), word = take_word(&line);

		if (str_is(word, "define")) {
			define(f, line);
			continue;
		}
		if (!str_is(word, "case"))
			complain(f, at, "neither case nor define", word);
		begin_case();
		while (f->rest.n && str_starts(golden_peek_line(f), STR("\t")))
			run_line(f, str_trim(golden_take_line(f)));
		end_case(f, at, line);
	}
	return bench.failed - failed_before;
}

/* NULL, or a rule that no case makes fire, or none keeps from firing. */
static const char *find_untested(void)
{
	for (size_t i = 0; i < bench.rules->n_rules; i++) {
		const struct verdict *v = &bench.verdicts[i];

		if (!v->positive || !v->negative)
			return bench.rules->rules[i].name.p;
	}
	return "none";
}

static void describe_evidence(unsigned evidence, struct buf *to)
{
	static const char *const texts[] = {
		[0] = "no case",
		[EVIDENCE_CAPTURED] = "captured",
		[EVIDENCE_ENCODED] = "encoded",
		[EVIDENCE_CAPTURED | EVIDENCE_ENCODED] = "captured, encoded",
	};

	buf_addz(to, texts[evidence]);
}

static void describe_rules(struct buf *to)
{
	buf_addz(to, "| rule | fires | keeps quiet |\n|---|---|---|\n");
	for (size_t i = 0; i < bench.rules->n_rules; i++) {
		const struct verdict *v = &bench.verdicts[i];

		buf_addz(to, "| ");
		buf_adds(to, bench.rules->rules[i].name);
		buf_addz(to, " | ");
		describe_evidence(v->positive, to);
		buf_addz(to, " | ");
		describe_evidence(v->negative, to);
		buf_addz(to, " |\n");
	}
}

/* Whether docs/STATUS.md has the table of rules and their evidence as it is; if not, print that. */
static bool status_is_current(void)
{
	char *path = source_path("docs/STATUS.md");
	size_t n = 0;
	char *text = golden_read(path, &n);
	struct buf table;
	bool current;

	buf_init(&table, TABLE_MAX_BYTES);
	describe_rules(&table);
	current = text && str_find((struct str){text, n}, buf_str(&table)) >= 0;
	if (!current)
		fprintf(stderr, "%s: should have this table:\n%s", path, buf_z(&table));
	buf_done(&table);
	free(text);
	free(path);
	return current;
}

TEST(every_case_fires_its_rules_and_no_others)
{
	bench.rules = load_rules();
	CHECK(bench.rules);
	bench.verdicts = xcalloc(bench.rules->n_rules, sizeof(*bench.verdicts));
	buf_init(&bench.line, LINE_MAX_BYTES);
	scene_init(&bench.scene);
	CHECK_INT(golden_run("detections", run_file), 0);
	CHECK_STR(find_untested(), "none");
	CHECK(status_is_current());
	scene_done(&bench.scene);
	buf_done(&bench.line);
	free(bench.verdicts);
	ruleset_free(bench.rules);
}
