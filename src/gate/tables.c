/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A door's tree becomes an OR of ANDs.  Where that grows too large an AND loses one of its parts,
 * and an OR is true: both let more pass.
 */
#include "gate/tables.h"

#include "base/alloc.h"
#include "gate/automaton.h"
#include "gate/private.h"

#include <stdlib.h>

enum { PATH_TESTS = 62 }; /* bits below those that no rule has */

static const uint16_t door_types[GATE_DOORS] = {
	[GATE_OPEN] = EV_SYSCALL_OPEN_X,
	[GATE_OPENAT] = EV_SYSCALL_OPENAT_2_X,
	[GATE_OPENAT2] = EV_SYSCALL_OPENAT2_X,
	[GATE_CREAT] = EV_SYSCALL_CREAT_X,
};

/* Tests of paths that have a bit; equal leaves are one leaf. */
struct path_test {
	const struct leaf *leaf;
	uint8_t how; /* enum gate_how */
};

struct making {
	struct gate_tables *t;
	struct automaton *automaton;
	const struct gate_door *door;
	struct path_test paths[PATH_TESTS];
	unsigned n_paths, n_results, n_flags;
};

/* An OR of terms; none: false. */
struct terms {
	uint32_t n;
	struct gate_term list[GATE_TERMS];
};

static void say(struct terms *t, bool truth)
{
	t->n = truth;
	t->list[0] = (struct gate_term){0};
}

/* ---- Paths ---- */

/* How the constants of this operator stand in a path; false: not as a text that can be found. */
static bool find_shape(const struct leaf *l, uint8_t how, bool *ret_start, enum automaton_end *ret)
{
	bool equal = l->op == OP_EQ || l->op == OP_IN || l->op == OP_NE;

	*ret_start = equal || l->op == OP_STARTSWITH;
	*ret = equal || l->op == OP_ENDSWITH ? END_OF_ALL : END_ANYWHERE;
	if (how == HOW_DIRECTORY || how == HOW_FILENAME) {
		*ret_start = how == HOW_DIRECTORY;
		*ret = how == HOW_DIRECTORY ? END_AT_LAST_SLASH : END_OF_ALL;
		return equal;
	}
	return equal || l->op == OP_STARTSWITH || l->op == OP_ENDSWITH || l->op == OP_CONTAINS;
}

/* A directory as it stands before the last name, a name as it stands behind it. */
static struct str shaped(struct str text, uint8_t how, struct buf *b)
{
	buf_reset(b);
	if (how == HOW_FILENAME)
		buf_addc(b, '/');
	if (how != HOW_DIRECTORY || text.n != 1 || text.p[0] != '/')
		buf_adds(b, text);
	if (how == HOW_DIRECTORY)
		buf_addc(b, '/');
	return buf_str(b);
}

static bool add_texts(struct making *m, const struct leaf *l, uint8_t how, unsigned test)
{
	enum automaton_end end;
	bool at_start;
	struct buf b;

	if (!find_shape(l, how, &at_start, &end))
		return false;
	for (uint32_t i = 0; i < l->n_constants; i++) {
		if (!l->texts[i].n || l->texts[i].n > GATE_PATH_MAX - 2)
			return false;
	}
	buf_init(&b, GATE_PATH_MAX);
	for (uint32_t i = 0; i < l->n_constants; i++)
		automaton_add(m->automaton, shaped(l->texts[i], how, &b), at_start, end, test);
	buf_done(&b);
	return true;
}

static bool is_path(const struct gate_source *s)
{
	return s->input == GATE_PATH && (s->how == HOW_OPENED || s->how == HOW_RAW_NAME ||
					 s->how == HOW_DIRECTORY || s->how == HOW_FILENAME);
}

/* The bit of the test, or -1. */
static int path_test(struct making *m, const struct gate_node *n)
{
	const struct leaf *l = n->leaf;
	unsigned i;

	if (!is_path(&n->source) || (l->modifier == MOD_ALLOF && l->n_constants != 1))
		return -1;
	for (i = 0; i < m->n_paths; i++) {
		if (m->paths[i].leaf == l && m->paths[i].how == n->source.how)
			return (int)i;
	}
	if (i == PATH_TESTS || !add_texts(m, l, n->source.how, i))
		return -1;
	m->paths[m->n_paths++] = (struct path_test){l, n->source.how};
	if (n->source.how == HOW_FILENAME)
		m->t->only_opened |= (uint64_t)1 << i;
	return (int)i;
}

/* ---- Results and flags ---- */

/* The results for which a comparison with a number is true are one range. */
static bool range_of(const struct leaf *l, bool negated, int64_t *least, int64_t *most)
{
	static const uint8_t opposite[] = {
		[OP_LT] = OP_GE, [OP_GE] = OP_LT, [OP_GT] = OP_LE, [OP_LE] = OP_GT};
	uint8_t op = l->op;
	int64_t c;

	if (l->n_constants != 1 || l->group != GROUP_SIGNED)
		return false;
	c = l->constants[0].i;
	*least = INT64_MIN, *most = INT64_MAX;
	if (op == OP_EQ && !negated)
		return *least = *most = c, true;
	if ((op != OP_LT && op != OP_LE && op != OP_GT && op != OP_GE) || c == INT64_MIN ||
	    c == INT64_MAX)
		return false;
	if (negated)
		op = opposite[op];
	if (op == OP_LT || op == OP_LE)
		*most = op == OP_LT ? c - 1 : c;
	else
		*least = op == OP_GT ? c + 1 : c;
	return true;
}

static int result_test(struct making *m, int64_t least, int64_t most)
{
	for (unsigned i = 0; i < m->n_results; i++) {
		if (m->t->results[i].least == least && m->t->results[i].most == most)
			return (int)i;
	}
	if (m->n_results == GATE_RESULTS)
		return -1;
	m->t->results[m->n_results].least = least;
	m->t->results[m->n_results].most = most;
	return (int)m->n_results++;
}

static bool is_field(const struct leaf *l, const char *name)
{
	return !strcmp(l->left->field->info->name, name);
}

/* A descriptor that was not given has no number that would be told here: that stays open. */
static int number_test(struct making *m, const struct gate_node *n)
{
	int64_t least, most;

	if (!range_of(n->leaf, n->negated, &least, &most))
		return -1;
	if (is_field(n->leaf, "evt.rawres"))
		return result_test(m, least, most);
	if (!is_field(n->leaf, "fd.num") || least < 0 || most < INT64_MAX)
		return -1;
	return least ? -1 : result_test(m, 0, INT64_MAX);
}

static int flags_test(struct making *m, uint32_t mask)
{
	for (unsigned i = 0; i < m->n_flags; i++) {
		if (m->t->flags[i] == mask)
			return (int)(GATE_RESULTS + i);
	}
	if (m->n_flags == GATE_FLAGS_TESTS)
		return -1;
	m->t->flags[m->n_flags] = mask;
	return (int)(GATE_RESULTS + m->n_flags++);
}

/* The one flag in whose name the text is; 0: none, or more than one, or no flag of a call. */
static uint32_t flag_with(const struct param_info *p, struct str text)
{
	const struct flag_table *table = &flag_tables[p->flags];
	uint32_t found = 0;

	for (unsigned i = 0; i < table->n; i++) {
		if (str_find(str_of(table->names[i].name), text) < 0)
			continue;
		if (found)
			return 0;
		found = table->names[i].value;
	}
	if (found & (found - 1) ||
	    found & (PPM_O_RDWR | PPM_O_F_CREATED | PPM_FD_UPPER_LAYER | PPM_FD_LOWER_LAYER))
		return 0;
	return found;
}

static uint32_t flags_of(const struct gate_node *n, unsigned type, bool *ret_is_set)
{
	const struct leaf *l = n->leaf;
	const struct event_info *info = &event_table[type];

	if (type == EV_SYSCALL_CREAT_X || l->n_constants != 1)
		return 0;
	*ret_is_set = true;
	if (is_field(l, "evt.arg") && l->op == OP_CONTAINS && n->source.path < info->n_params &&
	    !strcmp(info->params[n->source.path].name, "flags"))
		return flag_with(&info->params[n->source.path], l->texts[0]);
	if (l->op != OP_EQ || l->group != GROUP_BOOL)
		return 0;
	*ret_is_set = l->constants[0].u != 0;
	if (is_field(l, "evt.is_open_read"))
		return PPM_O_RDONLY;
	return is_field(l, "evt.is_open_write") ? PPM_O_WRONLY : 0;
}

/* ---- Trees ---- */

static void make_test(struct making *m, const struct gate_node *n, unsigned type, struct terms *ret)
{
	bool is_set = true;
	uint32_t mask;
	int bit;

	say(ret, true);
	if (!n->leaf)
		return;
	bit = path_test(m, n);
	if (bit >= 0) {
		/* x != y is a negation of its own. */
		bool negated = n->negated != (n->leaf->op == OP_NE);

		*(negated ? &ret->list[0].lack : &ret->list[0].need) = (uint64_t)1 << bit;
		return;
	}
	mask = flags_of(n, type, &is_set);
	bit = mask ? flags_test(m, mask) : number_test(m, n);
	if (bit < 0)
		return;
	if (mask && n->negated == is_set)
		ret->list[0].lack_more = 1u << bit;
	else
		ret->list[0].need_more = 1u << bit;
}

/* False: too many. */
static bool add_term(struct terms *t, const struct gate_term *a, const struct gate_term *b)
{
	struct gate_term both = {a->need | b->need, a->lack | b->lack, a->need_more | b->need_more,
				 a->lack_more | b->lack_more};

	if (both.need & both.lack || both.need_more & both.lack_more)
		return true;
	for (uint32_t i = 0; i < t->n; i++) {
		if (!memcmp(&t->list[i], &both, sizeof(both)))
			return true;
	}
	if (t->n == GATE_TERMS)
		return false;
	t->list[t->n++] = both;
	return true;
}

/* a AND b into a; as it was when that has too many terms. */
static void narrow(struct terms *a, const struct terms *b)
{
	struct terms *both = xcalloc(1, sizeof(*both));
	bool fits = true;

	for (uint32_t i = 0; i < a->n && fits; i++)
		for (uint32_t k = 0; k < b->n && fits; k++)
			fits = add_term(both, &a->list[i], &b->list[k]);
	if (fits)
		*a = *both;
	free(both);
}

/* a OR b into a. */
static void widen(struct terms *a, const struct terms *b)
{
	static const struct gate_term nothing;

	for (uint32_t i = 0; i < b->n; i++) {
		if (!add_term(a, &b->list[i], &nothing)) {
			say(a, true);
			return;
		}
	}
}

static void make(struct making *m, uint32_t node, unsigned type, struct terms *ret)
{
	const struct gate_node *n = &m->door->nodes[node];
	struct terms *child;

	if (n->kind == GATE_TEST) {
		make_test(m, n, type, ret);
		return;
	}
	say(ret, n->kind == GATE_TRUE || n->kind == GATE_AND);
	child = xcalloc(1, sizeof(*child));
	for (uint32_t i = 0; i < n->n; i++) {
		make(m, m->door->children[n->first + i], type, child);
		(n->kind == GATE_AND ? narrow : widen)(ret, child);
	}
	free(child);
}

static void make_door(struct making *m, struct gate *g, unsigned type, struct terms *ret)
{
	struct terms *part = xcalloc(1, sizeof(*part));

	m->door = gate_door(g, type, SC_COUNT);
	say(ret, false);
	for (size_t i = 0; i < m->door->n_parts; i++) {
		make(m, m->door->parts[i].node, type, part);
		widen(ret, part);
	}
	free(part);
}

/* Paths that mean another one, and those from the root. */
static void add_own_tests(struct automaton *a)
{
	static const struct {
		const char *text;
		enum automaton_end end;
	} unsettled[] = {
		{"//", END_ANYWHERE}, {"/./", END_ANYWHERE}, {"/../", END_ANYWHERE},
		{"/.", END_OF_ALL},   {"/..", END_OF_ALL},   {"/", END_OF_ALL},
	};

	for (size_t i = 0; i < sizeof(unsettled) / sizeof(unsettled[0]); i++)
		automaton_add(a, str_of(unsettled[i].text), false, unsettled[i].end, 63);
	automaton_add(a, STR("/"), true, END_ANYWHERE, 62);
}

/* Those that need no test of the path come first. */
static void fill_door(struct gate_door_terms *d, const struct terms *t)
{
	for (unsigned pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < t->n; i++) {
			if (!t->list[i].need != !pass)
				continue;
			d->needs |= t->list[i].need;
			d->terms[d->n++] = t->list[i];
		}
		if (!pass)
			d->n_free = d->n;
	}
}

void tables_make(struct gate *g, struct gate_tables *ret)
{
	struct making *m = xcalloc(1, sizeof(*m));

	memset(ret, 0, sizeof(*ret));
	m->t = ret;
	m->automaton = automaton_new();
	add_own_tests(m->automaton);
	for (unsigned i = 0; i < GATE_DOORS; i++) {
		struct terms *t = xcalloc(1, sizeof(*t));

		make_door(m, g, door_types[i], t);
		fill_door(&ret->doors[i], t);
		free(t);
	}
	if (!automaton_make(m->automaton, ret))
		memset(ret, 0, sizeof(*ret)); /* no path is from the root: all pass */
	automaton_free(m->automaton);
	free(m);
}

/* ---- The kernel's part, for tests ---- */

static bool any_term(const struct gate_door_terms *d, uint64_t tests, uint32_t more)
{
	uint32_t n = tests & d->needs ? d->n : d->n_free;

	for (uint32_t i = 0; i < n; i++) {
		const struct gate_term *t = &d->terms[i];

		if ((tests & t->need) == t->need && !(tests & t->lack) &&
		    (more & t->need_more) == t->need_more && !(more & t->lack_more))
			return true;
	}
	return false;
}

static uint32_t more_tests(const struct gate_tables *t, int64_t ret, uint32_t flags)
{
	uint32_t more = 0;

	for (unsigned i = 0; i < GATE_RESULTS; i++) {
		if (t->results[i].least <= ret && ret <= t->results[i].most)
			more |= 1u << i;
		if (t->flags[i] & flags)
			more |= 1u << (GATE_RESULTS + i);
	}
	return more;
}

bool tables_pass(const struct gate_tables *t, const struct event *ev)
{
	int flags_at = event_param_index(ev->info, STR("flags"));
	struct str path;
	uint64_t tests;
	uint32_t flags = 0;
	unsigned door = 0;
	int64_t ret;

	while (door < GATE_DOORS && door_types[door] != ev->type)
		door++;
	if (door == GATE_DOORS || !event_text(ev, (unsigned)gate_opened_path(ev->type), &path) ||
	    !path.n || path.n >= GATE_PATH_MAX)
		return true;
	if (door != GATE_CREAT && flags_at >= 0)
		flags = (uint32_t)event_u64(ev, (unsigned)flags_at);
	tests = automaton_walk(t, path);
	if (flags & PPM_O_DIRECTORY || tests & GATE_IS_UNSETTLED || !(tests & GATE_IS_FULL))
		return true;
	ret = (int64_t)event_u64(ev, 0);
	if (ret < 0)
		tests &= ~t->only_opened;
	return any_term(&t->doors[door], tests, more_tests(t, ret, flags));
}
