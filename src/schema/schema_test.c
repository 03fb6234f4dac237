/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/schema.h"

#include "base/test.h"

TEST(every_event_row_is_complete)
{
	for (unsigned i = 0; i < EV_COUNT; i++) {
		const struct event_info *e = &event_table[i];

		CHECK(e->name && *e->name);
		CHECK(e->n_params < EVENT_MAX_PARAMS + 1);
		for (unsigned k = 0; k < e->n_params; k++) {
			const struct param_info *p = &e->params[k];

			CHECK(*p->name && p->type < PT_COUNT);
			CHECK((p->type == PT_DYN) == (p->dyn != DYN_none));
			if (p->dirfd >= 0)
				CHECK(e->params[p->dirfd].type == PT_FD);
		}
	}
	CHECK_STR(event_table[EV_SYSCALL_KEYCTL_X].name, "keyctl");
	CHECK_INT(event_table[EV_SYSCALL_EXECVE_19_X].n_params, 31);
}

TEST(converter_rows_are_sorted_and_lead_to_known_parameters)
{
	unsigned n = 0;

	for (unsigned e = 0; e < EV_COUNT; e++) {
		for (unsigned k = 0; k <= EVENT_MAX_PARAMS; k++) {
			const struct convert_rule *r = convert_find((uint16_t)e, k);

			if (!r)
				continue;
			n++;
			CHECK(r->event == e && r->n_params == k && r->to < EV_COUNT);
			if (r->action == CONVERT_ADD_PARAMS)
				CHECK(k + r->n_steps <= event_table[e].n_params);
			if (r->action == CONVERT_CHANGE_TYPE)
				CHECK(r->n_steps <= event_table[r->to].n_params);
		}
	}
	CHECK_INT(n, 253);
}

TEST(system_calls_map_both_ways)
{
	CHECK_STR(syscall_table[SC_READ].name, "read");
	CHECK_INT(syscall_table[SC_EXECVE].exit, EV_SYSCALL_EXECVE_19_X);
#ifdef __x86_64__
	CHECK_INT(syscall_of_native(59), SC_EXECVE);
#endif
	CHECK_INT(syscall_of_native(100000), SC_UNKNOWN);
}
