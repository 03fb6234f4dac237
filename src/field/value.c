/* SPDX-License-Identifier: Apache-2.0 */
#include "field/value.h"

#include <arpa/inet.h>

#include "base/json.h"
#include "field/text.h"

/* Negative numbers in hexadecimal and octal show the bits of their own type, not of 64. */
static uint64_t bits_of(uint64_t u, enum param_type t)
{
	unsigned size = param_type_size(t);

	return size && size < 8 ? u & ((1ULL << 8 * size) - 1) : u;
}

static void number_text(const struct value *v, enum param_type t, enum print_format f,
			struct buf *out)
{
	struct digits d;

	if (f == PF_NA)
		buf_adds(out, STR("<NA>"));
	else if (f == PF_HEX)
		buf_adds(out, digits_hex(&d, bits_of(v->u, t)));
	else if (f == PF_OCT)
		buf_adds(out, digits_oct(&d, bits_of(v->u, t)));
	else if (f == PF_10_PADDED_DEC)
		buf_adds(out, digits_padded(&d, v->u, 9));
	else if (param_type_is_signed(t))
		buf_adds(out, digits_i64(&d, v->i));
	else
		buf_adds(out, digits_u64(&d, v->u));
}

static void address_text(struct str address, struct buf *out)
{
	char text[INET6_ADDRSTRLEN];

	if (address.n == 4 && inet_ntop(AF_INET, address.p, text, sizeof(text)))
		buf_addz(out, text);
	if (address.n == 16 && inet_ntop(AF_INET6, address.p, text, sizeof(text)))
		buf_addz(out, text);
}

static bool is_bytes(enum param_type t)
{
	return t == PT_BYTEBUF || t == PT_SOCKADDR || t == PT_SOCKTUPLE || t == PT_FDLIST ||
	       t == PT_DYN || t == PT_CHARBUFARRAY || t == PT_CHARBUF_PAIR_ARRAY;
}

bool type_has_text(enum param_type t)
{
	return type_is_string(t) || is_bytes(t) || type_is_ip(t) || type_is_ipnet(t);
}

static void item_text(const struct value *v, enum param_type t, enum print_format f,
		      struct buf *out)
{
	if (type_is_string(t) || is_bytes(t))
		buf_adds(out, v->s);
	else if (type_is_ip(t) || type_is_ipnet(t))
		address_text(v->s, out);
	else if (t == PT_BOOL)
		buf_addz(out, v->u ? "true" : "false");
	else if (t == PT_DOUBLE)
		buf_addf(out, "%.1f", v->d);
	else
		number_text(v, t, f, out);
}

void value_text(const struct value *v, enum param_type t, enum print_format f, struct buf *out)
{
	if (!v->is_list) {
		item_text(v, v->type ? v->type : t, v->type ? v->format : f, out);
		return;
	}
	buf_addc(out, '(');
	for (uint32_t i = 0; i < v->n_items; i++) {
		if (i)
			buf_addc(out, ',');
		item_text(&v->items[i], t, f, out);
	}
	buf_addc(out, ')');
}

static void item_json(const struct value *v, enum param_type t, enum print_format f,
		      struct buf *out)
{
	bool is_address = type_is_ip(t) || type_is_ipnet(t);

	if (type_is_string(t) || is_bytes(t)) {
		json_add_printable(out, v->s);
	} else if (t == PT_BOOL) {
		json_add_bool(out, v->u);
	} else if (t == PT_DOUBLE) {
		json_add_double(out, v->d);
	} else if (f == PF_NA && !is_address) {
		buf_adds(out, STR("null"));
	} else if ((f == PF_DEC || f == PF_ID) && !is_address) {
		number_text(v, t, f, out);
	} else {
		/* Nothing in these texts needs escaping. */
		buf_addc(out, '"');
		item_text(v, t, f, out);
		buf_addc(out, '"');
	}
}

void value_json(const struct value *v, enum param_type t, enum print_format f, struct buf *out)
{
	if (!v->is_list) {
		item_json(v, v->type ? v->type : t, v->type ? v->format : f, out);
		return;
	}
	buf_addc(out, '[');
	for (uint32_t i = 0; i < v->n_items; i++) {
		if (i)
			buf_addc(out, ',');
		item_json(&v->items[i], t, f, out);
	}
	buf_addc(out, ']');
}
