/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's side of the live source: loading, choosing and attaching the programs of bpf/. */
#pragma once

#include "capture/iterators.h"
#include "capture/live.h"
#include "capture/loss.h"
#include "capture/uring.h"

struct probe;

/*
 * Load what cfg->syscalls asks for.  A program that the kernel refuses is left out and named.
 * epoch_ns: what records' times count from; they are it and the time since the machine started.
 */
int probe_open(const struct live_config *cfg, uint64_t epoch_ns, struct probe **ret, struct err *e);
void probe_close(struct probe *p); /* NULL is fine */
unsigned probe_rings_per_lane(const struct probe *p);
/* Open files that watching may take at most, on this machine. */
unsigned probe_files_wanted(unsigned cpus_per_ring);
/* code: of a failure of these.  No more files may be opened, which less memory does not mend. */
bool probe_lacks_files(int code);
/* A ring buffer of this size that nobody writes to: its file descriptor, or -errno. */
int probe_make_ring(size_t bytes);
/* Make the i-th ring buffer: its file descriptor, or -errno and *e. */
int probe_add_ring(struct probe *p, unsigned i, size_t bytes, struct err *e);
/* From here on records come. */
int probe_attach(struct probe *p, const struct live_config *cfg, struct err *e);
/* See live_widen(), live_narrow() and live_lacks(). */
int probe_widen(struct probe *p, const struct live_config *cfg, struct err *e);
void probe_narrow(struct probe *p, const struct live_config *cfg);
const char *probe_lacks(const struct probe *p, const struct live_config *cfg);
/* What a picture at the start would lack is told no longer. */
void probe_pictured(struct probe *p);
/* None any more. */
void probe_detach(struct probe *p);

/* This process as the kernel numbers it. */
uint32_t probe_own_tgid(const struct probe *p);
/* As far as they are to be had; NULL when not both. */
const struct iterators *probe_iterators(const struct probe *p);
bool probe_is_iterator(const char *program);
bool probe_tells_places(const char *program);
unsigned probe_n_programs(const struct probe *p);
unsigned probe_n_refused(const struct probe *p);
const char *probe_refused(const struct probe *p, unsigned i, const char **reason);
/* How much is seen of what is done over io_uring. */
enum uring_sight probe_uring(const struct probe *p);
/* Why a program at the beginning of calls could not be attached; NULL. */
const char *probe_no_enters(const struct probe *p);
const char *probe_no_closes(const struct probe *p);
/* The i-th program that there is, wanted or not; NULL behind the last. */
const char *probe_program(const struct probe *p, unsigned i);
/* Whether it makes the events of this system call or tracepoint. */
bool probe_makes(const struct probe *p, const char *program, enum syscall_code code);

/*
 * Whether records of the lane were lost since the last probe_take_losses().  Nothing but a load.
 */
bool probe_is_losing(const struct probe *p, enum lane lane);
/* Let a look (capture/loss.h) have the counters, at least of the lanes that are losing. */
void probe_take_losses(struct probe *p, struct loss *l);
/* Whether the reader wants to be woken by the next record, by its ring's descriptor. */
void probe_reader_sleeps(struct probe *p, bool sleeps);
void probe_shortened(const struct probe *p, uint64_t ret[SHORTENED_COUNT]);
unsigned probe_n_cpus(const struct probe *p); /* that there can be; at least 1 */
/* Added to, of all lanes, by CPU. */
void probe_lost_by_cpu(const struct probe *p, uint64_t *ret);
size_t probe_programs(const struct probe *p, struct live_program *ret, size_t n);
/* Added to, of all lanes. */
void probe_lost(const struct probe *p, uint64_t by_type[LANE_COUNT][EV_COUNT],
		uint64_t by_reason[LOSS_COUNT]);
