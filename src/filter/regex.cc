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

	explicit regex(const re2::StringPiece &pattern) : re(pattern, options())
	{
	}

	static re2::RE2::Options options()
	{
		re2::RE2::Options o(re2::RE2::POSIX);

		o.set_log_errors(false);
		return o;
	}
};

int regex_compile(const char *pattern, size_t n, struct regex **ret, struct err *e)
{
	auto *r = new regex(re2::StringPiece(pattern, n));

	if (!r->re.ok()) {
		int code = err_set(e, -EINVAL, "invalid regex pattern: %s", r->re.error().c_str());

		delete r;
		return code;
	}
	*ret = r;
	return 0;
}

void regex_free(struct regex *r)
{
	delete r;
}

bool regex_match(const struct regex *r, const char *text, size_t n)
{
	return re2::RE2::FullMatch(re2::StringPiece(text, n), r->re);
}
