"""Buys with a client that was generated from the service's own OpenAPI document."""

import sys
import uuid

from shop_client import Client
from shop_client.api.orders import get_order, place_order
from shop_client.api.ucp import ucp_complete_checkout, ucp_create_checkout, ucp_get_order
from shop_client.models import PlaceOrderBody, UcpCompleteCheckoutBody, UcpCreateCheckoutBody

shop = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)


def key():
    return str(uuid.uuid4())


def place(order, attempt):
    body = PlaceOrderBody.from_dict(order)
    return place_order.sync_detailed(client=shop, body=body, idempotency_key=attempt)


buyer = {"email": "ada@example.com"}
order = {
    "lines": [{"sku": "TEE-RED-M", "quantity": 2}],
    "buyer": buyer,
    "payment": {"token": "success_token"},
}
attempt = key()
placed, again = place(order, attempt).parsed, place(order, attempt).parsed
assert placed.status == "placed" and placed.id == again.id, (placed, again)
shown = get_order.sync(placed.id, client=shop)
assert shown.total == placed.total == 3980, shown
assert shown.lines[0].quantity == 2, shown

order["payment"]["token"] = "fail_token"
declined = place(order, key())
assert declined.status_code == 402, declined
assert declined.parsed.code == "payment_declined", declined

cart = {"line_items": [{"item": {"id": "MUG-ENAMEL"}, "quantity": 1}], "buyer": buyer}
opened = ucp_create_checkout.sync(
    client=shop, body=UcpCreateCheckoutBody.from_dict(cart), idempotency_key=key()
)
assert opened.status == "ready_for_complete", opened
instrument = {
    "id": "pi_1",
    "handler_id": "sandbox",
    "type": "card",
    "selected": True,
    "credential": {"type": "token", "token": "success_token"},
}
pays = UcpCompleteCheckoutBody.from_dict({"payment": {"instruments": [instrument]}})
paid = ucp_complete_checkout.sync(opened.id, client=shop, body=pays, idempotency_key=key())
assert paid.status == "completed", paid
bought = paid.additional_properties["order"]["id"]
assert ucp_get_order.sync(bought, client=shop).id == bought
print("bought", placed.id, bought)
