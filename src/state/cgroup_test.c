/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "state/container.h"

#include <stdio.h>

#define ID "07de8e811455815e999234e1e72afa7effb8243f18d28426cf9517aef90669af"
#define SHORT "07de8e811455"

/* "type id", or "" for the host. */
static const char *container_of(const char *path)
{
	static char text[128];
	struct str id;
	uint32_t type;

	text[0] = '\0';
	if (container_id_from_cgroup(str_of(path), &id, &type))
		snprintf(text, sizeof(text), "%s %.*s", container_type_text(type), STR_ARG(id));
	return text;
}

TEST(host_processes_have_no_container)
{
	CHECK_STR(container_of("/"), "");
	CHECK_STR(container_of(""), "");
	CHECK_STR(container_of("/init.scope"), "");
	CHECK_STR(container_of("/system.slice/ssh.service"), "");
	CHECK_STR(container_of("/user.slice/user-1000.slice/session-1.scope"), "");
}

TEST(docker_names_its_cgroups_in_two_ways)
{
	CHECK_STR(container_of("/docker/" ID), "docker " SHORT);
	CHECK_STR(container_of("/system.slice/docker-" ID ".scope"), "docker " SHORT);
	CHECK_STR(container_of("/kubepods/besteffort/pode4e44c49-eb8c/" ID), "docker " SHORT);
}

TEST(podman_comes_before_docker)
{
	CHECK_STR(container_of("/libpod_parent/libpod-" ID), "podman " SHORT);
	CHECK_STR(container_of("/machine.slice/libpod-" ID ".scope"), "podman " SHORT);
	CHECK_STR(container_of("/machine.slice/libpod-" ID ".scope/container"), "podman " SHORT);
	CHECK_STR(container_of("/machine.slice/libpod-payload-" ID), "podman " SHORT);
}

TEST(kubernetes_runtimes_have_their_prefixes)
{
	CHECK_STR(container_of("/kubepods.slice/x.slice/cri-containerd-" ID ".scope"),
		  "cri " SHORT);
	CHECK_STR(container_of("/kubepods.slice/x.slice/crio-" ID ".scope"), "cri " SHORT);
	CHECK_STR(container_of("/kubepods.slice/x.slice/crio-" ID), "cri " SHORT);
	CHECK_STR(container_of("/system.slice/containerd.service/x.slice:cri-containerd:" ID),
		  "cri " SHORT);
	CHECK_STR(container_of("/user.slice/nerdctl-" ID ".scope"), "cri " SHORT);
}

TEST(containerd_ids_are_free_text)
{
	CHECK_STR(container_of("/default/web"), "containerd web");
	CHECK_STR(container_of("/my-ns.1/a_long_container_name"), "containerd a_long_conta");
	CHECK_STR(container_of("/default/web.scope"), "");
	/* Not a namespace: separators at an end, or two of them in a row. */
	CHECK_STR(container_of("/-default/web"), "");
	CHECK_STR(container_of("/de..fault/web"), "");
	CHECK_STR(container_of("//web"), "");
}

TEST(containerd_ids_have_at_most_64_characters)
{
	CHECK_STR(container_of("/ns/zz" ID), "");
	CHECK_STR(container_of(
			  "/ns/zz34567890123456789012345678901234567890123456789012345678901234"),
		  "containerd zz3456789012");
}

TEST(lxc_ends_at_a_slash)
{
	CHECK_STR(container_of("/lxc.payload.web/init.scope"), "lxc web");
	CHECK_STR(container_of("/lxc.payload/web/init.scope"), "lxc web");
	CHECK_STR(container_of("/lxc.payload.web"), "lxc web");
	CHECK_STR(container_of("/lxc/web/init.scope"), "lxc web");
}

TEST(libvirt_comes_last_but_one)
{
	CHECK_STR(container_of("/machine/web.libvirt-lxc"), "containerd web.libvirt-");
	CHECK_STR(container_of("/web.libvirt-lxc"), "libvirt-lxc web");
	CHECK_STR(container_of("/machine.slice/machine-lxc\\x2d99\\x2dweb.scope"),
		  "libvirt-lxc 99\\x2dweb");
	CHECK_STR(container_of("/_/libvirt/lxc/web.slice"), "lxc web.slice");
}

TEST(podman_without_root_is_podman)
{
	CHECK_STR(container_of("/user.slice/user-1000.slice/user@1000.service/user.slice/"
			       "libpod-" ID ".scope"),
		  "podman " SHORT);
	CHECK_STR(container_of("/user.slice/user-1000.slice/user@1000.service/user.slice/"
			       "libpod-" ID ".scope/container"),
		  "podman " SHORT);
}

/* No runtime that is asked knows of these; the ids are what the reference makes of them. */
TEST(machines_of_systemd_are_taken_for_containerd)
{
	CHECK_STR(container_of("/machine.slice/machine-web.scope"), "");
	CHECK_STR(container_of("/machine.slice/machine-web.scope/payload"),
		  "containerd machine-web.");
	CHECK_STR(container_of("/machine.slice/systemd-nspawn@web.service/payload"),
		  "containerd systemd-nspa");
	CHECK_STR(container_of("/machine.slice/systemd-nspawn@web.service"), "");
	CHECK_STR(container_of("/machine.slice/machine-rkt\\x2d" SHORT ".scope"), "");
}

TEST(conmon_is_no_container_of_podman)
{
	CHECK_STR(container_of("/machine.slice/libpod-conmon-" ID ".scope"), "");
	CHECK_STR(container_of("/kubepods.slice/x.slice/crio-conmon-" ID ".scope"), "");
}

TEST(hybrid_hierarchies_tell_by_any_of_their_lines)
{
	struct str id;
	uint32_t type;

	CHECK(container_id_from_cgroups(
		STR("cpuset=/\0cpu=/\0=/system.slice/docker-" ID ".scope\0"), &id, &type));
	CHECK(type == CONTAINER_DOCKER && str_is(id, SHORT));
}

TEST(bpm_allows_few_characters)
{
	CHECK_STR(container_of("/bpm-abc.scope"), "bpm abc");
	CHECK_STR(container_of("/system.slice/bpm-a_b-c.1.scope"), "bpm a_b-c.1");
	CHECK_STR(container_of("/bpm-a%b.scope"), "");
}

TEST(an_id_has_64_hex_digits)
{
	CHECK_STR(container_of("/" ID "0"), "");
	CHECK_STR(container_of("/zzzz8e811455815e999234e1e72afa7effb8243f18d28426cf9517aef90669af"),
		  "");
}

TEST(the_first_path_that_fits_decides)
{
	struct str id;
	uint32_t type;

	CHECK(container_id_from_cgroups(
		STR("cpuset=/\0cpu=/docker/" ID "\0memory=/default/other\0"), &id, &type));
	CHECK(str_is(id, SHORT));
	CHECK(!container_id_from_cgroups(STR("cpuset=/\0cpu=/init.scope"), &id, &type));
	CHECK(!container_id_from_cgroups(STR("no equals sign"), &id, &type));
	CHECK(!container_id_from_cgroups(STR_EMPTY, &id, &type));
}
