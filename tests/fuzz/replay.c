/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzzer's entry point over every file of its corpus folder. */
#include "base/alloc.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data;
	long size;

	if (!f || fseek(f, 0, SEEK_END) || (size = ftell(f)) < 0)
		return -1;
	rewind(f);
	data = xmalloc((size_t)size);
	if (fread(data, 1, (size_t)size, f) != (size_t)size)
		return -1;
	fclose(f);
	LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	DIR *d = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *entry;
	unsigned n = 0;

	if (!d) {
		fprintf(stderr, "usage: %s CORPUS-FOLDER\n", argv[0]);
		return 2;
	}
	while ((entry = readdir(d))) {
		char *path;

		if (entry->d_name[0] == '.')
			continue;
		path = xasprintf("%s/%s", argv[1], entry->d_name);
		if (run_file(path) < 0) {
			perror(path);
			return 1;
		}
		free(path);
		n++;
	}
	closedir(d);
	if (!n) {
		fprintf(stderr, "%s: no files\n", argv[1]);
		return 1;
	}
	return 0;
}
