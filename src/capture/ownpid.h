/* SPDX-License-Identifier: Apache-2.0 */
/* Which process this one is to the kernel, whose programs number all by the first namespace. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * In a pid namespace of a container getpid() is another number, which somebody else has on the
 * machine.  Takes CAP_BPF; where the kernel does not say (before 5.10), it is getpid().
 */
uint32_t ownpid_of_kernel(void);
/* Whether the folder proc is a /proc that numbers us like that, and so everybody. */
bool ownpid_is_shown(int proc, uint32_t own);
