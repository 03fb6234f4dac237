/* SPDX-License-Identifier: Apache-2.0 */
/* What network senders have in common: what they say of a receiver, and files that they need. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"

enum { RECEIVER_NAME_MAX = 256, RECEIVER_SAID_MAX = 256 };

/*
 * "https://host:8080" of a URL: without what may be secret in it, which are a user's name and
 * password, its path and its query.  -EINVAL when there is no such part, or it is too long.
 */
int receiver_name(const char *url, char ret[RECEIVER_NAME_MAX]);
/* Text that comes from outside, or may hold some that does: cut, and fit to be seen. */
void receiver_said(const char *text, char ret[RECEIVER_SAID_MAX]);
/* -EINVAL and *e with the key when its file or folder cannot be read; "" is no file. */
int receiver_file(const struct config *c, enum config_id key, struct err *e);
