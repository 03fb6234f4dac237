/* SPDX-License-Identifier: Apache-2.0 */
/* Container runtimes beside the events of this machine: for `saker run` and `saker record`. */
#pragma once

#include "app/command.h"
#include "enrich/worker.h"
#include "state/state.h"

struct kube_options {
	const char *api, *cert, *config, *node;
};

struct runtimes_options {
	struct option_texts sockets;
	struct kube_options kube;
	bool off;
};

#define KUBE_ROWS(type, member)                                                                    \
	OPTION_ROW(type, "k8s-api", 'k', TEXT, member.api, "URL",                                  \
		   "the Kubernetes API server; else that of the cluster that this is a pod of"),   \
		OPTION_ROW(type, "k8s-api-cert", 'K', TEXT, member.cert, "FILES",                  \
			   "with it: CERT:KEY[#PASSWORD][:CA], or a file with a token"),           \
		OPTION_ROW(type, "kubeconfig", 0, TEXT, member.config, "FILE",                     \
			   "where the API server is and what it wants to see, from such a file"),  \
		OPTION_ROW(type, "k8s-node", 0, TEXT, member.node, "NAME",                         \
			   "this node's name in the cluster; else that in NODE_NAME")
#define KUBE_ARGUMENTS "[-k URL] [-K FILES] [--kubeconfig FILE] [--k8s-node NAME]"

#define RUNTIMES_ROWS(type, member)                                                                \
	OPTION_ROW(type, "runtime-socket", 0, TEXTS, member.sockets, "KIND=PATH",                  \
		   "another container runtime: docker, podman, cri or containerd"),                \
		OPTION_ROW(type, "no-runtimes", 0, FLAG, member.off, NULL,                         \
			   "ask no container runtime and no API server"),                          \
		KUBE_ROWS(type, member.kube)
#define RUNTIMES_ARGUMENTS "[--runtime-socket KIND=PATH]... [--no-runtimes] " KUBE_ARGUMENTS

/*
 * What options and the environment say of the API server.  Where Saker is a pod that nobody told
 * the name of its node, that is reported, and nobody is asked.
 */
struct access_config kube_access(const struct kube_options *o);
/* *ret is NULL when no runtime is to be asked, which is fine for all the others. */
int runtimes_open(const struct runtimes_options *o, struct worker **ret, struct err *e);
/* What the process must be able to do for it, of enum privilege_need. */
unsigned runtimes_needs(const struct worker *w);
/* Have state tell of containers that it meets.  w must outlive it. */
void runtimes_listen(struct worker *w, struct state_config *cfg);
/* Events of the machine with what runtimes say between them; live is taken over. */
struct source *runtimes_source(struct worker *w, struct source *live);
/* Report that the API server does not answer, or does again. */
void runtimes_tell_cluster(struct worker *w);
/* When capabilities have been given up, and before the picture of the machine ... */
int runtimes_start(struct worker *w, struct err *e);
/* ... and behind it: what runtimes know already should be there before the first event. */
void runtimes_wait(struct worker *w);
/* Behind the last event: end it, and say on standard error what runtimes were asked and told. */
void runtimes_summarize(struct worker *w);
/* The same of one runtime; nothing where it never told anything. */
void runtimes_tell(const struct runtime *r);
