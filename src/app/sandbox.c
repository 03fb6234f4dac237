/* SPDX-License-Identifier: Apache-2.0 */
#include "app/exercise.h"

#include "app/subprocess.h"

#include <stdio.h>

enum { ASK_MS = 20000, RUN_MS = 60000, ARGS_MAX = 32, SCRIPT_MAX = 4096 };

/* IMAGE and NAME stand for these; what follows is the shell's. */
#define IMAGE "\1"
#define NAME "\2"

struct client {
	const char *program;
	const char *find[8], *run[20], *remove[8];
	bool says_what_it_finds; /* else its exit status does */
};

#define DOCKER_LIKE(name)                                                                          \
	{                                                                                          \
		name, {"image", "inspect", IMAGE},                                                 \
			{"run",	 "--rm",   "-t", "--pull",	 "never", "--network",             \
			 "none", "--name", NAME, "--entrypoint", "sh",	  IMAGE},                  \
			{"rm", "-f", NAME}, false                                                  \
	}

static const struct client clients[] = {
	DOCKER_LIKE("docker"),
	DOCKER_LIKE("podman"),
	{"ctr",
	 {"image", "ls", "-q", "name==" IMAGE},
	 {"run", "--rm", "-t", IMAGE, NAME, "sh"},
	 {"task", "kill", "-s", "9", NAME},
	 true},
};

enum { N_CLIENTS = sizeof(clients) / sizeof(clients[0]) };

struct args {
	const char *list[ARGS_MAX];
	unsigned n;
	char filter[512]; /* "name==IMAGE" */
};

static void add_args(const struct exercise *x, const char *const *words, struct args *ret)
{
	for (; *words; words++) {
		const char *image = strstr(*words, IMAGE);

		if (!strcmp(*words, NAME))
			ret->list[ret->n++] = x->name;
		else if (image == *words)
			ret->list[ret->n++] = x->o->image;
		else if (image) {
			snprintf(ret->filter, sizeof(ret->filter), "%.*s%s", (int)(image - *words),
				 *words, x->o->image);
			ret->list[ret->n++] = ret->filter;
		} else
			ret->list[ret->n++] = *words;
	}
	ret->list[ret->n] = NULL;
}

static void args_of(const struct exercise *x, const struct client *c, const char *const *words,
		    struct args *ret)
{
	*ret = (struct args){.list = {c->program}, .n = 1};
	add_args(x, words, ret);
}

static const struct subprocess_options no_input = {.input = {"", 0}};

static void add_last_line(struct buf *out, struct str text)
{
	ptrdiff_t end;

	text = str_trim(text);
	end = str_rchr(text, '\n');
	buf_adds(out, end < 0 ? text : str_from(text, (size_t)end + 1));
}

/* Whether it has the image; else *why is told. */
static bool has_image(const struct exercise *x, const struct client *c, struct buf *why)
{
	struct subprocess p;
	struct err e = {0};
	bool has = false;
	struct args a;

	args_of(x, c, c->find, &a);
	buf_addf(why, "%s%s: ", why->n ? "; " : "", c->program);
	if (subprocess_run(&p, a.list, &no_input, ASK_MS, &e) < 0) {
		buf_addz(why, e.msg);
	} else if (p.status) {
		add_last_line(why, buf_str(&p.complained));
	} else {
		has = !c->says_what_it_finds || str_trim(buf_str(&p.said)).n;
		buf_addz(why, has ? "" : "no such image");
	}
	subprocess_done(&p);
	return has;
}

static const struct client *find_client(const struct exercise *x, struct buf *why)
{
	for (unsigned i = 0; i < N_CLIENTS; i++) {
		if (has_image(x, &clients[i], why))
			return &clients[i];
	}
	return NULL;
}

/*
 * Each says so when it cannot be done.  In the end it stays a little, for of what is gone at once
 * its runtime may not tell any more.
 */
static void add_script(const struct exercise *x, struct buf *out)
{
	for (unsigned i = 0; i < n_acts; i++) {
		if (acts[i].script)
			buf_addf(out, "{ %s; } || echo cannot %s\n", acts[i].script, acts[i].name);
	}
	buf_addf(out, "echo end %s\nsleep 2 2>/dev/null\n", x->mark);
}

static void take_results(struct exercise *x, const struct client *c, const struct subprocess *p)
{
	struct str said = buf_str(&p->said);
	char line[128];
	bool ended;

	snprintf(line, sizeof(line), "end %s", x->mark);
	ended = str_find(said, str_of(line)) >= 0;
	for (unsigned i = 0; i < n_acts; i++) {
		struct outcome *o = &x->outcomes[i];

		if (!acts[i].script)
			continue;
		snprintf(line, sizeof(line), "cannot %s", acts[i].name);
		o->was_done = ended && str_find(said, str_of(line)) < 0;
		if (!ended) {
			buf_addf(&o->why, "the container does not run: %s: ", c->program);
			add_last_line(&o->why, said);
		} else if (!o->was_done)
			buf_addz(&o->why, "that image does not have what it takes");
	}
}

static void remove_it(const struct exercise *x, const struct client *c)
{
	struct subprocess p;
	struct err unused = {0};
	struct args a;

	args_of(x, c, c->remove, &a);
	subprocess_run(&p, a.list, &no_input, ASK_MS, &unused);
	subprocess_done(&p);
}

static void run(struct exercise *x, const struct client *c)
{
	const struct subprocess_options terminal = {.input = STR_EMPTY, .wants_terminal = true};
	struct subprocess p;
	struct err e = {0};
	struct buf script;
	struct args a;

	args_of(x, c, c->run, &a);
	buf_init(&script, SCRIPT_MAX);
	add_script(x, &script);
	a.list[a.n++] = "-c";
	a.list[a.n++] = buf_z(&script);
	a.list[a.n++] = x->name;
	a.list[a.n] = NULL;
	if (subprocess_run(&p, a.list, &terminal, RUN_MS, &e) < 0 && !p.said.n)
		buf_addz(&p.said, e.msg);
	take_results(x, c, &p);
	subprocess_done(&p);
	buf_done(&script);
	if (e.code) /* its client was ended, and it may be there still */
		remove_it(x, c);
}

void sandbox_run(struct exercise *x)
{
	const struct client *c;
	struct buf why;

	buf_init(&why, SCRIPT_MAX);
	c = find_client(x, &why);
	for (unsigned i = 0; i < n_acts && !c; i++) {
		if (acts[i].script)
			buf_addf(&x->outcomes[i].why,
				 "no container runtime here has the image %s: %s", x->o->image,
				 buf_z(&why));
	}
	buf_done(&why);
	if (c)
		run(x, c);
}
