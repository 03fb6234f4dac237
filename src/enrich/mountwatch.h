/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts of the host, told at the start and whenever they change: by a thread of its own that
 * reads the mountinfo of the first process.  The records are asyncevents "saker.mounts", whose
 * data are its lines without overlays and namespaces, where no file has its bytes.
 */
#pragma once

#include "base/err.h"
#include "capture/source.h"

struct mountwatch;

/* host_root: what stands before "/proc"; NULL or "": this machine.  Reads once. */
int mountwatch_open(const char *host_root, struct mountwatch **ret, struct err *e);
int mountwatch_start(struct mountwatch *w, struct err *e);
/* What inner gives, and these records between; takes over inner.  NULL: inner itself. */
struct source *mountwatch_source(struct mountwatch *w, struct source *inner);
/* After the source.  NULL is fine. */
void mountwatch_free(struct mountwatch *w);
