/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "apid/swagger_ui.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"

#define FILE_SIZE_MAX ((size_t)4 << 20) /* the bundle of 5.35 has 1.5 MB */
#define PATH_SIZE 4200
#define HTML_TYPE "text/html; charset=utf-8"
#define SCRIPT_TYPE "text/javascript; charset=utf-8"

static const char page[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<title>payops API</title>\n"
	"<link rel=\"icon\" type=\"image/png\" href=\"docs/favicon-32x32.png\">\n"
	"<link rel=\"stylesheet\" href=\"docs/swagger-ui.css\">\n</head>\n<body>\n"
	"<div class=\"swagger-ui\"><p class=\"wrapper\"><a class=\"link\" href=\"docs/plain\">"
	"The same as one plain page</a>, without scripts.</p></div>\n"
	"<div id=\"ui\"></div>\n"
	"<script src=\"docs/swagger-ui-bundle.js\"></script>\n"
	"<script src=\"docs/start.js\"></script>\n</body>\n</html>\n";

/* Nothing is asked of another host, and no token outlives the page. */
static const char start[] =
	"SwaggerUIBundle({ url: \"openapi.json\", dom_id: \"#ui\", deepLinking: true, "
	"validatorUrl: null, persistAuthorization: false, docExpansion: \"list\", "
	"defaultModelsExpandDepth: 0 });\n";

enum { FILE_PAGE, FILE_START, FILE_STYLE, FILE_BUNDLE, FILE_ICON, FILE_COUNT };

/* Without `own` bytes it is read from a file of that name. */
static const struct {
	const char *name;
	const char *type;
	const char *own;
} rows[FILE_COUNT] = {
	[FILE_PAGE] = { "", HTML_TYPE, page },
	[FILE_START] = { "start.js", SCRIPT_TYPE, start },
	[FILE_STYLE] = { "swagger-ui.css", "text/css; charset=utf-8", NULL },
	[FILE_BUNDLE] = { "swagger-ui-bundle.js", SCRIPT_TYPE, NULL },
	[FILE_ICON] = { "favicon-32x32.png", "image/png", NULL },
};

struct swagger_ui {
	void *read[FILE_COUNT]; /* NULL for what is not read from a file */
	struct swagger_ui_file files[FILE_COUNT];
};

/* All of a file; NULL with what is wrong. */
static void *file_read(const char *path, size_t *size, const char **wrong)
{
	FILE *file = fopen(path, "re");
	void *bytes, *fitting;

	*wrong = file == NULL ? strerror(errno) : "cannot be read whole, or is larger than 4 MB";
	if (file == NULL)
		return NULL;
	bytes = malloc(FILE_SIZE_MAX + 1);
	*size = bytes == NULL ? 0 : fread(bytes, 1, FILE_SIZE_MAX + 1, file);
	if (*size == 0 || *size > FILE_SIZE_MAX || ferror(file) != 0) {
		free(bytes);
		bytes = NULL;
	}
	(void)fclose(file);
	fitting = bytes != NULL ? realloc(bytes, *size) : NULL;
	return fitting != NULL ? fitting : bytes;
}

static void file_fill(struct swagger_ui_file *file, const char *type, const void *bytes,
		      size_t size)
{
	uint8_t hash[CRYPTO_SHA256_SIZE];

	*file = (struct swagger_ui_file){ .type = type, .bytes = bytes, .size = size };
	crypto_sha256(bytes, size, hash);
	memcpy(&file->version, hash, sizeof file->version);
}

enum err swagger_ui_read(const char *directory, struct swagger_ui **ui, char *why, size_t why_size)
{
	struct swagger_ui *made = calloc(1, sizeof *made);

	if (made == NULL)
		return ERR_MEMORY;
	for (int i = 0; i < FILE_COUNT; i++) {
		char path[PATH_SIZE];
		const char *wrong;
		size_t size;

		if (rows[i].own != NULL) {
			file_fill(&made->files[i], rows[i].type, rows[i].own, strlen(rows[i].own));
			continue;
		}
		(void)snprintf(path, sizeof path, "%s/%s", directory, rows[i].name);
		made->read[i] = file_read(path, &size, &wrong);
		if (made->read[i] == NULL) {
			(void)snprintf(why, why_size, "%s: %s", path, wrong);
			swagger_ui_free(made);
			return ERR_NOT_FOUND;
		}
		file_fill(&made->files[i], rows[i].type, made->read[i], size);
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

const struct swagger_ui_file *swagger_ui_page(const struct swagger_ui *ui)
{
	return &ui->files[FILE_PAGE];
}

const struct swagger_ui_file *swagger_ui_find(const struct swagger_ui *ui, const char *name)
{
	for (int i = FILE_PAGE + 1; i < FILE_COUNT; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &ui->files[i];
	return NULL;
}
