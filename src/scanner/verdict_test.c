/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include "scanner/verdict.h"

struct want {
	const char *said;
	int status; /* of commands, as exit() takes it */
	enum scan_outcome outcome;
	const char *text;
};

static void check(const struct verdict *v, const struct want *w)
{
	CHECK_INT(v->outcome, w->outcome);
	CHECK_INT(v->n, strlen(w->text));
	CHECK_MEM(v->text, w->text, v->n);
}

TEST(what_a_command_writes_is_found)
{
	static const struct want rows[] = {
		{"", 0, SCAN_CLEAN, ""},
		{" \n\n", 0, SCAN_CLEAN, ""},
		{"\n  Miner /tmp/x \nmore\n", 0, SCAN_FOUND, "Miner /tmp/x"},
		{"Eicar", 1, SCAN_FOUND, "Eicar"},
		{"", 1, SCAN_FAILED, ""},
		{"Eicar\n", 2, SCAN_FAILED, ""},
		{"a\x1b[2Jb\x7f", 0, SCAN_FOUND, "a?[2Jb?"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct verdict v;

		verdict_of_output(str_of(rows[i].said), rows[i].status << 8, &v);
		check(&v, &rows[i]);
	}
}

TEST(a_command_that_is_killed_says_nothing)
{
	struct verdict v;

	verdict_of_output(STR("Eicar\n"), 9, &v);
	CHECK_INT(v.outcome, SCAN_FAILED);
	CHECK_INT(v.n, 0);
}

TEST(a_server_answers_with_a_line)
{
	static const struct want rows[] = {
		{"OK\n", 0, SCAN_CLEAN, ""},
		{"OK\r\n", 0, SCAN_CLEAN, ""},
		{"FOUND Eicar\n", 0, SCAN_FOUND, "Eicar"},
		{"FOUND\n", 0, SCAN_FOUND, ""},
		{"FOUNDRY\n", 0, SCAN_FAILED, ""},
		{"ERROR busy\n", 0, SCAN_FAILED, ""},
		{"", 0, SCAN_FAILED, ""},
		{"\nOK\n", 0, SCAN_FAILED, ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct verdict v;

		verdict_of_reply(str_of(rows[i].said), &v);
		check(&v, &rows[i]);
	}
}

TEST(clamd_names_the_descriptor_first)
{
	static const struct want rows[] = {
		{"fd[10]: OK\n", 0, SCAN_CLEAN, ""},
		{"fd[10]: Win.Test.EICAR_HDB-1 FOUND\n", 0, SCAN_FOUND, "Win.Test.EICAR_HDB-1"},
		{"fd[10]: a: b FOUND\n", 0, SCAN_FOUND, "a: b"},
		{"fd[10]: lstat() failed: No such file or directory. ERROR\n", 0, SCAN_FAILED, ""},
		{"UNKNOWN COMMAND\n", 0, SCAN_FAILED, ""},
		{"OK\n", 0, SCAN_FAILED, ""},
		{"", 0, SCAN_FAILED, ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct verdict v;

		verdict_of_clamd(str_of(rows[i].said), &v);
		check(&v, &rows[i]);
	}
}

TEST(a_long_text_is_cut)
{
	char said[2 * VERDICT_MAX];
	struct verdict v;

	memset(said, 'x', sizeof(said));
	verdict_of_output((struct str){said, sizeof(said)}, 0, &v);
	CHECK_INT(v.outcome, SCAN_FOUND);
	CHECK_INT(v.n, VERDICT_MAX);
}
