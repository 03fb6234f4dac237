/* SPDX-License-Identifier: Apache-2.0 */
/* Where sockets of a machine are whose root is mounted at another place. */
#include "base/test.h"

#include "base/alloc.h"
#include "enrich/place.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[sizeof("/tmp/saker-place-XXXXXX")];

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	return remove(path);
}

static char *in_root(const char *path)
{
	return xasprintf("%s%s", root, path);
}

static void put_dir(const char *path)
{
	char *at = in_root(path);

	CHECK_INT(mkdir(at, 0755), 0);
	free(at);
}

static void put_file(const char *path)
{
	char *at = in_root(path);
	FILE *f = fopen(at, "w");

	CHECK(f != NULL);
	fclose(f);
	free(at);
}

static void put_link(const char *path, const char *to)
{
	char *at = in_root(path);

	CHECK_INT(symlink(to, at), 0);
	free(at);
}

static void root_new(void)
{
	strcpy(root, "/tmp/saker-place-XXXXXX");
	CHECK(mkdtemp(root) != NULL);
	put_dir("/run");
	put_dir("/var");
	put_link("/var/run", "/run");
}

static void root_free(void)
{
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Where the socket that was named is looked for. */
static char *found(const char *named)
{
	const char *sockets[] = {named};
	struct enricher_config cfg = {
		.host_root = root, .sockets = sockets, .n_sockets = 1, .no_usual_places = true};
	struct place_list list = {.n = 0};
	struct err e = {0};
	char *ret;

	CHECK_INT(places_find(&cfg, &list, &e), 0);
	CHECK_INT(list.n, 1);
	ret = xstrdup(list.at[0].path);
	places_done(&list);
	return ret;
}

static void check_found(const char *named, const char *want)
{
	char *got = found(named), *path = in_root(want);

	CHECK_STR(got, path);
	free(got);
	free(path);
}

TEST(links_lead_to_places_of_that_machine)
{
	root_new();
	put_file("/run/docker.sock");
	put_file("/run/other.sock");
	put_link("/run/link.sock", "/run/other.sock");
	check_found("docker=/var/run/docker.sock", "/run/docker.sock");
	check_found("docker=/run/link.sock", "/run/other.sock");
	check_found("docker=/run/../../../run/docker.sock", "/run/docker.sock");
	root_free();
}

TEST(a_socket_that_is_not_there_yet_will_be_in_its_folder)
{
	root_new();
	check_found("docker=/var/run/docker.sock", "/run/docker.sock");
	check_found("docker=/nowhere/docker.sock", "/nowhere/docker.sock");
	root_free();
}

TEST(one_socket_with_two_usual_names_is_one_place)
{
	struct enricher_config cfg = {.host_root = root};
	struct place_list list = {.n = 0};
	struct err e = {0};
	unsigned n = 0;

	root_new();
	put_file("/run/docker.sock");
	CHECK_INT(places_find(&cfg, &list, &e), 0);
	for (size_t i = 0; i < list.n; i++)
		n += strstr(list.at[i].path, "docker.sock") != NULL;
	CHECK_INT(n, 1);
	places_done(&list);
	root_free();
}

TEST(who_comes_later_is_found_when_it_is_looked_again)
{
	struct enricher_config cfg = {.host_root = root};
	struct place_list list = {.n = 0};
	struct err e = {0};
	char *want;
	size_t n;

	root_new();
	put_dir("/run/user");
	CHECK_INT(places_find(&cfg, &list, &e), 0);
	n = list.n;
	places_look_again(&list);
	CHECK_INT(list.n, n);
	put_dir("/run/user/1234");
	put_dir("/run/user/1234/podman");
	put_file("/run/user/1234/podman/podman.sock");
	for (unsigned i = 0; i < 2; i++) {
		places_look_again(&list);
		CHECK_INT(list.n, n + 1);
	}
	want = in_root("/run/user/1234/podman/podman.sock");
	CHECK_STR(list.at[n].path, want);
	CHECK(list.at[n].kind == &kind_podman);
	free(want);
	places_done(&list);
	root_free();
}
