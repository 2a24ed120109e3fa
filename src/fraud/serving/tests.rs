use super::*;
use crate::{
    base::{Address, Buyer, CheckoutId, Email, Hints, Money},
    fraud::{
        features::{Engine, InProcess},
        signals::{Signals, tests::bare},
    },
};
use std::time::Duration;

fn serving() -> Serving {
    let schema = Schema::parse(bundled::SCHEMA).expect("a schema");
    let model = Model::from_bytes(bundled::MODEL).expect("a model");
    let live = Versioned::new(bundled::VERSION, model);
    Serving::of(&schema).expect("it holds").with_live(Some(live)).expect("its features")
}

#[test]
fn the_bundled_model_serves_and_gives_reasons() {
    let serving = serving();
    let event = serving.reader().event(&bare());
    let scored = serving.score(&event, &InProcess::new(100));
    let score = scored.score.expect("a score");
    assert_eq!(scored.features.len(), serving.layout.features.len());
    assert!(score.points < 900, "a plain order of an unknown buyer scores {score:?}");
    assert!(scored.reasons.len() <= REASONS_MAX);
    assert_eq!(scored.version.as_deref(), Some(bundled::VERSION));
}

/// Everything a storefront may tell of a buyer at home, somewhat as the simulated ones are.
fn told() -> Signals {
    let mut signals = bare();
    let email = Email::parse("ada@freemail.example").expect("an address");
    let address = Address {
        street_address: Some("Lindenweg 7".into()),
        postal_code: Some("10115".into()),
        address_country: Some("DE".into()),
        ..Address::default()
    };
    let person = &mut signals.person;
    person.buyer = Some(Box::new(Buyer { email: Some(email), ..Buyer::default() }));
    person.billing = Some(Box::new(address.clone()));
    person.shipping = Some(Box::new(address));
    person.ip = Some("80.1.2.3".into());
    person.hints = Some(Box::new(Hints {
        customer_id: Some("ada".into()),
        account_created_at: Some(signals.at.minus(days(400))),
        session_started_at: Some(signals.at.minus(Duration::from_secs(420))),
        card_fingerprint: Some("c1".into()),
        card_bin: Some("400003".into()),
        card_country: Some("DE".into()),
        ip_country: Some("DE".into()),
        device_id: Some("d1".into()),
        wallet: Some(false),
        agent: Some(false),
        ..Hints::default()
    }));
    signals
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}

#[test]
fn a_good_buyer_who_comes_back_is_trusted_and_a_burst_of_cards_is_not() {
    let serving = serving();
    let mut engine = Engine::new(serving.layout.clone(), InProcess::new(1_000));
    let at = bare().at;
    let event = |signals: &Signals, at| Event { at, ..serving.reader().event(signals) };
    for back in [90, 60, 31, 12] {
        let cart = CheckoutId::from_uuid(uuid::Uuid::from_u128(back.into()));
        let before = event(&Signals { cart, ..told() }, at.minus(days(back)));
        engine.pass(&before, None, &mut vec![]);
    }
    let score = |engine: &Engine| serving.score(&event(&told(), at), engine.memory()).score;
    let back_again = score(&engine).expect("a score");
    assert!(back_again.points < 900, "a good buyer scores {back_again:?}");
    for attempt in 0..40 {
        let mut signals = told();
        signals.amount = Money::from_minor(300, signals.amount.currency());
        if let Some(hints) = &mut signals.person.hints {
            hints.card_fingerprint = Some(format!("stolen-{attempt}"));
        }
        let failed = event(&signals, at.minus(Duration::from_secs(900 - attempt * 20)));
        engine.pass(&Event { failed: true, ..failed }, None, &mut vec![]);
    }
    let burst = score(&engine).expect("a score");
    assert!(burst.points > 990, "the next card of a burst scores {burst:?}");
}

#[test]
fn the_bundled_reference_belongs_to_the_bundled_model() {
    assert_eq!(serving().drift(bare().at), None, "nobody said what it saw");
    let serving = Serving::configured(None).expect("the bundled one");
    let reading = serving.drift(bare().at).expect("it is watched");
    assert!(reading.orders == 0 && reading.trained_on > 1_000_000.0, "{}", reading.trained_on);
    let event = serving.reader().event(&bare());
    let scored = serving.score(&event, &InProcess::new(100));
    for _ in 0..1_000 {
        serving.note(event.at, &scored.features, scored.score.map(|score| score.points));
    }
    let reading = serving.drift(event.at).expect("it is watched");
    assert!(reading.above(0.25) > 40, "a thousand times one order is no shop's day");
}

#[test]
fn a_model_of_other_features_does_not_serve() {
    let schema = Schema::parse("[columns]\ntime = \"t\"").expect("a schema");
    let model = Model::from_bytes(bundled::MODEL).expect("a model");
    let other = Versioned::new("x", model);
    let serving = Serving::of(&schema).expect("it holds");
    assert!(matches!(serving.with_live(Some(other)), Err(ServingFault::Model(_))));
}

#[test]
fn a_model_that_breaks_leaves_no_score() {
    let serving = serving();
    let mut event = serving.reader().event(&bare());
    event.keys = Box::default();
    let scored = serving.score(&event, &InProcess::new(100));
    assert!(scored.score.is_none());
}
