/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include "app/denial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/saker-denial-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[256];
	static bool is_made;

	if (!is_made)
		is_made = mkdtemp(folder);
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* A socket with this many places for who connects; < 0: nobody listens. */
static int socket_at(const char *path, int backlog)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	CHECK(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
	if (backlog >= 0)
		CHECK(listen(fd, backlog) == 0);
	return fd;
}

#define CHECK_WORDS(add, d, wanted)                                                                \
	do {                                                                                       \
		struct buf out;                                                                    \
		buf_init(&out, 4096);                                                              \
		add(d, &out);                                                                      \
		CHECK_STR(buf_z(&out), wanted);                                                    \
		buf_done(&out);                                                                    \
	} while (0)

TEST(a_socket_that_somebody_listens_at_is_good)
{
	int fd = socket_at(in_folder("good"), 4);
	struct denial d;

	denial_look(in_folder("good"), &d);
	CHECK_INT(d.fault, SOCKET_GOOD);
	CHECK_WORDS(denial_add_why, &d, "");
	CHECK_WORDS(denial_add_mend, &d, "");
	close(fd);
	unlink(in_folder("good"));
	rmdir(folder);
}

TEST(what_is_wrong_with_a_socket_is_found)
{
	struct denial d;
	int fd;

	CHECK(mkdir(folder, 0700) == 0);
	denial_look(in_folder("nothing"), &d);
	CHECK_INT(d.fault, SOCKET_ABSENT);

	CHECK(symlink("nothing", in_folder("link")) == 0);
	denial_look(in_folder("link"), &d);
	CHECK_INT(d.fault, SOCKET_DANGLING);
	CHECK_STR(d.link, in_folder("nothing"));
	unlink(in_folder("link"));

	close(open(in_folder("file"), O_CREAT | O_WRONLY, 0600));
	denial_look(in_folder("file"), &d);
	CHECK_INT(d.fault, SOCKET_NONE);
	CHECK_WORDS(denial_add_why, &d, "it is no socket but a regular file");
	unlink(in_folder("file"));

	close(socket_at(in_folder("dead"), -1));
	denial_look(in_folder("dead"), &d);
	CHECK_INT(d.fault, SOCKET_DEAD);
	CHECK_WORDS(denial_add_why, &d, "nobody listens");
	unlink(in_folder("dead"));

	fd = socket_at(in_folder("busy"), 0);
	for (int i = 0; i < 4; i++)
		denial_look(in_folder("busy"), &d); /* one is let in; they hang up, unseen */
	CHECK_INT(d.fault, SOCKET_BUSY);
	close(fd);
	unlink(in_folder("busy"));
	rmdir(folder);
}

TEST(a_socket_of_a_group_is_mended_by_the_group)
{
	struct denial d = {.fault = SOCKET_OTHERS,
			   .path = "/run/docker.sock",
			   .mode = S_IFSOCK | 0660,
			   .gid = 112,
			   .euid = 65534};

	CHECK_WORDS(
		denial_add_why, &d,
		"permission denied: it belongs to user 0 and group 112 with mode 0660, and this is "
		"user 65534");
	CHECK_WORDS(
		denial_add_mend, &d,
		"run in its group: SupplementaryGroups=112 of a systemd unit, --group-add 112 of "
		"docker, supplementalGroups: [112] of a pod");
}

TEST(a_socket_of_its_owner_alone_is_mended_by_an_entry_for_one_user)
{
	struct denial d = {.fault = SOCKET_OTHERS,
			   .path = "/run/user/1000/podman/podman.sock",
			   .mode = S_IFSOCK | 0600,
			   .uid = 1000};

	CHECK_WORDS(denial_add_why, &d,
		    "permission denied: it belongs to user 1000 and group 0 with mode 0600, and "
		    "this is user 0");
	CHECK_WORDS(
		denial_add_mend, &d,
		"let user 0 write to it: setfacl -m u:0:rw /run/user/1000/podman/podman.sock; "
		"or start with CAP_DAC_OVERRIDE, which only a helper keeps that connects to it");
}

TEST(a_security_module_is_named_and_what_its_profile_lacks)
{
	struct denial d = {.fault = SOCKET_MODULE,
			   .path = "/run/docker.sock",
			   .module = "AppArmor profile saker (enforce)"};

	CHECK_WORDS(
		denial_add_why, &d,
		"permission denied, not by its owner and mode: AppArmor profile saker (enforce)");
	CHECK_WORDS(denial_add_mend, &d, "let its profile have a line '/run/docker.sock rw,'");
	snprintf(d.link, sizeof(d.link), "/run/other.sock");
	CHECK_WORDS(denial_add_mend, &d, "let its profile have a line '/run/other.sock rw,'");
	d.no_socket = true;
	CHECK_WORDS(denial_add_mend, &d, "let its profile have a line 'network unix stream,'");
	snprintf(d.module, sizeof(d.module), "SELinux context u:r:t:s0");
	CHECK_WORDS(
		denial_add_why, &d,
		"it is a link to /run/other.sock; permission denied, not by its owner and mode: "
		"SELinux context u:r:t:s0");
}
