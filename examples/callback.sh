#!/usr/bin/env bash
# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A gateway's callback made by hand, as the old deposit service's third request, with the one thing it lacked: a signature.
#
#   examples/callback.sh TRANSACTION_ID [STATUS]
#
# Needs PAYOPS_URL, PAYOPS_TOKEN and PAYOPS_CALLBACK_SECRET, the file with the gateway's secret: eval "$(./dev env)".
# Something to try it on is a deposit with "payment_token": "tok_callback_never".
set -euo pipefail

: "${PAYOPS_URL:?run: eval \"\$(./dev env)\"}" "${PAYOPS_TOKEN:?run: eval \"\$(./dev env)\"}"
: "${PAYOPS_CALLBACK_SECRET:?run: eval \"\$(./dev env)\"}"
id=${1:?which transaction? callback.sh TRANSACTION_ID [STATUS]}
status=${2:-completed}

# What the gateway calls it: the last attempt's own reference.
reference=$(curl -sS --fail-with-body -H "Authorization: Bearer $PAYOPS_TOKEN" "$PAYOPS_URL/transactions/$id/attempts" |
	sed -n 's/.*"gateway_txn_id":"\([^"]*\)".*/\1/p')
[ -n "$reference" ] || { echo "$id has not reached a gateway yet" >&2 && exit 1; }

body=$(printf '{"gateway_txn_id":"%s","status":"%s"}' "$reference" "$status")
time=$(date +%s)
signature=$(printf '%s.%s' "$time" "$body" | openssl dgst -sha256 -hmac "$(cat "$PAYOPS_CALLBACK_SECRET")" -r | cut -d' ' -f1)

curl -sS --fail-with-body -H "Sandbox-Signature: t=$time,v1=$signature" -H 'Content-Type: application/json' -d "$body" \
	"$PAYOPS_URL/callback/$id"
echo
