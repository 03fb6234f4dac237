/* SPDX-License-Identifier: Apache-2.0 */
/* Threads beside the event thread. */
#pragma once

#include "base/err.h"

#include <pthread.h>

/*
 * Signals are for the event thread, but for those that the new thread itself brings about.
 * Capabilities and restrictions of the thread are those of this moment.
 */
int thread_start(void *(*work)(void *arg), void *arg, pthread_t *ret, struct err *e);
