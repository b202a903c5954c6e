/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/gateway.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "sandbox/answer.h"
#include "sandbox/http.h"

static const char *const modes[] = {"ok", "down", "slow", "5xx", "hang"};
const struct words gateway_mode_words = {modes, sizeof modes / sizeof modes[0]};

struct gateway {
	struct sockaddr_storage address;
	struct operations operations;
	atomic_uint_fast64_t requests;

	pthread_mutex_t mutex; /* guards: mode, ms */
	enum gateway_mode mode;
	int ms;

	pthread_mutex_t switching; /* guards: server; held while its port opens or closes, never by
				      a request */
	struct http_server *server;
};

static void gateway_serve(void *context, struct http_exchange *exchange, struct answer *answer)
{
	struct gateway *gateway = context;
	enum gateway_mode mode;
	int ms;

	atomic_fetch_add(&gateway->requests, 1);
	pthread_mutex_lock(&gateway->mutex);
	mode = gateway->mode;
	ms = gateway->ms;
	pthread_mutex_unlock(&gateway->mutex);
	switch (mode) {
	case GATEWAY_OK:
		operations_serve(&gateway->operations, exchange, 0, answer);
		break;
	case GATEWAY_SLOW:
		operations_serve(&gateway->operations, exchange, ms, answer);
		break;
	case GATEWAY_DOWN:
		answer_close(answer);
		break;
	case GATEWAY_5XX:
		answer_refuse(answer, REFUSAL_FAULT, NULL);
		break;
	case GATEWAY_HANG:
		http_exchange_hold(exchange);
		answer_close(answer);
		break;
	}
}

/* Under `switching`. */
static enum err port_open(struct gateway *gateway)
{
	if (gateway->server != NULL)
		return ERR_OK;
	return http_server_open(&gateway->address, gateway_serve, gateway, &gateway->server);
}

/* Under `switching`. */
static void port_close(struct gateway *gateway)
{
	http_server_close(gateway->server);
	gateway->server = NULL;
}

enum err gateway_open(const struct sockaddr_storage *address, const struct operations *operations,
		      struct gateway **gateway)
{
	struct gateway *opened = calloc(1, sizeof *opened);
	enum err err;

	if (opened == NULL)
		return ERR_MEMORY;
	opened->address = *address;
	opened->operations = *operations;
	(void)pthread_mutex_init(&opened->mutex, NULL);
	(void)pthread_mutex_init(&opened->switching, NULL);
	err = gateway_mode_set(opened, GATEWAY_OK, 0);
	if (err != ERR_OK) {
		gateway_close(opened);
		return err;
	}
	*gateway = opened;
	return ERR_OK;
}

void gateway_close(struct gateway *gateway)
{
	if (gateway == NULL)
		return;
	port_close(gateway);
	(void)pthread_mutex_destroy(&gateway->switching);
	(void)pthread_mutex_destroy(&gateway->mutex);
	free(gateway);
}

static void mode_store(struct gateway *gateway, enum gateway_mode mode, int ms)
{
	pthread_mutex_lock(&gateway->mutex);
	gateway->mode = mode;
	gateway->ms = ms;
	pthread_mutex_unlock(&gateway->mutex);
}

/* The mode is in force before the port opens, and after `down` nothing more is done for requests
 * being closed. */
enum err gateway_mode_set(struct gateway *gateway, enum gateway_mode mode, int ms)
{
	enum err err = ERR_OK;

	assert(ms >= 0 && ms <= GATEWAY_MODE_MAX_MS);
	pthread_mutex_lock(&gateway->switching);
	mode_store(gateway, mode, ms);
	if (mode == GATEWAY_DOWN)
		port_close(gateway);
	else
		err = port_open(gateway);
	if (err != ERR_OK)
		mode_store(gateway, GATEWAY_DOWN, 0);
	pthread_mutex_unlock(&gateway->switching);
	return err;
}

struct gateway_state gateway_state_get(struct gateway *gateway)
{
	struct gateway_state state = {.requests = atomic_load(&gateway->requests)};

	pthread_mutex_lock(&gateway->mutex);
	state.mode = gateway->mode;
	state.ms = gateway->ms;
	pthread_mutex_unlock(&gateway->mutex);
	state.charges = ledger_charges(gateway->operations.ledger, gateway->operations.profile);
	return state;
}
