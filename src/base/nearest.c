/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"

enum {
	LONGEST_NAME = 128,
	MOST_EDITS = 3, /* what is farther away is no typing error */
};

/* Edits (insert, delete, change a letter) that make b out of a; both at most LONGEST_NAME. */
static unsigned edit_distance(struct str a, struct str b)
{
	unsigned row[LONGEST_NAME + 1];

	for (unsigned k = 0; k <= b.n; k++)
		row[k] = k;
	for (unsigned i = 0; i < a.n; i++) {
		unsigned diagonal = row[0];

		row[0] = i + 1;
		for (unsigned k = 0; k < b.n; k++) {
			unsigned best = diagonal + (a.p[i] != b.p[k]);

			diagonal = row[k + 1];
			if (diagonal + 1 < best)
				best = diagonal + 1;
			if (row[k] + 1 < best)
				best = row[k] + 1;
			row[k + 1] = best;
		}
	}
	return row[b.n];
}

void nearest_init(struct nearest *n, struct str word)
{
	/* Half of a word is the most that can have been mistyped. */
	unsigned most = word.n / 2 < MOST_EDITS ? (unsigned)(word.n / 2) : MOST_EDITS;

	*n = (struct nearest){.word = word, .distance = most + 1};
}

void nearest_offer(struct nearest *n, const char *name)
{
	struct str s = str_of(name);
	unsigned d;

	if (n->word.n < 2 || n->word.n > LONGEST_NAME || s.n > LONGEST_NAME)
		return;
	if (s.n > n->word.n && str_starts(s, n->word))
		d = 1; /* the word was cut short */
	else
		d = edit_distance(n->word, s);
	if (d < n->distance) {
		n->distance = d;
		n->name = name;
	}
}

const char *nearest_name(struct str word, const void *names, size_t n, size_t stride)
{
	struct nearest near;

	nearest_init(&near, word);
	for (size_t i = 0; i < n; i++)
		nearest_offer(&near, *(const char *const *)((const char *)names + i * stride));
	return near.name;
}
