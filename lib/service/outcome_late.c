/* SPDX-FileCopyrightText: payops contributors
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "service/outcome_private.h"

#include "core/consequence.h"

#include <stdio.h>
#include <string.h>

/* Its gateway says that it took back what it had done. */
static bool tells_end(const struct scene *scene)
{
	return (int)scene->answer->event == consequence_late_undone_by(scene->operation.kind);
}

bool outcome_is_late(const struct scene *scene)
{
	const struct attempt_row *attempt = &scene->attempt;
	const bool tells =
		scene->answer->event == AE_SUCCEEDED ||
		(tells_end(scene) && (attempt->contradicted_at_us != 0 ||
				      consequence_undoing_implies(scene->operation.kind)));

	return tells &&
	       (attempt_contradicts(attempt->status, AE_SUCCEEDED) ||
		(attempt->status != AS_SUCCEEDED && operation_is_final(scene->operation.status)));
}

static void text_set(char *field, size_t size, const char *text)
{
	snprintf(field, size, "%s", text);
}

/* What a refund of the surplus will need: the gateway's reference, and what it said. */
static void evidence_keep(struct scene *scene)
{
	struct attempt_row *attempt = &scene->attempt;

	if (attempt->gateway_ref[0] == '\0')
		text_set(attempt->gateway_ref, sizeof attempt->gateway_ref,
			 scene->answer->gateway_ref);
	if (scene->answer->masked[0] != '\0')
		text_set(attempt->answer_masked, sizeof attempt->answer_masked,
			 scene->answer->masked);
}

static enum err success_store(struct scene *scene)
{
	enum err err;

	scene->attempt.contradicted_at_us = scene->now_us;
	scene->change.late = POSTING_LATE_FOUND;
	evidence_keep(scene);
	err = outcome_exception_open(scene, EXCEPTION_LATE_SUCCESS);
	if (err == ERR_OK && scene->operation.status == OS_PROCESSING &&
	    scene->operation.next_action == NEXT_SEND)
		err = outcome_park(scene, "exception_open");
	return err == ERR_OK
		       ? outcome_step_write(scene, "attempt_contradicted", scene->answer->reason)
		       : err;
}

/*
 * Nothing is left for a human where the end is certain, and nothing waits for him. Else he goes on, and knows: what he
 * settled already stays as he did.
 */
static enum err exception_tell(struct scene *scene)
{
	const struct exception_place place = { scene->transaction.id, scene->attempt.id,
					       EXCEPTION_LATE_SUCCESS };
	const char *gateway = scene->attempt.gateway;
	const char *reference = scene->attempt.gateway_ref;
	char detail[EXCEPTION_DETAIL_SIZE];

	if (scene->report->without_amount)
		snprintf(detail, sizeof detail,
			 "%s took it back, as it said without an amount: look whether all of it "
			 "came "
			 "back (its reference: %s)",
			 gateway, reference);
	else if (operation_is_final(scene->operation.status))
		snprintf(detail, sizeof detail, "%s took it back: nothing of it is left (%s)",
			 gateway, words_text(attempt_event_words, (int)scene->answer->event));
	else
		snprintf(detail, sizeof detail,
			 "%s took it back: nothing of it is left, but it is not decided how the "
			 "%s goes on (its reference: %s)",
			 gateway, words_text(operation_kind_words, (int)scene->operation.kind),
			 reference);
	if (scene->report->without_amount || !operation_is_final(scene->operation.status))
		return store_exception_tell(scene->tx, &place, detail);
	return store_exception_resolve(scene->tx, &place, detail, scene->now_us);
}

/* It is being given back, or was: what its gateway tells of is that. */
static enum err is_given_back(struct scene *scene, bool *given_back)
{
	struct operation_row refund;
	enum err err = store_operation_find_surplus(scene->tx, scene->attempt.id, &refund);

	*given_back = err == ERR_OK;
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err end_store(struct scene *scene)
{
	bool known;
	enum err err = store_event_find_reversed(scene->tx, scene->transaction.id,
						 scene->attempt.id, &known);

	if (err == ERR_OK && !known) {
		scene->change.late = POSTING_LATE_UNDONE;
		evidence_keep(scene);
		err = outcome_step_write(scene, "late_success_reversed", scene->answer->reason);
	}
	return err == ERR_OK ? exception_tell(scene) : err;
}

enum err outcome_late(struct scene *scene, enum outcome_effect *effect)
{
	bool given_back = false;
	enum err err = ERR_OK;

	if (tells_end(scene))
		err = is_given_back(scene, &given_back);
	if (err != ERR_OK || given_back)
		return err;
	*effect = OUTCOME_CONTRADICTED;
	if (scene->attempt.contradicted_at_us == 0) {
		err = success_store(scene);
		outcome_step_begin(scene);
	}
	return err == ERR_OK && tells_end(scene) ? end_store(scene) : err;
}
