/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* The dispatcher's end: what its committers still do when its calls are over. */
#include "apid/dispatcher.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "service/settings_live.h"
#include "tests/unit/service_fixture.h"

#define CONNECT_MS 700

static struct service service;

static void create(void)
{
	service_create(&service, "dispatcher");
}

static void drop(void)
{
	service_drop(&service);
}

static void set_up(void)
{
	service_open(&service);
}

static void tear_down(void)
{
	service_close(&service);
}

static struct settings_live *live_new(struct settings *settings)
{
	struct settings_live *live;

	atomic_init(&settings->holders, 1);
	ck_assert_int_eq(settings_live_new(settings, &live), ERR_OK);
	return live;
}

/* A port where connecting never ends: its queue holds one connection, which is there already. */
struct full_port {
	int listener;
	int first;
};

static void full_port_open(struct full_port *port, struct gateway *gateway)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;

	port->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	port->first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(port->listener, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(port->listener, 0), 0);
	ck_assert_int_eq(getsockname(port->listener, (struct sockaddr *)&address, &size), 0);
	ck_assert_int_eq(connect(port->first, (struct sockaddr *)&address, size), 0);
	snprintf(gateway->base_url, sizeof gateway->base_url, "http://127.0.0.1:%d",
		 ntohs(address.sin_port));
	gateway->connect_timeout_ms = CONNECT_MS;
}

static void full_port_close(struct full_port *port)
{
	close(port->first);
	close(port->listener);
}

/* Somebody else who holds an operation for a while. */
struct holder {
	struct id operation_id;
	sem_t held;
	int64_t span_us;
};

static enum err hold_work(struct store_tx *tx, void *context)
{
	struct holder *holder = context;
	struct operation_row operation;
	enum err err = store_operation_lock(tx, holder->operation_id, &operation);

	sem_post(&holder->held);
	clock_sleep_us(holder->span_us);
	return err;
}

static void *hold(void *context)
{
	ck_assert_int_eq(store_run(service.store, hold_work, context), ERR_OK);
	return NULL;
}

START_TEST(what_is_recorded_at_the_very_end_needs_no_client_any_more)
{
	struct settings in_force = { .in_flight_max = 8 };
	struct dispatcher_settings settings = { .pool = service.pool,
						.database = &service.database,
						.live = live_new(&in_force) };
	struct story story = story_pending(&service, clock_now_us());
	struct holder holder = { .operation_id = story.operation.id, .span_us = 2 * SECOND_US };
	struct dispatcher *dispatcher;
	struct full_port port;
	pthread_t thread;

	full_port_open(&port, &service.gateways.list[0]);
	service_publish(&service);
	story_put(&service, &story);
	ck_assert_int_eq(metrics_new(&settings.metrics), ERR_OK);
	in_force.due = service.due;
	ck_assert_int_eq(dispatcher_start(&settings, &dispatcher), ERR_OK);
	while (story_attempts(&service, &story) == 0)
		clock_sleep_us(SECOND_US / 100);
	sem_init(&holder.held, 0, 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, hold, &holder), 0);
	sem_wait(&holder.held);
	clock_sleep_us((CONNECT_MS + 500) *
		       INT64_C(1000)); /* its outcome waits for the operation */

	dispatcher_stop(dispatcher, 0);

	pthread_join(thread, NULL);
	metrics_free(settings.metrics);
	settings_live_free(settings.live);
	full_port_close(&port);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM attempt "
						  "WHERE status = 'not_sent'"),
			 1);
}
END_TEST

START_TEST(what_was_refused_is_recorded_at_the_end_where_the_database_is_back)
{
	char directory[] = "/tmp/payops-test-dispatcher-XXXXXX";
	char path[64];
	struct store_settings database = service.database;
	struct settings in_force = { .in_flight_max = 8 };
	struct dispatcher_settings settings = { .pool = service.pool,
						.database = &database,
						.live = live_new(&in_force) };
	struct story story = story_pending(&service, clock_now_us());
	struct dispatcher *dispatcher;

	ck_assert_ptr_nonnull(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/s", directory);
	database.socket = path; /* of the committers: nobody is there yet */
	story_put(&service, &story);
	ck_assert_int_eq(metrics_new(&settings.metrics), ERR_OK);
	in_force.due = service.due;
	ck_assert_int_eq(dispatcher_start(&settings, &dispatcher), ERR_OK);
	while (dispatcher_outcomes(dispatcher).batches == 0)
		clock_sleep_us(SECOND_US / 100);
	clock_sleep_us(SECOND_US / 10); /* it was refused, and waits for its next turn */
	ck_assert_int_eq(symlink(service.database.socket, path), 0);

	dispatcher_stop(dispatcher, 0);

	metrics_free(settings.metrics);
	settings_live_free(settings.live);
	unlink(path);
	rmdir(directory);
	ck_assert_int_eq(service_number(&service, "SELECT COUNT(*) FROM attempt "
						  "WHERE status = 'not_sent'"),
			 1);
}
END_TEST

UNIT_MAIN("dispatcher", {
	service_require();
	tcase_add_unchecked_fixture(tests, create, drop);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, what_is_recorded_at_the_very_end_needs_no_client_any_more);
	tcase_add_test(tests, what_was_refused_is_recorded_at_the_end_where_the_database_is_back);
})
