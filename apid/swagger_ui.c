/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/swagger_ui.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SIZE_MAX ((size_t)4 << 20) /* the bundle of 5.35 has 1.5 MB */
#define PATH_SIZE 4096

const char swagger_ui_page[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>payops API</title>\n"
	"<link rel=\"stylesheet\" href=\"docs/swagger-ui.css\">\n</head>\n<body>\n"
	"<p><a href=\"docs/plain\">The same as one plain page</a>, without scripts.</p>\n"
	"<div id=\"ui\"></div>\n"
	"<script src=\"docs/swagger-ui-bundle.js\"></script>\n"
	"<script src=\"docs/start.js\"></script>\n</body>\n</html>\n";

/* Nothing is asked of another host, and no token outlives the page. */
static const char start[] =
	"SwaggerUIBundle({ url: \"openapi.json\", dom_id: \"#ui\", deepLinking: true, "
	"validatorUrl: null, persistAuthorization: false, docExpansion: \"list\", "
	"defaultModelsExpandDepth: 0 });\n";

enum { FILE_START, FILE_STYLE, FILE_BUNDLE, FILE_COUNT };

static const struct {
	const char *name;
	const char *type;
} rows[FILE_COUNT] = {
	[FILE_START] = { "start.js", "text/javascript; charset=utf-8" },
	[FILE_STYLE] = { "swagger-ui.css", "text/css; charset=utf-8" },
	[FILE_BUNDLE] = { "swagger-ui-bundle.js", "text/javascript; charset=utf-8" },
};

struct swagger_ui {
	char *read[FILE_COUNT]; /* NULL for what is not read from a file */
	struct swagger_ui_file files[FILE_COUNT];
};

/* All of a text file, NUL at its end; NULL with what is wrong. */
static char *text_read(const char *path, const char **wrong)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size;

	*wrong = file == NULL ? strerror(errno) : "cannot be read whole, or is larger than 4 MB";
	if (file == NULL)
		return NULL;
	text = malloc(FILE_SIZE_MAX + 1);
	size = text == NULL ? 0 : fread(text, 1, FILE_SIZE_MAX + 1, file);
	if (size == 0 || size > FILE_SIZE_MAX || ferror(file) != 0 ||
	    memchr(text, '\0', size) != NULL) {
		free(text);
		text = NULL;
	} else {
		char *fitting = realloc(text, size + 1);

		text = fitting != NULL ? fitting : text;
		text[size] = '\0';
	}
	(void)fclose(file);
	return text;
}

enum err swagger_ui_read(const char *directory, struct swagger_ui **ui, char *why, size_t why_size)
{
	struct swagger_ui *made = calloc(1, sizeof *made);

	if (made == NULL)
		return ERR_MEMORY;
	made->files[FILE_START] = (struct swagger_ui_file){ rows[FILE_START].type, start };
	for (int i = FILE_START + 1; i < FILE_COUNT; i++) {
		char path[PATH_SIZE];
		const char *wrong;

		(void)snprintf(path, sizeof path, "%s/%s", directory, rows[i].name);
		made->read[i] = text_read(path, &wrong);
		if (made->read[i] == NULL) {
			(void)snprintf(why, why_size, "%s: %s", path, wrong);
			swagger_ui_free(made);
			return ERR_NOT_FOUND;
		}
		made->files[i] = (struct swagger_ui_file){ rows[i].type, made->read[i] };
	}
	*ui = made;
	return ERR_OK;
}

void swagger_ui_free(struct swagger_ui *ui)
{
	if (ui == NULL)
		return;
	for (int i = 0; i < FILE_COUNT; i++)
		free(ui->read[i]);
	free(ui);
}

const struct swagger_ui_file *swagger_ui_find(const struct swagger_ui *ui, const char *name)
{
	for (int i = 0; ui != NULL && i < FILE_COUNT; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &ui->files[i];
	return NULL;
}
