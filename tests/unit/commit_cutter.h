/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A socket between a store and its database that passes everything on, but cuts connections at their COMMIT: before it
 * reaches the server (nothing is committed), or when its answer comes back (it is committed, and nobody is told).
 *
 * Ownership  commit_cutter_start() … commit_cutter_stop(); the socket is removed by the latter
 * Threads    one thread of its own; the counters are atomic
 * Source     MySQL client/server protocol: a packet is 3 bytes of size, 1 of sequence, then the command (3: query)
 */
#ifndef TESTS_COMMIT_CUTTER_H
#define TESTS_COMMIT_CUTTER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define COMMIT_CUTTER_LINKS 8

struct commit_link {
	int client;
	int server;
	bool muted; /* its COMMIT went through; the answer will not */
};

struct commit_cutter {
	char directory[64];
	char path[96];        /* the socket to connect to */
	const char *upstream; /* the server's */
	atomic_int cut_before; /* so many COMMITs are cut before they reach the server */
	atomic_int cut_after;  /* so many are cut behind it */
	atomic_int commits;    /* seen so far */
	int listener;
	int wake[2];
	pthread_t thread;
	struct commit_link links[COMMIT_CUTTER_LINKS];
};

/* Returns false where no socket can be made. `upstream` is borrowed. */
bool commit_cutter_start(struct commit_cutter *cutter, const char *upstream);
void commit_cutter_stop(struct commit_cutter *cutter);

#endif
