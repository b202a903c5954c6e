/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
/* Pages: the manual pages of section 7, each made from tables. */
#ifndef MAN_PAGES_H
#define MAN_PAGES_H

#include "man/mdoc.h"

void page_states(struct mdoc *page);
void page_errors(struct mdoc *page);
void page_api(struct mdoc *page);

#endif
