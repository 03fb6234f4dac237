/* SPDX-License-Identifier: Apache-2.0 */
#include "app/hosts.h"

#include "app/privilege.h"
#include "app/report.h"
#include "field/field.h"

enum { PATIENCE_MS = 1000 };

void hosts_open(void)
{
	field_config.hostnames = hostnames_new(&HOSTNAMES_CONFIG_DEFAULT);
}

void hosts_close(void)
{
	hostnames_free(field_config.hostnames);
	field_config.hostnames = NULL;
}

int hosts_ask(bool waits, struct err *e)
{
	return hostnames_start(field_config.hostnames, waits ? PATIENCE_MS : 0, e);
}

unsigned hosts_needs(void)
{
	return hostnames_count(field_config.hostnames) ? NEED_CONNECT : 0;
}

bool hosts_are_unasked(void)
{
	return hostnames_count(field_config.hostnames) && !hostnames_asks(field_config.hostnames);
}

void hosts_tell(void)
{
	const char *name;

	for (unsigned i = 0; (name = hostnames_missed(field_config.hostnames, i)); i++)
		report_warning(
			"there was no answer to what addresses %s has, or not in time; conditions "
			"took it to have none",
			name);
}
