/* SPDX-License-Identifier: Apache-2.0 */
/* The process of a plugin: loads it, gives up what it can, and answers. */
#include "base/alloc.h"
#include "base/sanitized.h"
#include "plugin/isolate.h"
#include "plugin/wire.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FILES_MAX = 256, SYMBOL_MAX = 64 };

struct server {
	plugin_api api;
	ss_plugin_t *state;
	ss_instance_t *instance;
	int fd;
	struct buf in, out;
};

/* ---- what the process may ---- */

/* What no plugin needs to source events and give fields. */
static const int refused[] = {
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(setns),
	SCMP_SYS(unshare),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(reboot),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(execve),
	SCMP_SYS(execveat),
	SCMP_SYS(kill),
	SCMP_SYS(pidfd_send_signal),
	SCMP_SYS(keyctl),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(setrlimit),
};

static int refuse_calls(void)
{
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_ALLOW);
	int r = c ? 0 : -ENOMEM;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]) && !r; i++)
		r = seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
	if (!r)
		r = seccomp_rule_add(c, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prlimit64), 1,
				     SCMP_A2(SCMP_CMP_NE, 0, 0));
	if (!r)
		r = seccomp_load(c);
	seccomp_release(c);
	return r;
}

static void limit(int what, uint64_t n)
{
	struct rlimit l = {.rlim_cur = n, .rlim_max = n};

	setrlimit(what, &l);
}

/* When memory is short, this process is to go before others. */
static void be_first_to_go(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "1000", 4) != 4)
		errno = 0; /* then it is not */
	close(fd);
}

static int confine(uint64_t memory_max)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	sigset_t all;

	sigemptyset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGINT, SIG_IGN); /* a terminal's is for Saker, whose end is ours */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	be_first_to_go();
	if (!IS_SANITIZED) /* whose own memory is more than any limit */
		limit(RLIMIT_DATA, memory_max);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_NOFILE, FILES_MAX);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return refuse_calls();
}

/* ---- answers ---- */

static void add_z(struct buf *out, const char *text)
{
	buf_add(out, text, strlen(text) + 1);
}

static ss_plugin_rc fail(struct server *s, const char *why)
{
	buf_reset(&s->out);
	add_z(&s->out, why ? why : "it does not say why");
	return SS_PLUGIN_FAILURE;
}

static ss_plugin_rc fail_as_told(struct server *s)
{
	return fail(s, s->state && s->api.get_last_error ? s->api.get_last_error(s->state) : NULL);
}

#define TEXT_OF(function) (s->api.function ? s->api.function() : NULL)

static ss_plugin_rc who(struct server *s)
{
	ss_plugin_schema_type type = SS_PLUGIN_SCHEMA_NONE;
	const char *schema = s->api.get_init_schema ? s->api.get_init_schema(&type) : NULL;
	const plugin_api *a = &s->api;
	const char *texts[WIRE_TEXTS] = {
		[WIRE_API_VERSION] = TEXT_OF(get_required_api_version),
		[WIRE_NAME] = TEXT_OF(get_name),
		[WIRE_DESCRIPTION] = TEXT_OF(get_description),
		[WIRE_CONTACT] = TEXT_OF(get_contact),
		[WIRE_VERSION] = TEXT_OF(get_version),
		[WIRE_SOURCE] = TEXT_OF(get_event_source),
		[WIRE_FIELDS] = TEXT_OF(get_fields),
		[WIRE_EXTRACT_SOURCES] = TEXT_OF(get_extract_event_sources),
		[WIRE_SCHEMA] = type == SS_PLUGIN_SCHEMA_JSON ? schema : NULL,
	};
	struct wire_who w = {
		.id = a->get_id ? a->get_id() : 0,
		.has_source = a->open && a->close && a->next_batch,
		.has_fields = a->get_fields && a->extract_fields,
		.has_others = a->parse_event || a->set_async_event_handler || a->capture_open,
	};

	if (!a->init || !a->destroy || !a->get_last_error)
		return fail(s, "it lacks one of init, destroy and get_last_error");
	for (unsigned i = 0; i < WIRE_TEXTS; i++)
		w.texts |= texts[i] ? 1u << i : 0;
	buf_add(&s->out, &w, sizeof(w));
	for (unsigned i = 0; i < WIRE_TEXTS; i++)
		if (texts[i])
			add_z(&s->out, texts[i]);
	return SS_PLUGIN_SUCCESS;
}

static const char *owner_error(ss_plugin_owner_t *owner)
{
	return "a plugin in a process of its own has no tables";
}

static void say(ss_plugin_owner_t *owner, const char *component, const char *text,
		ss_plugin_log_severity severity)
{
	if (text && severity <= SS_PLUGIN_LOG_SEV_INFO)
		fprintf(stderr, "saker: plugin: %.512s\n", text);
}

/* Which events it knows, and which types of them it wants fields of; none: all. */
static ss_plugin_rc begin(struct server *s)
{
	ss_plugin_init_input in = {.config = buf_z(&s->in),
				   .owner = s,
				   .get_owner_last_error = owner_error,
				   .log_fn = say};
	ss_plugin_rc rc = SS_PLUGIN_SUCCESS;
	const uint16_t *types;
	const char *schema = NULL;
	uint32_t n = 0;

	s->state = s->api.init(&in, &rc);
	if (rc != SS_PLUGIN_SUCCESS || !s->state)
		return fail_as_told(s);
	types = s->api.get_extract_event_types ? s->api.get_extract_event_types(&n, s->state)
					       : NULL;
	if (s->api.get_required_event_schema_version)
		schema = s->api.get_required_event_schema_version(s->state);
	add_z(&s->out, schema ? schema : "");
	if (types && n)
		buf_add(&s->out, types, n * sizeof(*types));
	return SS_PLUGIN_SUCCESS;
}

static ss_plugin_rc open_source(struct server *s)
{
	ss_plugin_rc rc = SS_PLUGIN_SUCCESS;

	s->instance = s->api.open(s->state, buf_z(&s->in), &rc);
	return rc == SS_PLUGIN_SUCCESS ? rc : fail_as_told(s);
}

static ss_plugin_rc next_batch(struct server *s)
{
	ss_plugin_event **events = NULL;
	uint32_t n = 0;
	ss_plugin_rc rc = s->api.next_batch(s->state, s->instance, &n, &events);

	if (rc == SS_PLUGIN_FAILURE && !n)
		return fail_as_told(s);
	for (uint32_t i = 0; i < n; i++)
		buf_add(&s->out, events[i], events[i]->len);
	return s->out.truncated ? fail(s, "its events are too long") : rc;
}

/* ---- fields ---- */

static void add_bytes(struct buf *out, const void *p, uint32_t n)
{
	buf_add(out, &n, sizeof(n));
	if (n)
		buf_add(out, p, n);
}

/* A length and bytes, of texts with the NUL; or eight bytes. */
static void add_value(struct buf *out, const ss_plugin_extract_field *x, uint64_t i)
{
	uint64_t number;

	if (x->ftype == FTYPE_STRING) {
		const char *text = x->res.str[i] ? x->res.str[i] : "";

		add_bytes(out, text, (uint32_t)strlen(text) + 1);
	} else if (x->ftype == FTYPE_IPADDR || x->ftype == FTYPE_IPNET) {
		add_bytes(out, x->res.buf[i].ptr, x->res.buf[i].ptr ? x->res.buf[i].len : 0);
	} else {
		number = x->ftype == FTYPE_BOOL ? x->res.boolean[i] : x->res.u64[i];
		buf_add(out, &number, sizeof(number));
	}
}

struct question {
	struct wire_extract w;
	const char *source, *key;
	const ss_plugin_event *event;
};

/* Saker asks; it is believed. */
static struct question read_question(const struct buf *in)
{
	struct question q;

	memcpy(&q.w, in->p, sizeof(q.w));
	q.source = in->p + sizeof(q.w);
	q.key = q.source + q.w.n_source;
	q.event = (const ss_plugin_event *)(q.key + q.w.n_key);
	return q;
}

static ss_plugin_rc extract(struct server *s)
{
	struct question q = read_question(&s->in);
	ss_plugin_event_input event = {q.event, q.w.number, q.source};
	ss_plugin_extract_field x = {.field_id = q.w.field,
				     .field = "",
				     .arg_key = q.w.has_key ? q.key : NULL,
				     .arg_index = q.w.index,
				     .arg_present = q.w.has_argument,
				     .ftype = q.w.type,
				     .flist = q.w.is_list};
	ss_plugin_field_extract_input in = {
		.owner = s, .get_owner_last_error = owner_error, .num_fields = 1, .fields = &x};

	if (s->api.extract_fields(s->state, &event, &in) != SS_PLUGIN_SUCCESS || !x.res.str)
		return SS_PLUGIN_SUCCESS;
	for (uint64_t i = 0; i < x.res_len && i < ISOLATE_VALUES_MAX; i++)
		add_value(&s->out, &x, i);
	return SS_PLUGIN_SUCCESS;
}

static ss_plugin_rc describe(struct server *s)
{
	struct question q = read_question(&s->in);
	ss_plugin_event_input event = {q.event, q.w.number, q.source};
	const char *text = s->api.event_to_string ? s->api.event_to_string(s->state, &event) : NULL;

	add_z(&s->out, text ? text : "");
	return SS_PLUGIN_SUCCESS;
}

/* ---- serving ---- */

static ss_plugin_rc (*const answers[])(struct server *s) = {
	[WIRE_WHO] = who,	   [WIRE_INIT] = begin,	     [WIRE_OPEN] = open_source,
	[WIRE_BATCH] = next_batch, [WIRE_EXTRACT] = extract, [WIRE_DESCRIBE] = describe,
};

static int load(struct server *s, const char *path)
{
	static const struct {
		const char *name;
		size_t offset;
	} symbols[] = {
#define SYMBOL(name, required) {"plugin_" #name, offsetof(plugin_api, name)},
#include "plugin/symbols.def"
#undef SYMBOL
	};
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		fail(s, dlerror());
		return -ENOENT;
	}
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *f = dlsym(library, symbols[i].name);

		memcpy((char *)&s->api + symbols[i].offset, &f, sizeof(f));
	}
	return 0;
}

int isolate_serve(const char *path, uint64_t memory_max, int fd)
{
	struct server s = {.fd = fd};
	int32_t what;
	int r;

	buf_init(&s.in, ISOLATE_REPLY_MAX);
	buf_init(&s.out, ISOLATE_REPLY_MAX);
	r = confine(memory_max);
	if (r)
		fail(&s, "it cannot be confined");
	else
		r = load(&s, path);
	while (!wire_receive(fd, &what, &s.in, -1)) {
		ss_plugin_rc rc = SS_PLUGIN_FAILURE;

		if (!r) {
			buf_reset(&s.out);
			rc = answers[what](&s);
		}
		if (wire_send(fd, rc, s.out.p, s.out.n, -1))
			break;
	}
	/* What the plugin has running ends with the process. */
	_exit(0);
}
