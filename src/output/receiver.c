/* SPDX-License-Identifier: Apache-2.0 */
#include "output/receiver.h"

#include "base/utf8.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int receiver_name(const char *url, char ret[RECEIVER_NAME_MAX])
{
	struct str whole = str_of(url), host;
	ptrdiff_t scheme = str_find(whole, STR("://")), user;

	if (scheme <= 0)
		return -EINVAL;
	host = str_from(whole, (size_t)scheme + 3);
	host = str_head(host, strcspn(host.p, "/?#"));
	user = str_rchr(host, '@');
	if (user >= 0)
		host = str_from(host, (size_t)user + 1);
	if (!host.n || (size_t)scheme + 3 + host.n >= RECEIVER_NAME_MAX)
		return -EINVAL;
	memcpy(ret, whole.p, (size_t)scheme + 3);
	memcpy(ret + scheme + 3, host.p, host.n);
	ret[(size_t)scheme + 3 + host.n] = '\0';
	return 0;
}

void receiver_said(const char *text, char ret[RECEIVER_SAID_MAX])
{
	struct str s = {text, strnlen(text, RECEIVER_SAID_MAX)};
	struct buf b;

	buf_init(&b, RECEIVER_SAID_MAX - 1);
	utf8_add_printable(&b, str_trim(s));
	memcpy(ret, buf_str(&b).p, b.n);
	ret[b.n] = '\0';
	buf_done(&b);
}

int receiver_file(const struct config *c, enum config_id key, struct err *e)
{
	const char *path = config_text(c, key);

	if (!*path || !access(path, R_OK))
		return 0;
	return err_set(e, -EINVAL, "%s: %s: %s", config_keys[key].path, path, strerror(errno));
}
