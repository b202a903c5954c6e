# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which test shows each rule of the HTTP contract. A test that is gone, or a route that no row is about, fails here."""
import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]

# Rules for every request, then keys: what is promised, and the tests ("file::name") that fail where it does not hold.
RULES = {
    "tokens: algorithm by key, kid, exp, nbf, iat, iss, aud; strict header and claims":
        "test_token_api::test_bad_token_is_refused test_token_api::test_good_token_is_taken "
        "test_token::token_key_check_accepts_each_key_for_its_own_algorithm_only",
    "tokens: weak keys are refused": "test_token::token_key_check_refuses_weak_and_foreign_keys "
        "test_token::token_key_check_refuses_short_and_uniform_hmac_keys test_programs::test_apid_refuses_a_weak_key",
    "tokens: keys rotate with an overlap": "test_reload::test_keys_rotate_under_load_without_a_failed_request",
    "payopsctl token issue": "test_token_api::test_issued_token_is_taken_and_is_of_the_same_kind",
    "scopes: 401 with WWW-Authenticate, 403 without the scope": "test_pipeline::pipeline_challenges_who_is_not_known "
        "test_access::test_each_scope_opens_its_own_routes_to_ones_own_objects test_access::test_every_route_has_a_decision",
    "another merchant's object is 404": "test_payment_api::test_another_merchants_transaction_is_not_there "
        "test_customers_api::test_another_merchants_customer_is_not_there test_api_keys_path::test_another_merchants_key_is_not_there",
    "API keys: hashed, scoped, expiring, two live for rotation":
        "test_api_keys_path::test_no_secret_is_logged_or_stored test_api_keys_path::test_no_key_allows_more_than_who_makes_it "
        "test_api_keys_path::test_an_expired_key_is_shown_as_such_and_refused "
        "test_api_keys_path::test_a_key_is_rotated_without_a_gap_and_never_a_third_time",
    "X-Api-Call-Id: the client's or minted": "test_payment_api::test_call_id_is_the_clients_where_it_is_well_formed "
        "test_payment_api::test_call_id_is_minted_where_the_clients_is_not_well_formed "
        "test_pipeline::pipeline_sends_its_headers_with_every_answer",
    "traceparent is accepted and passed on": "test_trace::test_a_trace_goes_on_to_the_gateway_with_another_parent "
        "test_trace::trace_parse_takes_what_the_standard_does test_trace::test_one_that_is_not_valid_is_as_good_as_none",
    "bodies: JSON or XML, the answer by Accept": "test_xml_api::test_accept_decides_and_else_the_requests_type "
        "test_xml_api::test_every_answer_can_be_had_in_xml",
    "bodies: 64 kB, depth 16, unknown and duplicate members, UTF-8": "test_bad_input::test_bad_request_is_refused "
        "test_payment_api::test_body_of_exactly_the_limit_is_taken",
    "XML: no DTD or entities": "test_xml_api::test_bad_xml_is_malformed",
    "XML: amounts are of major units": "test_xml_api::test_an_amount_of_minor_units_is_of_major_units_in_xml",
    "the order of refusals": "test_pipeline::pipeline_refuses_for_the_first_reason_in_order",
    "422 names every bad field": "test_bad_input::test_bad_request_is_refused test_xml_api::test_every_bad_field_is_listed",
    "an unknown query parameter is 400": "test_lists_api::test_what_is_not_understood_is_refused_never_passed_over",
    "money: forms, decimals, bounds, floats, currencies": "test_bad_input::test_bad_request_is_refused "
        "test_payment_api::test_amount_is_answered_in_the_form_it_came test_money::currency_exponents_are_those_of_the_standard",
    "errors: problem+json with all its members, no echo": "test_bad_input::test_refusals_tell_how_to_go_on "
        "test_bad_input::test_nothing_foreign_is_logged_or_answered_raw test_description::test_refusals_are_described",
    "402 where the caller waited": "test_wait_api::test_a_decline_is_402_with_what_to_do",
    "409 tells status and what is allowed": "test_control_api::test_what_ended_otherwise_cannot_be_started",
    "412 for a stale If-Match": "test_conditional_api::test_a_stale_change_is_refused_without_effect",
    "503 with Retry-After without a database": "test_database_faults::test_database_that_is_gone_and_back_loses_and_doubles_nothing",
    "an unknown outcome is 202, never an error": "test_wait_api::test_an_outcome_that_is_not_known_in_time_is_202",
    "limits: a bucket a merchant, RateLimit headers, 429": "test_pipeline::pipeline_limits_the_rate_of_a_merchant "
        "test_rate::rate_tells_what_is_left_and_when_there_is_more",
    "limits: writes are shed, reads and callbacks stay": "test_pipeline::pipeline_sheds_writes_but_neither_reads_nor_callbacks",
    "Request-Timeout: 1 to 30; what is too late is not started": "test_payment_api::test_deadlines_within_bounds_are_taken "
        "test_pipeline::pipeline_takes_a_timeout_of_1_to_30_whole_seconds test_pipeline::pipeline_does_not_start_what_is_too_late",
    "lists: filters": "test_lists_api::test_filters_let_pass_what_they_say_in_every_combination "
        "test_refunds_api::test_filters_let_pass_what_they_say_in_every_combination test_customers_api::test_filters_let_pass_what_they_say",
    "lists: limit, newest first, Link": "test_payment_api::test_history_has_50_by_default_and_the_limit_may_change_on_the_way "
        "test_lists_api::test_list_shows_the_same_as_each_object_newest_first test_lists_api::test_pages_join_without_loss_or_repeat",
    "lists: cursors are signed, with their filters": "test_lists_api::test_cursor_fits_only_the_list_it_came_from "
        "test_payment_api::test_tampered_cut_and_foreign_cursors_are_refused",
    "ETag, If-None-Match, If-Match": "test_payment_api::test_etag_is_the_version_and_saves_the_body "
        "test_conditional_api::test_a_change_of_the_named_version_is_made_and_answers_the_new_one",
    "HEAD, OPTIONS, 405 with Allow": "test_payment_api::test_head_is_get_without_its_body test_payment_api::test_methods_of_each_path",
    "no-store, nosniff, no server version": "test_payment_api::test_payment_is_accepted_with_exactly_the_promised_members_and_headers",
    "CORS by configured origins only": "test_cors::cors_allows_exactly_the_configured_origins "
        "test_conditional_api::test_no_origin_is_allowed_unless_configured",
    "keys: where they are required": "test_operations::test_withdrawal_needs_a_key_unless_the_merchant_may_do_without",
    "keys: 1 to 255 visible ASCII, bare or quoted, once": "test_idempotency_api::test_bare_and_quoted_keys_are_the_same "
        "test_idempotency_api::test_longest_key_is_taken_and_keys_are_told_apart_by_every_byte "
        "test_idempotency_key::idempotency_key_read_takes_none_but_never_two",
    "keys: a merchant's own": "test_idempotency_api::test_keys_of_two_merchants_do_not_meet",
    "keys: the fingerprint is of the canonical body": "test_idempotency_api::test_order_white_space_and_escapes_of_the_body_do_not_matter "
        "test_xml_api::test_json_and_xml_of_the_same_content_are_one_payment",
    "keys: the first answer byte for byte": "test_idempotency_api::test_repeated_request_gets_the_first_answer_byte_for_byte "
        "test_operations::test_repeated_request_is_answered_like_the_first",
    "keys: with wait, the object as it is now": "test_wait_api::test_the_same_key_again_tells_the_payment_as_it_is_now",
    "keys: one that is in flight": "test_idempotency_api::test_twenty_clients_with_one_key_make_one_payment "
        "test_control_api::test_key_that_is_being_committed_is_in_flight test_operations::test_one_key_in_flight_together_is_one_refund",
    "keys: other content is 422 and names the members": "test_idempotency_api::test_other_content_under_a_key_is_refused_by_the_names_of_its_members",
    "keys: a refusal leaves the key free": "test_idempotency_api::test_refusal_leaves_the_key_free",
    "keys: customers and payment methods take them": "test_customers_api::test_a_key_adds_one_customer "
        "test_customers_api::test_a_key_adds_one_payment_method test_customers_api::test_a_key_means_the_same_in_xml "
        "test_customers_api::test_with_one_key_at_once_one_is_added test_customers_api::test_a_refusal_leaves_the_key_free",
    "stored methods: at their gateway alone, refused alike": "test_stored_methods_api::test_a_payment_goes_to_the_gateway_that_knows_the_method "
        "test_stored_methods_api::test_after_a_decline_it_goes_nowhere_else test_stored_methods_api::test_what_is_not_this_customers_is_refused_alike "
        "test_stored_methods_api::test_deposits_and_withdrawals_take_it_in_json_and_xml test_stored_methods_api::test_a_key_is_answered_though_the_method_is_gone",
    "keys: cancel by key, and the wish is remembered": "test_control_api::test_cancel_by_key_cancels_what_was_not_sent "
        "test_control_api::test_success_after_a_wish_to_cancel_is_an_exception",
}

# Every path: the test that shows what it is for. What each refuses, and to whom, is walked by test_access and test_hostile.
PATHS = {
    "POST /transactions": "test_payment_api::test_payment_is_accepted_with_exactly_the_promised_members_and_headers",
    "GET /transactions": "test_lists_api::test_list_shows_the_same_as_each_object_newest_first",
    "POST /transactions/cancel-by-key": "test_control_api::test_cancel_by_key_cancels_what_was_not_sent",
    "GET /transactions/{transaction_id}": "test_payment_api::test_transaction_has_its_members_and_forms "
        "test_wait_api::test_refresh_asks_the_gateway_and_answers_what_it_said test_operations::test_customer_is_told_how_to_act",
    "PATCH /transactions/{transaction_id}": "test_amend_api::test_what_is_given_is_merged_and_the_rest_stays",
    "GET /transactions/{transaction_id}/events": "test_payment_api::test_events_are_numbered_without_gaps_and_tell_the_whole_life",
    "GET /transactions/{transaction_id}/attempts": "test_payment_api::test_attempts_show_each_try_masked",
    "GET /transactions/{transaction_id}/why": "test_why::test_why_a_completed_payment_was_charged "
        "test_why::test_why_a_payment_in_doubt_may_not_be_paid_again",
    "POST /transactions/{transaction_id}/process": "test_control_api::test_manual_payment_waits_for_its_start",
    "POST /transactions/{transaction_id}/cancel": "test_control_api::test_pending_payment_is_cancelled_and_its_token_wiped",
    "POST /transactions/{transaction_id}/capture": "test_operations::test_authorisation_is_captured_in_parts_and_ends_with_the_last",
    "POST /transactions/{transaction_id}/void": "test_operations::test_void_releases_and_is_asked_for_once",
    "POST /transactions/{transaction_id}/refunds": "test_operations::test_refunds_give_back_in_parts_until_nothing_is_left "
        "test_operations::test_64_clients_that_refund_together_never_pass_what_was_captured",
    "GET /transactions/{transaction_id}/refunds": "test_description::test_every_example_is_taken_and_answered_as_described",
    "GET /refunds": "test_refunds_api::test_list_shows_the_same_as_each_refund_newest_first",
    "GET /refunds/{refund_id}": "test_refunds_api::test_list_shows_the_same_as_each_refund_newest_first",
    "POST /deposit": "test_operations::test_deposit_takes_money",
    "POST /withdrawal": "test_operations::test_withdrawal_pays_out_once",
    "GET /idempotency-keys/{key}": "test_control_api::test_key_shows_what_it_began",
    "GET /customers/{customer_id}/transactions": "test_payment_api::test_history_leaves_the_customer_out_and_says_the_same_as_the_object",
    "POST /api-keys": "test_api_keys_path::test_a_key_is_made_shown_without_its_secret_and_works",
    "GET /api-keys": "test_api_keys_path::test_pages_join_without_loss_or_repeat",
    "GET /api-keys/{api_key_id}": "test_api_keys_path::test_a_key_is_made_shown_without_its_secret_and_works",
    "DELETE /api-keys/{api_key_id}": "test_api_keys_path::test_a_revoked_key_is_refused_within_two_seconds_for_good",
    "POST /api-keys/{api_key_id}/rotate": "test_api_keys_path::test_a_key_is_rotated_without_a_gap_and_never_a_third_time",
    "POST /customers": "test_customers_api::test_what_was_added_is_shown_as_it_was_sent",
    "GET /customers": "test_customers_api::test_filters_let_pass_what_they_say",
    "GET /customers/{customer_id}": "test_customers_api::test_the_version_is_an_etag",
    "PATCH /customers/{customer_id}": "test_customers_api::test_a_change_is_merged_and_the_rest_stays",
    "DELETE /customers/{customer_id}": "test_customers_api::test_erasing_leaves_money_rows_and_nothing_else",
    "POST /customers/{customer_id}/payment-methods": "test_customers_api::test_a_payment_method_is_kept_and_its_token_never_shown",
    "GET /customers/{customer_id}/payment-methods": "test_customers_api::test_one_is_the_default",
    "GET /customers/{customer_id}/payment-methods/{payment_method_id}":
        "test_customers_api::test_a_payment_method_is_kept_and_its_token_never_shown",
    "DELETE /customers/{customer_id}/payment-methods/{payment_method_id}":
        "test_customers_api::test_a_payment_method_is_deleted_for_good",
    "GET /gateways": "test_routing::test_gateways_are_listed_by_country_and_currency",
    "POST /routes/explain": "test_routing::test_explain_names_the_rules_that_missed_and_why",
    "POST /callback/{transaction_id}": "test_callback::test_callback_before_the_synchronous_answer_completes_the_payment_once "
        "test_callback::test_callback_of_the_old_clients_shape_is_taken_as_a_hint "
        "test_callback::test_callback_forged_is_401_and_has_no_effect test_xml_api::test_a_callback_in_xml_completes_the_payment",
    "POST /gateways/{gateway}/callbacks": "test_callback::test_callback_at_the_gateways_own_address_is_matched_by_reference",
    "GET /healthz": "test_payment_api::test_health_and_readiness",
    "GET /readyz": "test_payment_api::test_health_and_readiness",
    "GET /metrics": "test_payment_api::test_metrics_count_and_hold_templates_never_ids",
    "GET /openapi.json": "test_description::test_every_example_is_taken_and_answered_as_described",
    "GET /docs": "test_description::test_the_page_shows_every_operation_and_needs_nothing_else "
        "test_docs::test_the_page_starts_swagger_ui_and_asks_no_other_host",
    "GET /docs/{file}": "test_docs::test_its_files_are_served_as_they_are test_docs::test_the_plain_page_stays",
}


def known_tests():
    """"file::name" of all there are, of Python and of C."""
    found = set()
    for path in TOP.glob("tests/integration/test_*.py"):
        found |= {f"{path.stem}::{name}" for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.M)}
    for path in TOP.glob("tests/unit/test_*.c"):
        found |= {f"{path.stem}::{name}" for name in re.findall(r"START_TEST\((\w+)\)", path.read_text())}
    return found


def routes():
    text = (TOP / "apid/route.def").read_text()
    return {f"{method} {path}" for method, path in re.findall(r'^ROUTE\("(\w+)", "([^"]+)"', text, re.M)}


KNOWN = known_tests()


def missing(row):
    return [name for name in row.split() if name not in KNOWN]


@pytest.mark.parametrize("rule", [*RULES, *PATHS])
def test_each_rule_is_shown_by_tests_that_exist(rule):
    row = RULES.get(rule) or PATHS[rule]

    assert row.split()
    assert missing(row) == []


def test_every_route_has_a_row_and_every_row_a_route():
    assert len(routes()) > 40
    assert sorted(routes() - PATHS.keys()) == []
    assert sorted(PATHS.keys() - routes()) == []


def test_a_test_that_does_not_exist_is_noticed():
    assert missing("test_trace::test_two_lines_are_none test_trace::test_nothing test_nowhere::test_x") == \
        ["test_trace::test_nothing", "test_nowhere::test_x"]
