/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any records in any order: state follows them, and every field of every moment can be read,
 * compared and printed.  The input: records, each behind its length in two bytes.
 */
#include "field/field.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Parsed once: what volatile fields remember may come from other inputs. */
static struct field **all_fields(size_t *ret_n)
{
	static const char *const args[] = {"", "[1]", "[HOME]", ".res", ".data", ".cpu", ".src"};
	enum { N_ARGS = sizeof(args) / sizeof(args[0]) };
	static struct field **list;
	static struct arena arena;
	static size_t n;
	size_t used;

	*ret_n = n;
	if (list)
		return list;
	arena_init(&arena, 0);
	list = arena_alloc(&arena, field_table_size * N_ARGS * sizeof(*list));
	for (size_t i = 0; i < field_table_size; i++)
		for (unsigned k = 0; k < N_ARGS; k++) {
			struct str text =
				arena_printf(&arena, "%s%s", field_table[i].name, args[k]);

			if (!field_parse(text, &arena, &list[n], &used, NULL) && used == text.n)
				n++;
		}
	*ret_n = n;
	return list;
}

static void read_fields(struct field_ctx *c, struct field **list, size_t n, struct buf *out)
{
	struct value v = {0};

	buf_reset(out);
	for (size_t i = 0; i < n; i++) {
		if (field_get(list[i], c, &v) != FIELD_OK)
			continue;
		value_text(&v, list[i]->type, list[i]->info->format, out);
		value_json(&v, list[i]->type, list[i]->info->format, out);
	}
}

static struct state *small_state(void)
{
	struct state_config cfg = STATE_CONFIG_DEFAULT;

	cfg.max_threads = 64;
	cfg.max_fds = 256;
	cfg.max_bytes = 1 << 22;
	return state_new(&cfg);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct state *s = small_state();
	struct arena scratch;
	struct field **list;
	struct buf out;
	size_t n_fields;

	arena_init(&scratch, 0);
	buf_init(&out, 1 << 20);
	list = all_fields(&n_fields);
	while (n > 2) {
		uint32_t len = data[0] | (uint32_t)data[1] << 8;
		struct record r = {.kind = RECORD_EVENT};
		struct moment m;
		struct event ev;
		struct field_ctx c = {.state = s, .m = &m, .scratch = &scratch};

		data += 2;
		n -= 2;
		len = len < n ? len : (uint32_t)n;
		r.event.p = data;
		r.event.n = len;
		data += len;
		n -= len;
		/* What sources give is checked. */
		if (event_decode(r.event.p, len, &ev, NULL) < 0 ||
		    state_apply(s, &r, &m) != STATE_DELIVER)
			continue;
		for (int printing = 0; printing < 2; printing++) {
			arena_reset(&scratch);
			c.printing = printing;
			read_fields(&c, list, n_fields, &out);
		}
	}
	buf_done(&out);
	arena_done(&scratch);
	state_free(s);
	return 0;
}
