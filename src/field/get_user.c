/* SPDX-License-Identifier: Apache-2.0 */
/* Fields about users and groups. */
#include "field/get.h"

enum field_result get_uid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return c->m->thread ? give_u64(ret, c->m->thread->uid) : FIELD_NULL;
}

enum field_result get_gid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return c->m->thread ? give_u64(ret, c->m->thread->gid) : FIELD_NULL;
}

enum field_result get_loginuid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return c->m->thread ? give_i64(ret, (int32_t)c->m->thread->loginuid) : FIELD_NULL;
}

/* root is known without being told. */
static struct str unknown_user(uint32_t uid, unsigned which)
{
	if (uid == 0 && which == USER_HOME)
		return STR("/root");
	return uid == 0 && which != USER_SHELL ? STR("root") : STR("<NA>");
}

enum field_result get_user(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;
	unsigned which = f->info->up;
	const struct user *user;
	uint32_t uid;

	/* The event that brings a container also says who it runs as. */
	if (c->m->ev.type == EV_ASYNCEVENT_E && c->m->container && which == USER_NAME)
		return give_str(ret, c->m->container->user);
	if (!t)
		return FIELD_NULL;
	uid = which == USER_LOGIN_NAME ? t->loginuid : t->uid;
	user = user_find(c->state, t->container_id, uid);
	if (!user)
		return give_str(ret, unknown_user(uid, which));
	return give_str(ret, istr_str(which == USER_HOME    ? user->home
				      : which == USER_SHELL ? user->shell
							    : user->name));
}

enum field_result get_group(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;
	const struct group *group;

	if (!t)
		return FIELD_NULL;
	group = group_find(c->state, t->container_id, t->gid);
	if (!group)
		return give_str(ret, t->gid == 0 ? STR("root") : STR("<NA>"));
	return give_str(ret, istr_str(group->name));
}
