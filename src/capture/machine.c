/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/machine.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

void machine_open(struct machine *m, uint64_t boot_ns)
{
	const char *name = getenv("FALCO_HOSTNAME");

	*m = (struct machine){.told = false};
	if (!name && !gethostname(m->hostname, sizeof(m->hostname) - 1))
		name = m->hostname;
	m->info = (struct snap_machine){
		.n_cpus = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN),
		.memory_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE),
		.boot_ns = boot_ns,
		.hostname = name ? str_of(name) : STR_EMPTY,
	};
	if (getifaddrs(&m->all))
		m->all = NULL;
	m->at = m->all;
}

void machine_close(struct machine *m)
{
	if (m->all)
		freeifaddrs(m->all);
}

static void copy_address(uint8_t out[16], const struct sockaddr *from, int family)
{
	if (!from || from->sa_family != family)
		return;
	if (family == AF_INET)
		memcpy(out, &((const struct sockaddr_in *)from)->sin_addr, 4);
	else
		memcpy(out, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
}

static void set_interface(struct snap_interface *to, const struct ifaddrs *a)
{
	int family = a->ifa_addr->sa_family;

	*to = (struct snap_interface){.is_v6 = family == AF_INET6, .name = str_of(a->ifa_name)};
	copy_address(to->addr, a->ifa_addr, family);
	copy_address(to->netmask, a->ifa_netmask, family);
	copy_address(to->broadcast, a->ifa_broadaddr, family);
}

bool machine_next(struct machine *m, struct record *ret)
{
	*ret = (struct record){.kind = RECORD_MACHINE, .machine = &m->info, .raw = STR_EMPTY};
	if (!m->told) {
		m->told = true;
		return true;
	}
	*ret = (struct record){
		.kind = RECORD_INTERFACE, .interface = &m->interface, .raw = STR_EMPTY};
	while (m->at) {
		const struct ifaddrs *a = m->at;

		m->at = a->ifa_next;
		if (!a->ifa_addr ||
		    (a->ifa_addr->sa_family != AF_INET && a->ifa_addr->sa_family != AF_INET6))
			continue;
		set_interface(&m->interface, a);
		return true;
	}
	return false;
}
