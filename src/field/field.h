/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields: every name that a rule or a message may use, one row each in fields.def.
 */
#pragma once

#include "base/arena.h"
#include "base/hostname.h"
#include "field/value.h"
#include "state/kube.h"
#include "state/state.h"

/* How far a value reaches: it is the same until ... */
enum field_scope {
	SCOPE_CONSTANT,	 /* ... the end */
	SCOPE_EVENT,	 /* ... the next event */
	SCOPE_THREAD,	 /* ... the thread changes */
	SCOPE_PROCESS,	 /* ... the process (main thread) changes */
	SCOPE_LINEAGE,	 /* ... the process or any ancestor changes */
	SCOPE_CONTAINER, /* ... the container's metadata changes */
	SCOPE_VOLATILE,	 /* never: read anew each time, keeps memory of its own */
};

enum field_flag {
	FF_LIST = 1 << 0,
	FF_ARG_REQUIRED = 1 << 1,
	FF_ARG_ALLOWED = 1 << 2,
	FF_ARG_INDEX = 1 << 3, /* [number] */
	FF_ARG_KEY = 1 << 4,   /* [text] */
	FF_ARG_DOT = 1 << 5,   /* .text instead of [text] is fine too */
	FF_FILTER_ONLY = 1 << 6,
	FF_PRINT_ONLY = 1 << 7,
	FF_HIDDEN = 1 << 8, /* not listed */
	FF_DEPRECATED = 1 << 9,
	FF_NO_RHS = 1 << 10,
	FF_NO_TRANSFORMER = 1 << 11,
	FF_SUGGESTED = 1 << 12, /* appended to outputs by default */
	/*
	 * Several candidates in comparisons: the getter gives a list although FF_LIST is not
	 * set.  True when any candidate satisfies the operator ...
	 */
	FF_ANY = 1 << 13,
	FF_NE_ALL = 1 << 14, /* ... except that != needs all candidates to differ */
	/* In comparisons the value is an address, and the constants are names of hosts. */
	FF_HOST_NAME = 1 << 15,
	/* Only alerts know it, which are given when somebody else has said it. */
	FF_LATE = 1 << 16,
};

struct field;
struct kept;
struct redaction;

struct field_ctx {
	const struct state *state;
	const struct moment *m;
	struct arena *scratch;	     /* values live here at the least until the next event */
	bool printing;		     /* for a message, not for a comparison */
	struct redaction *redaction; /* of what is printed (filter/redaction.h); NULL: none */
	uint8_t source;		     /* of the event: field/eventsource.h */
	/*
	 * The moment is over: what it said then (field/kept.h), m having no more than its event's
	 * time and type.  Else NULL.
	 */
	const struct kept *kept;
};

typedef enum field_result (*field_getter)(const struct field_ctx *c, struct field *f,
					  struct value *ret);

struct field_info {
	const char *name;
	const char *help;
	const char
		*class_name; /* "generic", "evt", "process", "container (plugin container)" ... */
	uint8_t type;	     /* enum param_type */
	uint8_t format;	     /* enum print_format */
	uint8_t scope;	     /* enum field_scope */
	uint8_t up;	     /* how many levels above the process; getter's own meaning else */
	uint32_t flags;	     /* enum field_flag */
	field_getter get;
};

extern const struct field_info field_table[];
extern const size_t field_table_size;

/* One use of a field in a condition or message. */
struct field {
	const struct field_info *info;
	bool has_arg;
	bool arg_is_index;
	struct str arg; /* text in [ ] or behind the dot */
	uint64_t index;
	uint8_t type;	 /* enum param_type: info's, but for evt.rawarg the argument's */
	uint32_t flags;	 /* info's; unindexed ancestor fields have FF_ANY etc. only then */
	int16_t param;	 /* of evt.arg.NAME: private to field/ */
	uint64_t mem[3]; /* of volatile fields: private to field/ */
	void *cache;	 /* private to field/ */
};

/*
 * The field at the start of text, longest name first, with its [argument] or .argument.
 * *ret_n: bytes used; on an error, up to where it is.  -ENOENT: "filter_check called with
 * nonexistent field X", and what may have been meant; -EINVAL: a missing, unexpected or malformed
 * argument, an unknown event argument. The field lives in the arena and copies what it needs of
 * text.
 */
int field_parse(struct str text, struct arena *a, struct field **ret, size_t *ret_n, struct err *e);
/* The same of events of a source (field/eventsource.h); field_parse() is of system calls. */
int field_parse_in(unsigned source, struct str text, struct arena *a, struct field **ret,
		   size_t *ret_n, struct err *e);

enum { FIELD_NAME_MAX = 64 }; /* bytes */

/* The field of exactly this name that events of the source have; NULL: none. */
const struct field_info *field_find(struct str name, unsigned source);

enum field_result field_get_kept(struct field *f, const struct field_ctx *c, struct value *ret);

/* The value at this moment.  FIELD_NULL leaves *ret alone. */
static inline enum field_result field_get(struct field *f, const struct field_ctx *c,
					  struct value *ret)
{
	return __builtin_expect(c->kept != NULL, 0) ? field_get_kept(f, c, ret)
						    : f->info->get(c, f, ret);
}

/* Text of parameter i: raw, and resolved (empty when there is nothing to resolve). */
void param_text(const struct field_ctx *c, unsigned i, struct str *ret_raw,
		struct str *ret_resolved);

/* Process-wide settings of fields: buffer format, host name; set once before use. */
struct field_config {
	enum { BUFFER_TEXT, BUFFER_BASE64, BUFFER_HEX, BUFFER_HEX_ASCII } buffer_format;
	const char *hostname;	     /* evt.hostname; NULL: empty, as for captures */
	struct hostnames *hostnames; /* of conditions, borrowed; NULL: hosts have no names */
};
extern struct field_config field_config;

/* What is known of the moment's container: PENDING until that is decided. */
enum metadata_status moment_metadata(const struct field_ctx *c);
/* The uid of the moment's pod as kube_pod_of() finds it; empty: it is in none. */
struct str moment_pod_uid(const struct field_ctx *c, char ret[POD_UID_BYTES]);
/* Whether anything of its container, of the pod's sandbox or of the pod's object may still come. */
bool moment_is_pending(const struct field_ctx *c);

/* evt.type as text for this event ("openat", a generic call's own name, an async event's). */
struct str moment_type_name(const struct moment *m);
