/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hostname.h"

#include "base/alloc.h"
#include "base/now.h"
#include "base/thread.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MS_NS = 1000000 };

typedef uint8_t host_address[HOST_ADDRESS_BYTES];

/* Never changed once it can be seen; sorted. */
struct addresses {
	size_t n;
	host_address list[];
};

struct hostname {
	struct hostnames *all;
	char *text;
	struct addresses *_Atomic addresses; /* NULL: none are known */
	atomic_bool is_tried, is_answered;
	bool is_missed; /* the event thread's */
	/* The resolving thread's. */
	uint64_t due_ns; /* CLOCK_MONOTONIC */
	unsigned wait_ms;
};

struct hostnames {
	struct hostnames_config cfg;
	struct hostname *list[HOSTNAMES_MAX];
	atomic_size_t n;      /* grows; those below it are there */
	uint64_t patience_ns; /* the event thread's */
	/* Odd while the event thread looks at addresses, which are not freed meanwhile. */
	atomic_uint looks;
	pthread_t thread;
	bool is_started;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t wake, tried;
	bool stop;
	bool is_asking; /* the thread is with the resolver, for who knows how long */
	bool is_left;	/* nobody waits for the thread, so it frees all this */
	host_address *answer;
};

static int compare_addresses(const void *a, const void *b)
{
	return memcmp(a, b, HOST_ADDRESS_BYTES);
}

static void map_v4(const void *v4, host_address ret)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	memcpy(ret, prefix, sizeof(prefix));
	memcpy(ret + sizeof(prefix), v4, 4);
}

/* --- asking --- */

static bool take_address(const struct sockaddr *sa, host_address ret)
{
	if (sa->sa_family == AF_INET)
		map_v4(&((const struct sockaddr_in *)sa)->sin_addr, ret);
	else if (sa->sa_family == AF_INET6)
		memcpy(ret, &((const struct sockaddr_in6 *)sa)->sin6_addr, HOST_ADDRESS_BYTES);
	return sa->sa_family == AF_INET || sa->sa_family == AF_INET6;
}

int hostname_resolve(const char *name, uint8_t ret[HOSTNAME_ADDRESSES_MAX][HOST_ADDRESS_BYTES])
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list;
	int r = getaddrinfo(name, NULL, &hints, &list), n = 0;

	if (r)
		return r == EAI_NONAME || r == EAI_NODATA ? 0 : -EAGAIN;
	for (const struct addrinfo *i = list; i && n < HOSTNAME_ADDRESSES_MAX; i = i->ai_next)
		n += take_address(i->ai_addr, ret[n]);
	freeaddrinfo(list);
	return n;
}

/* The addresses from now on; the old ones are freed once nobody can be looking at them. */
static void publish(struct hostname *n, struct addresses *now)
{
	struct addresses *old = atomic_exchange(&n->addresses, now);
	unsigned look = atomic_load(&n->all->looks);

	while (look & 1 && atomic_load(&n->all->looks) == look)
		sched_yield();
	free(old);
}

static void learn(struct hostname *n, size_t n_addresses)
{
	struct addresses *now = xmalloc(sizeof(*now) + n_addresses * sizeof(now->list[0]));

	now->n = n_addresses;
	memcpy(now->list, n->all->answer, n_addresses * sizeof(now->list[0]));
	qsort(now->list, now->n, sizeof(now->list[0]), compare_addresses);
	publish(n, now);
	atomic_store(&n->is_answered, true);
}

/* Without an answer the addresses stay as they were. */
static void ask(struct hostname *n)
{
	const struct hostnames_config *cfg = &n->all->cfg;
	int r = cfg->resolve(n->text, n->all->answer);

	if (r >= 0)
		learn(n, (size_t)r);
	n->wait_ms = r >= 0 ? cfg->refresh_ms : n->wait_ms ? 2 * n->wait_ms : cfg->retry_ms;
	if (n->wait_ms > cfg->refresh_ms)
		n->wait_ms = cfg->refresh_ms;
	n->due_ns = clock_ns(CLOCK_MONOTONIC) + (uint64_t)n->wait_ms * MS_NS;
	if (r >= 0)
		n->wait_ms = 0;
}

static struct hostname *next_due(const struct hostnames *h)
{
	struct hostname *ret = h->list[0];

	for (size_t i = 1; i < h->n; i++)
		if (h->list[i]->due_ns < ret->due_ns)
			ret = h->list[i];
	return ret;
}

static void wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t ns)
{
	const struct timespec t = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};

	pthread_cond_timedwait(cond, lock, &t);
}

static void destroy(struct hostnames *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(atomic_load(&h->list[i]->addresses));
		free(h->list[i]->text);
		free(h->list[i]);
	}
	pthread_cond_destroy(&h->wake);
	pthread_cond_destroy(&h->tried);
	pthread_mutex_destroy(&h->lock);
	free(h->answer);
	free(h);
}

/* Holding the lock, but for the question itself. */
static void turn(struct hostnames *h)
{
	struct hostname *n = next_due(h);

	if (n->due_ns > clock_ns(CLOCK_MONOTONIC)) {
		wait_until(&h->wake, &h->lock, n->due_ns);
		return;
	}
	h->is_asking = true;
	pthread_mutex_unlock(&h->lock);
	ask(n);
	pthread_mutex_lock(&h->lock);
	h->is_asking = false;
	atomic_store(&n->is_tried, true);
	pthread_cond_signal(&h->tried);
}

static void *work(void *arg)
{
	struct hostnames *h = arg;
	bool is_left;

	pthread_mutex_lock(&h->lock);
	while (!h->stop)
		turn(h);
	is_left = h->is_left;
	pthread_mutex_unlock(&h->lock);
	if (is_left)
		destroy(h);
	return NULL;
}

/* --- the event thread --- */

struct hostnames *hostnames_new(const struct hostnames_config *cfg)
{
	struct hostnames *h = xcalloc(1, sizeof(*h));
	pthread_condattr_t attr;

	h->cfg = *cfg;
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->wake, &attr);
	pthread_cond_init(&h->tried, &attr);
	pthread_condattr_destroy(&attr);
	return h;
}

/* Whether the thread ended; else it will see to what is left. */
static bool stop(struct hostnames *h)
{
	bool is_asking;

	if (!h->is_started)
		return true;
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	is_asking = h->is_left = h->is_asking;
	if (is_asking)
		pthread_detach(h->thread);
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->lock);
	if (!is_asking)
		pthread_join(h->thread, NULL);
	return !is_asking;
}

void hostnames_free(struct hostnames *h)
{
	if (h && stop(h))
		destroy(h);
}

int hostnames_add(struct hostnames *h, struct str name, struct hostname **ret, struct err *e)
{
	struct hostname *n;

	for (size_t i = 0; i < h->n; i++) {
		*ret = h->list[i];
		if (str_is(name, h->list[i]->text))
			return 0;
	}
	if (h->n == HOSTNAMES_MAX)
		return err_set(e, -ENOSPC, "more than %d names of hosts", HOSTNAMES_MAX);
	n = xcalloc(1, sizeof(*n));
	n->all = h;
	n->text = xstrndup(name.p, name.n);
	*ret = n;
	pthread_mutex_lock(&h->lock);
	h->list[h->n] = n;
	h->n++;
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->lock);
	return 0;
}

bool hostnames_asks(const struct hostnames *h)
{
	return h->is_started;
}

size_t hostnames_count(const struct hostnames *h)
{
	return h->n;
}

int hostnames_start(struct hostnames *h, unsigned patience_ms, struct err *e)
{
	int r;

	if (!h->n)
		return 0;
	h->answer = xcalloc(HOSTNAME_ADDRESSES_MAX, sizeof(*h->answer));
	h->patience_ns = (uint64_t)patience_ms * MS_NS;
	r = thread_start(work, h, &h->thread, e);
	h->is_started = !r;
	return r;
}

/* For the first try to end, and never again once patience is at its end. */
static void await(struct hostnames *h, const struct hostname *n)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), end = now + h->patience_ns;

	pthread_mutex_lock(&h->lock);
	while (!atomic_load(&n->is_tried) && now < end) {
		wait_until(&h->tried, &h->lock, end);
		now = clock_ns(CLOCK_MONOTONIC);
	}
	pthread_mutex_unlock(&h->lock);
	h->patience_ns = now < end ? end - now : 0;
}

static bool has(struct hostnames *h, const struct hostname *n, const host_address key)
{
	const struct addresses *a;
	bool ret;

	atomic_fetch_add(&h->looks, 1);
	a = atomic_load(&n->addresses);
	ret = a && bsearch(key, a->list, a->n, sizeof(a->list[0]), compare_addresses);
	atomic_fetch_add(&h->looks, 1);
	return ret;
}

static bool key_of(struct str address, host_address ret)
{
	if (address.n == 4)
		map_v4(address.p, ret);
	else if (address.n == HOST_ADDRESS_BYTES)
		memcpy(ret, address.p, HOST_ADDRESS_BYTES);
	return address.n == 4 || address.n == HOST_ADDRESS_BYTES;
}

bool hostname_has(struct hostname *n, struct str address)
{
	struct hostnames *h = n->all;
	host_address key;

	if (!key_of(address, key))
		return false;
	if (h->patience_ns && !atomic_load(&n->is_tried))
		await(h, n);
	if (!atomic_load(&n->is_answered))
		n->is_missed = true;
	return has(h, n, key);
}

bool hostnames_find(struct hostnames *h, struct str address, struct str *ret)
{
	host_address key;

	if (!key_of(address, key))
		return false;
	for (size_t i = 0; i < h->n; i++) {
		if (!has(h, h->list[i], key))
			continue;
		*ret = str_of(h->list[i]->text);
		return true;
	}
	return false;
}

const char *hostnames_missed(const struct hostnames *h, unsigned i)
{
	for (size_t at = 0; at < h->n; at++)
		if (h->list[at]->is_missed && !i--)
			return h->list[at]->text;
	return NULL;
}
