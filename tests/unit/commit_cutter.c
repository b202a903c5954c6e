/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/commit_cutter.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NONE (-1)
#define CHUNK 16384

static const char commit_packet[] = "\x07\x00\x00\x00\x03"
				    "COMMIT";

static bool address_of(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return snprintf(address->sun_path, sizeof address->sun_path, "%s", path) <
	       (int)sizeof address->sun_path;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || !address_of(path, &address) ||
	    bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
	    listen(fd, COMMIT_CUTTER_LINKS) != 0)
		return NONE;
	return fd;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || !address_of(path, &address) ||
	    connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
		return NONE;
	return fd;
}

static void link_close(struct commit_link *link)
{
	if (link->client != NONE)
		close(link->client);
	if (link->server != NONE)
		close(link->server);
	*link = (struct commit_link){ .client = NONE, .server = NONE };
}

static void link_accept(struct commit_cutter *cutter)
{
	int client = accept(cutter->listener, NULL, NULL);

	for (int i = 0; i < COMMIT_CUTTER_LINKS; i++) {
		if (cutter->links[i].client != NONE)
			continue;
		cutter->links[i].client = client;
		cutter->links[i].server = connect_to(cutter->upstream);
		return;
	}
	close(client);
}

static bool write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t written = send(fd, bytes, size, MSG_NOSIGNAL);

		if (written <= 0)
			return false;
		bytes += written;
		size -= (size_t)written;
	}
	return true;
}

static bool take_one(atomic_int *counter)
{
	int left = atomic_load(counter);

	while (left > 0)
		if (atomic_compare_exchange_weak(counter, &left, left - 1))
			return true;
	return false;
}

/* A client speaks in turns, so that a command arrives by itself. Returns false to cut the connection. */
static bool pass_command(struct commit_cutter *cutter, struct commit_link *link)
{
	char bytes[CHUNK];
	ssize_t size = read(link->client, bytes, sizeof bytes);

	if (size <= 0)
		return false;
	if (size == sizeof commit_packet - 1 && memcmp(bytes, commit_packet, (size_t)size) == 0) {
		atomic_fetch_add(&cutter->commits, 1);
		if (take_one(&cutter->cut_before))
			return false;
		link->muted = take_one(&cutter->cut_after);
	}
	return write_all(link->server, bytes, (size_t)size);
}

static bool pass_answer(struct commit_link *link)
{
	char bytes[CHUNK];
	ssize_t size = read(link->server, bytes, sizeof bytes);

	return size > 0 && !link->muted && write_all(link->client, bytes, (size_t)size);
}

static void serve(struct commit_cutter *cutter, const struct pollfd *polled)
{
	for (int i = 0; i < COMMIT_CUTTER_LINKS; i++) {
		struct commit_link *link = &cutter->links[i];
		bool goes_on = true;

		if (link->client == NONE || polled[2 * i].fd != link->client)
			continue;
		if (polled[2 * i].revents != 0)
			goes_on = pass_command(cutter, link);
		if (goes_on && polled[2 * i + 1].revents != 0)
			goes_on = pass_answer(link);
		if (!goes_on)
			link_close(link);
	}
}

static void *cutter_main(void *context)
{
	struct commit_cutter *cutter = context;
	struct pollfd polled[2 * COMMIT_CUTTER_LINKS + 2];

	for (;;) {
		for (int i = 0; i < COMMIT_CUTTER_LINKS; i++) {
			polled[2 * i] = (struct pollfd){ cutter->links[i].client, POLLIN, 0 };
			polled[2 * i + 1] = (struct pollfd){ cutter->links[i].server, POLLIN, 0 };
		}
		polled[2 * COMMIT_CUTTER_LINKS] = (struct pollfd){ cutter->listener, POLLIN, 0 };
		polled[2 * COMMIT_CUTTER_LINKS + 1] = (struct pollfd){ cutter->wake[0], POLLIN, 0 };
		if (poll(polled, 2 * COMMIT_CUTTER_LINKS + 2, -1) < 0 ||
		    polled[2 * COMMIT_CUTTER_LINKS + 1].revents != 0)
			return NULL;
		serve(cutter, polled);
		if (polled[2 * COMMIT_CUTTER_LINKS].revents != 0)
			link_accept(cutter);
	}
}

bool commit_cutter_start(struct commit_cutter *cutter, const char *upstream)
{
	*cutter = (struct commit_cutter){ .directory = "/tmp/payops-test-cutter-XXXXXX",
					  .upstream = upstream };
	for (int i = 0; i < COMMIT_CUTTER_LINKS; i++)
		cutter->links[i] = (struct commit_link){ .client = NONE, .server = NONE };
	if (mkdtemp(cutter->directory) == NULL || pipe(cutter->wake) != 0)
		return false;
	snprintf(cutter->path, sizeof cutter->path, "%s/s", cutter->directory);
	cutter->listener = listen_at(cutter->path);
	return cutter->listener != NONE &&
	       pthread_create(&cutter->thread, NULL, cutter_main, cutter) == 0;
}

void commit_cutter_stop(struct commit_cutter *cutter)
{
	close(cutter->wake[1]);
	pthread_join(cutter->thread, NULL);
	close(cutter->wake[0]);
	close(cutter->listener);
	for (int i = 0; i < COMMIT_CUTTER_LINKS; i++)
		link_close(&cutter->links[i]);
	unlink(cutter->path);
	rmdir(cutter->directory);
}
