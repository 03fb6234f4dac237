/* SPDX-License-Identifier: Apache-2.0 */
/* What is made of answers that real runtimes gave: those of the fuzzer's corpus. */
#include "base/test.h"
#include "enrich/kind.h"
#include "state/container.h"

#include <stdio.h>
#include <stdlib.h>

enum { HEAD = 5, ANSWER_MAX = 65536 };

struct lookup {
	struct scope scope;
	struct query q;
};

static struct lookup *begin(const struct runtime_kind *kind, const char *id)
{
	static struct lookup l;

	l = (struct lookup){.scope = {.type = kind->type, .with_size = true}};
	l.scope.namespaces[l.scope.n_namespaces++] = strdup("default");
	l.q = (struct query){.scope = &l.scope, .id = str_of(id), .f = facts_new(kind->type)};
	return &l;
}

static void end(struct lookup *l)
{
	query_done(&l->q);
	scope_done(&l->scope);
}

static struct str answer(const char *name)
{
	static char text[ANSWER_MAX];
	char path[512];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/runtime/%s", getenv("SAKER_SOURCE"),
		 name);
	f = fopen(path, "rb");
	CHECK(f);
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	return (struct str){text + HEAD, n - HEAD};
}

static bool take(struct lookup *l, const struct step *s, const char *name)
{
	return s->take(&l->q, answer(name));
}

static const char *asked(struct lookup *l, const struct step *s)
{
	static char text[256];
	struct request r;
	bool any;

	buf_init(&r.path, REQUEST_MAX);
	buf_init(&r.body, REQUEST_MAX);
	buf_init(&r.namespace, REQUEST_MAX);
	any = s->ask(&l->q, &r);
	snprintf(text, sizeof(text), "%s", any ? buf_z(&r.path) : "nothing");
	buf_done(&r.path);
	buf_done(&r.body);
	buf_done(&r.namespace);
	return text;
}

TEST(docker_is_asked_and_understood)
{
	struct lookup *l = begin(&kind_docker, "4d298c9129a3");
	const struct step *s = kind_docker.lookup;
	const struct facts *f = l->q.f;

	CHECK_STR(asked(l, &s[0]), "/containers/json?all=1&filters=%7B%22id%22%3A%5B%22"
				   "4d298c9129a3%22%5D%7D");
	CHECK(take(l, &s[0], "docker-summary"));
	CHECK(str_is(f->name, "d1") && str_is(f->image_repo, "busybox"));
	CHECK_STR(asked(l, &s[1]), "/containers/4d298c9129a3/json?size=1");
	CHECK(take(l, &s[1], "docker-inspect"));
	CHECK_STR(asked(l, &s[2]), "/images/sha256%3A396742c0a15482c26db87cb0853853195290da2cb6f"
				   "71033ec7e6dd24c610eee/json");
	CHECK(take(l, &s[2], "docker-image"));
	CHECK_STR(asked(l, &s[3]), "nothing");
	CHECK_INT(f->full_id.n, 64);
	CHECK(str_is(f->name, "d1") && str_is(f->image, "busybox:test"));
	CHECK(str_is(f->image_repo, "busybox") && str_is(f->image_tag, "test"));
	CHECK(str_starts(f->image_id, STR("396742c0a154")));
	CHECK_INT(f->created_s, 1795556647);
	CHECK_INT(f->labels.n, 3);
	CHECK(f->env.n == 2 && str_is(f->env.at[0], "FOO=bar"));
	CHECK(f->n_mounts == 1 && str_is(f->mounts[0].dest, "/h") && !f->mounts[0].rw);
	CHECK(!f->privileged && !f->host_pid && !f->host_network && !f->host_ipc);
	CHECK_INT(f->cpu_period, 100000);
	end(l);
}

TEST(podman_is_asked_and_understood)
{
	struct lookup *l = begin(&kind_podman, "cae2c5cb501a");
	const struct step *s = kind_podman.lookup;
	const struct facts *f = l->q.f;

	CHECK(take(l, &s[0], "podman-summary"));
	CHECK(str_is(f->name, "p1") && f->created_s == 1795556647);
	CHECK_STR(asked(l, &s[1]), "/v4.0.0/libpod/containers/cae2c5cb501a/json?size=true");
	CHECK(take(l, &s[1], "podman-inspect"));
	CHECK(str_is(f->image, "docker.io/library/busybox:test"));
	CHECK(str_is(f->image_repo, "docker.io/library/busybox") && str_is(f->image_tag, "test"));
	CHECK(str_starts(f->image_digest, STR("sha256:a6a128543081")));
	CHECK(str_starts(f->image_id, STR("396742c0a154")));
	CHECK(f->n_mounts == 1 && str_is(f->mounts[0].source, "/etc/hostname"));
	CHECK_INT(f->labels.n, 2);
	end(l);
}

TEST(cri_tells_of_container_and_pod)
{
	struct lookup *l = begin(&kind_cri, "cda3a6ad90da");
	const struct step *s = kind_cri.lookup;
	const struct facts *f = l->q.f;

	CHECK(take(l, &kind_cri.list[0], "cri-version"));
	CHECK_STR(asked(l, &s[1]), "nothing");
	CHECK(take(l, &s[0], "cri-summary"));
	CHECK(take(l, &s[1], "cri-status"));
	CHECK(take(l, &s[2], "cri-sandbox"));
	CHECK(take(l, &s[3], "cri-stats"));
	CHECK_INT(f->type, CONTAINER_CONTAINERD);
	CHECK(str_is(f->name, "app") && str_is(f->user, "0") && str_is(f->ip, "172.31.252.2"));
	CHECK(str_is(f->image_repo, "docker.io/library/busybox") && str_is(f->image_tag, "test"));
	CHECK(str_starts(f->sandbox_id, STR("34b7a7fc2661")));
	CHECK(str_is(*pair_find(&f->labels, STR("io.kubernetes.pod.name")), "web1"));
	CHECK(str_is(*pair_find(&f->labels, STR("io.kubernetes.pod.namespace")), "prod"));
	CHECK(str_eq(*pair_find(&f->labels, STR("io.kubernetes.sandbox.id")), f->sandbox_id));
	CHECK(str_is(*pair_find(&f->pod_labels, STR("app")), "web"));
	CHECK(str_find(f->cni_json, STR("\"eth0\":")) >= 0);
	CHECK(str_find(f->cni_json, STR("\"lo\":")) < 0);
	CHECK(f->env.n == 1 && str_is(f->env.at[0], "FOO=bar"));
	CHECK(f->n_mounts == 1 && str_is(f->mounts[0].propagation, "private"));
	CHECK_INT(f->memory_limit, 64 << 20);
	CHECK_INT(f->cpu_shares, 2);
	CHECK_INT(f->size_bytes, 8192);
	CHECK(!f->privileged && !f->host_network && !f->is_sandbox);
	end(l);
}

TEST(a_sandbox_is_a_container_of_its_own)
{
	struct lookup *l = begin(&kind_cri, "34b7a7fc2661");
	const struct step *s = kind_cri.lookup;
	const struct facts *f = l->q.f;

	CHECK(take(l, &s[0], "cri-summary")); /* of another: no use */
	CHECK_INT(f->full_id.n, 0);
	CHECK_STR(asked(l, &s[1]), "nothing");
	CHECK_STR(asked(l, &s[2]), "/runtime.v1.RuntimeService/PodSandboxStatus");
	CHECK(take(l, &s[2], "cri-sandbox"));
	CHECK(f->is_sandbox && str_starts(f->full_id, STR("34b7a7fc2661")));
	CHECK(str_is(f->image, "registry.k8s.io/pause:3.6") && str_is(f->ip, "172.31.252.2"));
	CHECK_STR(asked(l, &s[3]), "nothing");
	end(l);
}

TEST(containerd_is_asked_and_understood)
{
	struct lookup *l = begin(&kind_containerd, "plain1");
	const struct step *s = kind_containerd.lookup;
	const struct facts *f = l->q.f;

	CHECK(take(l, &s[1], "containerd-container"));
	CHECK(str_is(f->full_id, "plain1") && str_is(f->name, "plain1"));
	CHECK(str_is(f->image, "docker.io/library/busybox:test") && str_is(f->user, "0"));
	CHECK_INT(f->created_s, 1795557584);
	CHECK(f->n_mounts == 7 && str_is(f->mounts[1].mode, "755") && !f->mounts[5].rw);
	CHECK(!f->host_pid && !f->host_network && !f->privileged);
	CHECK(take(l, &s[2], "containerd-image"));
	CHECK(str_starts(f->image_digest, STR("sha256:a6a128543081")));
	CHECK(take(l, &s[0], "containerd-namespaces"));
	CHECK_INT(l->scope.n_namespaces, 1); /* not that of Kubernetes */
	end(l);
}

static const char *noted(const struct subscription *w, const char *name)
{
	static const char *const actions[] = {"nothing", "created", "started", "removed"};
	static char text[128];
	struct note note;

	CHECK(w->take(answer(name), &note));
	snprintf(text, sizeof(text), "%s %.*s", actions[note.action],
		 note.action == NOTE_NOTHING ? 0 : 12, note.id.p);
	facts_free(note.f);
	return text;
}

TEST(events_of_docker_and_podman)
{
	CHECK_STR(noted(kind_podman.subscriptions, "podman-event-0"), "created c412fa85db86");
	CHECK_STR(noted(kind_podman.subscriptions, "podman-event-1"), "nothing ");
	CHECK_STR(noted(kind_podman.subscriptions, "podman-event-2"), "started c412fa85db86");
	CHECK(str_starts(str_of(noted(kind_docker.subscriptions, "docker-event-0")),
			 STR("created ")));
}

TEST(the_event_itself_tells_name_and_image)
{
	struct note note;

	CHECK(kind_podman.subscriptions[0].take(answer("podman-event-0"), &note));
	CHECK(note.f && str_is(note.f->name, "modest_diffie"));
	CHECK(str_is(note.f->image_repo, "docker.io/library/busybox"));
	CHECK(str_eq(note.f->full_id, note.id) && note.f->type == CONTAINER_PODMAN);
	facts_free(note.f);
}

TEST(events_of_containerd)
{
	struct note note;

	CHECK_STR(noted(kind_containerd.subscriptions, "containerd-event-0"), "nothing ");
	CHECK(kind_containerd.subscriptions[0].take(answer("containerd-event-1"), &note));
	CHECK(note.action == NOTE_CREATED && str_is(note.id, "evs"));
	CHECK(note.f && str_is(note.f->name, "evs") && str_is(note.f->full_id, "evs"));
	CHECK(str_is(note.f->image_repo, "docker.io/library/busybox"));
	facts_free(note.f);
	CHECK(kind_cri.subscriptions[1].take(answer("containerd-event-1"), &note));
	CHECK_INT(note.action, NOTE_NOTHING); /* it is none of Kubernetes' */
}

TEST(answers_that_make_no_sense_are_refused)
{
	struct lookup *l = begin(&kind_docker, "abc");

	CHECK(!kind_docker.lookup[1].take(&l->q, STR("{\"Id\":7}")));
	CHECK(!kind_docker.lookup[1].take(&l->q, STR("{\"Id\":\"abc\"")));
	CHECK(!kind_docker.list[0].take(&l->q, STR("{}")));
	CHECK(!kind_cri.list[1].take(&l->q, STR("\x0a\x7f")));
	CHECK_INT(l->q.f->full_id.n, 0);
	end(l);
}

TEST(a_label_cannot_hide_a_container)
{
	struct lookup *l = begin(&kind_docker, "abc");

	CHECK(kind_docker.lookup[1].take(
		&l->q, STR("{\"Id\":\"abc\",\"Name\":\"/n\",\"Config\":{\"Labels\":"
			   "{\"a\\u0000b\":\"\\u0000\",\"\\\\u0000\":\"x\"}}}")));
	CHECK_INT(l->q.f->labels.n, 2);
	CHECK(str_is(l->q.f->labels.at[1].key, "\\u0000"));
	end(l);
}

static const char *version_of(const struct version_question *v, struct str answer)
{
	static char text[128];
	struct buf said;
	bool good;

	buf_init(&said, sizeof(text) - 1);
	good = v->take(answer, &said);
	snprintf(text, sizeof(text), "%s%s", good ? "" : "not good: ", buf_z(&said));
	buf_done(&said);
	return text;
}

TEST(a_runtime_says_which_version_of_what_it_is)
{
	CHECK_STR(version_of(&kind_cri.versions[0], answer("cri-version")),
		  "containerd 1.6.20~ds1 (CRI v1)");
	CHECK_STR(version_of(&kind_cri.versions[1], answer("cri-version")),
		  "containerd 1.6.20~ds1 (CRI v1alpha2)");
	CHECK(!kind_cri.versions[2].ask);
	CHECK_STR(version_of(&kind_docker.versions[0],
			     STR("{\"Version\":\"20.10.24\",\"ApiVersion\":\"1.41\"}")),
		  "Docker 20.10.24 (API 1.41)");
	CHECK_STR(version_of(&kind_podman.versions[0], STR("{\"Version\":\"4.3.1\"}")),
		  "Podman 4.3.1");
	CHECK_STR(version_of(&kind_docker.versions[0], STR("<html>")), "not good: Docker ");
	CHECK_STR(version_of(&kind_containerd.versions[0], STR("\x0a\x05"
							       "1.6.2")),
		  "containerd 1.6.2");
	CHECK_STR(version_of(&kind_cri.versions[0], STR("\xff")), "not good:   (CRI v1)");
}
