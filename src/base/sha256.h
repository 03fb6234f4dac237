/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4), for names of what was read: no secrets pass through it. */
#pragma once

#include "base/str.h"

enum { SHA256_TEXT = 65 }; /* hexadecimal digits and a NUL */

void sha256_text(struct str data, char ret[SHA256_TEXT]);
