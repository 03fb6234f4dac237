/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The folder of who runs a program while the picture at the start is being taken: whoever is over
 * by then is not in the picture, and exec itself does not tell it.
 */
#pragma once

#include "link.h"
#include "note.h"

#include "schema/note.h"

__u8 tells_folders; /* set by the reader until it has the picture */

__noinline int folder_send(void)
{
	static const char name[] = NOTE_FOLDER;
	struct fs_struct *fs = READ(current_task(), fs);
	struct event e;

	if (!fs || !NOTE_BEGIN(&e, LANE_LIFE, name))
		return 0;
	add_link(&e, (void *)fs + bpf_core_field_offset(struct fs_struct, pwd));
	NOTE_END(&e, name, current_tid());
	return 0;
}
