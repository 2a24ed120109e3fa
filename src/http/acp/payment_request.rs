//! How an agent pays: a delegated token, and what it saw of the buyer.

use super::{address_wire, session_request};
use crate::{
    base::{Hints, Limits, Person},
    checkout::{Instrument, Means},
    http::{
        kinds::Kind,
        paying::{Billed, Paying},
        problem::Problem,
        reading::{self, At},
    },
    payment::Credential,
};

/// Outcomes of an authentication after which a payment may be tried. What the issuer makes of it
/// the gateway knows; of the others it need not be asked.
const PASSED: [&str; 3] = ["authenticated", "attempt_acknowledged", "informational"];

/// The body of a complete.
pub fn paying(body: &At<'_>, limits: &Limits) -> Result<Paying, Problem> {
    Ok(Paying::of(billed(body, limits).map(Some), observed(body, limits)?))
}

fn billed(body: &At<'_>, limits: &Limits) -> Result<Billed, Problem> {
    let payment = body.get("payment_data")?;
    let instrument = payment.object()?.get("instrument")?;
    let credential = instrument.object()?.get("credential")?;
    let token = credential.object()?.get("token")?;
    let text = token.text(reading::TOKEN_BYTES)?;
    if text.is_empty() {
        let text = "Send a token of the payment handler.".to_owned();
        return Err(token.problem(Kind::Invalid, text));
    }
    check_authentication(body, limits)?;
    let billing = payment.find("billing_address");
    let billing = billing.map(|at| address_wire::address(&at, limits)).transpose()?;
    let kind = instrument.text_in("type", limits.text_bytes)?;
    let shown = |name| instrument.text_in(name, limits.text_bytes);
    let instrument = Instrument {
        id: "payment_data".to_owned(),
        handler_id: payment.text_in("handler_id", limits.text_bytes)?.unwrap_or_default(),
        kind: kind.unwrap_or_else(|| "card".to_owned()),
        brand: shown("brand")?,
        last_digits: shown("last_digits")?,
    };
    let credential = Credential::new(text.to_owned());
    Ok((Means { instrument, credential }, billing.map(Box::new)))
}

fn check_authentication(body: &At<'_>, limits: &Limits) -> Result<(), Problem> {
    let Some(result) = body.find("authentication_result") else { return Ok(()) };
    let outcome = result.object()?.get("outcome")?;
    let said = outcome.text(limits.text_bytes)?;
    if PASSED.contains(&said) {
        return Ok(());
    }
    let text = "The buyer was not authenticated; nothing was charged.".to_owned();
    Err(outcome.problem(Kind::PaymentChallenged, text))
}

/// Who pays, and what the agent saw of them. Whoever speaks this protocol is software.
fn observed(body: &At<'_>, limits: &Limits) -> Result<Person, Problem> {
    let mut person = Person::default();
    let mut seen = Hints { agent: Some(true), ..Hints::default() };
    if let Some(signals) = body.find("risk_signals") {
        let text = |name| signals.text_in(name, limits.text_bytes);
        person.ip = signals.object().and_then(|_| text("ip_address"))?;
        seen.user_agent = text("user_agent")?;
        seen.language = text("accept_language")?.as_deref().and_then(first_language);
        seen.device_id = text("device_fingerprint")?;
    }
    person.hints = Some(Box::new(seen));
    match body.find("buyer") {
        Some(at) => session_request::with_buyer(person, &at, limits),
        None => Ok(person),
    }
}

/// The language that comes first in an `Accept-Language`.
fn first_language(header: &str) -> Option<String> {
    let first = header.split([',', ';']).next()?.trim();
    (!first.is_empty() && first != "*").then(|| first.to_owned())
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
        json!({"payment_data": {"handler_id": "sandbox", "instrument": {
            "type": "card", "credential": {"type": "spt", "token": "success_token"}}}})
    }

    #[test]
    fn what_the_agent_saw_reaches_the_judge() {
        let mut body = paying();
        body["risk_signals"] = json!({"ip_address": "192.0.2.7", "user_agent": "Mozilla/5.0",
            "accept_language": "de-DE,en;q=0.5", "device_fingerprint": "d1", "session_id": "s"});
        body["buyer"] = json!({"email": "ada@example.com", "customer_id": "c1"});
        let person = read(&body).expect("reads").person;
        let hints = person.hints.expect("something is said");
        assert_eq!(person.ip.as_deref(), Some("192.0.2.7"));
        assert_eq!(hints.user_agent.as_deref(), Some("Mozilla/5.0"));
        assert_eq!(hints.language.as_deref(), Some("de-DE"));
        assert_eq!(hints.device_id.as_deref(), Some("d1"));
        assert_eq!((hints.customer_id.as_deref(), hints.agent), (Some("c1"), Some(true)));
    }

    #[test]
    fn a_payment_without_a_token_or_with_a_failed_authentication_is_none() {
        let kind = |body: &Value| read(body).expect_err("refused").kind();
        assert_eq!(kind(&json!({})), Kind::Invalid);
        assert_eq!(kind(&json!({"payment_data": {"purchase_order_number": "7"}})), Kind::Invalid);
        let mut body = paying();
        body["payment_data"]["instrument"]["credential"]["token"] = json!("");
        assert_eq!(kind(&body), Kind::Invalid);
        let mut body = paying();
        body["authentication_result"] = json!({"outcome": "denied"});
        assert_eq!(kind(&body), Kind::PaymentChallenged);
        body["authentication_result"] = json!({"outcome": "authenticated"});
        assert!(read(&body).is_ok());
    }
}
