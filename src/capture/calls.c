/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/calls.h"

#include "capture/file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>

enum { MOST_THREADS = 64 };

/*
 * Calls that change what a descriptor or a thread is, as 64-bit and as 32-bit programs number
 * them: which of the two it is cannot be seen.  That some others count too does no harm.
 */
static const uint16_t changing[] = {
	SYS_execve, SYS_execveat, SYS_dup3, SYS_close, SYS_close_range,
#ifdef SYS_dup2
	SYS_dup2,
#endif
	6,	    11,		  41,	    63,	       330,
	358, /* close, execve, dup, dup2, dup3, execveat */
};

/* "running" tells nothing, "-1 ..." sleeps in no call. */
bool call_is_quiet(struct str text)
{
	struct str word = str_head(
		text, (size_t)(str_chr(text, ' ') < 0 ? (ptrdiff_t)text.n : str_chr(text, ' ')));
	uint64_t number;

	if (str_is(word, "-1"))
		return true;
	if (!str_u64(word, &number))
		return false;
	for (size_t i = 0; i < sizeof(changing) / sizeof(changing[0]); i++)
		if (changing[i] == number)
			return false;
	return true;
}

static bool thread_is_quiet(int tasks, const char *name)
{
	char path[64], text[256];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/syscall", name);
	n = file_read(tasks, path, text, sizeof(text));
	if (n == -ENOENT || n == -ESRCH)
		return true;
	return n > 0 && call_is_quiet((struct str){text, (size_t)n});
}

bool calls_are_quiet(int dir)
{
	struct dirents threads;
	const char *name;
	unsigned n = 0;
	int64_t tid;
	bool quiet = true;

	if (dirents_open(&threads, dir, "task") < 0)
		return errno == ENOENT || errno == ESRCH;
	while (quiet && dirents_next(&threads, &tid, &name))
		quiet = ++n <= MOST_THREADS && thread_is_quiet(threads.fd, name);
	dirents_close(&threads);
	return quiet;
}
