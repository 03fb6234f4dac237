/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Being the first process of a container: it inherits every orphan there, whose end it has to take
 * notice of, and signals that it does not expect do nothing to it.
 */
#pragma once

/*
 * If this is process 1: from here on it is another one that goes on, and this one waits, passes
 * signals on, and ends as the other does.  Before there are threads.
 */
void init_if_first(void);
