//! `signals`: what a storefront observes of the buyer's instrument and device (UCP's `signals`, the
//! same in the express lane). Names are reverse-domain; those of others are passed over.

use super::{
    kinds::Kind,
    problem::Problem,
    reading::{self, At},
};
use crate::base::{Hints, Limits, Person, Timestamp, place};

/// The digits of a card that name its issuer: six, or eight since ISO/IEC 7812-1:2017.
const BIN_DIGITS: std::ops::RangeInclusive<usize> = 6..=8;

/// Offsets from UTC that some place on Earth has, in minutes.
const OFFSETS: std::ops::RangeInclusive<i64> = -12 * 60..=14 * 60;

/// The person with what their signals tell. Absent, nothing changes.
pub fn observe(body: &At<'_>, limits: &Limits, person: Person) -> Result<Person, Problem> {
    match body.find("signals") {
        Some(signals) => observe_in(&signals, limits, person),
        None => Ok(person),
    }
}

/// The same, from an object that has another name elsewhere.
pub fn observe_in(signals: &At<'_>, limits: &Limits, person: Person) -> Result<Person, Problem> {
    signals.object()?;
    let text = |name| signals.text_in(name, limits.text_bytes);
    let flag = |name| truth(signals, name);
    let hints = Hints {
        card_fingerprint: text("dev.doorbuster.card_fingerprint")?,
        card_bin: bin(signals)?,
        card_funding: text("dev.doorbuster.card_funding")?,
        card_country: text("dev.doorbuster.card_country")?.map(code),
        wallet: flag("dev.doorbuster.wallet")?,
        device_id: text("dev.doorbuster.device_id")?,
        user_agent: text("dev.ucp.user_agent")?,
        language: text("dev.doorbuster.language")?,
        ip_country: text("dev.doorbuster.ip_country")?.map(code),
        ip_asn: whole(signals, "dev.doorbuster.ip_asn", 0..=i64::from(u32::MAX))?
            .and_then(|asn| u32::try_from(asn).ok()),
        customer_id: text("dev.doorbuster.customer_id")?,
        account_created_at: moment(signals, "dev.doorbuster.account_created_at")?,
        session_started_at: moment(signals, "dev.doorbuster.session_started_at")?,
        utc_offset_minutes: whole(signals, "dev.doorbuster.utc_offset_minutes", OFFSETS)?
            .and_then(|minutes| i16::try_from(minutes).ok()),
        agent: flag("dev.doorbuster.agent")?,
    };
    let ip = text("dev.ucp.buyer_ip")?.or(person.ip);
    let hints = (hints != Hints::default()).then(|| Box::new(hints)).or(person.hints);
    Ok(Person { ip, hints, ..person })
}

/// A country's code, where it has one: databases of networks have names of their own besides.
fn code(said: String) -> String {
    place::country(&said).map_or(said, str::to_owned)
}

fn truth(signals: &At<'_>, name: &str) -> Result<Option<bool>, Problem> {
    let read = |field: At<'_>| match field.value().as_bool() {
        Some(truth) => Ok(truth),
        None => Err(field.problem(Kind::Invalid, "Expected true or false.".into())),
    };
    signals.find(name).map(read).transpose()
}

fn whole(
    signals: &At<'_>,
    name: &str,
    within: std::ops::RangeInclusive<i64>,
) -> Result<Option<i64>, Problem> {
    let read = |field: At<'_>| {
        let number = field.integer()?;
        if within.contains(&number) {
            return Ok(number);
        }
        let text = format!("Expected a number from {} to {}.", within.start(), within.end());
        Err(field.problem(Kind::Invalid, text))
    };
    signals.find(name).map(read).transpose()
}

fn moment(signals: &At<'_>, name: &str) -> Result<Option<Timestamp>, Problem> {
    let read = |field: At<'_>| {
        let expected = "an RFC 3339 time such as 2026-11-27T08:00:00Z";
        field.parse(reading::TIME_BYTES, |raw| Timestamp::parse(raw).ok_or(expected))
    };
    signals.find(name).map(read).transpose()
}

fn bin(signals: &At<'_>) -> Result<Option<String>, Problem> {
    let Some(field) = signals.find("dev.doorbuster.card_bin") else { return Ok(None) };
    let bin = field.text(*BIN_DIGITS.end())?;
    if BIN_DIGITS.contains(&bin.len()) && bin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Some(bin.to_owned()));
    }
    Err(field.problem(Kind::Invalid, "Expected the first six to eight digits of a card.".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(signals: Value) -> Result<Person, Problem> {
        let body = json!({ "signals": signals });
        observe(&At::root(&body), &Limits::default(), Person::default())
    }

    #[test]
    fn signals_are_read_and_those_of_others_passed_over() {
        let person = read(json!({
            "dev.ucp.buyer_ip": "192.0.2.7", "dev.ucp.user_agent": "Mozilla/5.0",
            "dev.doorbuster.card_bin": "411111", "dev.doorbuster.wallet": true,
            "dev.doorbuster.account_created_at": "2026-01-01T00:00:00Z",
            "dev.doorbuster.utc_offset_minutes": -480, "com.example.mood": {"good": 1},
        }))
        .expect("they read");
        assert_eq!(person.ip.as_deref(), Some("192.0.2.7"));
        let hints = person.hints.expect("something is said");
        assert_eq!((hints.card_bin.as_deref(), hints.wallet), (Some("411111"), Some(true)));
        assert_eq!((hints.utc_offset_minutes, hints.agent), (Some(-480), None));
        assert!(hints.account_created_at.is_some());
    }

    #[test]
    fn a_signal_that_does_not_read_is_named() {
        for (name, value) in [
            ("dev.doorbuster.card_bin", json!("4111")),
            ("dev.doorbuster.card_bin", json!("4111111111111111")),
            ("dev.doorbuster.wallet", json!("yes")),
            ("dev.doorbuster.account_created_at", json!("last year")),
            ("dev.doorbuster.utc_offset_minutes", json!(10_000)),
            ("dev.doorbuster.ip_asn", json!(-1)),
        ] {
            let problem = read(json!({ name: value })).expect_err(name);
            let body = problem.body(crate::http::problem::Scene::default());
            assert!(body.contains(&format!("/signals/{name}")), "{body}");
        }
    }

    #[test]
    fn nothing_said_leaves_what_was_known() {
        let known = Person { ip: Some("192.0.2.7".into()), ..Person::default() };
        let body = json!({});
        let limits = Limits::default();
        assert_eq!(observe(&At::root(&body), &limits, known.clone()).ok(), Some(known));
    }
}
