//! API keys behave the same on both databases.

use doorbuster::{
    access::{Access, AccessRefused, Keys, NewKey, Scope},
    base::{Clock, ManualClock},
};
use std::{sync::Arc, time::Duration};

use crate::support::bench::Bench;

async fn keys_open_the_door_until_they_are_revoked(bench: Bench) {
    let clock = Arc::new(ManualClock::new(bench.now()));
    let keys = Arc::new(Keys::new(bench.database.clone(), clock.clone()));
    let access = Access::Keys(keys.clone());
    let scopes = [Scope::BackofficeRead, Scope::Checkout];
    let made = keys.create("till 1", &scopes, &bench.chance).await.expect("a key is kept");
    clock.advance(Duration::from_millis(1));
    let later = keys.create("till 2", &[Scope::Admin], &bench.chance).await.expect("another");
    let NewKey { record, text } = made;

    assert_eq!(keys.list().await.expect("keys are listed"), [record.clone(), later.record]);
    let caller = access.caller(None, Some(&text)).await.expect("the key opens the door");
    assert_eq!(caller.id, record.id.to_string());
    assert_eq!(caller.scopes, record.scopes);

    assert!(keys.revoke(record.id).await.expect("a key is ended"));
    assert!(!keys.revoke(record.id).await.expect("asking twice is fine"));
    let refused = access.caller(None, Some(&text)).await;
    assert!(matches!(refused, Err(AccessRefused::KeyInvalid)), "{refused:?}");
    let listed = keys.list().await.expect("revoked keys stay listed");
    assert_eq!(listed[0].revoked_at, Some(clock.now()));
    assert!(access.caller(None, Some(&later.text)).await.is_ok(), "the other key stays");
}

#[tokio::test]
async fn keys_on_sqlite() {
    keys_open_the_door_until_they_are_revoked(Bench::sqlite().await).await;
}

#[tokio::test]
async fn keys_on_postgres() {
    keys_open_the_door_until_they_are_revoked(Bench::postgres().await).await;
}

// breaks: take every label in `check_label`
#[test]
fn a_label_is_one_line_of_visible_characters() {
    use doorbuster::access::check_label;
    assert_eq!(check_label(" Kasse 1, caf\u{e9} ").as_deref(), Ok("Kasse 1, caf\u{e9}"));
    let long = "x".repeat(101);
    for label in
        ["", " ", "a\nb", "a\rb", "\u{1b}[2J", "a\u{9b}31m", "a\u{2028}b", "a\u{202e}b", &long]
    {
        assert!(check_label(label).is_err(), "{label:?}");
    }
}
