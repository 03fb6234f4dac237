/* SPDX-License-Identifier: Apache-2.0 */
/* Operators: one value against one constant. */
#include "filter/leaf.h"

/* One value, one constant. */

#define NUMBER_OPERATORS(kind, member)                                                             \
	static bool kind##_eq(const struct value *v, const struct constant *c)                     \
	{                                                                                          \
		return v->member == c->member;                                                     \
	}                                                                                          \
	static bool kind##_ne(const struct value *v, const struct constant *c)                     \
	{                                                                                          \
		return v->member != c->member;                                                     \
	}                                                                                          \
	static bool kind##_lt(const struct value *v, const struct constant *c)                     \
	{                                                                                          \
		return v->member < c->member;                                                      \
	}                                                                                          \
	static bool kind##_le(const struct value *v, const struct constant *c)                     \
	{                                                                                          \
		return v->member <= c->member;                                                     \
	}                                                                                          \
	static bool kind##_gt(const struct value *v, const struct constant *c)                     \
	{                                                                                          \
		return v->member > c->member;                                                      \
	}                                                                                          \
	static bool kind##_ge(const struct value *v, const struct constant *c)                     \
	{                                                                                          \
		return v->member >= c->member;                                                     \
	}

NUMBER_OPERATORS(signed, i)
NUMBER_OPERATORS(unsigned, u)
NUMBER_OPERATORS(double, d)

static bool str_op_eq(const struct value *v, const struct constant *c)
{
	return str_eq(v->s, c->s);
}

static bool str_op_ne(const struct value *v, const struct constant *c)
{
	return !str_eq(v->s, c->s);
}

static bool str_op_lt(const struct value *v, const struct constant *c)
{
	return str_cmp(v->s, c->s) < 0;
}

static bool str_op_le(const struct value *v, const struct constant *c)
{
	return str_cmp(v->s, c->s) <= 0;
}

static bool str_op_gt(const struct value *v, const struct constant *c)
{
	return str_cmp(v->s, c->s) > 0;
}

static bool str_op_ge(const struct value *v, const struct constant *c)
{
	return str_cmp(v->s, c->s) >= 0;
}

static bool str_op_contains(const struct value *v, const struct constant *c)
{
	return str_find(v->s, c->s) >= 0;
}

static bool str_op_icontains(const struct value *v, const struct constant *c)
{
	return str_find_fold(v->s, c->s) >= 0;
}

static bool str_op_startswith(const struct value *v, const struct constant *c)
{
	return str_starts(v->s, c->s);
}

static bool str_op_endswith(const struct value *v, const struct constant *c)
{
	return str_ends(v->s, c->s);
}

static bool net_eq(const struct value *v, const struct constant *c)
{
	return constant_net_has(c, v->s);
}

static bool net_ne(const struct value *v, const struct constant *c)
{
	return !constant_net_has(c, v->s);
}

static bool host_eq(const struct value *v, const struct constant *c)
{
	return c->host && hostname_has(c->host, v->s);
}

static bool host_ne(const struct value *v, const struct constant *c)
{
	return !host_eq(v, c);
}

/* Patterns have a compiled form and never get here one by one. */
static bool pattern_op(const struct value *v, const struct constant *c)
{
	return false;
}

#define NUMBER_ROW(kind)                                                                           \
	{                                                                                          \
		[OP_EQ] = kind##_eq, [OP_NE] = kind##_ne, [OP_LT] = kind##_lt,                     \
		[OP_LE] = kind##_le, [OP_GT] = kind##_gt, [OP_GE] = kind##_ge,                     \
		[OP_IN] = kind##_eq, [OP_INTERSECTS] = kind##_eq,                                  \
	}

static const compare_fn compare_table[GROUP_COUNT][OP_COUNT] = {
	[GROUP_SIGNED] = NUMBER_ROW(signed),
	[GROUP_UNSIGNED] = NUMBER_ROW(unsigned),
	[GROUP_DOUBLE] = NUMBER_ROW(double),
	[GROUP_BOOL] = {[OP_EQ] = unsigned_eq,
			[OP_NE] = unsigned_ne,
			[OP_IN] = unsigned_eq,
			[OP_INTERSECTS] = unsigned_eq},
	[GROUP_STRING] = {[OP_EQ] = str_op_eq,
			  [OP_NE] = str_op_ne,
			  [OP_LT] = str_op_lt,
			  [OP_LE] = str_op_le,
			  [OP_GT] = str_op_gt,
			  [OP_GE] = str_op_ge,
			  [OP_CONTAINS] = str_op_contains,
			  [OP_ICONTAINS] = str_op_icontains,
			  [OP_STARTSWITH] = str_op_startswith,
			  [OP_ENDSWITH] = str_op_endswith,
			  [OP_GLOB] = pattern_op,
			  [OP_IGLOB] = pattern_op,
			  [OP_REGEX] = pattern_op,
			  [OP_PMATCH] = pattern_op,
			  [OP_IN] = str_op_eq,
			  [OP_INTERSECTS] = str_op_eq},
	[GROUP_BYTES] = {[OP_EQ] = str_op_eq,
			 [OP_NE] = str_op_ne,
			 [OP_CONTAINS] = str_op_contains,
			 [OP_STARTSWITH] = str_op_startswith,
			 [OP_ENDSWITH] = str_op_endswith,
			 [OP_BCONTAINS] = str_op_contains,
			 [OP_BSTARTSWITH] = str_op_startswith,
			 [OP_IN] = str_op_eq,
			 [OP_INTERSECTS] = str_op_eq},
	[GROUP_IP] = {[OP_EQ] = str_op_eq,
		      [OP_NE] = str_op_ne,
		      [OP_IN] = str_op_eq,
		      [OP_INTERSECTS] = str_op_eq},
	[GROUP_NET] =
		{[OP_EQ] = net_eq, [OP_NE] = net_ne, [OP_IN] = net_eq, [OP_INTERSECTS] = net_eq},
	[GROUP_HOST_NAME] = {[OP_EQ] = host_eq, [OP_NE] = host_ne, [OP_IN] = host_eq},
};

compare_fn compare_find(enum type_group g, enum operator op)
{
	return compare_table[g][op];
}

enum type_group type_group(enum param_type t)
{
	static const uint8_t groups[PT_COUNT] = {
		[PT_INT8] = GROUP_SIGNED,
		[PT_INT16] = GROUP_SIGNED,
		[PT_INT32] = GROUP_SIGNED,
		[PT_INT64] = GROUP_SIGNED,
		[PT_FD] = GROUP_SIGNED,
		[PT_PID] = GROUP_SIGNED,
		[PT_ERRNO] = GROUP_SIGNED,
		[PT_FD32] = GROUP_SIGNED,
		[PT_PID32] = GROUP_SIGNED,
		[PT_UINT8] = GROUP_UNSIGNED,
		[PT_UINT16] = GROUP_UNSIGNED,
		[PT_UINT32] = GROUP_UNSIGNED,
		[PT_UINT64] = GROUP_UNSIGNED,
		[PT_SYSCALLID] = GROUP_UNSIGNED,
		[PT_SIGTYPE] = GROUP_UNSIGNED,
		[PT_RELTIME] = GROUP_UNSIGNED,
		[PT_ABSTIME] = GROUP_UNSIGNED,
		[PT_PORT] = GROUP_UNSIGNED,
		[PT_L4PROTO] = GROUP_UNSIGNED,
		[PT_SOCKFAMILY] = GROUP_UNSIGNED,
		[PT_FLAGS8] = GROUP_UNSIGNED,
		[PT_FLAGS16] = GROUP_UNSIGNED,
		[PT_FLAGS32] = GROUP_UNSIGNED,
		[PT_ENUMFLAGS8] = GROUP_UNSIGNED,
		[PT_ENUMFLAGS16] = GROUP_UNSIGNED,
		[PT_ENUMFLAGS32] = GROUP_UNSIGNED,
		[PT_MODE] = GROUP_UNSIGNED,
		[PT_DOUBLE] = GROUP_DOUBLE,
		[PT_BOOL] = GROUP_BOOL,
		[PT_CHARBUF] = GROUP_STRING,
		[PT_FSPATH] = GROUP_STRING,
		[PT_FSRELPATH] = GROUP_STRING,
		[PT_BYTEBUF] = GROUP_BYTES,
		[PT_IPADDR] = GROUP_IP,
		[PT_IPV4ADDR] = GROUP_IP,
		[PT_IPV6ADDR] = GROUP_IP,
		[PT_IPNET] = GROUP_NET,
		[PT_IPV4NET] = GROUP_NET,
		[PT_IPV6NET] = GROUP_NET,
	};

	return (enum type_group)groups[t];
}
