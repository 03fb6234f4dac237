/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the Kubernetes API server is reached, and as whom: by options as they always were, by a
 * kubeconfig file, or as a pod of the cluster.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "enrich/call.h"

struct access_config {
	const char *url;	/* "https://host:port", or NULL */
	const char *cert;	/* with url: "TOKENFILE" or "CERT:KEY[#PASSWORD][:CA]", or NULL */
	const char *kubeconfig; /* a file, or NULL */
	/* Of a pod: where the server is, and the folder of the service account; or NULL. */
	const char *service_host, *service_port, *account;
	const char *node; /* whose pods; NULL: not known */
};

struct access {
	struct arena arena; /* everything below */
	struct remote remote;
	const char *token_file; /* read anew for each question: it is replaced now and then */
	struct str token;	/* when there is no file */
	const char *node;
};

/*
 * 1: *ret is filled.  0: nothing says that there is an API server.  Negative and *e: what was
 * said makes no sense, is not enough or cannot be read.
 */
int access_open(const struct access_config *cfg, struct access **ret, struct err *e);
void access_close(struct access *a); /* NULL is fine */
/* Append the token that is valid now; nothing when there is none.  -errno when it is unreadable. */
int access_token(const struct access *a, struct buf *out);
