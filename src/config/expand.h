/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables of the environment in a text: ${NAME} is the variable's value, nothing where it is not
 * set; $${NAME} is ${NAME} itself.  What has no end stays as it is, and values are not looked
 * through again.
 */
#pragma once

#include "base/buf.h"

bool has_variables(struct str text);
void expand_variables(struct str text, struct buf *out);
