//! Orders: made, taken over, paid, looked up.
//!
//! An order is made before anything is said of how it is paid, by a body of nothing but the
//! attempt, its order and its amount. So whoever has lost the answer makes the same call again
//! under the same key, and is answered the same order: PayPal has no look-up by our own names.

use serde::de::IgnoredAny;
use serde_json::{Value, json};
use std::time::Duration;

use super::{
    PayPal,
    amount::Amount,
    answers::challenge,
    calls::{Answered, id, unknown},
    declines::decline,
    source,
    wire::{ErrorBody, Order, payer_action},
};
use crate::{
    base::Timestamp,
    payment::{
        AuthorizeRequest, Authorized, Challenge, Decline, DeclineCode, GatewayFault, Lookup,
    },
};

/// PayPal keeps the keys of orders for six hours. Short of that the same call is no longer sure to
/// be answered the same order.
const KEYS_LAST: Duration = Duration::from_secs(6 * 60 * 60 - 10 * 60);

impl PayPal {
    /// The order of a payment, made where there is none yet. It can move nothing by itself.
    pub(super) async fn create(&self, asked: &Lookup) -> Result<Answered<Order>, GatewayFault> {
        let reference = asked.reference;
        let Some(amount) = Amount::of(asked.amount) else {
            return Ok(Answered::Failed(ErrorBody {
                name: Some("DECIMAL_PRECISION".to_owned()),
                ..ErrorBody::default()
            }));
        };
        let body = json!({
            "intent": "AUTHORIZE",
            "purchase_units": [{
                "reference_id": reference,
                "custom_id": reference,
                "invoice_id": asked.order,
                "amount": amount,
            }],
        });
        let key = format!("{reference}-authorize");
        match self.post("/v2/checkout/orders", &body, Some(&key)).await? {
            Answered::Done(order) => self.whole(order).await.map(Answered::Done),
            Answered::Failed(error) => Ok(Answered::Failed(error)),
        }
    }

    /// The same, for whoever has lost the answer: none where nothing can have been asked.
    pub(super) async fn create_again(&self, asked: &Lookup) -> Result<Option<Order>, GatewayFault> {
        let now = self.clock.now();
        if now <= asked.not_after {
            // Whoever asks is still about to, and asking again under the key is the look-up.
            return Ok(None);
        }
        if now.since(asked.reference.begun_at()) > KEYS_LAST {
            let (reference, order) = (asked.reference, asked.order);
            tracing::error!(
                attempt.id = %reference, order.id = %order,
                "PayPal has forgotten the key of this payment by now: look for the invoice of this \
                 order under Activity in PayPal's dashboard, and void what stands there"
            );
            return Err(unknown("PayPal's key of it has lapsed; a person has to look it up"));
        }
        match self.create(asked).await? {
            Answered::Done(order) => Ok(Some(order)),
            // Then the first call was refused as well: there is no order.
            Answered::Failed(_) => Ok(None),
        }
    }

    /// An order as it is now.
    pub(super) async fn order(&self, name: &str) -> Result<Option<Order>, GatewayFault> {
        match self.get(&format!("/v2/checkout/orders/{}", id(name)?)).await? {
            Answered::Done(order) => Ok(Some(order)),
            Answered::Failed(error)
                if matches!(error.issue(), "INVALID_RESOURCE_ID" | "RESOURCE_NOT_FOUND") =>
            {
                Ok(None)
            }
            Answered::Failed(error) => Err(unknown(&error.words())),
        }
    }

    /// An order in full, where the answer said less than that.
    async fn whole(&self, order: Order) -> Result<Order, GatewayFault> {
        if order.money().is_some() && order.reference().is_some() {
            return Ok(order);
        }
        let now = self.order(&order.id).await?;
        now.ok_or_else(|| unknown("an order is gone that was there a moment ago"))
    }

    /// Sends the buyer to PayPal.
    pub(super) async fn send_buyer(
        &self,
        order: &Order,
        request: &AuthorizeRequest,
    ) -> Result<Authorized, GatewayFault> {
        let path = format!("/v2/checkout/orders/{}/confirm-payment-source", id(&order.id)?);
        let body = source::redirect(&request.return_url);
        let confirmed: Order = match self.post(&path, &body, None).await? {
            Answered::Done(confirmed) => confirmed,
            Answered::Failed(error) => return Ok(Authorized::Declined(decline(&error))),
        };
        match confirmed.payer_action() {
            Some(url) => Ok(Authorized::Challenged(Challenge {
                id: Some(order.id.clone()),
                url,
                until: None,
            })),
            None => self.as_it_is(&order.id, &request.lookup()).await,
        }
    }

    /// Authorizes an order: the only call that puts money aside, and PayPal does it once for each
    /// order, whatever the keys. What was kept, and what the buyer has agreed to since, have a key
    /// each: the calls say different things.
    pub(super) async fn pay(
        &self,
        order: &str,
        (word, body): (&str, &Value),
        asked: &Lookup,
    ) -> Result<Authorized, GatewayFault> {
        let path = format!("/v2/checkout/orders/{}/authorize", id(order)?);
        let key = format!("{}-{word}", asked.reference);
        let error: ErrorBody = match self.post(&path, body, Some(&key)).await? {
            Answered::Done(paid) => return self.authorized(&self.whole(paid).await?, asked),
            Answered::Failed(error) => error,
        };
        match error.issue() {
            // Somebody was faster: what is true the order says.
            "ORDER_ALREADY_AUTHORIZED" | "ORDER_COMPLETED_OR_VOIDED" => {
                self.as_it_is(order, asked).await
            }
            "PAYER_ACTION_REQUIRED" => match payer_action(&error.links) {
                Some(url) => {
                    let id = Some(order.to_owned());
                    Ok(Authorized::Challenged(Challenge { id, url, until: None }))
                }
                None => self.as_it_is(order, asked).await,
            },
            _ => Ok(Authorized::Declined(decline(&error))),
        }
    }

    async fn as_it_is(&self, order: &str, asked: &Lookup) -> Result<Authorized, GatewayFault> {
        let now = self.order(order).await?;
        let now = now.ok_or_else(|| unknown("an order is gone that was there a moment ago"))?;
        self.authorized(&now, asked)
    }

    /// Takes an order that PayPal's buttons made on the platform's page: the attempt's name is
    /// written on it, and it waits to be gone on with. The last attempt that has written its name
    /// before the order is authorized is the one that it pays for.
    pub(super) async fn take_over(
        &self,
        name: &str,
        request: &AuthorizeRequest,
    ) -> Result<Authorized, GatewayFault> {
        let no = |why: &str| {
            let decline = Decline::new(DeclineCode::InvalidInstrument, why);
            Ok(Authorized::Declined(decline))
        };
        let Some(order) = self.order(name).await? else {
            return no("PayPal knows no such order");
        };
        if order.intent != "AUTHORIZE" {
            return no("the order at PayPal is not made with intent AUTHORIZE");
        }
        if order.money() != Some(request.amount) {
            return no("the order at PayPal is of another amount");
        }
        let is_ours = order.reference() == Some(request.reference);
        if order.authorization().is_some() {
            return match is_ours {
                true => self.authorized(&order, &request.lookup()),
                false => no("the order at PayPal has paid for something else"),
            };
        }
        if !is_ours && !self.write_name(&order, request).await? {
            return no("the order at PayPal cannot be changed any more");
        }
        match order.status.as_str() {
            "APPROVED" => {
                // Nothing is left for the buyer to do but to come back.
                let url = request.return_url.clone();
                Ok(Authorized::Challenged(Challenge { id: Some(order.id), url, until: None }))
            }
            _ => challenge(&order).map(Authorized::Challenged),
        }
    }

    async fn write_name(
        &self,
        order: &Order,
        request: &AuthorizeRequest,
    ) -> Result<bool, GatewayFault> {
        let Some(unit) = order.unit() else { return Ok(false) };
        let unit_name = unit.reference_id.as_deref().unwrap_or("default");
        let is_plain =
            |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' || byte == b'.';
        if !unit_name.bytes().all(is_plain) {
            return Ok(false);
        }
        let op = if unit.custom_id.is_some() { "replace" } else { "add" };
        let change = json!([{
            "op": op,
            "path": format!("/purchase_units/@reference_id=='{unit_name}'/custom_id"),
            "value": request.reference,
        }]);
        let path = format!("/v2/checkout/orders/{}", id(&order.id)?);
        Ok(matches!(self.patch::<IgnoredAny>(&path, &change).await?, Answered::Done(_)))
    }

    /// A call that would come too late is not made.
    pub(super) fn in_time(&self, not_after: Timestamp) -> Result<(), GatewayFault> {
        match self.clock.now() > not_after {
            true => Err(GatewayFault::NotSent("the call came after its deadline".into())),
            false => Ok(()),
        }
    }
}
