/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program_output: alerts to the standard input of a program, which a helper starts
 * (base/spawner.h): one for each alert, or one that stays.
 */
#pragma once

#include "output/sender.h"

extern const struct sender_kind program_sender;
