/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/conf_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PROBLEM_SIZE (CONF_PATH_SIZE + 1024)
#define LEFT_OUT_SIZE 32 /* room for the line that counts the problems left out */

void conf_problems_raise(struct conf_problems *problems, enum err err)
{
	if (err == ERR_MEMORY || problems->err == ERR_OK ||
	    (err == ERR_IO && problems->err == ERR_CONFIG))
		problems->err = err;
}

void conf_problem(struct conf_problems *problems, const char *file, struct conf_place place,
		  const char *format, ...)
{
	char text[PROBLEM_SIZE], at[32] = "";
	size_t room, size;
	va_list arguments;
	int before;

	conf_problems_raise(problems, ERR_CONFIG);
	if (place.line > 0)
		snprintf(at, sizeof at, "%u:", place.line);
	if (place.line > 0 && place.column > 0)
		snprintf(at, sizeof at, "%u:%u:", place.line, place.column);
	before = snprintf(text, sizeof text, "%s%s:%s ", problems->used == 0 ? "" : "\n", file,
			  at);
	if (before < 0 || (size_t)before >= sizeof text)
		before = 0;
	va_start(arguments, format);
	vsnprintf(text + before, sizeof text - (size_t)before, format, arguments);
	va_end(arguments);

	size = strlen(text);
	room = problems->size - problems->used - 1;
	if (problems->used == 0 && size > room)
		size = room;
	if (problems->used > 0 && size + LEFT_OUT_SIZE > room) {
		problems->left_out++;
		return;
	}
	memcpy(problems->text + problems->used, text, size);
	problems->used += size;
	problems->text[problems->used] = '\0';
}

void conf_problems_end(struct conf_problems *problems)
{
	size_t room = problems->size - problems->used;

	if (problems->left_out > 0 && room > LEFT_OUT_SIZE)
		snprintf(problems->text + problems->used, room, "\nand %zu more",
			 problems->left_out);
}
