/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of senders.  Those over a network load the library that they need when they are opened.
 */
#pragma once

#include "output/sender.h"

extern const struct sender_kind file_sender;	/* a file, which may be rotated */
extern const struct sender_kind syslog_sender;	/* the system's log, by syslog(3)'s socket */
extern const struct sender_kind program_sender; /* a program's standard input */
extern const struct sender_kind http_sender, kafka_sender, redis_sender;
