/* SPDX-License-Identifier: Apache-2.0 */
/* Events in a container whose metadata comes before, after, in part, or never. */
#include "app/parking.h"

#include "base/alloc.h"
#include "state/fd.h"
#include "state/feed.h"

#include <stdio.h>
#include <stdlib.h>

static const char rules[] =
	"- rule: free\n  desc: d\n  priority: INFO\n"
	"  condition: evt.type=openat and fd.name=/free\n"
	"  output: f %fd.name %container.id\n"
	"- rule: negated\n  desc: d\n  priority: INFO\n"
	"  condition: evt.type=openat and container and container.image.repository != good\n"
	"  output: n %fd.name %proc.name %container.name %container.image.tag\n"
	"- rule: exact\n  desc: d\n  priority: INFO\n"
	"  condition: evt.type=openat and container.image.repository = good and fd.name=/secret\n"
	"  output: e %fd.name %proc.name %container.name\n"
	"- rule: always\n  desc: d\n  priority: INFO\n"
	"  condition: evt.type=openat and fd.name startswith /plain\n"
	"  output: a %fd.name\n"
	"- rule: pod\n  desc: d\n  priority: INFO\n"
	"  condition: evt.type=openat and fd.name=/pod\n"
	"  output: p %fd.name %container.name %k8s.pod.ip %k8s.pod.label[app]\n"
	"- rule: object\n  desc: d\n  priority: INFO\n"
	"  condition: evt.type=openat and fd.name=/object\n"
	"  output: o %fd.name %k8smeta.pod.name %k8s.pod.annotation[team]\n"
	"- rule: foreign\n  desc: d\n  priority: INFO\n"
	"  condition: evt.type=openat and fd.name=/foreign and not k8smeta.pod.name = web-1\n"
	"  output: x %fd.name\n";

/* With everything said in it. */
#define FULL                                                                                       \
	"{\"container\":{\"type\":0,\"id\":\"web\",\"name\":\"shop\",\"imagerepo\":\"good\","      \
	"\"imagetag\":\"7\"}}"

struct yard {
	struct feed *f;
	struct ruleset *rules;
	struct parking *p;
	struct arena scratch;
	struct buf out; /* alerts so far, without their time */
};

static bool note_alert(void *arg, uint32_t id, const struct field_ctx *c)
{
	struct yard *y = arg;
	struct alert_config cfg = ALERT_CONFIG_DEFAULT;
	const struct rule *r = &y->rules->rules[id];
	struct field_ctx later = *c;
	struct kept k = {.values = NULL};
	struct buf line;
	struct str s;

	arena_init(&k.arena, 0);
	buf_init(&line, 4096);
	if (c->kept && c->kept->noted) { /* it is put off once more, as for a scanner */
		kept_begin(&k, c);
		CHECK(alert_keep(r, c, &k));
		k.verdict = str_of(c->kept->noted);
		later.kept = &k;
	}
	alert_format(&cfg, r, &later, &line);
	s = buf_str(&line);
	buf_adds(&y->out, str_from(s, (size_t)str_find(s, STR("Informational ")) + 14));
	buf_done(&line);
	arena_done(&k.arena);
	return true;
}

static struct ruleset *load(void)
{
	struct loader_config cfg = {.min_priority = PRIORITY_DEBUG};
	struct loader *l = loader_new(&cfg);
	struct ruleset *r;

	/* A macro stands before it is used. */
	loader_add_text(l, "m", STR("- macro: container\n  condition: container.id != host\n"));
	CHECK_INT(loader_add_text(l, "test.yaml", str_of(rules)), 0);
	r = loader_take(l);
	CHECK(r);
	loader_free(l);
	return r;
}

static void exec_in(struct yard *y, int64_t tid, const char *name, const char *cgroup)
{
	const struct event_arg list = {cgroup, (uint32_t)strlen(cgroup) + 1};
	const struct event_arg comm = {name, (uint32_t)strlen(name) + 1};

	EVENT_OF(y->f, EV_SYSCALL_EXECVE_19_X, tid, I64(0), comm, NONE, I64(tid), I64(tid), I64(1),
		 NONE, NONE, NONE, NONE, NONE, NONE, NONE, comm, list);
}

/* tid 100 runs in the container "web". */
static struct yard *yard_with(struct parking_config cfg, const char *source)
{
	struct yard *y = xcalloc(1, sizeof(*y));
	struct state_config state = STATE_CONFIG_DEFAULT;

	state.live = state.awaits = true;
	y->f = feed_new(&state);
	y->rules = load();
	y->p = parking_new(&cfg, y->rules, y->f->s, note_alert, y);
	arena_init(&y->scratch, 0);
	buf_init(&y->out, 1 << 16);
	feed_proc(y->f, 1, 1, 0, "init");
	feed_proc(y->f, 100, 100, 1, "sh");
	feed_tick(y->f, 100);
	EVENT_OF(y->f, EV_INFRASTRUCTURE_EVENT_E, -1, TEXT("saker"), TEXT("runtimes"),
		 {source, (uint32_t)strlen(source) + 1}, TEXT(""));
	exec_in(y, 100, "cat", "cpu=/default/web");
	return y;
}

static struct yard *yard(void)
{
	return yard_with((struct parking_config){.max_events = 0}, "status=waiting");
}

static void yard_free(struct yard *y)
{
	parking_free(y->p);
	ruleset_free(y->rules);
	arena_done(&y->scratch);
	buf_done(&y->out);
	feed_free(y->f);
	free(y);
}

static void settle(struct yard *y)
{
	if (parking_is_due(y->p))
		parking_settle(y->p, y->f->ts);
}

static void open_file(struct yard *y, const char *path)
{
	struct field_ctx c = {.state = y->f->s, .m = &y->f->m, .scratch = &y->scratch};
	const uint32_t *ids;
	size_t n;

	feed_openat(y->f, 100, 3, path, 1);
	settle(y);
	n = program_eval(y->rules->program, &c, true, &ids);
	n = parking_sift(y->p, &c, &ids, n);
	for (size_t i = 0; i < n; i++)
		note_alert(y, ids[i], &c);
}

static void tell(struct yard *y, const char *name, const char *json)
{
	EVENT_OF(y->f, EV_ASYNCEVENT_E, 0, U32(0), {name, (uint32_t)strlen(name) + 1},
		 {json, (uint32_t)strlen(json) + 1});
	settle(y);
}

static void note(struct yard *y, const char *name, const char *words)
{
	EVENT_OF(y->f, EV_INFRASTRUCTURE_EVENT_E, -1, TEXT("saker"),
		 {name, (uint32_t)strlen(name) + 1}, {words, (uint32_t)strlen(words) + 1},
		 TEXT(""));
	settle(y);
}

static void wait_ms(struct yard *y, unsigned ms)
{
	y->f->ts += ms * (uint64_t)1000000;
	feed_tick(y->f, 1);
	settle(y);
}

/* What was alerted since the last time. */
static const char *alerts(struct yard *y)
{
	static char text[4096];

	snprintf(text, sizeof(text), "%s", buf_z(&y->out));
	buf_reset(&y->out);
	return text;
}

TEST(what_is_known_before_delays_nothing)
{
	struct yard *y = yard();

	tell(y, "container", FULL);
	open_file(y, "/secret");
	CHECK_STR(alerts(y), "e /secret cat shop\n");
	CHECK_INT(parking_stats(y->p)->n_parked, 0);
	yard_free(y);
}

TEST(until_metadata_has_come_an_event_waits)
{
	struct yard *y = yard();

	open_file(y, "/secret");
	CHECK_STR(alerts(y), "");
	tell(y, "container", FULL);
	CHECK_STR(alerts(y), "e /secret cat shop\n");
	CHECK_INT(parking_stats(y->p)->n_ended[METADATA_READY], 1);
	yard_free(y);
}

static const void *note_name(void *arg, const struct field_ctx *c, struct arena *a)
{
	return arena_printf(a, "found in %.*s", STR_ARG(istr_str(c->m->fd->name))).p;
}

TEST(what_was_noted_of_an_event_is_there_for_its_alert_which_may_be_put_off_again)
{
	struct yard *y = yard_with((struct parking_config){.note = note_name}, "status=waiting");

	open_file(y, "/secret");
	feed_close(y->f, 100, 3);
	CHECK_STR(alerts(y), "");
	tell(y, "container", FULL);
	CHECK_STR(alerts(y), "e /secret cat shop scan_verdict=found in /secret\n");
	yard_free(y);
}

TEST(what_does_not_depend_on_it_passes_at_once)
{
	struct yard *y = yard();

	open_file(y, "/free");
	CHECK_STR(alerts(y), "f /free web\n");
	CHECK_INT(parking_stats(y->p)->n_parked, 0);
	yard_free(y);
}

TEST(a_rule_that_may_come_first_is_waited_for)
{
	struct yard *y = yard();

	open_file(y, "/plain");
	CHECK_STR(alerts(y), "");
	tell(y, "container", FULL);
	CHECK_STR(alerts(y), "a /plain\n");
	yard_free(y);
}

TEST(a_negated_condition_does_not_fire_while_it_may_turn_out_false)
{
	struct yard *y = yard();

	open_file(y, "/x");
	wait_ms(y, 400);
	CHECK_STR(alerts(y), "");
	tell(y, "container", FULL);
	CHECK_STR(alerts(y), "");
	yard_free(y);
}

TEST(what_was_true_at_the_event_stays_although_state_moves_on)
{
	struct yard *y = yard();

	open_file(y, "/secret");
	exec_in(y, 100, "other", "cpu=/default/web");
	feed_close(y->f, 100, 3);
	feed_exit(y->f, 100, 0);
	feed_tick(y->f, 1);
	tell(y, "container", FULL);
	CHECK_STR(alerts(y), "e /secret cat shop\n");
	yard_free(y);
}

TEST(at_the_deadline_unknown_is_null)
{
	struct yard *y = yard();

	open_file(y, "/secret");
	wait_ms(y, 490);
	CHECK_STR(alerts(y), "");
	wait_ms(y, 20);
	CHECK_STR(alerts(y), "");
	CHECK_INT(parking_stats(y->p)->n_ended[METADATA_TIMEOUT], 1);
	/* Nothing waits for this container again. */
	open_file(y, "/plain");
	CHECK_STR(alerts(y), "a /plain\n");
	/* When it comes after all, it is used. */
	tell(y, "container", FULL);
	open_file(y, "/secret");
	CHECK_STR(alerts(y), "e /secret cat shop\n");
	yard_free(y);
}

TEST(the_deadline_also_comes_without_events)
{
	struct yard *y = yard();

	open_file(y, "/plain");
	state_expire(y->f->s, y->f->ts + 499000000);
	settle(y);
	CHECK_STR(alerts(y), "");
	state_expire(y->f->s, y->f->ts + 500000000);
	settle(y);
	CHECK_STR(alerts(y), "a /plain\n");
	yard_free(y);
}

TEST(without_runtimes_nothing_waits)
{
	static const char *const sources[] = {"status=no_runtime", "status=permission_denied"};

	for (unsigned i = 0; i < 2; i++) {
		struct yard *y = yard_with((struct parking_config){.max_events = 0}, sources[i]);

		open_file(y, "/plain");
		CHECK_STR(alerts(y), "a /plain\n");
		CHECK_INT(parking_stats(y->p)->n_parked, 0);
		CHECK_STR(metadata_status_text(state_metadata(y->f->s, STR("web"))),
			  sources[i] + 7);
		yard_free(y);
	}
}

TEST(when_the_last_runtime_goes_waiting_ends)
{
	struct yard *y = yard();

	open_file(y, "/plain");
	note(y, "runtimes", "status=no_runtime");
	CHECK_STR(alerts(y), "a /plain\n");
	CHECK_INT(parking_stats(y->p)->n_ended[METADATA_NO_RUNTIME], 1);
	yard_free(y);
}

TEST(when_the_container_is_gone_waiting_ends)
{
	struct yard *y = yard();

	open_file(y, "/plain");
	note(y, "metadata", "id=web status=gone");
	CHECK_STR(alerts(y), "a /plain\n");
	CHECK_INT(parking_stats(y->p)->n_ended[METADATA_GONE], 1);
	yard_free(y);
}

TEST(some_metadata_decides_what_it_can)
{
	static const char early[] = "{\"container\":{\"type\":0,\"id\":\"web\",\"name\":\"shop\","
				    "\"imagerepo\":\"good\",\"is_early\":true}}";
	struct yard *y = yard();

	tell(y, "container", early);
	open_file(y, "/secret");
	CHECK_STR(alerts(y), "e /secret cat shop\n");
	CHECK_INT(state_metadata(y->f->s, STR("web")), METADATA_PENDING);
	yard_free(y);
	y = yard();
	open_file(y, "/secret");
	tell(y, "container", early);
	CHECK_STR(alerts(y), "e /secret cat shop\n");
	yard_free(y);
}

TEST(events_of_a_container_stay_in_order)
{
	/* The image is "bad": the first alert prints a tag, which is not known yet. */
	static const char early[] = "{\"container\":{\"type\":0,\"id\":\"web\",\"name\":\"shop\","
				    "\"imagerepo\":\"bad\",\"is_early\":true}}",
			  full[] = "{\"container\":{\"type\":0,\"id\":\"web\",\"name\":\"shop\","
				   "\"imagerepo\":\"bad\",\"imagetag\":\"9\"}}";
	struct yard *y = yard();

	open_file(y, "/1");
	tell(y, "container", early);
	CHECK_STR(alerts(y), "");
	open_file(y, "/2");
	tell(y, "container", full);
	CHECK_STR(alerts(y), "n /1 cat shop 9\nn /2 cat shop 9\n");
	yard_free(y);
}

TEST(when_too_many_wait_the_oldest_is_decided_as_at_the_deadline)
{
	struct yard *y = yard_with((struct parking_config){.max_events = 2}, "status=waiting");

	open_file(y, "/plain1");
	open_file(y, "/plain2");
	CHECK_STR(alerts(y), "");
	open_file(y, "/plain3");
	CHECK_STR(alerts(y), "a /plain1\n");
	CHECK_INT(parking_stats(y->p)->n_pushed_out, 1);
	CHECK_INT(parking_stats(y->p)->n_ended[METADATA_TIMEOUT], 1);
	parking_finish(y->p);
	CHECK_STR(alerts(y), "a /plain2\na /plain3\n");
	yard_free(y);
}

#define OF_A_POD                                                                                   \
	"{\"container\":{\"type\":7,\"id\":\"web\",\"name\":\"shop\",\"imagerepo\":\"good\","      \
	"\"imagetag\":\"7\",\"pod_sandbox_id\":\"5a5a5a5a5a5a77777777\"}}"
#define SANDBOX                                                                                    \
	"{\"container\":{\"type\":7,\"id\":\"5a5a5a5a5a5a\",\"is_pod_sandbox\":true,"              \
	"\"pod_sandbox_id\":\"5a5a5a5a5a5a77777777\",\"ip\":\"10.0.0.7\","                         \
	"\"pod_sandbox_labels\":{\"app\":\"web\"}}}"

TEST(what_only_the_sandbox_knows_is_waited_for)
{
	struct yard *y = yard();

	open_file(y, "/pod");
	tell(y, "container", OF_A_POD);
	CHECK_STR(alerts(y), "");
	open_file(y, "/plain");
	CHECK_STR(alerts(y), "a /plain\n");
	tell(y, "container", SANDBOX);
	CHECK_STR(alerts(y), "p /pod shop 10.0.0.7 web\n");
	open_file(y, "/pod");
	CHECK_STR(alerts(y), "p /pod shop 10.0.0.7 web\n");
	yard_free(y);
}

TEST(for_the_sandbox_the_deadline_is_that_of_the_first_event)
{
	struct yard *y = yard();

	open_file(y, "/pod");
	wait_ms(y, 300);
	tell(y, "container", OF_A_POD);
	CHECK_STR(alerts(y), "");
	wait_ms(y, 190);
	CHECK_STR(alerts(y), "");
	wait_ms(y, 20);
	CHECK_STR(alerts(y), "p /pod shop <NA> <NA>\n");
	yard_free(y);
}

#define POD_UID "812ddbdb-997c-4b60-b5b3-4927ad6a14bc"
#define STATIC_UID "d79acf05a213450681f7a208a1d19755"
#define LONG_ID "3ad7b26ded6d3ad7b26ded6d3ad7b26ded6d3ad7b26ded6d3ad7b26ded6d3ad7"

static void tell_object(struct yard *y, const char *uid, const char *annotation)
{
	char json[512];

	snprintf(json, sizeof(json),
		 "{\"reason\":\"Create\",\"kind\":\"Pod\",\"uid\":\"%s\",\"meta\":\"{\\\"name\\\":"
		 "\\\"web-1\\\",\\\"annotations\\\":{\\\"team\\\":\\\"blue\\\"%s}}\"}",
		 uid, annotation);
	tell(y, "k8s", json);
}

/* tid 100 is in a container of that pod, which the runtime has told all about. */
static struct yard *yard_of_pod(const char *uid)
{
	struct yard *y = yard();
	char cgroup[192];

	note(y, "cluster", "status=waiting");
	tell(y, "container",
	     "{\"container\":{\"type\":7,\"id\":\"3ad7b26ded6d\",\"name\":\"shop\",\"imagerepo\":"
	     "\"good\",\"host_pid\":true}}");
	snprintf(cgroup, sizeof(cgroup), "cpu=/kubepods/burstable/pod%s/%s", uid, LONG_ID);
	exec_in(y, 100, "cat", cgroup);
	return y;
}

TEST(what_only_the_api_server_knows_is_waited_for)
{
	struct yard *y = yard_of_pod(POD_UID);

	open_file(y, "/object");
	open_file(y, "/foreign");
	CHECK_STR(alerts(y), "");
	tell_object(y, POD_UID, "");
	CHECK_STR(alerts(y), "o /object web-1 blue\n");
	yard_free(y);
}

TEST(for_a_static_pod_it_is_the_object_that_mirrors_it)
{
	struct yard *y = yard_of_pod(STATIC_UID);

	open_file(y, "/object");
	tell_object(y, POD_UID, ",\\\"kubernetes.io/config.mirror\\\":\\\"" STATIC_UID "\\\"");
	CHECK_STR(alerts(y), "o /object web-1 blue\n");
	yard_free(y);
}

TEST(for_an_api_server_that_is_away_nothing_waits)
{
	struct yard *y = yard_of_pod(POD_UID);

	open_file(y, "/object");
	CHECK_STR(alerts(y), "");
	note(y, "cluster", "status=away");
	CHECK_STR(alerts(y), "o /object <NA> <NA>\n");
	yard_free(y);
}

TEST(in_the_captures_of_others_nothing_waits)
{
	struct yard *y = yard();
	struct record section = {.kind = RECORD_SECTION};

	feed_free(y->f);
	y->f->s = state_new(&(struct state_config){.max_threads = 100,
						   .max_fds = 100,
						   .max_bytes = 1 << 24,
						   .max_containers = 10,
						   .awaits = true,
						   .metadata_deadline_ns = 500000000});
	state_apply(y->f->s, &section, &y->f->m);
	feed_proc(y->f, 100, 100, 1, "sh");
	note(y, "runtimes", "status=waiting");
	exec_in(y, 100, "cat", "cpu=/default/web");
	CHECK(!state_is_awaiting(y->f->s));
	CHECK_INT(state_metadata(y->f->s, STR("web")), METADATA_NONE);
	yard_free(y);
}
