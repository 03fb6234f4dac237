/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin that ends badly again and again, each time in another way: it crashes, loops without
 * end, takes a GiB of memory.  Its configuration is a file that counts how often it was begun.
 */
#define SAKER_PLUGIN
#include <saker/plugin.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_BYTES = 4, GOOD_CALLS = 5, PAUSE_US = 20000, PAGE = 4096 };

static unsigned way, n_calls;
static char *volatile nowhere;

const char *plugin_get_required_api_version(void)
{
	return "3.0.0";
}

const char *plugin_get_name(void)
{
	return "fragile";
}

const char *plugin_get_description(void)
{
	return "Ends badly";
}

const char *plugin_get_contact(void)
{
	return "the Saker project";
}

const char *plugin_get_version(void)
{
	return "0.1.0";
}

uint32_t plugin_get_id(void)
{
	return 998;
}

const char *plugin_get_event_source(void)
{
	return "fragile";
}

ss_plugin_t *plugin_init(const ss_plugin_init_input *in, ss_plugin_rc *rc)
{
	int fd = open(in->config, O_CREAT | O_WRONLY | O_APPEND, 0600);
	struct stat st = {.st_size = 0};

	*rc = fd >= 0 && !fstat(fd, &st) && write(fd, "x", 1) == 1 ? SS_PLUGIN_SUCCESS
								   : SS_PLUGIN_FAILURE;
	close(fd);
	way = (unsigned)st.st_size;
	return &way;
}

void plugin_destroy(ss_plugin_t *s)
{
}

const char *plugin_get_last_error(ss_plugin_t *s)
{
	return "its file can't be written";
}

ss_instance_t *plugin_open(ss_plugin_t *s, const char *params, ss_plugin_rc *rc)
{
	*rc = SS_PLUGIN_SUCCESS;
	return &n_calls;
}

void plugin_close(ss_plugin_t *s, ss_instance_t *h)
{
}

static void crash(void)
{
	*nowhere = 1;
}

static void loop(void)
{
	for (volatile unsigned i = 0;; i++)
		;
}

static void eat(void)
{
	for (;;) {
		char *p = malloc(1 << 30);

		for (size_t i = 0; i < 1 << 30; i += PAGE)
			p[i] = 1;
	}
}

static void end_badly(void)
{
	static void (*const ways[])(void) = {crash, loop, eat};

	ways[way % 3]();
}

ss_plugin_rc plugin_next_batch(ss_plugin_t *s, ss_instance_t *h, uint32_t *n,
			       ss_plugin_event ***evts)
{
	static struct __attribute__((packed)) {
		ss_plugin_event head;
		uint32_t lengths[2], id;
		char text[TEXT_BYTES];
	} event = {{UINT64_MAX, UINT64_MAX, sizeof(event), PPM_PLUGIN_EVENT, 2},
		   {sizeof(uint32_t), TEXT_BYTES},
		   0,
		   "good"};
	static ss_plugin_event *list[] = {&event.head};

	usleep(PAUSE_US);
	if (++n_calls > GOOD_CALLS && way % 2)
		end_badly();
	*n = 1;
	*evts = list;
	return SS_PLUGIN_SUCCESS;
}

const char *plugin_get_required_event_schema_version(ss_plugin_t *s)
{
	return "4.0.0";
}

const char *plugin_get_fields(void)
{
	return "[{\"name\":\"fragile.text\",\"type\":\"string\",\"desc\":\"What it has read.\"}]";
}

const char *plugin_get_extract_event_sources(void)
{
	return "[\"fragile\",\"syscall\"]";
}

ss_plugin_rc plugin_extract_fields(ss_plugin_t *s, const ss_plugin_event_input *ev,
				   const ss_plugin_field_extract_input *in)
{
	static const char *text = "good";

	if ((n_calls > GOOD_CALLS || !strcmp(ev->evtsrc, "syscall")) && way % 2 == 0)
		end_badly();
	in->fields->res.str = &text;
	in->fields->res_len = 1;
	return SS_PLUGIN_SUCCESS;
}
