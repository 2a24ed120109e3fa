//! `POST /v1/orders`, the express lane: one request, an order or a refusal.

use actix_web::{HttpResponse, web};

use crate::{
    base::{CheckoutId, Limits, Money, Origin, Person, Protocol},
    cart::{Ask, Command},
    checkout::{CheckoutRefused, Draft, DraftLine, Instrument, Means},
    http::{
        answer,
        asking::Asking,
        door::Door,
        kinds::Kind,
        paying::{self, Billed, Paying},
        problem::Problem,
        reading::{self, At},
        signals,
    },
    payment::Credential,
    pricing::{Method, Wish},
};

/// Places an order.
pub async fn place(door: web::Data<Door>, asking: Asking) -> Result<HttpResponse, Problem> {
    let body = asking.body();
    let draft = draft(&body, &door.limits)?;
    let Paying { tender, lacks } = paying(&body, &draft, &door.limits)?;
    let checkout = CheckoutId::new(door.clock.now(), &*door.chance);
    let command = Command::Express(Box::new(draft), Box::new(tender));
    let ask =
        Ask { checkout, asked: asking.asked(Origin::of(Protocol::V1)), if_version: None, command };
    let reply = door.carts.ask(ask).await;
    answer::of_reply(&reply.map_err(|error| paying::refused(error, lacks, refused))?)
}

#[expect(clippy::needless_pass_by_value, reason = "for paying::refused")]
fn refused(error: CheckoutRefused) -> Problem {
    Problem::of_checkout(&error, false)
}

fn draft(body: &At<'_>, limits: &Limits) -> Result<Draft, Problem> {
    let lines = body.get("lines")?;
    let lines = lines
        .items(limits.lines_per_cart)?
        .map(|line| draft_line(&line, limits))
        .collect::<Result<Vec<_>, _>>()?;
    if lines.is_empty() {
        let text = "An order has at least one line.".to_owned();
        return Err(body.get("lines")?.problem(Kind::Invalid, text));
    }
    let buyer = reading::buyer(&body.get("buyer")?, limits)?;
    if buyer.email.is_none() {
        return Err(Problem::new(Kind::Invalid, "The field `email` is missing.").at("/buyer/email"));
    }
    let shipping = body.find("shipping_address");
    let person = Person {
        buyer: Some(Box::new(buyer)),
        shipping: shipping.map(|at| reading::address(&at, limits)).transpose()?,
        ..Person::default()
    };
    let person = signals::observe(body, limits, person)?;
    let codes = match body.find("discount_codes") {
        Some(codes) => reading::codes(&codes, limits)?,
        None => Vec::new(),
    };
    let delivery = body.find("delivery").map(|at| delivery(&at, &person, limits)).transpose()?;
    let currency = reading::currency(body)?;
    Ok(Draft { currency, lines, person, codes, delivery, ..Draft::default() })
}

/// `{"method": "shipping", "option": "standard"}` to the shipping address, or
/// `{"method": "pickup", "location": "…"}`.
fn delivery(at: &At<'_>, person: &Person, limits: &Limits) -> Result<Wish, Problem> {
    let option = at.object()?.text_in("option", limits.text_bytes)?;
    let method = at.get("method")?;
    let (method, destination) = match method.text(limits.text_bytes)? {
        // The one address there is; the name is not shown.
        "shipping" => (Method::Shipping, person.shipping.is_some().then(|| "shipping".to_owned())),
        "pickup" => (Method::Pickup, at.text_in("location", limits.text_bytes)?),
        _ => {
            let text = "Goods come by `shipping` or `pickup`.".to_owned();
            return Err(method.problem(Kind::Invalid, text));
        }
    };
    Ok(Wish { method, destination, option })
}

fn draft_line(line: &At<'_>, limits: &Limits) -> Result<DraftLine, Problem> {
    Ok(DraftLine {
        id: line.text_in("id", limits.text_bytes)?,
        item: line.get("sku")?.text(limits.text_bytes)?.to_owned(),
        quantity: line.get("quantity")?.quantity(limits.quantity_per_line)?,
    })
}

fn paying(body: &At<'_>, draft: &Draft, limits: &Limits) -> Result<Paying, Problem> {
    let mut paying = Paying::of(billed(body, limits).map(Some), Person::default());
    paying.tender.expected_total = expected_total(body, draft)?;
    Ok(paying)
}

fn billed(body: &At<'_>, limits: &Limits) -> Result<Billed, Problem> {
    let payment = body.get("payment")?;
    let field = payment.object()?.get("token")?;
    let token = field.text(reading::TOKEN_BYTES)?.to_owned();
    if token.is_empty() {
        return Err(field.problem(Kind::Invalid, "Send a token of the payment handler.".into()));
    }
    let billing = payment.find("billing_address");
    let billing = billing.map(|at| reading::address(&at, limits)).transpose()?;
    let instrument = Instrument {
        id: "instrument_1".to_owned(),
        handler_id: payment.text_in("handler", limits.text_bytes)?.unwrap_or_default(),
        kind: "card".to_owned(),
        ..Instrument::default()
    };
    Ok((Means { instrument, credential: Credential::new(token) }, billing))
}

/// An amount without a currency is no total.
fn expected_total(body: &At<'_>, draft: &Draft) -> Result<Option<Money>, Problem> {
    let Some(field) = body.find("expected_total") else { return Ok(None) };
    let minor = field.integer()?;
    let Some(currency) = draft.currency else {
        let text = "With `expected_total` say the `currency` too.";
        return Err(Problem::new(Kind::Invalid, text).at("/currency"));
    };
    Ok(Some(Money::from_minor(minor, currency)))
}
