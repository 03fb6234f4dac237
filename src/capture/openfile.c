/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/openfile.h"

#include "capture/descriptors.h"
#include "capture/procfs.h"
#include "capture/sockets.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

/* "@" stands for the NUL of a name that is no path, and for those inside of it. */
static struct str unix_name(char *room, struct str address)
{
	size_t n = address.n < PATH_MAX ? address.n : PATH_MAX;

	if (!n || address.p[0])
		return str_until_nul(address);
	for (size_t i = 0; i < n; i++)
		room[i] = address.p[i] ? address.p[i] : '@';
	return (struct str){room, n};
}

static uint8_t inet_protocol(const struct picture_file *k)
{
	if (k->sock_type == SOCK_RAW)
		return L4_RAW;
	if (k->sock_type == SOCK_STREAM && k->protocol == IPPROTO_TCP)
		return L4_TCP;
	return k->sock_type == SOCK_DGRAM && k->protocol == IPPROTO_UDP ? L4_UDP : L4_UNKNOWN;
}

/* Whether the tables of /proc show it: sockets that have no end at all are not in there. */
static bool is_listed(const struct picture_file *k, uint8_t l4)
{
	switch (l4) {
	case L4_TCP:
		return k->sock_state != TCP_CLOSE;
	case L4_UDP:
		return k->local_port;
	}
	return l4 == L4_RAW;
}

static enum openfile tell_inet(const struct picture_file *k, struct snap_fd *fd)
{
	uint8_t l4 = inet_protocol(k);
	bool is_v6 = k->family == AF_INET6;

	fd->tuple = (struct sock_tuple){.sport = k->local_port, .dport = k->remote_port, .l4 = l4};
	memcpy(fd->tuple.src, k->local, sizeof(k->local));
	memcpy(fd->tuple.dst, k->remote, sizeof(k->remote));
	if (!is_listed(k, l4)) {
		fd->type = is_v6 ? FD_IPV6_SOCK : FD_IPV4_SOCK;
		return OPENFILE_UNLISTED;
	}
	fd->type = socket_type(&fd->tuple, is_v6);
	return OPENFILE_TOLD;
}

static enum openfile tell_socket(const struct picture_file *k, struct str address, char *room,
				 struct snap_fd *fd)
{
	fd->tuple.l4 = L4_NA;
	switch (k->family) {
	case AF_INET:
	case AF_INET6:
		return tell_inet(k, fd);
	case AF_UNIX:
		fd->type = FD_UNIX_SOCK;
		fd->unix_src = k->sock;
		fd->unix_dst = k->peer;
		fd->name = unix_name(room, address);
		return OPENFILE_TOLD;
	case AF_NETLINK:
		fd->type = FD_NETLINK;
		return OPENFILE_TOLD;
	}
	fd->type = FD_UNSUPPORTED;
	return OPENFILE_UNLISTED;
}

static void tell_pipe(char *room, struct snap_fd *fd)
{
	int n = snprintf(room, PATH_MAX, "pipe:[%llu]", (unsigned long long)fd->ino);

	fd->type = FD_FIFO;
	fd->name = (struct str){room, (size_t)n};
}

static void tell_path(const struct picture_file *k, struct str name, struct snap_fd *fd)
{
	fd->name = name;
	fd->type = descriptor_file_type(name, k->mode);
	if (fd->type != FD_FILE_V2)
		return;
	fd->open_flags = open_flags_portable(k->flags);
	fd->dev = k->dev;
}

enum openfile openfile_tell(const struct picture_file *k, struct str text, char room[PATH_MAX],
			    struct snap_fd *ret)
{
	*ret = (struct snap_fd){.tid = ret->tid, .fd = k->fd, .ino = k->ino, .name = STR_EMPTY};
	ret->closes_on_exec = k->flags & O_CLOEXEC;
	switch ((enum picture_name)k->name) {
	case PICTURE_PATH:
		tell_path(k, str_until_nul(text), ret);
		return OPENFILE_TOLD;
	case PICTURE_ANONYMOUS:
		ret->ino = 0;
		descriptor_set_anonymous(ret, str_until_nul(text));
		return OPENFILE_TOLD;
	case PICTURE_PIPE:
		tell_pipe(room, ret);
		return OPENFILE_TOLD;
	case PICTURE_SOCKET:
		return tell_socket(k, text, room, ret);
	case PICTURE_ASK_PROC:
		break;
	}
	return OPENFILE_ASK_PROC;
}
