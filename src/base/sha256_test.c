/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sha256.h"

#include "base/test.h"

#include <stdlib.h>

static const char *hash(struct str s)
{
	static char text[SHA256_TEXT];

	sha256_text(s, text);
	return text;
}

TEST(hashes_are_those_of_the_standard)
{
	CHECK_STR(hash(STR_EMPTY),
		  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	CHECK_STR(hash(STR("abc")),
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	CHECK_STR(hash(STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(a_million_of_one_letter_is_many_blocks)
{
	char *text = malloc(1000000);

	memset(text, 'a', 1000000);
	CHECK_STR(hash((struct str){text, 1000000}),
		  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(text);
}
