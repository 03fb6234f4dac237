/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/lane.h"

#include "base/test.h"
#include "schema/schema.h"

/* What the kernel's programs do. */
static const struct {
	enum lane lane;
	uint16_t type;
} sent[] = {
#define FIXED(lane, name, event, ...) {LANE_##lane, EV_##event},
#define FREEING(lane, name, event, how, ...) FIXED(lane, name, event)
#define CALL(lane, name, event, ...) {LANE_##lane, EV_##event},
#include "syscalls.def"
#undef FIXED
#undef FREEING
#undef CALL
};

TEST(events_have_the_lane_that_the_kernel_sends_them_through)
{
	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
		if (lane_of(sent[i].type) != sent[i].lane)
			fail_msg("%s", event_table[sent[i].type].name);
	}
	CHECK_INT(lane_of(EV_SYSCALL_EXECVE_19_X), LANE_LIFE);
	CHECK_INT(lane_of(EV_SYSCALL_CLONE_20_X), LANE_LIFE);
	CHECK_INT(lane_of(EV_PROCEXIT_1_E), LANE_LIFE);
	CHECK_INT(lane_of(EV_SOCKET_CONNECT_X), LANE_NET);
	CHECK_INT(lane_of(EV_SYSCALL_OPENAT_2_X), LANE_REST);
	CHECK_INT(lane_of(EV_GENERIC_X), LANE_REST);
}
