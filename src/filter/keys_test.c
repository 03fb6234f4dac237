/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that rest on a range, a network or a path are looked up: no answer may differ. */
#include "filter/trial.h"

#include "base/test.h"

static const uint16_t types[] = {EV_SOCKET_ACCEPT4_6_X, EV_SYSCALL_OPENAT_2_X};

enum { N_TYPES = sizeof(types) / sizeof(types[0]) };

static const char *one_of(const char *const *list, uint32_t n)
{
	return list[pick(n)];
}

#define ONE_OF(list) one_of(list, sizeof(list) / sizeof((list)[0]))

static void add_number(struct buf *out)
{
	static const char *const operands[] = {
		"fd.sport",	"fd.cport",	 "fd.port",	     "evt.rawres",
		"fd.num",	"proc.duration", "len(fd.name)",     "thread.vtid",
		"proc.fdusage", "evt.rawarg.fd", "evt.rawarg.flags", "evt.rawarg.queuepct"};
	static const char *const operators[] = {"<", "<=", ">", ">=", "=", "!="};
	const char *operand = ONE_OF(operands), *op = ONE_OF(operators);
	bool is_port = strstr(operand, "port"), is_long = !strcmp(operand, "proc.duration");

	buf_addf(out, "%s %s %d", operand, op,
		 is_port   ? (int)pick(40) * 500 + (int)pick(3)
		 : is_long ? (int)pick(100000)
			   : (int)pick(16) - 4);
}

/* Two bounds of one operand, which may leave nothing between them. */
static void add_interval(struct buf *out)
{
	static const char *const operands[] = {"fd.sport", "fd.port",	    "evt.rawres",
					       "fd.num",   "evt.rawarg.fd", "evt.rawarg.queuepct"};
	const char *operand = ONE_OF(operands);
	unsigned scale = strstr(operand, "port")  ? 500
			 : strstr(operand, "pct") ? 20
						  : 1,
		 from = pick(20), to = pick(20);

	buf_addf(out, "(%s %s %u and %s %s %u)", operand, pick(2) ? ">" : ">=", from * scale,
		 operand, pick(2) ? "<" : "<=", to * scale);
}

static void add_net(struct buf *out)
{
	static const char *const operands[] = {"fd.net", "fd.snet", "fd.cnet", "fd.lnet",
					       "fd.rnet"};
	static const char *const operators[] = {"in", "=", "!=", "intersects"};
	const char *operand = ONE_OF(operands), *op = ONE_OF(operators);
	bool is_list = op[0] == 'i', is_v6 = pick(3) == 0;
	unsigned n = is_list ? 1 + pick(3) : 1;

	buf_addf(out, "%s %s %s", operand, op, is_list ? "(" : "");
	for (unsigned i = 0; i < n; i++) {
		buf_addz(out, i ? ", " : "");
		if (is_v6)
			buf_addf(out, "\"2001:db8::%x:%x/%u\"", 0xa00 + pick(2), pick(0x800),
				 1 + pick(128));
		else
			buf_addf(out, "10.%u.%u.%u/%u", pick(2), pick(10), pick(12), pick(33));
	}
	buf_addz(out, is_list ? ")" : "");
}

static void add_address(struct buf *out)
{
	static const char *const operands[] = {"fd.ip", "fd.sip", "fd.cip", "fd.lip", "fd.rip"};
	static const char *const addresses[] = {"10.0.0.1", "10.0.7.9", "192.168.0.1",
						"\"2001:db8::a00:1\"", "\"2001:db8::c0a8:1\""};

	if (pick(2))
		buf_addf(out, "%s %s %s", ONE_OF(operands),
			 pick(4) ? "=" : "!=", ONE_OF(addresses));
	else
		buf_addf(out, "%s in (%s, 172.16.%u.1)", ONE_OF(operands), ONE_OF(addresses),
			 pick(200));
}

static void add_path(struct buf *out)
{
	static const char *const operands[] = {"fd.name", "evt.arg.name", "proc.exepath",
					       "tolower(fd.name)", "proc.cwd"};
	static const char *const paths[] = {"/etc",	  "/etc/",    "etc",	 "/etc//passwd",
					    "/etc/pass",  "/usr/*",   "/*/lib",	 "/usr/lib",
					    "/tmp/a",	  "tmp",      "/",	 "..",
					    "/dev/n?ll/", "relative", "/usr/bin"};

	buf_addf(out, "%s pmatch (%s", ONE_OF(operands), ONE_OF(paths));
	if (pick(2))
		buf_addf(out, ", %s", ONE_OF(paths));
	buf_addf(out, ", /no/such/%u)", pick(50));
}

/* Relational operators compare texts when the field is one. */
static void add_text_order(struct buf *out)
{
	static const char *const operands[] = {"evt.arg.fd", "evt.arg.name", "evt.res"};
	static const char *const operators[] = {"<", "<=", ">", ">="};

	buf_addf(out, "%s %s %d", ONE_OF(operands), ONE_OF(operators), (int)pick(20) - 5);
}

static void add_leaf(struct buf *out)
{
	static const add_condition_fn kinds[] = {add_number, add_number, add_interval,
						 add_net,    add_net,	 add_address,
						 add_path,   add_path,	 add_text_order};

	kinds[pick(sizeof(kinds) / sizeof(kinds[0]))](out);
}

/* A leaf that may be negated, and others that go with it or instead of it. */
static void add_rule(struct buf *out)
{
	unsigned parts = 1 + pick(3);

	if (pick(2))
		buf_addz(out, "evt.type in (accept4, openat) and ");
	buf_addc(out, '(');
	for (unsigned i = 0; i < parts; i++) {
		if (i)
			buf_addz(out, pick(2) ? " and " : " or ");
		if (!pick(6))
			buf_addz(out, "not ");
		add_leaf(out);
	}
	buf_addc(out, ')');
}

TEST(rules_on_ranges_networks_and_paths_agree_with_asking_every_comparison)
{
	for (unsigned round = 0; round < 12; round++) {
		random_state = 6000 + round;
		trial_run(200, add_rule, 150, types, N_TYPES);
	}
}

/* Many of one kind, so that each of them is looked up. */
TEST(rules_of_one_kind_agree)
{
	static const add_condition_fn kinds[] = {add_number,  add_interval, add_net,
						 add_address, add_path,	    add_text_order};

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		random_state = 7000 + i;
		trial_run(150, kinds[i], 150, types, N_TYPES);
	}
}

/* Long enough for plans to be made anew from what was counted. */
TEST(plans_on_trial_and_after_it_agree_on_ranges)
{
	random_state = 8000;
	trial_run(60, add_rule, 1500, types, N_TYPES);
}
