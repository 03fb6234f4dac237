/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of the descriptors that poll waits for. */
#include <arpa/inet.h>

#include "field/get_fd.h"
#include "field/text.h"

static void add_address(struct text *t, const struct fd *fd, const uint8_t *address)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(fd_is_v6(fd) ? AF_INET6 : AF_INET, address, text, sizeof(text)))
		text_addz(t, text);
}

/* What the field has to say of one descriptor; nothing when it has nothing. */
static struct str item(const struct field_ctx *c, unsigned what, int64_t num, const struct fd *fd)
{
	bool is_connection = fd && fd_is_ip(fd) && !fd_is_server_sock(fd);
	struct text t = text_start(c->scratch);

	switch (what) {
	case FDLIST_NUMS:
		text_add_i64(&t, num);
		break;
	case FDLIST_NAMES:
		text_add(&t, fd && fd->name && fd->name->n ? istr_str(fd->name) : STR("<NA>"));
		break;
	case FDLIST_CIPS:
		if (is_connection)
			add_address(&t, fd, fd->tuple.src);
		break;
	case FDLIST_SIPS:
		if (fd && fd_is_ip(fd))
			add_address(&t, fd, fd->tuple.dst);
		break;
	case FDLIST_CPORTS:
		if (is_connection)
			text_add_u64(&t, fd->tuple.sport);
		break;
	case FDLIST_SPORTS:
		if (is_connection)
			text_add_u64(&t, fd->tuple.dport);
		break;
	}
	return text_str(&t);
}

enum field_result get_fdlist(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct moment *m = c->m;
	struct str list = event_param(&m->ev, 1);
	struct text text = text_start(c->scratch);
	size_t n;

	if (!m->thread || (m->ev.type != EV_SYSCALL_POLL_X && m->ev.type != EV_SYSCALL_PPOLL_X))
		return FIELD_NULL;
	n = list.n >= 2 ? str_le(str_head(list, 2)) : 0;
	for (size_t i = 0; i < n && 2 + 10 * (i + 1) <= list.n; i++) {
		int64_t num = (int64_t)str_le((struct str){list.p + 2 + 10 * i, 8});
		struct str one = item(c, f->info->up, num, fd_find(c->state, m->thread, num));

		if (text.n && one.n)
			text_addc(&text, ',');
		text_add(&text, one);
	}
	return text.n ? give_str(ret, text_str(&text)) : FIELD_NULL;
}
