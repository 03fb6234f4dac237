/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/probe.h"

#include "base/alloc.h"
#include "capture/loaded.h"
#include "capture/ownpid.h"
#include "capture/tracepoint.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static unsigned ceil_log2(unsigned n)
{
	unsigned r = 0;

	while (1u << r < n)
		r++;
	return r;
}

static unsigned ring_shift(unsigned cpus_per_ring)
{
	return cpus_per_ring ? ceil_log2(cpus_per_ring) : 31;
}

static unsigned groups_of(unsigned n_cpus, unsigned shift)
{
	return ((n_cpus - 1) >> shift) + 1;
}

static void count_rings(struct probe *p, const struct live_config *cfg)
{
	unsigned shift = ring_shift(cfg->cpus_per_ring);

	p->rings_per_lane = groups_of(p->n_cpus, shift);
	p->skel->rodata->ring_cpu_shift = shift;
	p->skel->rodata->rings_per_lane = p->rings_per_lane;
}

static void set_up(struct probe *p, const struct live_config *cfg, uint64_t epoch_ns)
{
	struct probe_bpf *s = p->skel;

	s->rodata->own_tgid = ownpid_of_kernel();
	s->rodata->snaplen = cfg->snaplen < PROBE_SNAPLEN_MAX ? cfg->snaplen : PROBE_SNAPLEN_MAX;
	s->rodata->snaps_more = cfg->more.is_on;
	s->rodata->full_port_first = cfg->more.full_first;
	s->rodata->full_port_last = cfg->more.full_last;
	s->rodata->statsd_port = cfg->more.statsd_port;
	s->rodata->boot_epoch_ns = epoch_ns;
	s->rodata->wants_places = cfg->wants_places;
	s->rodata->wants_closed = cfg->wants_closed;
	count_rings(p, cfg);
	for (unsigned code = 0; code < SC_COUNT; code++) {
		int nr = native_number(code);

		if (nr >= 0 && nr < PROBE_SYSCALLS)
			s->rodata->syscall_codes[nr] = (uint16_t)code;
	}
	routes_name_compat(s);
	bpf_map__set_max_entries(s->maps.rings, LANE_COUNT * p->rings_per_lane);
	s->rodata->picture_scratch = PROBE_SCRATCHES * p->n_cpus;
	s->rodata->n_cpus = p->n_cpus;
	bpf_map__set_max_entries(s->maps.scratches, PROBE_SCRATCHES * p->n_cpus + 1);
}

/* libbpf names the program that the kernel refused, and why, only in its messages. */
static struct refusal last_refusal;
static char last_message[256];

/* The last line of a verifier's log that is not about its work. */
static void note_reason(const char *log)
{
	const char *end = strstr(log, "\n-- END PROG LOAD LOG --");

	last_refusal.reason[0] = '\0';
	while (end && end > log) {
		const char *line = memrchr(log, '\n', (size_t)(end - log));

		line = line ? line + 1 : log;
		if (strncmp(line, "processed ", 10) && strncmp(line, "stack depth ", 12) &&
		    strncmp(line, "verification time ", 18)) {
			snprintf(last_refusal.reason, REASON_BYTES, "%.*s", (int)(end - line),
				 line);
			return;
		}
		end = line - 1;
	}
}

static void note_message(const char *text)
{
	const char *log = strstr(text, "-- BEGIN PROG LOAD LOG --\n");

	if (log) {
		note_reason(log);
		return;
	}
	if (strstr(text, "load failed"))
		(void)!sscanf(text, "libbpf: prog '%63[^']'", last_refusal.program);
	if (strstr(text, "load failed") || !last_message[0])
		snprintf(last_message, sizeof(last_message), "%s", text);
}

__attribute__((format(printf, 2, 0))) static int listen_to_libbpf(enum libbpf_print_level level,
								  const char *fmt, va_list ap)
{
	char *text;

	if (level != LIBBPF_WARN || vasprintf(&text, fmt, ap) < 0)
		return 0;
	note_message(text);
	free(text);
	return 0;
}

/* At most: each program and map, the rings, the links, and what else is open. */
unsigned probe_files_wanted(unsigned cpus_per_ring)
{
	int n_cpus = libbpf_num_possible_cpus();

	return MAX_PROGRAMS + OTHER_FILES +
	       LANE_COUNT * groups_of(n_cpus > 0 ? (unsigned)n_cpus : 1, ring_shift(cpus_per_ring));
}

static int too_many_files(const struct probe *p, int code, struct err *e)
{
	if (code == -ENFILE)
		return err_set(e, code,
			       "too many open files on this machine; raise fs.file-max by sysctl");
	return err_set(e, code, "too many open files; raise ulimit -n to %u",
		       probe_files_wanted(p->cpus_per_ring));
}

bool probe_lacks_files(int code)
{
	return code == -EMFILE || code == -ENFILE;
}

static int explain(const struct probe *p, int code, struct err *e)
{
	size_t n = strcspn(last_message, "\n");

	if (probe_lacks_files(code))
		return too_many_files(p, code, e);

	if (code == -EPERM)
		return err_set(e, code,
			       "watching the kernel takes root, or CAP_BPF and CAP_PERFMON, and "
			       "before Linux 5.11 CAP_SYS_RESOURCE");
	if (access("/sys/kernel/btf/vmlinux", R_OK) < 0)
		return err_set(e, code,
			       "this kernel does not describe itself: /sys/kernel/btf/vmlinux is "
			       "missing (CONFIG_DEBUG_INFO_BTF)");
	return err_set(e, code, "loading the kernel programs: %s (%.*s)", strerror(-code), (int)n,
		       last_message);
}

int probe_try_load(struct probe *p, struct err *e)
{
	int r;

	last_refusal = (struct refusal){0};
	last_message[0] = '\0';
	r = probe_bpf__load(p->skel);
	if (!r)
		return 0;
	if (r == -EPERM || probe_lacks_files(r) || !last_refusal.program[0] ||
	    p->n_refused == MAX_REFUSED || !strcmp(last_refusal.program, "sys_exit"))
		return explain(p, r, e);
	p->refused[p->n_refused++] = last_refusal;
	return 1;
}

/* One try.  1: a program was refused, which has been noted. */
static int try_load(struct probe *p, const struct live_config *cfg, uint64_t epoch_ns,
		    bool only_rest, struct err *e)
{
	probe_bpf__destroy(p->skel);
	p->skel = object_open(&p->can);
	if (!p->skel)
		return explain(p, -errno, e);
	programs_choose(p, cfg);
	if (only_rest)
		programs_leave_judged(p);
	set_up(p, cfg, epoch_ns);
	return probe_try_load(p, e);
}
/*
 * When a program is refused, nothing stays loaded.  Those behind it are tried first, from each one
 * that is refused to the next, so that with many of them no program is looked at more than twice.
 */
static int load(struct probe *p, const struct live_config *cfg, uint64_t epoch_ns, struct err *e)
{
	int r;

	while ((r = try_load(p, cfg, epoch_ns, false, e)) > 0) {
		while ((r = try_load(p, cfg, epoch_ns, true, e)) > 0)
			;
		if (r < 0)
			return r;
	}
	return r;
}

int probe_open(const struct live_config *cfg, uint64_t epoch_ns, struct probe **ret, struct err *e)
{
	struct probe *p = xcalloc(1, sizeof(*p));
	int r = libbpf_num_possible_cpus();

	libbpf_set_print(listen_to_libbpf);
	p->events = -ENOENT;
	p->n_cpus = r > 0 ? (unsigned)r : 1;
	p->cpus_per_ring = cfg->cpus_per_ring;
	p->can = abilities_find();
	r = load(p, cfg, epoch_ns, e);
	if (r < 0) {
		probe_close(p);
		return r;
	}
	*ret = p;
	return 0;
}

void probe_pictured(struct probe *p)
{
	p->skel->bss->tells_folders = false;
}

void probe_detach(struct probe *p)
{
	for (struct probe *at = p; at; at = at->more) {
		for (unsigned i = 0; i < at->n_links; i++)
			bpf_link__destroy(at->links[i].link);
		at->n_links = 0;
	}
	iterators_detach(&p->iterators);
}

void probe_close(struct probe *p)
{
	if (!p)
		return;
	probe_detach(p);
	if (p->events >= 0)
		close(p->events);
	while (p) {
		struct probe *more = p->more;

		probe_bpf__destroy(p->skel);
		free(p);
		p = more;
	}
}

unsigned probe_rings_per_lane(const struct probe *p)
{
	return p->rings_per_lane;
}

int probe_make_ring(size_t bytes)
{
	return bpf_map_create(BPF_MAP_TYPE_RINGBUF, "saker_ring", 0, 0, (uint32_t)bytes, NULL);
}

int probe_add_ring(struct probe *p, unsigned i, size_t bytes, struct err *e)
{
	int fd = probe_make_ring(bytes);

	if (probe_lacks_files(fd))
		return too_many_files(p, fd, e);
	if (fd < 0)
		return err_set(e, fd, "a ring buffer of %zu bytes: %s", bytes, strerror(-fd));
	if (bpf_map_update_elem(bpf_map__fd(p->skel->maps.rings), &i, &fd, BPF_ANY) < 0) {
		int code = -errno;

		close(fd);
		return err_set(e, code, "adding a ring buffer: %s", strerror(-code));
	}
	return fd;
}

static bool is_enter(const char *program)
{
	return !strncmp(program, "enter_", 6);
}

static void keep_link(struct probe *p, struct bpf_link *link, const struct bpf_program *program)
{
	p->links[p->n_links++] = (struct probe_link){link, bpf_program__name(program)};
}

static int attach_enter(struct probe *p, const struct bpf_program *program, int events)
{
	char name[NAME_BYTES];
	struct bpf_link *link;
	int fd;

	snprintf(name, sizeof(name), "sys_%s", bpf_program__name(program));
	fd = events < 0 ? events : tracepoint_open(events, "syscalls", name);
	if (fd < 0)
		return fd;
	link = bpf_program__attach_perf_event(program, fd);
	if (!link) {
		int code = -errno;

		close(fd);
		return code;
	}
	keep_link(p, link, program);
	return 0;
}

/* Without them, what a call names or closes is known from its end only. */
void probe_attach_enters(struct probe *p)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, p->skel->obj)
	{
		const char *name = bpf_program__name(program);
		int r;

		if (!is_enter(name) || !bpf_program__autoload(program))
			continue;
		r = attach_enter(p, program, p->events);
		if (r < 0)
			snprintf(programs_is_closing(name) ? p->no_closes : p->no_enters,
				 REASON_BYTES, "%s: %s", name, strerror(-r));
	}
}

int probe_attach_start(struct probe *p, const struct bpf_program *program, struct err *e)
{
	struct bpf_link *link = bpf_program__attach(program);

	if (link) {
		keep_link(p, link, program);
		return 0;
	}
	if (probe_lacks_files(-errno))
		return too_many_files(p, -errno, e);
	return err_set(e, -errno, "attaching %s: %s", bpf_program__name(program), strerror(errno));
}

/*
 * Of those whose beginning is seen the end must be: so ends come first, but for what an exit
 * closes, which is told before the exit is.
 */
int probe_attach(struct probe *p, const struct live_config *cfg, struct err *e)
{
	const struct bpf_program *ends = p->skel->progs.on_sched_process_exit;
	const struct bpf_program *closing = p->skel->progs.on_closing_exit;
	struct bpf_program *program;
	struct routes routes;
	int r = 0;

	p->skel->bss->tells_folders = cfg->before_picture;
	routes_make(p, cfg, &routes);
	routes_widen(p, &routes);
	if (bpf_program__autoload(closing))
		r = probe_attach_start(p, closing, e);
	if (!r && bpf_program__autoload(ends))
		r = probe_attach_start(p, ends, e);
	if (!r && (p->skel->rodata->has_enters || cfg->wants_closed)) {
		p->events = tracepoint_events(cfg->host_root);
		probe_attach_enters(p);
	}
	bpf_object__for_each_program(program, p->skel->obj)
	{
		if (!r && program != ends && program != closing &&
		    programs_is_start(bpf_program__name(program)) && bpf_program__autoload(program))
			r = probe_attach_start(p, program, e);
	}
	if (!r)
		iterators_attach(&p->iterators, p->skel);
	return r;
}

uint32_t probe_own_tgid(const struct probe *p)
{
	return p->skel->rodata->own_tgid;
}

bool probe_is_iterator(const char *program)
{
	return !strncmp(program, "picture_", 8);
}

bool probe_tells_places(const char *program)
{
	return !strncmp(program, "place_", 6) || strstr(program, "_places");
}

const struct iterators *probe_iterators(const struct probe *p)
{
	return p->iterators.tasks && p->iterators.files ? &p->iterators : NULL;
}

enum uring_sight probe_uring(const struct probe *p)
{
	return p->can.uring;
}

const char *probe_no_enters(const struct probe *p)
{
	return p->no_enters[0] ? p->no_enters : NULL;
}

unsigned probe_n_programs(const struct probe *p)
{
	return p->n_programs;
}

unsigned probe_n_refused(const struct probe *p)
{
	return p->n_refused;
}

const char *probe_refused(const struct probe *p, unsigned i, const char **reason)
{
	*reason = p->refused[i].reason;
	return p->refused[i].program;
}

const char *probe_no_closes(const struct probe *p)
{
	return p->no_closes[0] ? p->no_closes : NULL;
}
