/* SPDX-License-Identifier: Apache-2.0 */
/* syslog_output: alerts to the system's log, by the socket that syslog(3) writes to. */
#pragma once

#include "output/sender.h"

extern const struct sender_kind syslog_sender;
