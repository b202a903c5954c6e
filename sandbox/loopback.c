/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "sandbox/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "core/text.h"

#define HOST_SIZE 64

bool loopback_address(const char *text, uint16_t port, struct sockaddr_storage *address)
{
	struct sockaddr_storage out = {0};
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	if (inet_pton(AF_INET, text, &four.sin_addr) == 1) {
		if (ntohl(four.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET)
			return false;
		memcpy(&out, &four, sizeof four);
	} else if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1) {
		if (!IN6_IS_ADDR_LOOPBACK(&six.sin6_addr))
			return false;
		memcpy(&out, &six, sizeof six);
	} else {
		return false;
	}
	*address = out;
	return true;
}

/* `text` starts behind the host: nothing, or ":PORT", then the end, a path or a query. */
static bool port_is_valid(const char *text)
{
	unsigned long port = 0;
	size_t digits;

	if (*text != ':')
		return *text == '\0' || *text == '/' || *text == '?';
	text++;
	digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 5)
		return false;
	for (size_t i = 0; i < digits; i++)
		port = port * 10 + (unsigned long)(text[i] - '0');
	return port >= 1 && port <= UINT16_MAX &&
	       (text[digits] == '\0' || strchr("/?", text[digits]) != NULL);
}

bool loopback_url(const char *url)
{
	static const char scheme[] = "http://";
	struct sockaddr_storage ignored;
	char host[HOST_SIZE] = {0};
	const char *end;
	bool bracketed;

	if (!text_is(TEXT_URL, url, strlen(url)) || strncmp(url, scheme, sizeof scheme - 1) != 0)
		return false;
	url += sizeof scheme - 1;
	bracketed = *url == '[';
	url += bracketed ? 1 : 0;
	end = url + strcspn(url, bracketed ? "]" : ":/?");
	if ((bracketed && *end != ']') || (size_t)(end - url) >= sizeof host)
		return false;
	memcpy(host, url, (size_t)(end - url));
	if (bracketed != (strchr(host, ':') != NULL) || !port_is_valid(end + (bracketed ? 1 : 0)))
		return false;
	return strcmp(host, "localhost") == 0 || loopback_address(host, 0, &ignored);
}
