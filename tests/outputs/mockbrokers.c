/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: mockbrokers TOPIC
 * librdkafka's own mock cluster of three brokers, as Debian has no Kafka, and a consumer of it. The
 * first line that is printed says where it is.  Each line of standard input is a call:
 *
 *   take N        print the next N messages that are in the topic, each a line of JSON
 *   fail N CODE   the next N attempts to produce fail with this error
 *   down N, up N  broker N
 *   reply         nothing but an empty line, when what came before is done
 */
#include "base/buf.h"
#include "base/json.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BROKERS = 3, PARTITIONS = 4, PRODUCE = 0, FAIL_MAX = 64, WAIT_MS = 30000 };

static rd_kafka_t *new_client(rd_kafka_type_t type, const char *brokers)
{
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	char said[256];
	rd_kafka_t *k;

	if (brokers) {
		rd_kafka_conf_set(c, "bootstrap.servers", brokers, said, sizeof(said));
		rd_kafka_conf_set(c, "group.id", "test", said, sizeof(said));
		rd_kafka_conf_set(c, "log_level", "0", said, sizeof(said));
	}
	k = rd_kafka_new(type, c, said, sizeof(said));
	if (!k)
		abort();
	return k;
}

static rd_kafka_t *new_consumer(const char *brokers, const char *topic)
{
	rd_kafka_t *k = new_client(RD_KAFKA_CONSUMER, brokers);
	rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(PARTITIONS);

	for (int i = 0; i < PARTITIONS; i++)
		rd_kafka_topic_partition_list_add(all, topic, i)->offset =
			RD_KAFKA_OFFSET_BEGINNING;
	rd_kafka_assign(k, all);
	rd_kafka_topic_partition_list_destroy(all);
	return k;
}

static struct str type_of(rd_kafka_message_t *m)
{
	rd_kafka_headers_t *headers;
	const void *value;
	size_t n;

	if (rd_kafka_message_headers(m, &headers) ||
	    rd_kafka_header_get_last(headers, "content-type", &value, &n))
		return STR_EMPTY;
	return (struct str){value, n};
}

static void print(rd_kafka_message_t *m)
{
	struct buf b;

	buf_init(&b, 16 << 20);
	buf_addf(&b, "{\"partition\":%d,\"key\":", (int)m->partition);
	json_add_string(&b, (struct str){m->key, m->key_len});
	buf_addz(&b, ",\"type\":");
	json_add_string(&b, type_of(m));
	buf_addz(&b, ",\"value\":");
	json_add_string(&b, (struct str){m->payload, m->len});
	buf_addc(&b, '}');
	puts(buf_z(&b));
	buf_done(&b);
}

static void take(rd_kafka_t *consumer, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(consumer, WAIT_MS);

		if (!m)
			break;
		if (m->err)
			i--;
		else
			print(m);
		rd_kafka_message_destroy(m);
	}
	puts("");
}

static void fail(rd_kafka_mock_cluster_t *cluster, unsigned n, int code)
{
	rd_kafka_resp_err_t errors[FAIL_MAX];

	n = n < FAIL_MAX ? n : FAIL_MAX;
	for (unsigned i = 0; i < n; i++)
		errors[i] = (rd_kafka_resp_err_t)code;
	rd_kafka_mock_push_request_errors_array(cluster, PRODUCE, n, errors);
}

int main(int argc, char **argv)
{
	const char *topic = argc == 2 ? argv[1] : "alerts";
	rd_kafka_t *owner = new_client(RD_KAFKA_PRODUCER, NULL), *consumer;
	rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(owner, BROKERS);
	char line[128];
	int n, code = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	rd_kafka_mock_topic_create(cluster, topic, PARTITIONS, BROKERS);
	puts(rd_kafka_mock_cluster_bootstraps(cluster));
	consumer = new_consumer(rd_kafka_mock_cluster_bootstraps(cluster), topic);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "take %d", &n) == 1)
			take(consumer, (unsigned)n);
		else if (sscanf(line, "fail %d %d", &n, &code) == 2)
			fail(cluster, (unsigned)n, code);
		else if (sscanf(line, "down %d", &n) == 1)
			rd_kafka_mock_broker_set_down(cluster, n);
		else if (sscanf(line, "up %d", &n) == 1)
			rd_kafka_mock_broker_set_up(cluster, n);
		else
			puts("");
	}
	rd_kafka_destroy(consumer);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(owner);
	return 0;
}
