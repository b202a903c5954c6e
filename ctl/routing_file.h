/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The files that gateways and routes are applied from, judged as a whole before anything is changed.
 *
 * Invariant  every problem is named as "file:line:column: message"; what was read is canonical rows
 * Ownership  the files own their rows: gateways_file_done(), routes_file_done()
 * Threads    main thread only
 * Source     payops-routes(5)
 */
#ifndef CTL_ROUTING_FILE_H
#define CTL_ROUTING_FILE_H

#include <stddef.h>

#include "base/conf.h"
#include "store/gateway.h"
#include "store/route.h"

#define ROUTING_FILE_WHY_SIZE 8192

struct gateways_file {
	size_t count;
	struct gateway_row *rows; /* state and maintenance are not of the file: enabled, none */
	size_t account_count;
	struct gateway_account_row *accounts;
};

/* Returns ERR_OK; ERR_CONFIG, ERR_IO with all problems in `why`; ERR_MEMORY. */
CHECKED enum err gateways_file_read(const char *path, struct gateways_file *file,
				    char why[ROUTING_FILE_WHY_SIZE]);
void gateways_file_done(struct gateways_file *file);

struct routes_file {
	const char *path;
	struct conf *conf; /* for the places of what is found wrong later */
	size_t rule_count;
	struct route_rule_row *rules;
	size_t target_count;
	struct route_target_row *targets;
};

/* Returns as gateways_file_read(). Whether the gateways exist is judged where they are applied. */
CHECKED enum err routes_file_read(const char *path, struct routes_file *file,
				  char why[ROUTING_FILE_WHY_SIZE]);
void routes_file_done(struct routes_file *file);

/* Add a problem with a setting of the n-th rule (1, …). */
void routes_file_problem(const struct routes_file *file, struct conf_problems *problems, int number,
			 const char *name, const char *text);

#endif
