#!/usr/bin/env bash
# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A front-end developer's first hour with curl: pay, wait, give part of it back, read the history, meet a refusal, and the
# old deposit service's requests in JSON and in XML. Needs PAYOPS_URL and PAYOPS_TOKEN: eval "$(./dev env)".
set -euo pipefail

: "${PAYOPS_URL:?run: eval \"\$(./dev env)\"}" "${PAYOPS_TOKEN:?run: eval \"\$(./dev env)\"}"

# call PATH [CURL-OPTION…]: the answer's body, whatever its status.
call() {
	local path=$1
	shift
	curl -sS --max-time 30 -H "Authorization: Bearer $PAYOPS_TOKEN" "$@" "$PAYOPS_URL$path"
}

# member NAME: the first text member of that name in the JSON on standard input.
member() { sed -n "s/\"$1\":\"\([^\"]*\)\".*/\n\1/; s/.*\n//p"; }

# expect WANTED GOT WHAT
expect() {
	[ "$2" = "$1" ] || { printf '%s is "%s", not "%s"\n' "$3" "$2" "$1" >&2 && exit 1; }
	printf '%s: %s\n' "$3" "$2"
}

json='Content-Type: application/json'
key=first-hour-$(cat /proc/sys/kernel/random/uuid) # in your shop: the order's number
payment='{"amount":1000,"currency":"USD","payment_method":"credit_card","description":"Payment for order #1234","customer_id":"cust_001"}'

echo '--- pay; the same key again gets the same payment, however often'
id=$(call /transactions -H "$json" -H "Idempotency-Key: $key" -d "$payment" | member transaction_id)
again=$(call /transactions -H "$json" -H "Idempotency-Key: $key" -d "$payment" | member transaction_id)
expect "$id" "$again" 'the payment'

echo '--- wait for its outcome'
status=processing
for _ in 1 2 3 4 5 6; do
	status=$(call "/transactions/$id?wait=5" | member status)
	case $status in pending | processing) ;; *) break ;; esac
done
expect completed "$status" 'its status'

echo '--- give a quarter back; a refund always needs a key'
call "/transactions/$id/refunds" -H "$json" -H "Idempotency-Key: $key-refund" -d '{"amount":250,"reason":"One came back"}'
printf '\n%s\n' '--- what happened, and the customer'"'"'s payments'
call "/transactions/$id/events"
echo
call '/customers/cust_001/transactions?limit=2'

printf '\n%s\n' '--- a refusal says what is wrong; program against its code'
refused=$(call /transactions -H "$json" -d "${payment/1000/10.5}")
echo "$refused"
expect validation_failed "$(member code <<<"$refused")" 'its code'

echo '--- the old deposit service'"'"'s requests, in JSON and in XML'
deposit=$(call /deposit -H "$json" -d '{"user_id":123,"amount":"100.50","currency":"USD"}')
expect pending "$(member status <<<"$deposit")" 'the deposit'
withdrawal=$(call /withdrawal -H 'Content-Type: application/xml' \
	-d '<transaction><user_id>123</user_id><amount>50.25</amount><currency>USD</currency></transaction>')
expect pending "$(sed -n 's:.*<status>\(.*\)</status>.*:\1:p' <<<"$withdrawal")" 'the withdrawal'
