/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the kernel's overlayfs keeps a file's first lower layer: bpf/place.h.  It may be a
 * module, whose structs libbpf only looks for with CAP_SYS_ADMIN; the file that describes them
 * takes nothing.
 */
#pragma once

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>

struct overlay_layout {
	uint32_t entry_at, lower_at; /* as bpf/place.h says; lower_at 0: not to be found out */
};

void overlay_find_layout(struct btf *kernel, struct overlay_layout *ret);
