/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Getters: how a field is read.  Shared by the get_*.c files, one for each noun.
 *
 * A getter borrows what it can and builds the rest in c->scratch.  It answers FIELD_NULL
 * before it touches *ret.
 */
#pragma once

#include "field/field.h"
#include "state/container.h"
#include "state/fd.h"
#include "state/thread.h"
#include "state/user.h"

/* What the `up` column selects, where it is not a generation. */
enum { TIME_CLOCK, TIME_CLOCK_NS, TIME_DATE, TIME_DATE_NS, TIME_ISO8601 };
enum { PART_ALL, PART_SECONDS, PART_NS };
enum { ERROR_ANY, ERROR_FILE, ERROR_NET, ERROR_MEMORY, ERROR_OTHER };
enum { BUFLEN_IN = 1 << 0, BUFLEN_OUT = 1 << 1, BUFLEN_FILE = 1 << 2, BUFLEN_NET = 1 << 3 };
enum { LEADER_SESSION, LEADER_VGROUP, LEADER_GROUP };
enum { EXE_WRITABLE, EXE_UPPER_LAYER, EXE_LOWER_LAYER, EXE_FROM_MEMFD };
enum { EXE_INO, EXE_CTIME, EXE_MTIME, EXE_CTIME_TO_CLONE, EXE_CTIME_TO_PIDNS };
enum { CAPS_PERMITTED, CAPS_INHERITABLE, CAPS_EFFECTIVE };
enum { VM_SIZE, VM_RSS, VM_SWAP, VM_BYTES = 1 << 2 };
enum { CPU_ALL, CPU_USER, CPU_SYSTEM };
enum { USER_NAME, USER_HOME, USER_SHELL, USER_LOGIN_NAME };
enum { END_CLIENT, END_SERVER, END_LOCAL, END_REMOTE };
enum { CLOSE_SIZE, CLOSE_IS_LAST };
enum { DEV_ALL, DEV_MAJOR, DEV_MINOR };
enum { FS_NAME, FS_SOURCE, FS_TARGET, FS_RAW = 1 << 2 };
enum { FDLIST_NUMS, FDLIST_NAMES, FDLIST_CIPS, FDLIST_SIPS, FDLIST_CPORTS, FDLIST_SPORTS };
enum {
	CT_FULL_ID,
	CT_NAME,
	CT_IMAGE,
	CT_IMAGE_ID,
	CT_IMAGE_REPO,
	CT_IMAGE_TAG,
	CT_IMAGE_DIGEST,
	CT_IP,
	CT_CNI_JSON,
};
enum { CT_PRIVILEGED, CT_HOST_PID, CT_HOST_NETWORK, CT_HOST_IPC };
enum { MOUNT_ALL, MOUNT_SOURCE, MOUNT_DEST, MOUNT_MODE, MOUNT_RDWR, MOUNT_PROPAGATION };
enum { POD_NAME, POD_NAMESPACE, POD_UID, POD_IP };
enum { OWNER_NAMESPACE, OWNER_DEPLOYMENT, OWNER_RS, OWNER_RC };

#define FIELD(class_, name_, type_, format_, flags_, scope_, up_, get_, help_)                     \
	enum field_result get_(const struct field_ctx *c, struct field *f, struct value *ret);
#include "field/fields.def"
#undef FIELD

/* ns since the epoch as text: one of TIME_*. */
struct str time_text(struct arena *a, uint64_t ns, unsigned style);

static inline enum field_result give_str(struct value *ret, struct str s)
{
	ret->s = s;
	ret->is_list = false;
	ret->type = 0;
	return FIELD_OK;
}

static inline enum field_result give_text(struct value *ret, const char *z)
{
	return give_str(ret, str_of(z));
}

static inline enum field_result give_u64(struct value *ret, uint64_t u)
{
	ret->u = u;
	ret->is_list = false;
	ret->type = 0;
	return FIELD_OK;
}

static inline enum field_result give_i64(struct value *ret, int64_t i)
{
	ret->i = i;
	ret->is_list = false;
	ret->type = 0;
	return FIELD_OK;
}

static inline enum field_result give_double(struct value *ret, double d)
{
	ret->d = d;
	ret->is_list = false;
	ret->type = 0;
	return FIELD_OK;
}

static inline enum field_result give_list(struct value *ret, struct value *items, uint32_t n)
{
	ret->items = items;
	ret->n_items = n;
	ret->is_list = true;
	ret->type = 0;
	return FIELD_OK;
}
