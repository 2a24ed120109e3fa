//! Captures, voids and refunds. The order is read before each: it tells what was done already, by
//! whom and how much of it.

use serde::de::IgnoredAny;
use serde_json::json;

use super::{
    PayPal,
    amount::Amount,
    calls::{Answered, id, refused, unknown},
    wire::{Movement, Order, Payments},
};
use crate::{
    base::Money,
    ledger::row::OperationKind,
    payment::{GatewayFault, MoneyRequest, Moved},
};

impl PayPal {
    /// PayPal would take up to 15 % more than was authorized: that it does not come to that is
    /// ours to keep.
    pub(super) async fn take(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        let (order, amount) = (self.order_of(request).await?, amount(request)?);
        let key = request.key(OperationKind::Capture);
        let captures = &payments(&order).captures;
        let is_ours = |capture: &&Movement| capture.invoice_id.as_deref() == Some(&key);
        if let Some(capture) = captures.iter().find(is_ours) {
            return moved(capture);
        }
        let taken: i64 = captures.iter().map(Movement::minor).sum();
        let authorized = order.money().map_or(0, |money| money.minor());
        if taken.saturating_add(request.amount.minor()) > authorized {
            return refuse("it would capture more than was authorized");
        }
        let authorization = authorization(&order)?;
        let path = format!("/v2/payments/authorizations/{}/capture", id(authorization)?);
        let body = json!({ "amount": amount, "invoice_id": key, "final_capture": false });
        match self.post::<Movement>(&path, &body, Some(&key)).await? {
            Answered::Done(capture) => moved(&capture),
            Answered::Failed(error) => Err(refused(&error)),
        }
    }

    /// A void has no key: the state is read first, and again where PayPal says no.
    pub(super) async fn let_go(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        let order = self.order_of(request).await?;
        if let Some(ended) = void_of(&order) {
            return ended;
        }
        let path = format!("/v2/payments/authorizations/{}/void", id(authorization(&order)?)?);
        match self.post::<IgnoredAny>(&path, &json!({}), None).await? {
            Answered::Done(_) => Ok(Moved::Done),
            Answered::Failed(error) => match void_of(&self.order_of(request).await?) {
                Some(ended) => ended,
                None => Err(refused(&error)),
            },
        }
    }

    /// A refund is of one capture at PayPal. One that is more than the first has left goes on with
    /// the next: each capture gives back at most once for each of our refunds.
    pub(super) async fn give_back(&self, request: &MoneyRequest) -> Result<Moved, GatewayFault> {
        let order = self.order_of(request).await?;
        let (payments, key) = (payments(&order), request.key(OperationKind::Refund));
        let (mut left, mut pieces) = (request.amount.minor(), Vec::new());
        for capture in &payments.captures {
            let piece = Piece::of(capture, &payments.refunds, &key, left);
            left -= piece.minor();
            pieces.push(piece);
        }
        // Nothing is given back of what cannot be given back whole.
        if left > 0 {
            return refuse("it would give back more than was captured");
        }
        let mut all = Moved::Done;
        for piece in pieces {
            let one = match piece {
                Piece::Nothing => continue,
                Piece::Given(refund) => moved(refund)?,
                Piece::Owed(capture, minor) => self.give_back_of(capture, minor, request).await?,
            };
            all = if one == Moved::Accepted { one } else { all };
        }
        Ok(all)
    }

    async fn give_back_of(
        &self,
        capture: &str,
        minor: i64,
        request: &MoneyRequest,
    ) -> Result<Moved, GatewayFault> {
        let piece = Money::from_minor(minor, request.amount.currency());
        let piece = MoneyRequest { amount: piece, ..request.clone() };
        let name = request.key(OperationKind::Refund);
        let body = json!({ "amount": amount(&piece)?, "custom_id": name });
        let path = format!("/v2/payments/captures/{}/refund", id(capture)?);
        let key = format!("{name}-{capture}");
        match self.post::<Movement>(&path, &body, Some(&key)).await? {
            Answered::Done(refund) => moved(&refund),
            Answered::Failed(error) => Err(refused(&error)),
        }
    }

    /// The order that a debt is of; of another attempt or currency nothing moves.
    async fn order_of(&self, request: &MoneyRequest) -> Result<Order, GatewayFault> {
        let order = self.order(&request.authorization).await?;
        let order = order.ok_or_else(|| unknown("PayPal does not know the order any more"))?;
        let currency = order.money().map(|money| money.currency());
        let is_ours = order.reference() == Some(request.reference);
        if is_ours && currency == Some(request.amount.currency()) {
            return Ok(order);
        }
        tracing::error!(
            attempt.id = %request.reference, paypal_order = order.id,
            reference = ?order.reference(),
            "PayPal's order is not the one that money is to move of"
        );
        Err(unknown("PayPal's order is of another payment"))
    }
}

/// What one capture has to do with a refund.
enum Piece<'a> {
    /// Nothing of it is left, or nothing more is needed.
    Nothing,
    /// It was given back before.
    Given(&'a Movement),
    /// So many minor units of this capture are to be given back.
    Owed(&'a str, i64),
}

impl<'a> Piece<'a> {
    fn of(capture: &'a Movement, refunds: &'a [Movement], key: &str, left: i64) -> Self {
        let of_capture = refunds.iter().filter(|refund| refund.capture() == Some(&capture.id));
        let (ours, others): (Vec<_>, Vec<_>) =
            of_capture.partition(|refund| refund.custom_id.as_deref() == Some(key));
        let room = capture.minor() - others.into_iter().map(Movement::minor).sum::<i64>();
        match ours.first() {
            Some(refund) => Self::Given(refund),
            None if room.min(left) > 0 => Self::Owed(&capture.id, room.min(left)),
            None => Self::Nothing,
        }
    }

    fn minor(&self) -> i64 {
        match self {
            Self::Nothing => 0,
            Self::Given(refund) => refund.minor(),
            Self::Owed(_, minor) => *minor,
        }
    }
}

/// What a void of this order comes to without asking; none where it has to be asked for.
fn void_of(order: &Order) -> Option<Result<Moved, GatewayFault>> {
    match order.authorization().map(|authorization| &*authorization.status) {
        Some("VOIDED" | "DENIED" | "EXPIRED") => Some(Ok(Moved::Done)),
        Some("CAPTURED") => {
            let taken: i64 = payments(order).captures.iter().map(Movement::minor).sum();
            // What a last capture leaves, PayPal lets go by itself.
            let is_whole = order.money().is_some_and(|money| taken >= money.minor());
            let captured = || refuse("it is captured");
            Some(if is_whole { captured() } else { Ok(Moved::Done) })
        }
        Some(_) => None,
        None => Some(refuse("the order has no authorization")),
    }
}

fn payments(order: &Order) -> &Payments {
    static NONE: Payments =
        Payments { authorizations: Vec::new(), captures: Vec::new(), refunds: Vec::new() };
    order.unit().map_or(&NONE, |unit| &unit.payments)
}

fn authorization(order: &Order) -> Result<&str, GatewayFault> {
    let authorization = order.authorization().map(|authorization| authorization.id.as_str());
    authorization.ok_or_else(|| unknown("the order has no authorization"))
}

fn amount(request: &MoneyRequest) -> Result<Amount, GatewayFault> {
    Amount::of(request.amount).ok_or_else(|| {
        GatewayFault::Refused("amounts in this currency are whole at PayPal".to_owned())
    })
}

fn refuse(why: &str) -> Result<Moved, GatewayFault> {
    Err(GatewayFault::Refused(why.to_owned()))
}

/// What a capture or a refund came to. A status that nobody here knows stays owed.
fn moved(movement: &Movement) -> Result<Moved, GatewayFault> {
    match movement.status.as_str() {
        "COMPLETED" | "PARTIALLY_REFUNDED" | "REFUNDED" => Ok(Moved::Done),
        "DECLINED" | "FAILED" | "CANCELLED" => {
            Err(GatewayFault::Refused(format!("{} is {}", movement.id, movement.status)))
        }
        _ => Ok(Moved::Accepted),
    }
}
