/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a scene, from text to what records hold.  false: the text is no such value. */
#pragma once

#include "base/arena.h"
#include "capture/record.h"
#include "schema/schema.h"

bool parse_number(struct str text, uint64_t *ret); /* -5, 0x1f, 10 */
bool parse_network(struct str text, uint8_t address[16], bool *ret_v6, unsigned *ret_bits);
/* "1.2.3.4:80->5.6.7.8:90", "[::1]:80->[::2]:90", or one end: that of a server. */
bool parse_tuple(struct str text, struct sock_tuple *ret);
/* Without its quotes and escapes; what is not quoted stays as it is. */
struct str unquote(struct str text, struct arena *a);
/* "a,b" to "a\0b\0". */
struct str nul_separated(struct str text, struct arena *a);
bool encode_param(const struct param_info *p, struct str text, struct arena *a, struct str *ret);
