/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/iterators.h"

#include "capture/object.h"

#include <bpf/bpf.h>
#include <errno.h>

static struct bpf_link *attach(struct bpf_program *program)
{
	return bpf_program__autoload(program) ? bpf_program__attach(program) : NULL;
}

void iterators_attach(struct iterators *i, struct probe_bpf *s)
{
	i->threads = &s->bss->picture_threads;
	i->since = (uint64_t *)&s->bss->picture_since;
	i->tasks = attach(s->progs.picture_tasks_whole);
	if (!i->tasks)
		i->tasks = attach(s->progs.picture_tasks);
	i->files = attach(s->progs.picture_files);
	i->exe_places = attach(s->progs.picture_exe_places);
	i->file_places = attach(s->progs.picture_file_places);
}

void iterators_detach(struct iterators *i)
{
	bpf_link__destroy(i->tasks);
	bpf_link__destroy(i->files);
	bpf_link__destroy(i->exe_places);
	bpf_link__destroy(i->file_places);
	i->tasks = i->files = i->exe_places = i->file_places = NULL;
}

static int begin(const struct bpf_link *link)
{
	int fd = bpf_iter_create(bpf_link__fd(link));

	return fd < 0 ? -errno : fd;
}

int iterators_tasks(const struct iterators *i, bool threads, uint64_t since_ns)
{
	*i->threads = threads;
	*i->since = since_ns;
	return begin(i->tasks);
}

int iterators_files(const struct iterators *i)
{
	return begin(i->files);
}

int iterators_exe_places(const struct iterators *i)
{
	return begin(i->exe_places);
}

int iterators_file_places(const struct iterators *i)
{
	return begin(i->file_places);
}
