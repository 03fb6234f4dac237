/* SPDX-License-Identifier: Apache-2.0 */
/* file_output: alerts at the end of a file, which may be rotated by size or by others. */
#pragma once

#include "output/sender.h"

extern const struct sender_kind file_sender;
