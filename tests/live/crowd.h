/* SPDX-License-Identifier: Apache-2.0 */
/* Processes with threads, files, sockets, programs and namespaces of every kind, which all wait. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

void crowd_start(void);
void crowd_end(void);
/* Whether it is the id of one of them, or of its process group. */
bool crowd_has(int64_t id);
