/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/bench/connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

bool connection_open(struct connection *connection, int port, int epoll, uint32_t index)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				     .data.u32 = index };
	int one = 1, descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (descriptor == -1)
		return false;
	if (connect(descriptor, (const struct sockaddr *)&address, sizeof address) != 0 ||
	    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
	    fcntl(descriptor, F_SETFL, O_NONBLOCK) != 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
		close(descriptor);
		return false;
	}
	connection->socket = descriptor;
	connection->busy = false;
	return true;
}

void connection_close(struct connection *connection)
{
	if (connection->socket != -1)
		close(connection->socket);
	connection->socket = -1;
	connection->busy = false;
}

static enum connection_outcome broken(struct connection *connection)
{
	connection_close(connection);
	return CONNECTION_BROKEN;
}

static enum connection_outcome send_rest(struct connection *connection)
{
	while (connection->sent < connection->request_size) {
		ssize_t size = send(connection->socket, connection->request + connection->sent,
				    connection->request_size - connection->sent, MSG_NOSIGNAL);

		if (size > 0)
			connection->sent += (size_t)size;
		else if (errno == EAGAIN)
			return CONNECTION_WAITS;
		else if (errno != EINTR)
			return broken(connection);
	}
	return CONNECTION_WAITS;
}

enum connection_outcome connection_begin(struct connection *connection, size_t request_size)
{
	connection->busy = true;
	connection->request_size = request_size;
	connection->sent = 0;
	connection->received = 0;
	connection->wanted = 0;
	return send_rest(connection);
}

/* Status and length, once the head is there. False: it is no answer that can be measured. */
static bool head_read(struct connection *connection)
{
	static const char length_name[] = "\r\nContent-Length:";
	char *end = strstr(connection->answer, "\r\n\r\n"), *length;

	if (end == NULL)
		return connection->received < CONNECTION_ANSWER_KEPT;
	if (strncmp(connection->answer, "HTTP/1.1 ", 9) != 0)
		return false;
	length = strcasestr(connection->answer, length_name);
	if (length == NULL || length > end)
		return false;
	connection->status = (int)strtol(connection->answer + 9, NULL, 10);
	connection->wanted = (size_t)(end + 4 - connection->answer) +
			     (size_t)strtoul(length + sizeof length_name - 1, NULL, 10);
	return connection->status >= 200 && connection->status < 600;
}

/* What is beyond the kept beginning is only counted. Returns as recv(2). */
static ssize_t receive(struct connection *connection)
{
	char beyond[65536];
	size_t kept = connection->received;
	ssize_t size;

	if (kept >= CONNECTION_ANSWER_KEPT)
		return recv(connection->socket, beyond, sizeof beyond, 0);
	size = recv(connection->socket, connection->answer + kept, CONNECTION_ANSWER_KEPT - kept,
		    0);
	if (size > 0)
		connection->answer[kept + (size_t)size] = '\0';
	return size;
}

enum connection_outcome connection_continue(struct connection *connection)
{
	if (connection->busy && send_rest(connection) == CONNECTION_BROKEN)
		return CONNECTION_BROKEN;
	for (;;) {
		ssize_t size = receive(connection);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && errno == EAGAIN)
			return CONNECTION_WAITS;
		if (size <= 0 || !connection->busy)
			return broken(connection);
		connection->received += (size_t)size;
		if (connection->wanted == 0 && !head_read(connection))
			return broken(connection);
		if (connection->wanted != 0 && connection->received >= connection->wanted) {
			connection->busy = false;
			return CONNECTION_ANSWERED;
		}
	}
}
