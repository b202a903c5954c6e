# SPDX-FileCopyrightText: payops contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The generated Python client pays, waits, refunds, lists, keeps a customer, and is refused: as a shop would use it."""
import json
import os
import uuid

import payops_client as payops

KEY = "client-py-" + uuid.uuid4().hex[:12].replace("0", "g").replace("1", "h")


def pay(api):
    order = payops.PaymentRequest(amount=payops.AmountGiven(1000), currency=payops.Currency.USD, description="Order",
                                  payment_method=payops.PaymentMethodKind.CREDIT_CARD, customer_id=KEY)
    made = api.create_transaction(order, idempotency_key=KEY)
    again = api.create_transaction(order, idempotency_key=KEY)
    assert made.transaction_id == again.transaction_id, "one key, one payment"
    for _ in range(6):
        payment = api.get_transaction(made.transaction_id, wait=5)
        if payment.status not in (payops.TransactionStatus.PENDING, payops.TransactionStatus.PROCESSING):
            break
    assert payment.status == payops.TransactionStatus.COMPLETED, payment
    assert payment.amount.actual_instance == 1000
    waited = api.create_transaction(order.model_copy(update={"description": "At once"}), wait=20)
    assert waited.status == payops.TransactionStatus.COMPLETED and waited.amount.actual_instance == 1000, waited
    return payment


def refund(api, payment):
    made = api.refund_transaction(payment.transaction_id, KEY + "-back", refund_request=payops.RefundRequest(
        amount=payops.AmountGiven("2.50"), reason="One came back"))
    assert api.get_refund(made.refund_id).amount.actual_instance == "2.50"
    assert [one.refund_id for one in api.list_transaction_refunds(payment.transaction_id)] == [made.refund_id]


def lists(payments, proof, payment):
    history = payments.list_customer_transactions(KEY, limit=20)
    assert payment.transaction_id in [one.transaction_id for one in history]
    chosen = payments.list_transactions(status=[payops.TransactionStatus.COMPLETED], customer_id=KEY,
                                        method=payops.PaymentMethodKind.CREDIT_CARD, var_from=payment.created_at)
    assert payment.transaction_id in [one.transaction_id for one in chosen]
    events = proof.list_events(payment.transaction_id)
    assert [one.sequence for one in events] == list(range(1, len(events) + 1))
    assert proof.explain_transaction(payment.transaction_id).charged == payops.Charged.YES
    assert proof.list_attempts(payment.transaction_id)[0].gateway


def customer(api):
    name = KEY + "-customer"
    api.create_customer(payops.CustomerRequest(customer_id=name, name="Ana Wijaya", country=payops.Country.ID,
                                               address=payops.AddressRequest(city="Jakarta"), metadata={"tier": "gold"}))
    method = api.add_payment_method(name, payops.PaymentMethodRequest(
        gateway="alpha", payment_token="tok_ok", payment_method=payops.PaymentMethodKind.CREDIT_CARD, last4="4242"))
    assert [one.payment_method_id for one in api.list_payment_methods(name)] == [method.payment_method_id]
    assert api.update_customer(name, payops.CustomerUpdate(name="Ana")).address.city == "Jakarta"
    api.erase_customer(name)


def transfer(api):
    made = api.create_deposit(payops.TransferRequest(user_id=payops.UserId(123), currency=payops.Currency.USD,
                                                     amount=payops.AmountGiven("100.50")))
    assert made.status == payops.TransactionStatus.PENDING


def refusals(api):
    order = payops.PaymentRequest(amount=payops.AmountGiven("1.001"), currency=payops.Currency.USD, customer_id=KEY,
                                  payment_method=payops.PaymentMethodKind.CREDIT_CARD)
    try:
        api.create_transaction(order)
        raise AssertionError("three decimals of a dollar were taken")
    except payops.ApiException as error:
        problem = payops.Problem.from_dict(json.loads(error.body))
        assert (error.status, problem.code) == (422, payops.ErrorCode.VALIDATION_FAILED), error
        assert problem.errors[0].var_field == "amount"
    try:
        api.get_transaction("trans_0000000000000000000000000Z")
        raise AssertionError("a payment was found that nobody made")
    except payops.exceptions.NotFoundException as error:
        assert json.loads(error.body)["code"] == "not_found"


def main():
    configuration = payops.Configuration(host=os.environ["PAYOPS_URL"], access_token=os.environ["PAYOPS_TOKEN"])
    with payops.ApiClient(configuration) as client:
        payments = payops.PaymentsApi(client)
        payment = pay(payments)
        refund(payops.CapturesAndRefundsApi(client), payment)
        lists(payments, payops.ProofApi(client), payment)
        customer(payops.CustomersApi(client))
        transfer(payops.DepositsAndWithdrawalsApi(client))
        refusals(payments)
    print("paid", payment.transaction_id)


main()
