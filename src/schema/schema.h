/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema: every event type, its parameters, the names of flag values and of system calls.
 *
 * All of it comes from events.def, flags.def, syscalls.def and convert.def; nothing else in the
 * project repeats a parameter's position, name or type.
 */
#pragma once

#ifndef __bpf__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

/* Which events there are, and of what: the version of the ecosystem's that this is. */
#define SCHEMA_VERSION "4.5.1"

/*
 * Among the flags of a clone, as its child tells them, one of Saker's own: the child has pids of
 * its own, in a user namespace that an ordinary user made.
 */
#define CLONE_IN_NAMESPACE_OF_USER 0x80000000u

enum event_code {
#define EVENT(id, code, ...) EV_##id = (code),
#include "schema/events.def"
#undef EVENT
	EV_COUNT = 454,
};

/* Types of parameters and fields.  Sizes in bytes: see param_type_size(). */
enum param_type {
	PT_NONE = 0,
	PT_INT8 = 1,
	PT_INT16 = 2,
	PT_INT32 = 3,
	PT_INT64 = 4,
	PT_UINT8 = 5,
	PT_UINT16 = 6,
	PT_UINT32 = 7,
	PT_UINT64 = 8,
	PT_CHARBUF = 9,
	PT_BYTEBUF = 10,
	PT_ERRNO = 11,
	PT_SOCKADDR = 12,
	PT_SOCKTUPLE = 13,
	PT_FD = 14,
	PT_PID = 15,
	PT_FDLIST = 16,
	PT_FSPATH = 17,
	PT_SYSCALLID = 18,
	PT_SIGTYPE = 19,
	PT_RELTIME = 20,
	PT_ABSTIME = 21,
	PT_PORT = 22,
	PT_L4PROTO = 23,
	PT_SOCKFAMILY = 24,
	PT_BOOL = 25,
	PT_IPV4ADDR = 26,
	PT_DYN = 27,
	PT_FLAGS8 = 28,
	PT_FLAGS16 = 29,
	PT_FLAGS32 = 30,
	PT_UID = 31,
	PT_GID = 32,
	PT_DOUBLE = 33,
	PT_SIGSET = 34,
	PT_CHARBUFARRAY = 35,
	PT_CHARBUF_PAIR_ARRAY = 36,
	PT_IPV4NET = 37,
	PT_IPV6ADDR = 38,
	PT_IPV6NET = 39,
	PT_IPADDR = 40,
	PT_IPNET = 41,
	PT_MODE = 42,
	PT_FSRELPATH = 43,
	PT_ENUMFLAGS8 = 44,
	PT_ENUMFLAGS16 = 45,
	PT_ENUMFLAGS32 = 46,
	PT_FD32 = 47,
	PT_PID32 = 48,
	PT_COUNT = 49,
};

enum print_format { PF_NA, PF_DEC, PF_HEX, PF_10_PADDED_DEC, PF_ID, PF_DIR, PF_OCT };

enum event_category {
	EC_UNKNOWN = 0,
	EC_OTHER = 1,
	EC_FILE = 2,
	EC_NET = 3,
	EC_IPC = 4,
	EC_MEMORY = 5,
	EC_PROCESS = 6,
	EC_SLEEP = 7,
	EC_SYSTEM = 8,
	EC_SIGNAL = 9,
	EC_USER = 10,
	EC_TIME = 11,
	EC_PROCESSING = 12,
	EC_IO_READ = 32,
	EC_IO_WRITE = 33,
	EC_IO_OTHER = 34,
	EC_WAIT = 64,
	EC_SCHEDULER = 128,
	EC_INTERNAL = 256,
	/* Where the event comes from: or-ed to one of the above. */
	EC_SYSCALL = 512,
	EC_TRACEPOINT = 1024,
	EC_PLUGIN = 2048,
	EC_METAEVENT = 4096,
	EC_ITER = 8192,
	EC_CLASS_MASK = 511,
};

enum event_flag {
	EF_CREATES_FD = 1 << 0,
	EF_DESTROYS_FD = 1 << 1,
	EF_USES_FD = 1 << 2,
	EF_READS_FROM_FD = 1 << 3,
	EF_WRITES_TO_FD = 1 << 4,
	EF_MODIFIES_STATE = 1 << 5,
	EF_UNUSED = 1 << 6,
	EF_WAITS = 1 << 7,
	EF_SKIPPARSERESET = 1 << 8,
	EF_OLD_VERSION = 1 << 9,
	EF_LARGE_PAYLOAD = 1 << 11, /* lengths are 32 bits wide */
	EF_CONVERTER_MANAGED = 1 << 12,
};

enum flag_table_id {
	FLAGS_NONE,
#define TABLE(id) FLAGS_##id,
#define FLAG(name, value)
#define END(id)
#include "schema/flags.def"
#undef TABLE
#undef FLAG
#undef END
	FLAGS_COUNT,
};

enum dyn_table_id { DYN_none, DYN_sockopt, DYN_ptrace, DYN_bpf, DYN_keyctl, DYN_COUNT };

enum syscall_code {
#define SYSCALL(id, code, ...) SC_##id = (code),
#include "schema/syscalls.def"
#undef SYSCALL
	SC_COUNT = 454,
};

enum {
	RECORD_HEADER_BYTES = 26, /* ts 8, tid 8, len 4, type 2, nparams 4 */
	EVENT_MAX_PARAMS = 32,	  /* of any row of the table */
	AT_FDCWD_PORTABLE = -100,
};

/* Portable open flags, as in parameters of table file_flags. */
enum {
	PPM_O_RDONLY = 1,
	PPM_O_WRONLY = 2,
	PPM_O_RDWR = 3,
	PPM_O_CREAT = 4,
	PPM_O_APPEND = 8,
	PPM_O_DSYNC = 0x10,
	PPM_O_EXCL = 0x20,
	PPM_O_NONBLOCK = 0x40,
	PPM_O_SYNC = 0x80,
	PPM_O_TRUNC = 0x100,
	PPM_O_DIRECT = 0x200,
	PPM_O_DIRECTORY = 0x400,
	PPM_O_LARGEFILE = 0x800,
	PPM_O_CLOEXEC = 0x1000,
	PPM_O_TMPFILE = 0x2000,
	PPM_O_F_CREATED = 0x4000,
	PPM_FD_UPPER_LAYER = 0x8000,
	PPM_FD_LOWER_LAYER = 0x10000,
};

#ifndef __bpf__

struct flag_name {
	const char *name;
	uint32_t value;
};

struct flag_table {
	const struct flag_name *names;
	unsigned n;
};

struct dyn_type {
	uint8_t type, format;
};

struct dyn_table {
	const struct dyn_type *types;
	unsigned n;
};

struct param_info {
	const char *name;
	uint8_t type;	/* enum param_type */
	uint8_t format; /* enum print_format */
	uint8_t flags;	/* enum flag_table_id, FLAGS_NONE without names */
	uint8_t dyn;	/* enum dyn_table_id, for PT_DYN */
	int8_t dirfd;	/* index of the directory fd's parameter, -1 without one */
};

struct event_info {
	const char *name;
	uint16_t category, flags;
	uint8_t n_params;
	const struct param_info *params;
};

struct syscall_info {
	const char *name;
	int16_t x86_64, aarch64; /* -1: not there */
	uint16_t exit, enter;	 /* enum event_code */
};

enum convert_action {
	CONVERT_NONE, /* no row for this key */
	CONVERT_PASS,
	CONVERT_STORE,
	CONVERT_STORE_AND_PASS,
	CONVERT_ADD_PARAMS,
	CONVERT_CHANGE_TYPE,
};

enum convert_source {
	FROM_OLD,
	FROM_ENTER,
	FROM_ENTER_OR_EMPTY,
	FROM_DEFAULT,
	FROM_EMPTY,
	FROM_JSON
};

struct convert_step {
	uint8_t from, param;
};

struct convert_rule {
	uint16_t event;
	uint8_t n_params, action;
	uint16_t to;
	uint8_t n_steps;
	const struct convert_step *steps;
};

extern const struct event_info event_table[EV_COUNT];
extern const struct flag_table flag_tables[FLAGS_COUNT];
extern const struct dyn_table dyn_tables[DYN_COUNT];
extern const struct syscall_info syscall_table[SC_COUNT];

/* The rule for a record of this type with so many parameters, or NULL. */
const struct convert_rule *convert_find(uint16_t event, unsigned n_params);

static inline bool event_is_exit(uint16_t code)
{
	return code & 1;
}

/* Bytes of a fixed-size type, 0 for the others. */
unsigned param_type_size(enum param_type t);
bool param_type_is_signed(enum param_type t);
/* "CHARBUF", "UINT64" ... as documentation and error messages name the type. */
const char *param_type_name(enum param_type t);
/* The native number of this build's architecture to its portable code; SC_UNKNOWN. */
enum syscall_code syscall_of_native(unsigned nr);
/* "EACCES" for 13; NULL when unknown. */
const char *errno_name(int e);
/* "SIGKILL" for 9; NULL when unknown. */
const char *signal_name(unsigned sig);
/* "CAP_CHOWN" for 0; NULL when unknown. */
const char *capability_name(unsigned bit);

#endif /* !__bpf__ */
