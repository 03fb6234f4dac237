/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From edges to code.  Code is made back to front: what follows a step exists before it.
 */
#pragma once

#include "filter/plan.h"

struct codegen {
	struct plan *plan;
	struct estimator *est;
	uint32_t *uses;	 /* by node: how often the plan asks it */
	uint32_t *block; /* by node: where its own code starts, 0: none yet */
	size_t n_nodes;	 /* that existed at the start */
	bool use_memo, in_memo;
};

void codegen_init(struct codegen *cg, struct plan *p, struct estimator *est, bool use_memo);
void codegen_done(struct codegen *cg);
/* Announce that code for ref will be wanted. */
void codegen_use(struct codegen *cg, uint32_t ref);
/* Code that goes to yes or to no, as ref is true or false; returns where it starts. */
uint32_t codegen_ref(struct codegen *cg, uint32_t ref, uint32_t yes, uint32_t no);
uint32_t codegen_emit(struct codegen *cg, struct code c);
