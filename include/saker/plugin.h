/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interface between Saker and its plugins.
 *
 * A plugin is a shared object.  It exports functions called "plugin_" and a member of struct
 * plugin_api; what it exports says what it can do:
 *
 *   source events   open, close, next_batch (and get_id with get_event_source for an event source
 *                   of its own)
 *   give fields     get_fields, extract_fields
 *   follow events   parse_event
 *   add events      get_async_events, set_async_event_handler
 *   begin and end   capture_open, capture_close: of the stream of events
 *
 * Every plugin exports get_required_api_version, get_version, get_name, get_description,
 * get_contact, init, destroy and get_last_error.  The binary layout is that of version 3.12.0 of
 * the plugin interface of the Falco ecosystem, so that one plugin serves both.
 *
 * Texts are UTF-8 and end with a NUL; what a plugin returns stays its own, and good until it is
 * called again.  Nothing here allocates on the other side's behalf.
 */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PLUGIN_API_VERSION_MAJOR 3
#define PLUGIN_API_VERSION_MINOR 12
#define PLUGIN_API_VERSION_PATCH 0

enum { PLUGIN_MAX_ERRLEN = 1024 };

typedef uint32_t ss_plugin_bool;

typedef enum {
	SS_PLUGIN_TIMEOUT = -1, /* nothing now; ask again */
	SS_PLUGIN_SUCCESS = 0,
	SS_PLUGIN_FAILURE = 1, /* get_last_error says why */
	SS_PLUGIN_EOF = 2,     /* nothing any more */
	SS_PLUGIN_NOT_SUPPORTED = 3,
} ss_plugin_rc;

typedef enum { SS_PLUGIN_SCHEMA_NONE = 0, SS_PLUGIN_SCHEMA_JSON = 1 } ss_plugin_schema_type;

typedef enum {
	SS_PLUGIN_LOG_SEV_FATAL = 1,
	SS_PLUGIN_LOG_SEV_CRITICAL = 2,
	SS_PLUGIN_LOG_SEV_ERROR = 3,
	SS_PLUGIN_LOG_SEV_WARNING = 4,
	SS_PLUGIN_LOG_SEV_NOTICE = 5,
	SS_PLUGIN_LOG_SEV_INFO = 6,
	SS_PLUGIN_LOG_SEV_DEBUG = 7,
	SS_PLUGIN_LOG_SEV_TRACE = 8,
} ss_plugin_log_severity;

/* ---- events ---- */

/*
 * An event: this header, then the length of each parameter, then the parameters.  Plugins make two
 * types of them, both with lengths of 32 bits:
 *   322 (plugin event)  two parameters: the plugin's id (32 bits), and bytes of the plugin's own
 *   402 (async event)   three: an id that Saker sets (32 bits), a name with its NUL, and bytes
 */
struct ss_plugin_event {
	uint64_t ts;  /* nanoseconds since the epoch; all ones: now */
	uint64_t tid; /* all ones: none */
	uint32_t len; /* of everything */
	uint16_t type;
	uint32_t nparams;
} __attribute__((packed));
typedef struct ss_plugin_event ss_plugin_event;

enum {
	PPM_PLUGIN_EVENT = 322,
	PPM_ASYNC_EVENT = 402,
	SS_PLUGIN_EVENT_PAYLOAD_OFFSET = 38, /* of a plugin event's own bytes */
};

typedef struct {
	const ss_plugin_event *evt;
	uint64_t evtnum;
	const char *evtsrc; /* the event source: "syscall" or a plugin's */
} ss_plugin_event_input;

/* ---- fields ---- */

typedef enum {
	FTYPE_UINT64 = 8,
	FTYPE_STRING = 9,
	FTYPE_RELTIME = 20,
	FTYPE_ABSTIME = 21,
	FTYPE_BOOL = 25,
	FTYPE_IPADDR = 40, /* a buffer of 4 or 16 bytes in network order */
	FTYPE_IPNET = 41,  /* the same, or twice that with a mask behind the address */
} ss_plugin_field_type;

typedef struct {
	uint32_t len;
	const void *ptr;
} ss_plugin_byte_buffer;

/* Where in the event each value stands: arrays of res_len numbers. */
typedef struct {
	uint32_t *start;
	uint32_t *length;
} ss_plugin_extract_value_offsets;

typedef struct {
	/* Set by the plugin: res_len values, which stay good until the next extraction. */
	union {
		const char **str;
		uint64_t *u64;
		uint32_t *u32;
		ss_plugin_bool *boolean;
		ss_plugin_byte_buffer *buf;
	} res;
	uint64_t res_len;  /* 0: no value */
	uint32_t field_id; /* place in what get_fields lists */
	const char *field;
	const char *arg_key; /* field[key]; NULL without */
	uint64_t arg_index;  /* field[index] */
	ss_plugin_bool arg_present;
	uint32_t ftype;	      /* ss_plugin_field_type */
	ss_plugin_bool flist; /* it may have several values */
} ss_plugin_extract_field;

/* ---- metrics ---- */

typedef enum {
	SS_PLUGIN_METRIC_TYPE_MONOTONIC = 0,
	SS_PLUGIN_METRIC_TYPE_NON_MONOTONIC = 1,
} ss_plugin_metric_type;

typedef enum {
	SS_PLUGIN_METRIC_VALUE_TYPE_U32 = 0,
	SS_PLUGIN_METRIC_VALUE_TYPE_S32 = 1,
	SS_PLUGIN_METRIC_VALUE_TYPE_U64 = 2,
	SS_PLUGIN_METRIC_VALUE_TYPE_S64 = 3,
	SS_PLUGIN_METRIC_VALUE_TYPE_D = 4,
	SS_PLUGIN_METRIC_VALUE_TYPE_F = 5,
	SS_PLUGIN_METRIC_VALUE_TYPE_I = 6,
} ss_plugin_metric_value_type;

typedef struct {
	const char *name;
	ss_plugin_metric_type type;
	union {
		uint32_t u32;
		int32_t s32;
		uint64_t u64;
		int64_t s64;
		double d;
		float f;
		int i;
	} value;
	ss_plugin_metric_value_type value_type;
} ss_plugin_metric;

/* ---- tables: state that Saker and plugins share ---- */

typedef enum {
	SS_PLUGIN_ST_INT8 = 1,
	SS_PLUGIN_ST_INT16 = 2,
	SS_PLUGIN_ST_INT32 = 3,
	SS_PLUGIN_ST_INT64 = 4,
	SS_PLUGIN_ST_UINT8 = 5,
	SS_PLUGIN_ST_UINT16 = 6,
	SS_PLUGIN_ST_UINT32 = 7,
	SS_PLUGIN_ST_UINT64 = 8,
	SS_PLUGIN_ST_STRING = 9,
	SS_PLUGIN_ST_TABLE = 10,
	SS_PLUGIN_ST_BOOL = 25,
} ss_plugin_state_type;

/* What only its owner looks into. */
typedef void ss_plugin_t;	/* a plugin's state */
typedef void ss_instance_t;	/* an open event source */
typedef void ss_plugin_owner_t; /* Saker's side */
typedef void ss_plugin_table_t;
typedef void ss_plugin_table_entry_t;
typedef void ss_plugin_table_field_t;
typedef void ss_plugin_table_iterator_state_t;
typedef void ss_plugin_routine_t;
typedef void ss_plugin_routine_state_t;

typedef union {
	int8_t s8;
	int16_t s16;
	int32_t s32;
	int64_t s64;
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	const char *str;
	ss_plugin_bool b;
	ss_plugin_table_t *table;
} ss_plugin_state_data;

typedef struct {
	const char *name;
	ss_plugin_state_type key_type;
} ss_plugin_table_info;

typedef struct {
	const char *name;
	ss_plugin_state_type field_type;
	ss_plugin_bool read_only;
} ss_plugin_table_fieldinfo;

typedef ss_plugin_bool (*ss_plugin_table_iterator_func_t)(ss_plugin_table_iterator_state_t *s,
							  ss_plugin_table_entry_t *e);

/* Each of the tables of functions below comes twice: the shorter one is what 3.0 had. */

#define SS_PLUGIN_FIELDS_MEMBERS                                                                   \
	const ss_plugin_table_fieldinfo *(*list_table_fields)(ss_plugin_table_t * t,               \
							      uint32_t * nfields);                 \
	ss_plugin_table_field_t *(*get_table_field)(ss_plugin_table_t * t, const char *name,       \
						    ss_plugin_state_type type);                    \
	ss_plugin_table_field_t *(*add_table_field)(ss_plugin_table_t * t, const char *name,       \
						    ss_plugin_state_type type)

typedef struct {
	SS_PLUGIN_FIELDS_MEMBERS;
} ss_plugin_table_fields_vtable;

typedef struct {
	SS_PLUGIN_FIELDS_MEMBERS;
} ss_plugin_table_fields_vtable_ext;

#define SS_PLUGIN_READER_MEMBERS                                                                   \
	const char *(*get_table_name)(ss_plugin_table_t * t);                                      \
	uint64_t (*get_table_size)(ss_plugin_table_t * t); /* all ones: unknown */                 \
	ss_plugin_table_entry_t *(*get_table_entry)(ss_plugin_table_t * t,                         \
						    const ss_plugin_state_data *key);              \
	ss_plugin_rc (*read_entry_field)(ss_plugin_table_t * t, ss_plugin_table_entry_t * e,       \
					 const ss_plugin_table_field_t *f,                         \
					 ss_plugin_state_data *out)

typedef struct {
	SS_PLUGIN_READER_MEMBERS;
} ss_plugin_table_reader_vtable;

typedef struct {
	SS_PLUGIN_READER_MEMBERS;
	void (*release_table_entry)(ss_plugin_table_t *t, ss_plugin_table_entry_t *e);
	ss_plugin_bool (*iterate_entries)(ss_plugin_table_t *t, ss_plugin_table_iterator_func_t it,
					  ss_plugin_table_iterator_state_t *s);
} ss_plugin_table_reader_vtable_ext;

#define SS_PLUGIN_WRITER_MEMBERS                                                                   \
	ss_plugin_rc (*clear_table)(ss_plugin_table_t * t);                                        \
	ss_plugin_rc (*erase_table_entry)(ss_plugin_table_t * t, const ss_plugin_state_data *key); \
	ss_plugin_table_entry_t *(*create_table_entry)(ss_plugin_table_t * t);                     \
	void (*destroy_table_entry)(ss_plugin_table_t * t, ss_plugin_table_entry_t * e);           \
	ss_plugin_table_entry_t *(*add_table_entry)(ss_plugin_table_t * t,                         \
						    const ss_plugin_state_data *key,               \
						    ss_plugin_table_entry_t *e);                   \
	ss_plugin_rc (*write_entry_field)(ss_plugin_table_t * t, ss_plugin_table_entry_t * e,      \
					  const ss_plugin_table_field_t *f,                        \
					  const ss_plugin_state_data *in)

typedef struct {
	SS_PLUGIN_WRITER_MEMBERS;
} ss_plugin_table_writer_vtable;

typedef struct {
	SS_PLUGIN_WRITER_MEMBERS;
} ss_plugin_table_writer_vtable_ext;

/* A table of a plugin's own, for others to use. */
typedef struct {
	const char *name;
	ss_plugin_state_type key_type;
	ss_plugin_table_t *table;
	ss_plugin_table_reader_vtable reader;
	ss_plugin_table_writer_vtable writer;
	ss_plugin_table_fields_vtable fields;
	ss_plugin_table_reader_vtable_ext *reader_ext;
	ss_plugin_table_writer_vtable_ext *writer_ext;
	ss_plugin_table_fields_vtable_ext *fields_ext;
} ss_plugin_table_input;

typedef struct {
	ss_plugin_table_info *(*list_tables)(ss_plugin_owner_t *o, uint32_t *ntables);
	ss_plugin_table_t *(*get_table)(ss_plugin_owner_t *o, const char *name,
					ss_plugin_state_type key_type);
	ss_plugin_rc (*add_table)(ss_plugin_owner_t *o, const ss_plugin_table_input *in);
	ss_plugin_table_fields_vtable fields;
	ss_plugin_table_fields_vtable_ext *fields_ext;
	ss_plugin_table_reader_vtable_ext *reader_ext;
	ss_plugin_table_writer_vtable_ext *writer_ext;
} ss_plugin_init_tables_input;

/* ---- what functions are given ---- */

typedef const char *(*ss_plugin_get_owner_last_error_t)(ss_plugin_owner_t *o);
typedef void (*ss_plugin_log_fn_t)(ss_plugin_owner_t *o, const char *component, const char *msg,
				   ss_plugin_log_severity sev);

typedef struct {
	const char *config;
	ss_plugin_owner_t *owner;
	ss_plugin_get_owner_last_error_t get_owner_last_error;
	const ss_plugin_init_tables_input *tables; /* NULL: this plugin uses none */
	ss_plugin_log_fn_t log_fn;
} ss_plugin_init_input;

typedef struct {
	ss_plugin_owner_t *owner;
	ss_plugin_get_owner_last_error_t get_owner_last_error;
	uint32_t num_fields;
	ss_plugin_extract_field *fields;
	ss_plugin_table_reader_vtable table_reader;
	ss_plugin_table_reader_vtable_ext *table_reader_ext;
	ss_plugin_extract_value_offsets *value_offsets; /* NULL: not asked for */
} ss_plugin_field_extract_input;

typedef struct {
	ss_plugin_owner_t *owner;
	ss_plugin_get_owner_last_error_t get_owner_last_error;
	ss_plugin_table_reader_vtable table_reader;
	ss_plugin_table_writer_vtable table_writer;
	ss_plugin_table_reader_vtable_ext *table_reader_ext;
	ss_plugin_table_writer_vtable_ext *table_writer_ext;
} ss_plugin_event_parse_input;

typedef struct {
	const char *config;
} ss_plugin_set_config_input;

/* A routine runs again and again in a thread of Saker's until it returns 0. */
typedef ss_plugin_bool (*ss_plugin_routine_fn_t)(ss_plugin_t *s, ss_plugin_routine_state_t *i);

typedef struct {
	ss_plugin_routine_t *(*subscribe)(ss_plugin_owner_t *o, ss_plugin_routine_fn_t f,
					  ss_plugin_routine_state_t *i);
	ss_plugin_rc (*unsubscribe)(ss_plugin_owner_t *o,
				    ss_plugin_routine_t *r); /* waits for it */
} ss_plugin_routine_vtable;

typedef struct {
	ss_plugin_owner_t *owner;
	ss_plugin_routine_vtable *routine;
	ss_plugin_table_reader_vtable_ext *table_reader_ext;
	ss_plugin_table_writer_vtable_ext *table_writer_ext;
	ss_plugin_get_owner_last_error_t get_owner_last_error;
} ss_plugin_capture_listen_input;

/* Takes an async event from any thread; err has room for PLUGIN_MAX_ERRLEN bytes, or is NULL. */
typedef ss_plugin_rc (*ss_plugin_async_event_handler_t)(ss_plugin_owner_t *o,
							const ss_plugin_event *evt, char *err);

/* ---- what a plugin exports, each with "plugin_" in front ---- */

typedef struct {
	const char *(*get_required_api_version)(void);
	const char *(*get_init_schema)(ss_plugin_schema_type *schema_type);
	ss_plugin_t *(*init)(const ss_plugin_init_input *input, ss_plugin_rc *rc);
	void (*destroy)(ss_plugin_t *s);
	const char *(*get_last_error)(ss_plugin_t *s);
	const char *(*get_name)(void);
	const char *(*get_description)(void);
	const char *(*get_contact)(void);
	const char *(*get_version)(void);
	/* sourcing */
	uint32_t (*get_id)(void);
	const char *(*get_event_source)(void);
	ss_instance_t *(*open)(ss_plugin_t *s, const char *params, ss_plugin_rc *rc);
	void (*close)(ss_plugin_t *s, ss_instance_t *h);
	/* JSON: [{"value":"...", "desc":"...", "separator":"..."}] */
	const char *(*list_open_params)(ss_plugin_t *s, ss_plugin_rc *rc);
	/* pct: hundredths of a percent */
	const char *(*get_progress)(ss_plugin_t *s, ss_instance_t *h, uint32_t *pct);
	const char *(*event_to_string)(ss_plugin_t *s, const ss_plugin_event_input *evt);
	/* The events stay the plugin's, until the next call; Saker fills in what is left open. */
	ss_plugin_rc (*next_batch)(ss_plugin_t *s, ss_instance_t *h, uint32_t *nevts,
				   ss_plugin_event ***evts);
	/* extraction */
	uint16_t *(*get_extract_event_types)(uint32_t *numtypes, ss_plugin_t *s);
	const char *(*get_extract_event_sources)(void); /* JSON: ["syscall", ...] */
	/* JSON: [{"name":"", "type":"", "desc":"", "isList":, "arg":{"isRequired":, ...}}] */
	const char *(*get_fields)(void);
	ss_plugin_rc (*extract_fields)(ss_plugin_t *s, const ss_plugin_event_input *evt,
				       const ss_plugin_field_extract_input *in);
	/* parsing */
	uint16_t *(*get_parse_event_types)(uint32_t *numtypes, ss_plugin_t *s);
	const char *(*get_parse_event_sources)(void);
	ss_plugin_rc (*parse_event)(ss_plugin_t *s, const ss_plugin_event_input *evt,
				    const ss_plugin_event_parse_input *in);
	/* async */
	const char *(*get_async_event_sources)(void);
	const char *(*get_async_events)(void); /* JSON: names */
	/* handler NULL: no event any more once this returns */
	ss_plugin_rc (*set_async_event_handler)(ss_plugin_t *s, ss_plugin_owner_t *owner,
						const ss_plugin_async_event_handler_t handler);
	ss_plugin_rc (*dump_state)(ss_plugin_t *s, ss_plugin_owner_t *owner,
				   const ss_plugin_async_event_handler_t handler);
	/* of all */
	ss_plugin_rc (*set_config)(ss_plugin_t *s, const ss_plugin_set_config_input *i);
	ss_plugin_metric *(*get_metrics)(ss_plugin_t *s, uint32_t *num_metrics);
	/* capture listening */
	ss_plugin_rc (*capture_open)(ss_plugin_t *s, const ss_plugin_capture_listen_input *i);
	ss_plugin_rc (*capture_close)(ss_plugin_t *s, const ss_plugin_capture_listen_input *i);
	const char *(*get_required_event_schema_version)(ss_plugin_t *s);
} plugin_api;

/*
 * For a plugin: define SAKER_PLUGIN before this header is included, and the compiler sees to it
 * that what is exported has the right types.
 */
#ifdef SAKER_PLUGIN
#define SAKER_PLUGIN_EXPORT(member)                                                                \
	__attribute__((                                                                            \
		visibility("default"))) __typeof__(*((plugin_api *)0)->member) plugin_##member
SAKER_PLUGIN_EXPORT(get_required_api_version);
SAKER_PLUGIN_EXPORT(get_init_schema);
SAKER_PLUGIN_EXPORT(init);
SAKER_PLUGIN_EXPORT(destroy);
SAKER_PLUGIN_EXPORT(get_last_error);
SAKER_PLUGIN_EXPORT(get_name);
SAKER_PLUGIN_EXPORT(get_description);
SAKER_PLUGIN_EXPORT(get_contact);
SAKER_PLUGIN_EXPORT(get_version);
SAKER_PLUGIN_EXPORT(get_id);
SAKER_PLUGIN_EXPORT(get_event_source);
SAKER_PLUGIN_EXPORT(open);
SAKER_PLUGIN_EXPORT(close);
SAKER_PLUGIN_EXPORT(list_open_params);
SAKER_PLUGIN_EXPORT(get_progress);
SAKER_PLUGIN_EXPORT(event_to_string);
SAKER_PLUGIN_EXPORT(next_batch);
SAKER_PLUGIN_EXPORT(get_extract_event_types);
SAKER_PLUGIN_EXPORT(get_extract_event_sources);
SAKER_PLUGIN_EXPORT(get_fields);
SAKER_PLUGIN_EXPORT(extract_fields);
SAKER_PLUGIN_EXPORT(get_parse_event_types);
SAKER_PLUGIN_EXPORT(get_parse_event_sources);
SAKER_PLUGIN_EXPORT(parse_event);
SAKER_PLUGIN_EXPORT(get_async_event_sources);
SAKER_PLUGIN_EXPORT(get_async_events);
SAKER_PLUGIN_EXPORT(set_async_event_handler);
SAKER_PLUGIN_EXPORT(dump_state);
SAKER_PLUGIN_EXPORT(set_config);
SAKER_PLUGIN_EXPORT(get_metrics);
SAKER_PLUGIN_EXPORT(capture_open);
SAKER_PLUGIN_EXPORT(capture_close);
SAKER_PLUGIN_EXPORT(get_required_event_schema_version);
#endif

#ifdef __cplusplus
}
#endif
