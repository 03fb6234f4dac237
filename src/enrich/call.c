/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/call.h"

#include "base/alloc.h"
#include "base/curl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CONNECT_TIMEOUT_MS = 3000,
	KEEPALIVE_S = 30,
	RETRY_AFTER_MAX_S = 600,
	WHY_BYTES = 160,
	GRPC_NONE = -1,
	GRPC_NOT_FOUND = 5,
	GRPC_UNIMPLEMENTED = 12,
};

struct calls {
	CURLM *multi;
	struct connector *connector; /* NULL: nobody */
	struct call *first;
	size_t n;
	int wake; /* an eventfd: who may have no sockets is woken all the same */
};

struct call {
	struct calls *owner;
	struct call *next, *before;
	CURL *easy;
	struct curl_slist *headers;
	struct buf sent;     /* the body of the request */
	struct buf received; /* of a reply that is no stream */
	struct framer framer;
	struct call_request r; /* pointers in it are not used later, but arg and the functions */
	int grpc_status, bad;  /* bad: -errno of a reply that is not of the form */
	char *path;	       /* of a socket that the connector opens; NULL */
	int no_socket;	       /* -errno: why there is none, or 0 */
	long retry_after_s;
	char why[WHY_BYTES]; /* the runtime's own words */
};

static const struct curl *curl;

struct calls *calls_new(struct err *e)
{
	struct calls *c;

	curl = curl_load();
	if (!curl) {
		err_set(e, -ENOENT,
			"container runtimes are asked with libcurl.so.4, which is not "
			"installed");
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	c->multi = curl->multi_init();
	if (!c->multi)
		abort(); /* as any other lack of memory */
	c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->wake < 0) {
		err_set(e, -errno, "eventfd: %s", strerror(errno));
		calls_free(c);
		return NULL;
	}
	curl->multi_setopt(c->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	return c;
}

static void call_free(struct call *k)
{
	struct calls *c = k->owner;

	*(k->before ? &k->before->next : &c->first) = k->next;
	if (k->next)
		k->next->before = k->before;
	c->n--;
	curl->multi_remove_handle(c->multi, k->easy);
	curl->easy_cleanup(k->easy);
	curl->slist_free_all(k->headers);
	buf_done(&k->sent);
	buf_done(&k->received);
	framer_done(&k->framer);
	free(k->path);
	free(k);
}

void call_cancel(struct call *k)
{
	if (k)
		call_free(k);
}

void calls_free(struct calls *c)
{
	if (!c)
		return;
	while (c->first)
		call_free(c->first);
	curl->multi_cleanup(c->multi);
	if (c->wake >= 0)
		close(c->wake);
	free(c);
}

static bool is_stream(const struct call *k)
{
	return k->r.message != NULL;
}

/* Anything but all bytes ends the call. */
static size_t on_body(char *p, size_t one, size_t n, void *arg)
{
	struct call *k = arg;
	struct str bytes = {p, n};
	long status = 0;

	curl->easy_getinfo(k->easy, CURLINFO_RESPONSE_CODE, &status);
	if (is_stream(k) && status == 200) {
		k->bad = framer_feed(&k->framer, bytes, k->r.message, k->r.arg);
		return k->bad ? 0 : n;
	}
	buf_adds(&k->received, bytes);
	if (!k->received.truncated)
		return n;
	k->bad = -EMSGSIZE;
	return 0;
}

static bool header_is(struct str line, const char *name, struct str *ret)
{
	struct str key = str_of(name);

	if (line.n <= key.n || line.p[key.n] != ':' || strncasecmp(line.p, name, key.n) != 0)
		return false;
	*ret = str_trim(str_from(line, key.n + 1));
	return true;
}

static void keep_why(struct call *k, struct str s)
{
	snprintf(k->why, sizeof(k->why), "%.*s", STR_ARG(str_head(s, WHY_BYTES - 1)));
}

/* Trailers come here too. */
static size_t on_header(char *p, size_t one, size_t n, void *arg)
{
	struct call *k = arg;
	struct str line = {p, n}, value;
	uint64_t status;

	if (header_is(line, "grpc-status", &value) && str_u64(value, &status) && status < 1000)
		k->grpc_status = (int)status;
	else if (header_is(line, "grpc-message", &value))
		keep_why(k, value);
	else if (header_is(line, "retry-after", &value) && str_u64(value, &status))
		k->retry_after_s = status < RETRY_AFTER_MAX_S ? (long)status : RETRY_AFTER_MAX_S;
	return n;
}

static void prepare_grpc(struct call *k, const struct call_request *r)
{
	grpc_wrap(&k->sent, r->body);
	k->headers = curl->slist_append(k->headers, "Content-Type: application/grpc");
	k->headers = curl->slist_append(k->headers, "TE: trailers");
	k->headers = curl->slist_append(k->headers, "Expect:");
	if (*r->namespace) {
		char *line = xasprintf("containerd-namespace: %s", r->namespace);

		k->headers = curl->slist_append(k->headers, line);
		free(line);
	}
	curl->easy_setopt(k->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
	curl->easy_setopt(k->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)k->sent.n);
	curl->easy_setopt(k->easy, CURLOPT_POSTFIELDS, buf_z(&k->sent));
	curl->easy_setopt(k->easy, CURLOPT_HTTPHEADER, k->headers);
}

/* All of them or none: a call that is less safe than was asked for is not made. */
static bool set_pem(struct call *k, const struct pem *p, CURLoption file, CURLoption blob)
{
	struct curl_blob text = {(void *)(uintptr_t)p->text.p, p->text.n, CURL_BLOB_COPY};

	if (p->text.n)
		return curl->easy_setopt(k->easy, blob, &text) == CURLE_OK;
	return !p->file || curl->easy_setopt(k->easy, file, p->file) == CURLE_OK;
}

static bool set_ca(struct call *k, const struct pem *ca)
{
	if (!ca->file && !ca->text.n)
		return true;
	/* Only this one: not what the system trusts besides. */
	return curl->easy_setopt(k->easy, CURLOPT_CAPATH, NULL) == CURLE_OK &&
	       curl->easy_setopt(k->easy, CURLOPT_CAINFO, NULL) == CURLE_OK &&
	       set_pem(k, ca, CURLOPT_CAINFO, CURLOPT_CAINFO_BLOB);
}

static void add_header(struct call *k, const char *start, const char *value)
{
	char *line = xasprintf("%s%s", start, value);

	k->headers = curl->slist_append(k->headers, line);
	free(line);
}

static void prepare_remote(struct call *k, const struct call_request *r)
{
	const struct remote *to = r->remote;
	char *url = xasprintf("%s%s", to->url, r->path);

	curl->easy_setopt(k->easy, CURLOPT_URL, url);
	curl->easy_setopt(k->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl->easy_setopt(k->easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl->easy_setopt(k->easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S);
	curl->easy_setopt(k->easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_S / 3);
	if (!set_ca(k, &to->ca) || !set_pem(k, &to->cert, CURLOPT_SSLCERT, CURLOPT_SSLCERT_BLOB) ||
	    !set_pem(k, &to->key, CURLOPT_SSLKEY, CURLOPT_SSLKEY_BLOB))
		k->bad = -ENOTSUP;
	if (k->bad)
		curl->easy_setopt(k->easy, CURLOPT_URL, ""); /* fails at once */
	if (to->key_password)
		curl->easy_setopt(k->easy, CURLOPT_KEYPASSWD, to->key_password);
	if (to->user)
		curl->easy_setopt(k->easy, CURLOPT_USERPWD, to->user);
	if (r->bearer && *r->bearer)
		add_header(k, "Authorization: Bearer ", r->bearer);
	if (r->accept)
		add_header(k, "Accept: ", r->accept);
	curl->easy_setopt(k->easy, CURLOPT_HTTPHEADER, k->headers);
	free(url);
}

/* ---- sockets ---- */

/* libcurl keeps why connect() failed, but not of socket(); and its own live on in programs. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct call *k = arg;
	int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);

	k->no_socket = fd < 0 ? -errno : 0;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

void calls_use(struct calls *c, struct connector *connector)
{
	c->connector = connector;
}

static bool is_denied(const char *path)
{
	return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 && errno == EACCES;
}

/*
 * libcurl 7.88 connects again what it was told is connected already.  To a place where too many
 * wait that is to be tried again later (EAGAIN), and then it finds the socket connected.
 */
static curl_socket_t get_connected(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct call *k = arg;
	int fd = connector_get(k->owner->connector, k->path);

	a->addrlen = connector_crowd(k->owner->connector, &a->addr);
	k->no_socket = fd < 0 ? fd : 0;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int say_connected(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	return CURL_SOCKOPT_ALREADY_CONNECTED;
}

static void have_connected(struct call *k, const char *path)
{
	k->path = xstrdup(path);
	curl->easy_setopt(k->easy, CURLOPT_OPENSOCKETFUNCTION, get_connected);
	curl->easy_setopt(k->easy, CURLOPT_SOCKOPTFUNCTION, say_connected);
}

static void prepare_socket(struct call *k, const struct call_request *r)
{
	char *url = xasprintf("http://localhost%s", r->path);

	curl->easy_setopt(k->easy, CURLOPT_URL, url);
	curl->easy_setopt(k->easy, CURLOPT_UNIX_SOCKET_PATH, r->socket);
	if (k->owner->connector && is_denied(r->socket))
		have_connected(k, r->socket);
	/*
	 * To connect to a UNIX socket costs next to nothing, and libcurl 7.88 breaks a second
	 * request on a connection that began as HTTP/2, and sends others behind an endless reply.
	 */
	curl->easy_setopt(k->easy, CURLOPT_FRESH_CONNECT, 1L);
	curl->easy_setopt(k->easy, CURLOPT_FORBID_REUSE, 1L);
	if (r->framing == FRAMING_GRPC)
		prepare_grpc(k, r);
	free(url);
}

static void prepare(struct call *k, const struct call_request *r)
{
	curl->easy_setopt(k->easy, CURLOPT_PROXY, ""); /* whatever the environment says */
	curl->easy_setopt(k->easy, CURLOPT_NOSIGNAL, 1L);
	curl->easy_setopt(k->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	curl->easy_setopt(k->easy, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
	curl->easy_setopt(k->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl->easy_setopt(k->easy, CURLOPT_WRITEDATA, k);
	curl->easy_setopt(k->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl->easy_setopt(k->easy, CURLOPT_HEADERDATA, k);
	curl->easy_setopt(k->easy, CURLOPT_PRIVATE, k);
	curl->easy_setopt(k->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl->easy_setopt(k->easy, CURLOPT_OPENSOCKETDATA, k);
	(r->remote ? prepare_remote : prepare_socket)(k, r);
}

struct call *call_start(struct calls *c, const struct call_request *r)
{
	struct call *k = xcalloc(1, sizeof(*k));

	k->owner = c;
	k->r = *r;
	k->grpc_status = GRPC_NONE;
	k->easy = curl->easy_init();
	if (!k->easy)
		abort();
	buf_init(&k->sent, SIZE_MAX / 2);
	buf_init(&k->received, r->max_bytes);
	framer_init(&k->framer, r->framing, r->max_bytes);
	prepare(k, r);
	k->next = c->first;
	if (c->first)
		c->first->before = k;
	c->first = k;
	c->n++;
	curl->multi_add_handle(c->multi, k->easy);
	return k;
}

static enum call_outcome http_outcome(struct call *k, struct reply *ret)
{
	long status = 0;

	curl->easy_getinfo(k->easy, CURLINFO_RESPONSE_CODE, &status);
	ret->body = buf_str(&k->received);
	if (status == 200)
		return CALL_GOOD;
	snprintf(k->why, sizeof(k->why), "HTTP status %ld", status);
	if (k->r.remote && (status == 401 || status == 403))
		return CALL_DENIED;
	return status == 404 ? CALL_NOT_FOUND : CALL_FAILED;
}

static enum call_outcome grpc_outcome(struct call *k, struct reply *ret)
{
	if (k->grpc_status == GRPC_NONE)
		keep_why(k, STR("no gRPC status"));
	if (k->grpc_status == GRPC_NOT_FOUND)
		return CALL_NOT_FOUND;
	if (k->grpc_status == GRPC_UNIMPLEMENTED)
		return CALL_UNSUPPORTED;
	if (k->grpc_status)
		return CALL_FAILED;
	if (is_stream(k) || !grpc_unwrap(buf_str(&k->received), &ret->body))
		return CALL_GOOD;
	keep_why(k, STR("no gRPC message"));
	return CALL_FAILED;
}

static const char *bad_words(int bad)
{
	if (bad == -ENOTSUP)
		return "the installed libcurl is too old for these certificates";
	return bad == -EMSGSIZE ? "the answer is too long" : "the answer is not of the form";
}

static enum call_outcome outcome_of(struct call *k, CURLcode code, struct reply *ret)
{
	long number = 0;

	if (k->bad) {
		keep_why(k, str_of(bad_words(k->bad)));
		return CALL_FAILED;
	}
	if (code == CURLE_OK)
		return k->r.framing == FRAMING_GRPC ? grpc_outcome(k, ret) : http_outcome(k, ret);
	curl->easy_getinfo(k->easy, CURLINFO_OS_ERRNO, &number);
	number = k->no_socket ? -k->no_socket : number;
	keep_why(k, str_of(code == CURLE_COULDNT_CONNECT && number ? strerror((int)number)
								   : curl->easy_strerror(code)));
	return number == EACCES || number == EPERM ? CALL_DENIED : CALL_FAILED;
}

static void finish(struct call *k, CURLcode code)
{
	struct reply r = {.body = STR_EMPTY, .why = k->why, .retry_after_s = k->retry_after_s};
	curl_off_t n_bytes = 0;

	curl->easy_getinfo(k->easy, CURLINFO_RESPONSE_CODE, &r.status);
	curl->easy_getinfo(k->easy, CURLINFO_SIZE_DOWNLOAD_T, &n_bytes);
	r.n_bytes = (uint64_t)n_bytes;
	r.outcome = outcome_of(k, code, &r);
	k->r.done(k->r.arg, &r);
	call_free(k);
}

void calls_wait(struct calls *c, int timeout_ms)
{
	struct curl_waitfd woken = {.fd = c->wake, .events = CURL_WAIT_POLLIN};
	eventfd_t n_wakes;
	struct call *k;
	int running, left;
	CURLMsg *m;

	curl->multi_poll(c->multi, &woken, 1, timeout_ms, NULL);
	eventfd_read(c->wake, &n_wakes);
	curl->multi_perform(c->multi, &running);
	while ((m = curl->multi_info_read(c->multi, &left))) {
		CURLcode code = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl->easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&k);
		finish(k, code);
	}
}

void calls_wake(struct calls *c)
{
	eventfd_write(c->wake, 1);
}
