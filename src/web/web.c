/* SPDX-License-Identifier: Apache-2.0 */
#include "web/web.h"

#include "base/alloc.h"
#include "web/posted.h"
#include "web/microhttpd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STACK_BYTES = 256 << 10, TAKER_STACK_BYTES = 2 << 20, CERTIFICATE_MAX = 1 << 20 };

/* A text that lives until the last answer with it is sent. */
struct text {
	atomic_uint refs;
	const char *type;
	size_t n;
	char p[];
};

struct page {
	char *path;
	struct text *text;
};

struct web {
	const struct microhttpd *http;
	struct MHD_Daemon *daemon;
	char *certificate;
	struct bodies *bodies; /* that are posted; NULL: nobody takes any */
	pthread_mutex_t lock;  /* held for as long as it takes to copy a pointer */
	struct page pages[WEB_PAGES_MAX];
	unsigned n_pages;
	uint16_t port;
};

static struct text *text_new(const char *type, struct str s)
{
	struct text *t = xmalloc(sizeof(*t) + s.n);

	atomic_init(&t->refs, 1);
	t->type = type;
	t->n = s.n;
	memcpy(t->p, s.p, s.n);
	return t;
}

static void text_unref(void *arg)
{
	struct text *t = arg;

	if (t && atomic_fetch_sub(&t->refs, 1) == 1)
		free(t);
}

static struct page *find(struct web *w, const char *path)
{
	for (unsigned i = 0; i < w->n_pages; i++)
		if (!strcmp(w->pages[i].path, path))
			return &w->pages[i];
	return NULL;
}

static struct text *take(struct web *w, const char *path)
{
	struct text *t = NULL;
	struct page *p;

	pthread_mutex_lock(&w->lock);
	p = find(w, path);
	if (p) {
		t = p->text;
		atomic_fetch_add(&t->refs, 1);
	}
	pthread_mutex_unlock(&w->lock);
	return t;
}

int web_publish(struct web *w, const char *path, const char *type, struct str s)
{
	struct text *t = text_new(type, s), *old = NULL;
	struct page *p;

	pthread_mutex_lock(&w->lock);
	p = find(w, path);
	if (p) {
		old = p->text;
		p->text = t;
	} else if (w->n_pages < WEB_PAGES_MAX) {
		w->pages[w->n_pages++] = (struct page){xstrdup(path), t};
		t = NULL;
	}
	pthread_mutex_unlock(&w->lock);
	if (!p && t) {
		text_unref(t);
		return -ENOSPC;
	}
	text_unref(old);
	return 0;
}

/* ---- answers ---- */

static enum MHD_Result answer(const struct web *w, struct MHD_Connection *c, unsigned status,
			      struct text *t)
{
	struct MHD_Response *r = w->http->create_response_from_buffer_with_free_callback_cls(
		t->n, t->p, text_unref, t);
	enum MHD_Result done;

	if (!r) {
		text_unref(t);
		return MHD_NO;
	}
	w->http->add_response_header(r, "Content-Type", t->type);
	w->http->add_response_header(r, "Cache-Control", "no-store");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		w->http->add_response_header(r, "Allow",
					     w->bodies ? "GET, HEAD, POST" : "GET, HEAD");
	if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
		w->http->add_response_header(r, "Retry-After", "1");
	done = w->http->queue_response(c, status, r);
	w->http->destroy_response(r);
	return done;
}

static enum MHD_Result refuse(const struct web *w, struct MHD_Connection *c, unsigned status,
			      const char *why)
{
	return answer(w, c, status, text_new("text/plain", str_of(why)));
}

/* First with nothing, then with each piece, and with nothing at the end. */
static enum MHD_Result on_post(const struct web *w, struct MHD_Connection *c, const char *path,
			       const char *piece, size_t *n_piece, struct posted **body)
{
	unsigned status = 0;
	const char *why = "";

	if (!*body)
		status = posted_begin(w->bodies, w->http, c, path, body, &why);
	else if (*n_piece)
		posted_add(*body, (struct str){piece, *n_piece});
	else
		status = posted_end(*body, &why);
	*n_piece = 0;
	return status ? refuse(w, c, status, why) : MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *c, void **state,
			 enum MHD_RequestTerminationCode why)
{
	posted_free(*state);
	*state = NULL;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *path,
				  const char *method, const char *version, const char *body,
				  size_t *n_body, void **state)
{
	struct web *w = arg;
	struct text *t;

	if (w->bodies && !strcmp(method, "POST"))
		return on_post(w, c, path, body, n_body, (struct posted **)state);
	if (strcmp(method, "GET") && strcmp(method, "HEAD"))
		return refuse(w, c, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET is answered here\n");
	t = take(w, path);
	return t ? answer(w, c, MHD_HTTP_OK, t)
		 : refuse(w, c, MHD_HTTP_NOT_FOUND, "there is no such page\n");
}

/* ---- opening ---- */

static void say_nothing(void *arg, const char *format, va_list args)
{
}

/* The file is the key's as well, so who may read it is looked at. */
static int read_certificate(const char *path, char **ret, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;
	char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0) {
		r = err_set(e, -errno, "certificate %s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode) || !st.st_size || st.st_size > CERTIFICATE_MAX) {
		r = err_set(e, -EINVAL, "certificate %s: is no file with a certificate", path);
	} else {
		text = xcalloc(1, (size_t)st.st_size + 1);
		n = read(fd, text, (size_t)st.st_size);
		if (n < 0)
			r = err_set(e, -errno, "certificate %s: %s", path, strerror(errno));
	}
	if (fd >= 0)
		close(fd);
	if (r < 0)
		free(text);
	else
		*ret = text;
	return r;
}

static bool parse_address(const struct web_config *cfg, struct sockaddr_in *in4,
			  struct sockaddr_in6 *in6)
{
	*in4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(cfg->port)};
	*in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(cfg->port)};
	if (inet_pton(AF_INET, cfg->address, &in4->sin_addr) == 1) {
		in6->sin6_family = AF_UNSPEC;
		return true;
	}
	return inet_pton(AF_INET6, cfg->address, &in6->sin6_addr) == 1;
}

static struct MHD_Daemon *start(struct web *w, const struct web_config *cfg,
				const struct sockaddr *address, bool is_v6)
{
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ERROR_LOG;
	unsigned n = cfg->n_threads > WEB_THREADS_MAX ? WEB_THREADS_MAX : cfg->n_threads;
	struct MHD_OptionItem more[] = {
		{MHD_OPTION_THREAD_POOL_SIZE, n > 1 ? n : 0, NULL},
		{MHD_OPTION_HTTPS_MEM_CERT, 0, w->certificate},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, w->certificate},
		{MHD_OPTION_END, 0, NULL},
	};

	if (!w->certificate)
		more[1].option = MHD_OPTION_END;
	flags |= (w->certificate ? MHD_USE_TLS : 0) | (is_v6 ? MHD_USE_IPv6 : 0);
	return w->http->start_daemon(flags, cfg->port, NULL, NULL, on_request, w,
				     MHD_OPTION_EXTERNAL_LOGGER, say_nothing, NULL,
				     MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
				     MHD_OPTION_SOCK_ADDR, address, MHD_OPTION_CONNECTION_LIMIT,
				     (unsigned)WEB_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
				     (unsigned)WEB_IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
				     (size_t)WEB_REQUEST_BYTES_MAX, MHD_OPTION_THREAD_STACK_SIZE,
				     (size_t)(cfg->taker ? TAKER_STACK_BYTES : STACK_BYTES),
				     MHD_OPTION_ARRAY, more, MHD_OPTION_END);
}

/* Signals are the event thread's. */
static void listen_quietly(struct web *w, const struct web_config *cfg,
			   const struct sockaddr_in *in4, const struct sockaddr_in6 *in6)
{
	bool is_v6 = in6->sin6_family == AF_INET6;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	errno = 0;
	w->daemon = start(
		w, cfg, is_v6 ? (const struct sockaddr *)in6 : (const struct sockaddr *)in4, is_v6);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static uint16_t port_of(const struct web *w, uint16_t wanted)
{
	const union MHD_DaemonInfo *info =
		w->http->get_daemon_info(w->daemon, MHD_DAEMON_INFO_BIND_PORT);

	return info ? info->port : wanted;
}

int web_open(const struct web_config *cfg, struct web **ret, struct err *e)
{
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
	struct web *w;
	int r = 0;

	if (!parse_address(cfg, &in4, &in6))
		return err_set(e, -EINVAL, "web server: '%s' is no IP address", cfg->address);
	w = xcalloc(1, sizeof(*w));
	pthread_mutex_init(&w->lock, NULL);
	if (cfg->taker)
		w->bodies = bodies_new(cfg->taker);
	w->http = microhttpd_load();
	if (!w->http)
		r = err_set(e, -ENOENT,
			    "web server: libmicrohttpd is not there (Debian: "
			    "libmicrohttpd12)");
	if (!r && cfg->certificate)
		r = read_certificate(cfg->certificate, &w->certificate, e);
	if (!r) {
		listen_quietly(w, cfg, &in4, &in6);
		if (!w->daemon)
			r = err_set(e, errno ? -errno : -EINVAL,
				    "web server: cannot listen at %s, "
				    "port %u: %s",
				    cfg->address, cfg->port,
				    errno ? strerror(errno) : "the certificate is of no use");
	}
	if (r < 0) {
		web_close(w);
		return r;
	}
	w->port = port_of(w, cfg->port);
	*ret = w;
	return 0;
}

uint16_t web_port(const struct web *w)
{
	return w->port;
}

void web_close(struct web *w)
{
	if (!w)
		return;
	if (w->daemon)
		w->http->stop_daemon(w->daemon);
	for (unsigned i = 0; i < w->n_pages; i++) {
		free(w->pages[i].path);
		text_unref(w->pages[i].text);
	}
	bodies_free(w->bodies);
	if (w->certificate)
		explicit_bzero(w->certificate, strlen(w->certificate));
	free(w->certificate);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
