/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes that the kernel programs send between events: asyncevents of these names, of the thread
 * whose next event they are about.  See also schema/place.h.
 */
#pragma once

/* The folder of who is about to be told to run another program: a text. */
#define NOTE_FOLDER "saker.folder"
/* A descriptor that a message brought: struct picture_file, then its name (schema/picture.h). */
#define NOTE_ARRIVAL "saker.arrival"
