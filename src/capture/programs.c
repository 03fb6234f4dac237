/* SPDX-License-Identifier: Apache-2.0 */
/* Which program makes what, and which are needed. */
#include "capture/loaded.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

/* Tracepoints that are no system calls. */
static const struct {
	enum syscall_code code;
	const char *program;
} tracepoints[] = {
	{SC_EXECVE, "on_sched_process_exec"},
	{SC_EXECVEAT, "on_sched_process_exec"},
	{SC_SCHED_PROCESS_EXIT, "on_sched_process_exit"},
	{SC_SIGNAL_DELIVER, "on_signal_deliver"},
	{SC_PAGE_FAULT_USER, "on_page_fault_user"},
	{SC_PAGE_FAULT_KERNEL, "on_page_fault_kernel"},
	{SC_SCHED_SWITCH, "on_sched_switch"},
};

enum { N_TRACEPOINTS = sizeof(tracepoints) / sizeof(tracepoints[0]) };

/* Calls that are looked at when they begin, see bpf/given.h. */
static const uint16_t enters[] = {SC_OPEN, SC_CREAT, SC_OPENAT, SC_OPENAT2, SC_CONNECT};

enum { N_ENTERS = sizeof(enters) / sizeof(enters[0]) };

/* Calls that close files, see bpf/closed.h. */
static const uint16_t closing[] = {SC_CLOSE, SC_DUP2, SC_DUP3, SC_CLOSE_RANGE};

enum { N_CLOSING = sizeof(closing) / sizeof(closing[0]) };

int native_number(enum syscall_code code)
{
#if defined(__x86_64__)
	return syscall_table[code].x86_64;
#else
	return syscall_table[code].aarch64;
#endif
}

static bool is_tracepoint(enum syscall_code code)
{
	return code >= SC_SCHED_PROCESS_EXIT && code <= SC_SIGNAL_DELIVER;
}

static struct bpf_program *program_of_name(const struct probe_bpf *s, const char *name)
{
	char full[NAME_BYTES];

	snprintf(full, sizeof(full), "sys_%s", name);
	return bpf_object__find_program_by_name(s->obj, full);
}

/* The program for a system call: its own, that of one with the same event, the generic one. */
struct bpf_program *program_of(const struct probe_bpf *s, enum syscall_code code)
{
	const struct syscall_info *info = &syscall_table[code];
	struct bpf_program *p = program_of_name(s, info->name);

	if (p)
		return p;
	if (info->exit == EV_GENERIC_X)
		return is_tracepoint(code) ? NULL : s->progs.sys_generic;
	for (unsigned i = 0; !p && i < SC_COUNT; i++) {
		if (syscall_table[i].exit == info->exit && i != code)
			p = program_of_name(s, syscall_table[i].name);
	}
	return p;
}

/* Calls whose files have a place, see bpf/place.h and named.h. */
static const uint16_t opens[] = {SC_OPEN, SC_CREAT, SC_OPENAT, SC_OPENAT2, SC_OPEN_BY_HANDLE_AT};
static const uint16_t names[] = {
	SC_MKDIR,     SC_MKDIRAT, SC_RMDIR,    SC_UNLINK,  SC_UNLINKAT,	 SC_RENAME,  SC_RENAMEAT,
	SC_RENAMEAT2, SC_LINK,	  SC_LINKAT,   SC_SYMLINK, SC_SYMLINKAT, SC_CHMOD,   SC_FCHMODAT,
	SC_CHOWN,     SC_LCHOWN,  SC_FCHOWNAT, SC_MOUNT,   SC_UMOUNT,	 SC_UMOUNT2,
};

static bool is_one_of(const uint16_t *codes, size_t n, enum syscall_code code)
{
	for (size_t i = 0; i < n; i++)
		if (codes[i] == code)
			return true;
	return false;
}

struct bpf_program *place_program_of(const struct probe_bpf *s, enum syscall_code code)
{
	if (is_one_of(opens, sizeof(opens) / sizeof(opens[0]), code))
		return s->progs.place_open;
	if (is_one_of(names, sizeof(names) / sizeof(names[0]), code))
		return s->progs.place_named;
	return NULL;
}

static bool makes_over_ring(const struct probe *p, const char *program, enum syscall_code code)
{
	const struct uring_op *op;

	for (unsigned i = 0; (op = uring_op(p->can.uring, i)); i++) {
		if (op->code == code &&
		    !strcmp(op->program ? op->program : "on_io_uring_complete", program))
			return true;
	}
	return false;
}

bool probe_makes(const struct probe *p, const char *program, enum syscall_code code)
{
	const struct bpf_program *own = program_of(p->skel, code);

	if (own && !strcmp(bpf_program__name(own), program))
		return true;
	for (unsigned i = 0; i < N_TRACEPOINTS; i++) {
		if (tracepoints[i].code == code && !strcmp(tracepoints[i].program, program))
			return true;
	}
	return makes_over_ring(p, program, code);
}

const char *probe_program(const struct probe *p, unsigned i)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, p->skel->obj)
	{
		if (!i--)
			return bpf_program__name(program);
	}
	return NULL;
}

static bool is_refused(const struct probe *p, const struct bpf_program *program)
{
	for (unsigned i = 0; i < p->n_refused; i++) {
		if (!strcmp(p->refused[i].program, bpf_program__name(program)))
			return true;
	}
	return false;
}

static void choose(struct probe *p, struct bpf_program *program)
{
	if (!program || bpf_program__autoload(program) || is_refused(p, program))
		return;
	bpf_program__set_autoload(program, true);
	p->n_programs++;
}

/* The one that tells most, of those that the kernel can take. */
static void choose_iterators(struct probe *p, bool with_places)
{
	struct probe_bpf *s = p->skel;

	if (p->can.reads_tasks)
		choose(p, s->progs.picture_tasks_whole);
	if (!bpf_program__autoload(s->progs.picture_tasks_whole))
		choose(p, s->progs.picture_tasks);
	choose(p, s->progs.picture_files);
	if (with_places) {
		choose(p, s->progs.picture_exe_places);
		choose(p, s->progs.picture_file_places);
	}
}

static void name_enter(char ret[NAME_BYTES], uint16_t code)
{
	snprintf(ret, NAME_BYTES, "enter_%s", syscall_table[code].name);
}

bool programs_is_closing(const char *program)
{
	for (unsigned i = 0; i < N_CLOSING; i++) {
		char name[NAME_BYTES];

		name_enter(name, closing[i]);
		if (!strcmp(program, name))
			return true;
	}
	return false;
}

bool programs_is_start(const char *program)
{
	return !strcmp(program, "sys_exit") || !strncmp(program, "on_", 3);
}

bool programs_start_is_wanted(const char *program, const struct live_config *cfg)
{
	bool is_tracepoint_of_calls = false;

	for (unsigned i = 0; i < N_TRACEPOINTS; i++) {
		if (strcmp(tracepoints[i].program, program))
			continue;
		if (has_bit(cfg->syscalls, tracepoints[i].code))
			return true;
		is_tracepoint_of_calls = true;
	}
	return !is_tracepoint_of_calls;
}

static void choose_enter(struct probe *p, uint16_t code)
{
	char name[NAME_BYTES];

	name_enter(name, code);
	if (native_number((enum syscall_code)code) >= 0)
		choose(p, bpf_object__find_program_by_name(p->skel->obj, name));
}

static void choose_closing(struct probe *p)
{
	for (unsigned i = 0; i < N_CLOSING; i++)
		choose_enter(p, closing[i]);
	choose(p, p->skel->progs.on_closing_exit);
	if (p->can.prepares_exec)
		choose(p, p->skel->progs.on_closing_exec);
}

static void choose_enters(struct probe *p, const struct live_config *cfg)
{
	for (unsigned i = 0; cfg->enters && i < N_ENTERS; i++) {
		if (!has_bit(cfg->enters, enters[i]) || !has_bit(cfg->syscalls, enters[i]) ||
		    native_number(enters[i]) < 0)
			continue;
		choose_enter(p, enters[i]);
		p->skel->rodata->has_enters = true;
	}
	/* Who may want more later must have room for it. */
	if (cfg->may_widen)
		p->skel->rodata->has_enters = true;
	if (!p->skel->rodata->has_enters)
		bpf_map__set_max_entries(p->skel->maps.givens, 1);
}

/* What is done over io_uring, of calls that are wanted. */
static void choose_over_ring(struct probe *p, const struct live_config *cfg)
{
	struct probe_bpf *s = p->skel;
	const struct uring_op *op;
	bool any = false;

	for (unsigned i = 0; (op = uring_op(p->can.uring, i)); i++) {
		if (!has_bit(cfg->syscalls, op->code))
			continue;
		any = true;
		if (op->program)
			choose(p, bpf_object__find_program_by_name(s->obj, op->program));
	}
	if (any) {
		choose(p, s->progs.on_io_uring_complete);
		if (cfg->wants_named)
			choose(p, s->progs.place_ring);
		if (p->can.uring_submit)
			choose(p, bpf_object__find_program_by_name(s->obj, p->can.uring_submit));
	} else if (!cfg->may_widen) {
		bpf_map__set_max_entries(s->maps.ring_calls, 1);
		bpf_map__set_max_entries(s->maps.ring_records, 1);
	}
}

static void choose_place(struct probe *p, const struct live_config *cfg, enum syscall_code code)
{
	struct bpf_program *program = place_program_of(p->skel, code);
	bool is_named = program == p->skel->progs.place_named;

	if (is_named ? cfg->wants_named : cfg->wants_places)
		choose(p, program);
}

/* Only what is wanted is loaded. */
void programs_choose(struct probe *p, const struct live_config *cfg)
{
	struct bpf_program *program;

	p->n_programs = 0;
	bpf_object__for_each_program(program, p->skel->obj)
		bpf_program__set_autoload(program, false);
	choose(p, p->skel->progs.sys_exit);
	if (cfg->wants_closed)
		choose_closing(p);
	if (!cfg->no_iterators)
		choose_iterators(p, cfg->wants_places);
	for (unsigned code = 0; code < SC_COUNT; code++) {
		if (!has_bit(cfg->syscalls, code))
			continue;
		choose(p, program_of(p->skel, code));
		choose_place(p, cfg, (enum syscall_code)code);
	}
	for (unsigned i = 0; i < N_TRACEPOINTS; i++) {
		if (has_bit(cfg->syscalls, tracepoints[i].code))
			choose(p, bpf_object__find_program_by_name(p->skel->obj,
								   tracepoints[i].program));
	}
	choose_over_ring(p, cfg);
	choose_enters(p, cfg);
}

/* Programs are loaded in this order. */
void programs_leave_judged(struct probe *p)
{
	const char *last = p->refused[p->n_refused - 1].program;
	struct bpf_program *program;

	bpf_object__for_each_program(program, p->skel->obj)
	{
		bpf_program__set_autoload(program, false);
		if (!strcmp(bpf_program__name(program), last))
			return;
	}
}
