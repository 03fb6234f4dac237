/* SPDX-License-Identifier: Apache-2.0 */
#include "config/key.h"

#include "base/nearest.h"
#include "base/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#define NOTHING NULL
#define MOOT ""

const struct config_key config_keys[CONFIG_KEY_COUNT] = {
#define KEY(id, path_, type_, fallback_, limits_, reader_, help_)                                  \
	[CONFIG_KEY_##id] = {path_, CONFIG_##type_, fallback_, limits_, reader_, false, help_},
#define GONE(id, path_, help_) [CONFIG_KEY_##id] = {path_, CONFIG_ANY, "", "", NULL, true, help_},
#include "config/keys.def"
#undef GONE
#undef KEY
};

const struct config_key *config_key_find(struct str path)
{
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
		if (str_is(path, config_keys[i].path))
			return &config_keys[i];
	}
	return NULL;
}

bool config_key_goes_on(struct str path, char with)
{
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
		if (str_starts(str_of(config_keys[i].path), path) &&
		    config_keys[i].path[path.n] == with)
			return true;
	}
	return false;
}

/* The first name of a path: up to a '.' or '['. */
static struct str first_name(struct str path)
{
	size_t n = 0;

	while (n < path.n && path.p[n] != '.' && path.p[n] != '[')
		n++;
	return str_head(path, n);
}

const char *config_key_nearest(struct str prefix, struct str word, struct arena *a)
{
	struct nearest near;

	nearest_init(&near, word);
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
		struct str path = str_of(config_keys[i].path);

		if (!str_starts(path, prefix) || config_keys[i].is_gone)
			continue;
		path = str_from(path, prefix.n);
		if (prefix.n && (!path.n || path.p[0] != '.'))
			continue;
		path = first_name(str_from(path, prefix.n ? 1 : 0));
		if (path.n && path.p[0] != '*')
			nearest_offer(&near, arena_str(a, path).p);
	}
	return near.name;
}

/* ---- types ---- */

static bool split_limits(const char *limits, struct str *ret_least, struct str *ret_most)
{
	struct str s = str_of(limits);
	ptrdiff_t dots = str_find(s, STR(".."));

	if (dots < 0)
		return false;
	*ret_least = str_head(s, (size_t)dots);
	*ret_most = str_from(s, (size_t)dots + 2);
	return true;
}

static bool is_within(const struct config_key *k, uint64_t n)
{
	struct str least, most;
	uint64_t min = 0, max = UINT64_MAX;

	if (split_limits(k->limits, &least, &most)) {
		str_u64(least, &min);
		str_u64(most, &max);
	}
	return n >= min && n <= max;
}

static bool parse_bool(const struct config_key *k, struct str s, struct config_value *ret)
{
	struct yaml y = {.kind = YAML_SCALAR, .text = s};

	return yaml_bool(&y, &ret->b);
}

static bool parse_number(const struct config_key *k, struct str s, struct config_value *ret)
{
	return str_u64(s, &ret->n) && is_within(k, ret->n);
}

/* "0.5", ".03333", "1e-3": what strtod() takes, but only of these characters. */
static bool parse_decimal(const struct config_key *k, struct str s, struct config_value *ret)
{
	char text[64], *end;
	struct str least, most;

	if (!s.n || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (strspn(text, "0123456789.eE+-") != s.n)
		return false;
	ret->d = strtod(text, &end);
	if (*end || !isfinite(ret->d))
		return false;
	return !split_limits(k->limits, &least, &most) ||
	       (ret->d >= strtod(least.p, NULL) && ret->d <= strtod(most.p, NULL));
}

static bool parse_size(const struct config_key *k, struct str s, struct config_value *ret)
{
	static const char units[] = "KMG";
	const char *unit = s.n ? memchr(units, s.p[s.n - 1], 3) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;

	if (!str_u64(str_head(s, s.n - (unit != NULL)), &ret->n) || ret->n > UINT64_MAX >> shift)
		return false;
	ret->n <<= shift;
	return is_within(k, ret->n);
}

/* Units from the largest to the smallest, each at most once, as Prometheus writes durations. */
static const struct {
	const char *name;
	uint64_t ms;
} units_of_time[] = {
	{"y", 31536000000}, {"w", 604800000}, {"d", 86400000}, {"h", 3600000},
	{"m", 60000},	    {"s", 1000},      {"ms", 1},
};

enum { N_UNITS_OF_TIME = sizeof(units_of_time) / sizeof(units_of_time[0]) };

static bool is_letter(char c)
{
	return c >= 'a' && c <= 'z';
}

/* One "30m" at the start of *s, of a unit from *from on. */
static bool take_time(struct str *s, unsigned *from, uint64_t *ret_ms)
{
	size_t digits = 0, end;
	uint64_t n;

	while (digits < s->n && s->p[digits] >= '0' && s->p[digits] <= '9')
		digits++;
	for (end = digits; end < s->n && is_letter(s->p[end]);)
		end++;
	if (!str_u64(str_head(*s, digits), &n))
		return false;
	for (unsigned u = *from; u < N_UNITS_OF_TIME; u++) {
		if (!str_is((struct str){s->p + digits, end - digits}, units_of_time[u].name) ||
		    n > UINT32_MAX)
			continue;
		*ret_ms = n * units_of_time[u].ms;
		*s = str_from(*s, end);
		*from = u + 1;
		return true;
	}
	return false;
}

static bool parse_duration(const struct config_key *k, struct str s, struct config_value *ret)
{
	unsigned from = 0;
	uint64_t ms, all = 0;

	if (!s.n)
		return false;
	while (s.n) {
		if (!take_time(&s, &from, &ms))
			return false;
		all += ms;
	}
	ret->n = all;
	return is_within(k, all);
}

/* The next of "a, b, c". */
static bool next_word(struct str *rest, struct str *ret)
{
	ptrdiff_t comma = str_chr(*rest, ',');

	if (!rest->n)
		return false;
	*ret = str_trim(comma < 0 ? *rest : str_head(*rest, (size_t)comma));
	*rest = comma < 0 ? STR_EMPTY : str_from(*rest, (size_t)comma + 1);
	return true;
}

static bool is_same_word(struct str a, struct str b)
{
	return a.n == b.n && !strncasecmp(a.p, b.p, a.n);
}

static bool parse_word(const struct config_key *k, struct str s, struct config_value *ret)
{
	struct str rest = str_of(k->limits), word;

	while (next_word(&rest, &word)) {
		if (is_same_word(word, s)) {
			ret->text = word;
			return true;
		}
	}
	return false;
}

static bool parse_text(const struct config_key *k, struct str s, struct config_value *ret)
{
	return true;
}

static void add_numbers(const struct config_key *k, const char *what, struct buf *out)
{
	struct str least, most;

	buf_addz(out, what);
	if (split_limits(k->limits, &least, &most))
		buf_addf(out, " from %.*s to %.*s", STR_ARG(least), STR_ARG(most));
}

static void want_bool(const struct config_key *k, struct buf *out)
{
	buf_addz(out, "true or false");
}

static void want_number(const struct config_key *k, struct buf *out)
{
	add_numbers(k, "a whole number", out);
}

static void want_decimal(const struct config_key *k, struct buf *out)
{
	add_numbers(k, "a number", out);
}

static void want_size(const struct config_key *k, struct buf *out)
{
	add_numbers(k, "a size such as 64K or 8M", out);
}

static void want_duration(const struct config_key *k, struct buf *out)
{
	buf_addz(out, "a time such as 1h30m or 500ms, 100ms at the least");
}

static void want_word(const struct config_key *k, struct buf *out)
{
	buf_addf(out, "one of %s", k->limits);
}

static void want_text(const struct config_key *k, struct buf *out)
{
	buf_addz(out, "text");
}

static void want_list(const struct config_key *k, struct buf *out)
{
	buf_addz(out, "a list");
}

static const struct {
	const char *name;
	bool is_list;
	bool (*parse)(const struct config_key *k, struct str s, struct config_value *ret);
	void (*want)(const struct config_key *k, struct buf *out);
} types[CONFIG_TYPE_COUNT] = {
	[CONFIG_BOOL] = {"boolean", false, parse_bool, want_bool},
	[CONFIG_NUMBER] = {"number", false, parse_number, want_number},
	[CONFIG_DECIMAL] = {"decimal", false, parse_decimal, want_decimal},
	[CONFIG_SIZE] = {"size", false, parse_size, want_size},
	[CONFIG_DURATION] = {"duration", false, parse_duration, want_duration},
	[CONFIG_WORD] = {"word", false, parse_word, want_word},
	[CONFIG_TEXT] = {"text", false, parse_text, want_text},
	[CONFIG_TEXTS] = {"list of text", true, parse_text, want_text},
	[CONFIG_WORDS] = {"list of words", true, parse_word, want_word},
	[CONFIG_LIST] = {"list", false, parse_text, want_list},
	[CONFIG_ANY] = {"any", false, parse_text, want_text},
};

const char *config_type_name(enum config_type t)
{
	return types[t].name;
}

bool config_type_is_list(enum config_type t)
{
	return types[t].is_list;
}

void config_key_wants(const struct config_key *k, struct buf *out)
{
	types[k->type].want(k, out);
}

static const char *nearest_word(const struct config_key *k, struct str text, struct arena *a)
{
	struct str rest = str_of(k->limits), word;
	struct nearest near;

	nearest_init(&near, text);
	while (next_word(&rest, &word))
		nearest_offer(&near, arena_str(a, word).p);
	return near.name;
}

int config_value_parse(const struct config_key *k, struct str text, struct arena *a,
		       struct config_value *ret, struct err *e)
{
	struct config_value v = {.text = text};
	const char *near = NULL;
	struct buf wants;

	if (types[k->type].parse(k, text, &v)) {
		if (k->type == CONFIG_WORD || k->type == CONFIG_WORDS)
			v.word = arena_str(a, v.text).p;
		*ret = v;
		return 0;
	}
	if (types[k->type].parse == parse_word)
		near = nearest_word(k, text, a);
	buf_init(&wants, 256);
	config_key_wants(k, &wants);
	err_set(e, -EINVAL, "wants %s, not '%.*s'%s%s%s", buf_z(&wants),
		text.n < 64 ? (int)text.n : 64, text.p, near ? "; did you mean '" : "",
		near ? near : "", near ? "'?" : "");
	buf_done(&wants);
	return -EINVAL;
}
