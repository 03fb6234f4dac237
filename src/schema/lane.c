/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/lane.h"

#include "schema/schema.h"

#include <string.h>

const char *const lane_names[LANE_COUNT] = {
	[LANE_LIFE] = "processes",
	[LANE_NET] = "network",
	[LANE_REST] = "files",
};

/* Events of processes by name; of the network are those whose id says SOCKET. */
static const char *const life[] = {
	"bpf",
	"capset",
	"chdir",
	"chroot",
	"clone",
	"clone3",
	"delete_module",
	"execve",
	"execveat",
	"fchdir",
	"finit_module",
	"fork",
	"init_module",
	"io_uring_register",
	"io_uring_setup",
	"keyctl",
	"kill",
	"mount",
	"pidfd_getfd",
	"pidfd_open",
	"prctl",
	"prlimit",
	"process_vm_readv",
	"process_vm_writev",
	"procexit",
	"ptrace",
	"seccomp",
	"setgid",
	"setns",
	"setpgid",
	"setregid",
	"setresgid",
	"setresuid",
	"setreuid",
	"setrlimit",
	"setsid",
	"setuid",
	"signaldeliver",
	"tgkill",
	"tkill",
	"umount",
	"umount2",
	"unshare",
	"vfork",
};

enum { N_LIFE = sizeof(life) / sizeof(life[0]) };

enum lane lane_of(uint16_t type)
{
	static const char *const ids[EV_COUNT] = {
#define EVENT(id, code, ...) [code] = #id,
#include "schema/events.def"
#undef EVENT
	};

	if (type >= EV_COUNT)
		return LANE_REST;
	if (!strncmp(ids[type], "SOCKET_", 7))
		return LANE_NET;
	for (unsigned i = 0; i < N_LIFE; i++) {
		if (!strcmp(event_table[type].name, life[i]))
			return LANE_LIFE;
	}
	return LANE_REST;
}
