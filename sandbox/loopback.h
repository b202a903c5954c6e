/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Loopback: the sandbox listens and calls on this machine only.
 *
 * Threads    safe: pure functions
 * Source     RFC 1122 section 3.2.1.3 (127/8), RFC 4291 section 2.5.3 (::1)
 */
#ifndef SANDBOX_LOOPBACK_H
#define SANDBOX_LOOPBACK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * Read a numeric loopback address, "127.0.0.1" or "::1", and join it with a port.
 * Returns  true and writes *address; false (untouched) for anything else, host names too
 */
bool loopback_address(const char *text, uint16_t port, struct sockaddr_storage *address);

/* True for "http://HOST[:PORT][/…]" where HOST is localhost, 127.x.x.x or [::1] and PORT
 * is 1..65535. */
bool loopback_url(const char *url);

#endif
