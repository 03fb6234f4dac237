/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/regex.h"

#include <cerrno>
#include <new>
#include <re2/re2.h>

extern "C" {
#include "base/err.h"
}

struct regex {
	re2::RE2 re;

	regex(const re2::StringPiece &pattern, const re2::RE2::Options &o) : re(pattern, o)
	{
	}

	static re2::RE2::Options options()
	{
		re2::RE2::Options o(re2::RE2::POSIX);

		o.set_log_errors(false);
		return o;
	}

	static re2::RE2::Options bytes()
	{
		re2::RE2::Options o(re2::RE2::Latin1);

		o.set_log_errors(false);
		return o;
	}
};

static int compile(regex *r, struct regex **ret, struct err *e)
{

	if (!r->re.ok()) {
		int code = err_set(e, -EINVAL, "invalid regex pattern: %s", r->re.error().c_str());

		delete r;
		return code;
	}
	*ret = r;
	return 0;
}

int regex_compile(const char *pattern, size_t n, struct regex **ret, struct err *e)
{
	return compile(new regex(re2::StringPiece(pattern, n), regex::options()), ret, e);
}

int regex_compile_bytes(const char *pattern, size_t n, struct regex **ret, struct err *e)
{
	return compile(new regex(re2::StringPiece(pattern, n), regex::bytes()), ret, e);
}

void regex_free(struct regex *r)
{
	delete r;
}

bool regex_match(const struct regex *r, const char *text, size_t n)
{
	return re2::RE2::FullMatch(re2::StringPiece(text, n), r->re);
}

bool regex_search(const struct regex *r, const char *text, size_t n, size_t from,
		  size_t *ret_begin, size_t *ret_end, size_t *ret_next)
{
	re2::StringPiece found[2];
	int n_found = r->re.NumberOfCapturingGroups() > 0 ? 2 : 1;

	if (!r->re.Match(re2::StringPiece(text, n), from, n, re2::RE2::UNANCHORED, found, n_found))
		return false;
	const re2::StringPiece &part = n_found == 2 && found[1].data() ? found[1] : found[0];

	*ret_begin = static_cast<size_t>(part.data() - text);
	*ret_end = *ret_begin + part.size();
	*ret_next = static_cast<size_t>(found[0].data() - text) + found[0].size();
	return true;
}
