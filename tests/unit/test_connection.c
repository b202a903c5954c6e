/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/connection.h"

#include "unit.h"

static const struct {
	unsigned code;
	enum err err;
	bool lost;
} codes[] = {
	{ 1062, ERR_CONFLICT, false },   /* duplicate entry */
	{ 1452, ERR_NOT_FOUND, false },  /* no parent row */
	{ 1205, ERR_BUSY, false },       /* lock wait timeout */
	{ 1213, ERR_BUSY, false },       /* deadlock, Galera's certification */
	{ 1020, ERR_BUSY, false },       /* record has changed */
	{ 1317, ERR_BUSY, false },       /* query interrupted */
	{ 1047, ERR_BUSY, false },       /* Galera: node not ready */
	{ 1040, ERR_UNAVAILABLE, true }, /* too many connections */
	{ 1053, ERR_UNAVAILABLE, true }, /* shutdown in progress */
	{ 1152, ERR_UNAVAILABLE, true }, /* aborted connection */
	{ 1158, ERR_UNAVAILABLE, true }, /* network, four of them */
	{ 1159, ERR_UNAVAILABLE, true },  { 1160, ERR_UNAVAILABLE, true },
	{ 1161, ERR_UNAVAILABLE, true },  { 1927, ERR_UNAVAILABLE, true }, /* killed, MariaDB */
	{ 3169, ERR_UNAVAILABLE, true },                                   /* killed, MySQL */
	{ 4031, ERR_UNAVAILABLE, true },  /* idle too long, MySQL */
	{ 1021, ERR_UNAVAILABLE, false }, /* disk full */
	{ 1114, ERR_UNAVAILABLE, false }, /* table full */
	{ 1290, ERR_UNAVAILABLE, false }, /* read-only */
	{ 1836, ERR_UNAVAILABLE, false }, { 2002, ERR_UNAVAILABLE, true }, /* no socket */
	{ 2003, ERR_UNAVAILABLE, true },                                   /* no host */
	{ 2006, ERR_UNAVAILABLE, true }, /* server has gone away */
	{ 2013, ERR_UNAVAILABLE, true }, /* lost during a query */
	{ 2055, ERR_UNAVAILABLE, true },  { 2008, ERR_MEMORY, true },
	{ 2014, ERR_STORE, true },  /* out of sync: a bug */
	{ 2031, ERR_STORE, true },  /* parameters not bound: a bug */
	{ 1048, ERR_STORE, false }, /* column cannot be null */
	{ 1064, ERR_STORE, false }, /* syntax */
	{ 1142, ERR_STORE, false }, /* denied */
	{ 1264, ERR_STORE, false }, /* out of range */
	{ 1406, ERR_STORE, false }, /* too long */
	{ 1451, ERR_STORE, false }, /* has children */
	{ 3819, ERR_STORE, false }, /* CHECK, MySQL */
	{ 4025, ERR_STORE, false }, /* CHECK, MariaDB */
	{ 0, ERR_STORE, false },          { 99999, ERR_STORE, false },
};

START_TEST(connection_err_maps_each_number)
{
	bool lost = !codes[_i].lost;

	ck_assert_int_eq(connection_err(codes[_i].code, &lost), codes[_i].err);
	ck_assert_int_eq(lost, codes[_i].lost);
	ck_assert_int_eq(connection_err(codes[_i].code, NULL), codes[_i].err);
}
END_TEST

UNIT_MAIN("connection", {
	tcase_add_loop_test(tests, connection_err_maps_each_number, 0,
			    (int)(sizeof codes / sizeof codes[0]));
})
