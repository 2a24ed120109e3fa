//! How a platform pays: an instrument with a token, and what it saw of the buyer.

use super::fulfillment_request;
use crate::{
    base::{Hints, Limits, Person},
    checkout::{Instrument, Means},
    http::{
        kinds::Kind,
        paying::{Billed, Paying},
        problem::Problem,
        reading::{self, At},
        signals,
    },
    payment::Credential,
};

/// The body of a complete.
pub fn paying(body: &At<'_>, limits: &Limits) -> Result<Paying, Problem> {
    Ok(Paying::of(billed(body, limits).map(Some), observed(body, limits)?))
}

fn billed(body: &At<'_>, limits: &Limits) -> Result<Billed, Problem> {
    let payment = body.get("payment_data")?;
    let text = |name| payment.object()?.get(name)?.text(limits.text_bytes).map(str::to_owned);
    let kind = payment.object()?.get("type")?;
    if kind.text(limits.text_bytes)? != "card" {
        let text = "An instrument of this version is a `card`.".to_owned();
        return Err(kind.problem(Kind::Invalid, text));
    }
    let credential = payment.get("credential")?;
    let token = credential.object()?.get("token")?;
    let secret = token.text(reading::TOKEN_BYTES)?;
    if secret.is_empty() {
        let text = "Send a token of the payment handler.".to_owned();
        return Err(token.problem(Kind::Invalid, text));
    }
    let billing = payment.find("billing_address");
    let billing = billing.map(|at| fulfillment_request::address(&at, limits)).transpose()?;
    let instrument = Instrument {
        id: text("id")?,
        handler_id: text("handler_id")?,
        kind: "card".to_owned(),
        brand: Some(text("brand")?),
        last_digits: Some(text("last_digits")?),
    };
    let credential = Credential::new(secret.to_owned());
    Ok((Means { instrument, credential }, billing.map(Box::new)))
}

/// `risk_signals`: under the names that later versions give to `signals`, or the plain ones that
/// come to most platforms' minds.
fn observed(body: &At<'_>, limits: &Limits) -> Result<Person, Problem> {
    let Some(at) = body.find("risk_signals") else { return Ok(Person::default()) };
    let mut person = signals::observe_in(&at, limits, Person::default())?;
    let plain = |name: &str| {
        let text = at.value().get(name).and_then(|value| value.as_str());
        text.filter(|text| text.len() <= limits.text_bytes).map(str::to_owned)
    };
    person.ip = person.ip.or_else(|| plain("ip_address"));
    let mut hints: Hints = person.hints.map(|hints| *hints).unwrap_or_default();
    hints.user_agent = hints.user_agent.or_else(|| plain("user_agent"));
    hints.device_id = hints.device_id.or_else(|| plain("device_fingerprint"));
    person.hints = (hints != Hints::default()).then(|| Box::new(hints));
    Ok(person)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkout::Tender;
    use serde_json::{Value, json};

    fn read(body: &Value) -> Result<Tender, Problem> {
        let Paying { tender, lacks } = super::paying(&At::root(body), &Limits::default())?;
        lacks.map_or(Ok(tender), Err)
    }

    fn paying() -> Value {
        json!({"payment_data": {"id": "pi_1", "handler_id": "sandbox", "type": "card",
            "brand": "Visa", "last_digits": "1234",
            "credential": {"type": "token", "token": "success_token"}}})
    }

    #[test]
    fn signals_are_read_under_either_name_and_others_passed_over() {
        let mut body = paying();
        body["risk_signals"] = json!({"dev.ucp.buyer_ip": "192.0.2.7", "ip_address": "192.0.2.8",
            "user_agent": "Mozilla/5.0", "device_fingerprint": {"odd": 1}, "score": 3});
        let person = read(&body).expect("reads").person;
        assert_eq!(person.ip.as_deref(), Some("192.0.2.7"));
        let hints = person.hints.expect("something is said");
        assert_eq!((hints.user_agent.as_deref(), hints.device_id), (Some("Mozilla/5.0"), None));
        assert!(read(&paying()).expect("reads").person.hints.is_none());
    }

    #[test]
    fn an_instrument_lacks_nothing_that_the_schema_wants() {
        for name in ["id", "handler_id", "type", "brand", "last_digits", "credential"] {
            let mut body = paying();
            body["payment_data"].as_object_mut().expect("an object").remove(name);
            let problem = read(&body).expect_err(name);
            assert_eq!(problem.pointer(), Some(&*format!("/payment_data/{name}")));
        }
    }
}
