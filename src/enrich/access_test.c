/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/access.h"
#include "base/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct access *opened(const struct access_config *cfg)
{
	struct access *a = NULL;
	struct err e = {0};
	int r = access_open(cfg, &a, &e);

	if (r != 1)
		fprintf(stderr, "# %s\n", e.msg);
	CHECK_INT(r, 1);
	return a;
}

static void refused(const struct access_config *cfg, const char *words)
{
	struct access *a = NULL;
	struct err e = {0};

	CHECK(access_open(cfg, &a, &e) < 0);
	CHECK(strstr(e.msg, words));
}

TEST(nothing_said_means_no_server)
{
	struct access *a;

	CHECK_INT(access_open(&(struct access_config){.node = "n"}, &a, NULL), 0);
}

TEST(options_mean_what_they_always_did)
{
	struct access *a = opened(&(struct access_config){.url = "https://u:p@10.0.0.1:6443/",
							  .cert = "/c.pem:/k.pem#pw:/ca.pem",
							  .node = "n"});

	CHECK_STR(a->remote.url, "https://10.0.0.1:6443");
	CHECK_STR(a->remote.user, "u:p");
	CHECK_STR(a->remote.cert.file, "/c.pem");
	CHECK_STR(a->remote.key.file, "/k.pem");
	CHECK_STR(a->remote.key_password, "pw");
	CHECK_STR(a->remote.ca.file, "/ca.pem");
	access_close(a);
	a = opened(&(struct access_config){.url = "https://h", .cert = "/token", .node = "n"});
	CHECK_STR(a->token_file, "/token");
	CHECK(!a->remote.cert.file && !a->remote.ca.file);
	access_close(a);
}

TEST(a_pod_uses_its_service_account)
{
	struct access *a = opened(&(struct access_config){
		.service_host = "fd00::1", .service_port = "443", .account = "/sa", .node = "n"});

	CHECK_STR(a->remote.url, "https://[fd00::1]:443");
	CHECK_STR(a->remote.ca.file, "/sa/ca.crt");
	CHECK_STR(a->token_file, "/sa/token");
	CHECK_STR(a->node, "n");
	access_close(a);
}

TEST(secrets_are_not_sent_in_the_open)
{
	refused(&(struct access_config){.url = "http://10.0.0.1", .cert = "/token", .node = "n"},
		"only sent over https");
	access_close(opened(&(struct access_config){
		.url = "http://127.0.0.1:8080", .cert = "/token", .node = "n"}));
	refused(&(struct access_config){.url = "10.0.0.1:8080", .node = "n"}, "such as https://");
	refused(&(struct access_config){.url = "https://h"}, "name of this node");
}

/* A file with this text, and its name. */
static const char *file(const char *text)
{
	static char name[64];
	int fd;

	snprintf(name, sizeof(name), "/tmp/saker-access-XXXXXX");
	fd = mkstemp(name);
	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
	return name;
}

#define KUBECONFIG(cluster, user)                                                                  \
	"current-context: c\ncontexts:\n- name: c\n  context: {cluster: k, user: u}\n"             \
	"clusters:\n- name: k\n  cluster: {" cluster "}\nusers:\n- name: u\n  user: {" user "}\n"

TEST(a_kubeconfig_file_says_it_all)
{
	const char *name =
		file(KUBECONFIG("server: 'https://h:6443', certificate-authority-data: Q0E=",
				"token: abc, client-certificate: c.pem, client-key: /k.pem"));
	struct access *a = opened(&(struct access_config){.kubeconfig = name, .node = "n"});
	struct buf token;

	buf_init(&token, 100);
	CHECK_STR(a->remote.url, "https://h:6443");
	CHECK(str_is(a->remote.ca.text, "CA") && !a->remote.ca.file);
	CHECK_STR(a->remote.cert.file, "/tmp/c.pem");
	CHECK_STR(a->remote.key.file, "/k.pem");
	CHECK_INT(access_token(a, &token), 0);
	CHECK_STR(buf_z(&token), "abc");
	buf_done(&token);
	access_close(a);
	unlink(name);
}

TEST(what_a_kubeconfig_may_not_say)
{
	const char *name = file(
		KUBECONFIG("server: 'https://h', insecure-skip-tls-verify: true", "token: abc"));

	refused(&(struct access_config){.kubeconfig = name, .node = "n"}, "always checked");
	unlink(name);
	name = file(KUBECONFIG("server: 'https://h'", "exec: {command: sh}"));
	refused(&(struct access_config){.kubeconfig = name, .node = "n"}, "not started");
	unlink(name);
	name = file("current-context: x\n");
	refused(&(struct access_config){.kubeconfig = name, .node = "n"}, "is missing");
	unlink(name);
	refused(&(struct access_config){.kubeconfig = name, .node = "n"}, "No such file");
}

TEST(a_token_is_read_when_it_is_needed)
{
	const char *name = file("one\n");
	struct access *a =
		opened(&(struct access_config){.url = "https://h", .cert = name, .node = "n"});
	struct buf token;
	FILE *f;

	buf_init(&token, 100);
	CHECK_INT(access_token(a, &token), 0);
	CHECK_STR(buf_z(&token), "one");
	f = fopen(name, "w");
	CHECK(f && fputs("two\nthree", f) >= 0 && !fclose(f));
	CHECK_INT(access_token(a, &token), -EINVAL); /* a line of its own: no token */
	unlink(name);
	CHECK_INT(access_token(a, &token), -ENOENT);
	buf_done(&token);
	access_close(a);
}
