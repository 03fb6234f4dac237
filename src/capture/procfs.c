/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/procfs.h"

#include "schema/schema.h"

#include <fcntl.h>
#include <stddef.h>

/* ---- words and numbers ---- */

bool text_line(struct str *rest, struct str *ret)
{
	ptrdiff_t end = str_chr(*rest, '\n');

	if (!rest->n)
		return false;
	*ret = end < 0 ? *rest : str_head(*rest, (size_t)end);
	*rest = str_from(*rest, ret->n + 1);
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool text_word(struct str *rest, struct str *ret)
{
	size_t start = 0, end;

	while (start < rest->n && is_blank(rest->p[start]))
		start++;
	for (end = start; end < rest->n && !is_blank(rest->p[end]);)
		end++;
	if (start == end)
		return false;
	*ret = (struct str){rest->p + start, end - start};
	*rest = (struct str){rest->p + end, rest->n - end};
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool text_hex(struct str s, uint64_t *ret)
{
	uint64_t v = 0;

	if (!s.n || s.n > 16)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int digit = hex_digit(s.p[i]);

		if (digit < 0)
			return false;
		v = v << 4 | (unsigned)digit;
	}
	*ret = v;
	return true;
}

static bool text_octal(struct str s, uint32_t *ret)
{
	uint32_t v = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '7' || v >> 29)
			return false;
		v = v << 3 | (uint32_t)(s.p[i] - '0');
	}
	*ret = v;
	return s.n;
}

static bool next_i64(struct str *rest, int64_t *ret)
{
	struct str word;

	return text_word(rest, &word) && str_i64(word, ret);
}

static bool next_u64(struct str *rest, uint64_t *ret)
{
	struct str word;

	return text_word(rest, &word) && str_u64(word, ret);
}

static struct str value_of(struct str line, struct str key)
{
	return str_from(line, key.n);
}

/* ---- status ---- */

static void take_id(struct str value, void *to)
{
	next_i64(&value, to);
}

/* Real, effective, saved, file system: the second counts. */
static void take_effective(struct str value, void *to)
{
	uint64_t id;

	if (next_u64(&value, &id) && next_u64(&value, &id) && id <= UINT32_MAX)
		*(uint32_t *)to = (uint32_t)id;
}

static void take_hex(struct str value, void *to)
{
	struct str word;

	if (text_word(&value, &word))
		text_hex(word, to);
}

static void take_kb(struct str value, void *to)
{
	uint64_t v;

	if (next_u64(&value, &v))
		*(uint32_t *)to = v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
}

static void take_text(struct str value, void *to)
{
	*(struct str *)to = value;
}

/* One number for each pid namespace, from the reader's to the innermost, which is its own. */
static void take_inner(struct str value, void *to)
{
	while (next_i64(&value, to))
		;
}

static const struct status_row {
	struct str key;
	void (*take)(struct str value, void *to);
	size_t offset;
} status_rows[] = {
#define ROW(key, take, member)                                                                     \
	{                                                                                          \
		{key ":", sizeof(key)}, take, offsetof(struct proc_status, member)                 \
	}
	ROW("Tgid", take_id, pid),
	ROW("PPid", take_id, ptid),
	ROW("Uid", take_effective, uid),
	ROW("Gid", take_effective, gid),
	ROW("Groups", take_text, groups),
	ROW("NStgid", take_inner, vpid),
	ROW("NSpid", take_inner, vtid),
	ROW("NSpgid", take_inner, vpgid),
	ROW("NSpgid", take_id, pgid),
	ROW("VmSize", take_kb, vmsize_kb),
	ROW("VmRSS", take_kb, vmrss_kb),
	ROW("VmSwap", take_kb, vmswap_kb),
	ROW("CapInh", take_hex, cap_inheritable),
	ROW("CapPrm", take_hex, cap_permitted),
	ROW("CapEff", take_hex, cap_effective),
#undef ROW
};

enum { N_STATUS_ROWS = sizeof(status_rows) / sizeof(*status_rows) };

static bool has_two_words(struct str value)
{
	struct str word;

	return text_word(&value, &word) && text_word(&value, &word);
}

bool proc_status_parse(struct str text, struct proc_status *ret)
{
	struct str line, nspid = STR("NSpid:");
	uint32_t seen = 0;

	*ret = (struct proc_status){.pid = -1,
				    .ptid = -1,
				    .vtid = -1,
				    .vpid = -1,
				    .vpgid = -1,
				    .pgid = -1,
				    .groups = STR_EMPTY};
	while (text_line(&text, &line)) {
		for (unsigned i = 0; i < N_STATUS_ROWS; i++) {
			const struct status_row *r = &status_rows[i];

			if (line.n < r->key.n || line.p[0] != r->key.p[0] ||
			    line.p[1] != r->key.p[1] || !str_starts(line, r->key))
				continue;
			r->take(value_of(line, r->key), (char *)ret + r->offset);
			seen |= 1U << i;
		}
		if (str_starts(line, nspid))
			ret->in_pidns = has_two_words(value_of(line, nspid));
	}
	return (seen & 15) == 15 && ret->pid > 0 && ret->ptid >= 0;
}

/* ---- stat ---- */

/* Of a task's flags, as the kernel numbers them. */
enum { PF_EXITING = 4 };

bool proc_stat_parse(struct str text, struct proc_stat *ret)
{
	/* A comm may hold anything, brackets included. */
	ptrdiff_t open = str_chr(text, '('), close = str_rchr(text, ')');
	struct str rest, word;
	int64_t number[19]; /* from ppid to num_threads, and the one behind */
	unsigned n = 0;

	*ret = (struct proc_stat){.comm = STR_EMPTY};
	if (open < 0 || close < open)
		return false;
	ret->comm = (struct str){text.p + open + 1, (size_t)(close - open - 1)};
	rest = str_from(text, (size_t)close + 1);
	if (rest.n && rest.p[rest.n - 1] == '\n')
		rest.n--;
	if (!text_word(&rest, &word)) /* the state's letter */
		return false;
	while (n < 18 && text_word(&rest, &word)) {
		uint64_t u = 0;

		/* Faults and times are unsigned and may be large. */
		if (!str_i64(word, &number[n]) && str_u64(word, &u))
			number[n] = (int64_t)u;
		else if (!str_i64(word, &number[n]))
			return false;
		n++;
	}
	if (n < 9)
		return false;
	ret->ppid = number[0];
	ret->pgid = number[1];
	ret->sid = number[2];
	ret->tty = (uint32_t)number[3];
	ret->is_exiting = number[5] & PF_EXITING;
	ret->pfminor = (uint64_t)number[6];
	ret->pfmajor = (uint64_t)number[8];
	ret->n_threads = n > 16 ? number[16] : 1;
	if (n == 18)
		next_u64(&rest, &ret->start_ticks);
	return true;
}

/* ---- limits, fdinfo ---- */

bool proc_limits_parse(struct str text, uint64_t *ret)
{
	struct str line, key = STR("Max open files");

	while (text_line(&text, &line)) {
		if (str_starts(line, key)) {
			line = value_of(line, key);
			return next_u64(&line, ret);
		}
	}
	return false;
}

void proc_fdinfo_parse(struct str text, struct proc_fdinfo *ret)
{
	struct str line, word, flags = STR("flags:"), mount = STR("mnt_id:");

	*ret = (struct proc_fdinfo){.mount_id = -1};
	while (text_line(&text, &line)) {
		if (str_starts(line, flags)) {
			line = value_of(line, flags);
			if (text_word(&line, &word))
				text_octal(word, &ret->flags);
		} else if (str_starts(line, mount)) {
			line = value_of(line, mount);
			next_i64(&line, &ret->mount_id);
			return;
		}
	}
}

enum { O_LARGEFILE_BIT = 0100000 }; /* glibc's is 0 where every file is large */

/* A flag made of several bits is there when any of them is, as everywhere in this world. */
static const struct {
	uint32_t bits, portable;
} open_flags[] = {
	{O_CREAT, PPM_O_CREAT},		{O_APPEND, PPM_O_APPEND},
	{O_DSYNC, PPM_O_DSYNC},		{O_EXCL, PPM_O_EXCL},
	{O_NONBLOCK, PPM_O_NONBLOCK},	{O_SYNC, PPM_O_SYNC},
	{O_TRUNC, PPM_O_TRUNC},		{O_DIRECT, PPM_O_DIRECT},
	{O_DIRECTORY, PPM_O_DIRECTORY}, {O_LARGEFILE_BIT, PPM_O_LARGEFILE},
	{O_CLOEXEC, PPM_O_CLOEXEC},	{O_TMPFILE, PPM_O_TMPFILE},
};

uint32_t open_flags_portable(uint32_t flags)
{
	static const uint32_t access[] = {PPM_O_RDONLY, PPM_O_WRONLY, PPM_O_RDWR, 0};
	uint32_t out = access[flags & O_ACCMODE];

	for (size_t i = 0; i < sizeof(open_flags) / sizeof(*open_flags); i++)
		if (flags & open_flags[i].bits)
			out |= open_flags[i].portable;
	return out;
}

/* ---- cgroup ---- */

bool cgroup_line_parse(struct str line, struct cgroup_line *ret)
{
	ptrdiff_t one = str_chr(line, ':'), two;
	struct str rest = str_from(line, (size_t)one + 1);

	if (one < 1)
		return false;
	two = str_chr(rest, ':');
	if (two < 0)
		return false;
	ret->controllers = str_head(rest, (size_t)two);
	ret->path = str_from(rest, (size_t)two + 1);
	ret->is_v2 = !two && one == 1 && line.p[0] == '0';
	return ret->path.n && (two > 0 || ret->is_v2);
}

/* ---- mountinfo ---- */

/* "8:1", as a record's 32 bits. */
static bool parse_dev(struct str word, uint32_t *ret)
{
	ptrdiff_t colon = str_chr(word, ':');
	uint64_t major, minor;

	if (colon < 0 || !str_u64(str_head(word, (size_t)colon), &major) ||
	    !str_u64(str_from(word, (size_t)colon + 1), &minor) || major > 0xfff || minor > 0xfffff)
		return false;
	*ret = (uint32_t)((minor & 0xff) | major << 8 | (minor & 0xfff00) << 12);
	return true;
}

bool mountinfo_line_parse(struct str line, struct mountinfo_line *ret)
{
	struct str word;

	if (!next_i64(&line, &ret->id) || !text_word(&line, &word) || !text_word(&line, &word) ||
	    !parse_dev(word, &ret->dev) || !text_word(&line, &ret->root) ||
	    !text_word(&line, &ret->point) || !text_word(&line, &ret->options))
		return false;
	do
		if (!text_word(&line, &word))
			return false;
	while (!str_is(word, "-"));
	/* The source may be empty, and then there is one word less. */
	if (!text_word(&line, &ret->fs_type) || !text_word(&line, &ret->super_options))
		return false;
	text_word(&line, &ret->super_options);
	return true;
}

static bool is_octal(const char *p)
{
	return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' && p[2] >= '0' &&
	       p[2] <= '7';
}

size_t text_unescape(struct str s, char *out, size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && n < cap; i++) {
		if (s.p[i] == '\\' && i + 3 < s.n && is_octal(s.p + i + 1)) {
			out[n++] = (char)((s.p[i + 1] - '0') << 6 | (s.p[i + 2] - '0') << 3 |
					  (s.p[i + 3] - '0'));
			i += 3;
		} else {
			out[n++] = s.p[i];
		}
	}
	return n;
}

bool option_find(struct str options, struct str name, struct str *ret)
{
	while (options.n) {
		ptrdiff_t comma = str_chr(options, ',');
		struct str one = comma < 0 ? options : str_head(options, (size_t)comma);
		bool takes_value = name.n && name.p[name.n - 1] == '=';

		if (takes_value ? str_starts(one, name) : str_eq(one, name)) {
			*ret = str_from(one, name.n);
			return true;
		}
		options = str_from(options, one.n + 1);
	}
	return false;
}

bool bracket_parse(struct str text, struct str prefix, uint64_t *ret)
{
	if (!str_starts(text, prefix) || !str_ends(text, STR("]")) || text.n <= prefix.n)
		return false;
	return str_u64((struct str){text.p + prefix.n, text.n - prefix.n - 1}, ret);
}
