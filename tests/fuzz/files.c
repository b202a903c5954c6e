/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that people write: settings, gateways, routes, and the small languages in them. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/routing_text.h"
#include "ctl/routing_file.h"
#include "service/settings.h"
#include "tests/fuzz/fuzz.h"

#define PATH_SIZE 64

/* A file in memory; its path names it by the descriptor. */
static int file_make(const uint8_t *bytes, size_t size, char path[PATH_SIZE])
{
	const int fd = memfd_create("payops-fuzz", MFD_CLOEXEC);

	fuzz_expect(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
	snprintf(path, PATH_SIZE, "/proc/self/fd/%d", fd);
	return fd;
}

void fuzz_settings(const uint8_t *bytes, size_t size)
{
	struct conf_table alone = settings_table;
	char path[PATH_SIZE], why[SETTINGS_WHY_SIZE] = "";
	const int fd = file_make(bytes, size, path);
	struct conf *conf;
	int out;

	alone.alone = true; /* no conf.d beside a descriptor */
	if (conf_load(&alone, path, &conf, why, sizeof why) == ERR_OK) {
		out = memfd_create("payops-fuzz-print", MFD_CLOEXEC);
		fuzz_expect(out >= 0);
		conf_print(conf, out);
		(void)close(out);
		conf_free(conf);
	} else {
		fuzz_expect(strlen(why) > 0);
	}
	(void)close(fd);
}

void fuzz_gateways_file(const uint8_t *bytes, size_t size)
{
	char path[PATH_SIZE], why[ROUTING_FILE_WHY_SIZE] = "";
	const int fd = file_make(bytes, size, path);
	struct gateways_file file;

	if (gateways_file_read(path, &file, why) == ERR_OK)
		gateways_file_done(&file);
	else
		fuzz_expect(strlen(why) > 0);
	(void)close(fd);
}

void fuzz_routes_file(const uint8_t *bytes, size_t size)
{
	char path[PATH_SIZE], why[ROUTING_FILE_WHY_SIZE] = "";
	const int fd = file_make(bytes, size, path);
	struct routes_file file;

	if (routes_file_read(path, &file, why) == ERR_OK) {
		fuzz_expect(file.rule_count > 0);
		routes_file_done(&file);
	} else {
		fuzz_expect(strlen(why) > 0);
	}
	(void)close(fd);
}

/* What was read is canonical: it is read again as itself. */
void fuzz_routing_text(const uint8_t *bytes, size_t size)
{
	struct routing_named_target targets[ROUTING_TARGETS_MAX];
	char once[ROUTING_SET_SIZE], twice[ROUTING_SET_SIZE], why[ROUTING_WHY_SIZE];
	char *text = fuzz_text(bytes, size);
	size_t count;

	for (int words = ROUTING_CURRENCIES; words <= ROUTING_MERCHANTS; words++) {
		if (!routing_set_read((enum routing_words)words, text, once, why))
			continue;
		fuzz_expect(routing_set_read((enum routing_words)words, once, twice, why));
		fuzz_expect(strcmp(once, twice) == 0);
	}
	if (routing_limits_read(text, once, why)) {
		fuzz_expect(routing_limits_read(once, twice, why));
		fuzz_expect(strcmp(once, twice) == 0);
		(void)routing_limits_allow(once, (struct money){ 1000, "USD" });
	}
	if (routing_targets_read(text, targets, &count, why))
		fuzz_expect(count >= 1 && count <= ROUTING_TARGETS_MAX);
	free(text);
}
