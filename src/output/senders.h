/* SPDX-License-Identifier: Apache-2.0 */
/* The ways out over a network.  Each loads the library that it needs when it is opened. */
#pragma once

#include "output/sender.h"

extern const struct sender_kind http_sender, kafka_sender, redis_sender;
