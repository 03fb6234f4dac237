/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the probe must have sent, said by the process that made the system calls.
 *
 * A case makes a call and then tells, from its own knowledge, from stat(2) or from /proc, what
 * each parameter of the record must be.  The parent compares.
 */
#pragma once

#include "schema/schema.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A record of this type by the calling thread, or by another. */
void want(enum event_code type);
void want_of(enum event_code type, pid_t tid);

/* What sets it apart from others of its type, for who reads the outcome; a literal. */
void want_note(const char *note);

/* Its parameters, in order. */
void p8(uint8_t v);
void p16(uint16_t v);
void p32(uint32_t v);
void p64(uint64_t v);
void pstr(const char *s); /* with its NUL */
void pbytes(const void *p, size_t n);
void pempty(void);
/* Nothing the test can know; it must only be there, n bytes long (0: any length). */
void pany(size_t n);
/* A number from low to high. */
void prange(uint64_t low, uint64_t high, size_t bytes);
/* Device and inode of an open file; of none: zeros. */
void pdevino(int fd);
struct sockaddr_in;
void paddress(const struct sockaddr_in *a);
void ptuple(const struct sockaddr_in *from, const struct sockaddr_in *to);
/* All but the result of an exec that failed: arguments x and y, environment E=1; NULL: of execveat.
 */
void pfailed_exec(const char *path);

/* Of a call that returns -1 and sets errno: what the kernel returned. */
long result(long r);

/* Of this version or newer. */
bool kernel_is(unsigned major_, unsigned minor_);

/* Each makes its calls in an empty directory, which is the current one. */
void cases_file(void);
void cases_process(void);
void cases_socket(void);
void cases_memory(void);
void cases_uring(void);

/* Whether the kernel runs 32-bit programs; if so: their calls. */
bool compat_is_there(void);
void cases_compat(void);
