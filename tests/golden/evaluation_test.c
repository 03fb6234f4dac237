/* SPDX-License-Identifier: Apache-2.0 */
/* tests/golden/eval: what conditions and messages say of an event on a machine. */
#include "golden.h"
#include "scene.h"

#include "base/buf.h"
#include "base/test.h"
#include "filter/message.h"

#include <stdio.h>

enum { DEPTH = 100, ANSWER_MAX = 1 << 16, QUESTIONS_MAX = 1024 };

/* What is asked of one scene: "   answer | question". */
struct question {
	unsigned line;
	struct str answer, text;
	int id; /* its number in the program of all conditions of the scene; -1 without one */
};

struct sheet {
	const struct golden_file *file;
	struct scene scene;
	struct question list[QUESTIONS_MAX];
	unsigned n, failed;
};

static struct field_ctx context(struct scene *s)
{
	return (struct field_ctx){.state = s->state, .m = &s->moment, .scratch = &s->arena};
}

static void complain(struct sheet *s, unsigned line, const char *text)
{
	fprintf(stderr, "%s:%u: %s\n", s->file->path, line, text);
	s->failed++;
}

/* Add a condition to a program: its number, or the error. */
static int add(struct program *p, struct str text, struct arena *a, struct err *e)
{
	struct position at;
	struct ast *t;
	int r = ast_parse(text, DEPTH, a, &t, &at, e);

	return r < 0 ? r : program_add(p, t, NULL, NULL, &at, e);
}

static const char *verdict(struct program *p, struct scene *s, uint32_t id)
{
	struct field_ctx c = context(s);
	struct explain_step step;
	unsigned n_leaves;

	if (program_explain(p, &c, id, EXPLAIN_WHOLE, &s->arena, &step, &n_leaves))
		return "true";
	return step.result == STEP_UNKNOWN ? "unknown" : "false";
}

static bool holds(struct program *p, struct scene *s, uint32_t id)
{
	struct field_ctx c = context(s);
	const uint32_t *ids;
	size_t n = program_eval(p, &c, false, &ids);

	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static void ask_condition(struct sheet *s, struct str text, struct buf *out)
{
	struct program *p = program_new();
	struct err e;

	if (add(p, text, &s->scene.arena, &e) < 0) {
		buf_addf(out, "error: %s", e.msg);
	} else {
		program_seal(p);
		buf_addz(out, verdict(p, &s->scene, 0));
		/* Both ways to evaluate must agree. */
		if (holds(p, &s->scene, 0) != str_is(buf_str(out), "true"))
			buf_addz(out, " (but program_eval() disagrees)");
	}
	program_free(p);
}

static void ask_message(struct sheet *s, struct str text, struct buf *out)
{
	struct field_ctx c = context(&s->scene);
	struct message *m;
	struct err e;

	if (message_compile(text, NULL, &s->scene.arena, &m, NULL, &e) < 0)
		buf_addf(out, "error: %s", e.msg);
	else
		message_format(m, &c, out);
}

static bool is_message(struct str text)
{
	return text.n && (text.p[0] == '%' || text.p[0] == '*');
}

static void ask(struct sheet *s, const struct question *q)
{
	struct buf got;

	buf_init(&got, ANSWER_MAX);
	if (is_message(q->text))
		ask_message(s, q->text, &got);
	else
		ask_condition(s, q->text, &got);
	if (!str_eq(buf_str(&got), q->answer)) {
		fprintf(stderr, "%s:%u: %.*s\n  expected %.*s\n  got      %.*s\n", s->file->path,
			q->line, STR_ARG(q->text), STR_ARG(q->answer), STR_ARG(got));
		s->failed++;
	}
	buf_done(&got);
}

/* All conditions of a scene as one program, where they share what they have in common. */
static void ask_together(struct sheet *s)
{
	struct program *p = program_new();
	struct err e;

	for (unsigned i = 0; i < s->n; i++) {
		struct question *q = &s->list[i];

		q->id = is_message(q->text) ? -1 : add(p, q->text, &s->scene.arena, &e);
	}
	program_seal(p);
	for (unsigned i = 0; i < s->n; i++) {
		const struct question *q = &s->list[i];

		if (q->id >= 0 && holds(p, &s->scene, (uint32_t)q->id) != str_is(q->answer, "true"))
			complain(s, q->line, "another answer among the other conditions");
	}
	program_free(p);
}

static void read_question(struct sheet *s, struct str line, unsigned number)
{
	ptrdiff_t bar = str_find(line, STR(" | "));
	struct str answer;

	if (bar < 0 || s->n == QUESTIONS_MAX) {
		complain(s, number, "expected an answer, ' | ' and a question");
		return;
	}
	answer = str_trim(str_head(line, (size_t)bar));
	s->list[s->n++] = (struct question){
		.line = number,
		.answer = answer.n > 1 && *answer.p == '"'
				  ? (struct str){answer.p + 1, answer.n - 2}
				  : answer,
		.text = str_trim(str_from(line, (size_t)bar + 3)),
	};
}

static bool is_question(struct str line)
{
	return line.n && (line.p[0] == ' ' || line.p[0] == '\t');
}

static void read_scene(struct sheet *s, struct golden_file *f)
{
	struct err e;

	while (golden_skip(f) && !is_question(golden_peek_line(f))) {
		unsigned line = f->line;

		if (scene_add(&s->scene, golden_take_line(f), &e) < 0)
			complain(s, line, e.msg);
	}
	while (golden_skip(f) && is_question(golden_peek_line(f))) {
		unsigned number = f->line;
		struct str line = str_trim(golden_take_line(f));

		if (line.n && line.p[0] != '#')
			read_question(s, line, number);
	}
}

static unsigned run_file(struct golden_file *f)
{
	static struct sheet s;
	unsigned failed = 0;

	while (golden_skip(f)) {
		s.file = f;
		s.n = s.failed = 0;
		scene_init(&s.scene);
		read_scene(&s, f);
		if (!s.scene.has_event)
			complain(&s, f->line, "the scene has no event");
		for (unsigned i = 0; i < s.n && s.scene.has_event; i++)
			ask(&s, &s.list[i]);
		if (s.scene.has_event)
			ask_together(&s);
		scene_done(&s.scene);
		failed += s.failed;
	}
	return failed;
}

TEST(conditions_and_messages_say_what_they_should)
{
	CHECK_INT(golden_run("eval", run_file), 0);
}
