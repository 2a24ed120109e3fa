//! API keys behave the same on both databases.

use doorbuster::{
    access::{Access, AccessRefused, KeyRecord, KeyWish, Keys, KeysRefused, NewKey, Scope},
    base::{Clock, ManualClock},
};
use std::{sync::Arc, time::Duration};

use crate::support::bench::Bench;

async fn keys_open_the_door_until_they_are_revoked(bench: Bench) {
    let clock = Arc::new(ManualClock::new(bench.now()));
    let keys = Arc::new(Keys::new(bench.database.clone(), clock.clone()));
    let access = Access::Keys(keys.clone());
    let wish = |label: &str, scopes: &[Scope]| KeyWish {
        label: label.into(),
        scopes: scopes.to_vec(),
        ..KeyWish::default()
    };
    let till = wish("till 1", &[Scope::BackofficeRead, Scope::Checkout]);
    let made = keys.create(&till, &bench.chance).await.expect("a key is kept");
    clock.advance(Duration::from_millis(1));
    let later =
        keys.create(&wish("till 2", &[Scope::Admin]), &bench.chance).await.expect("another");
    let NewKey { record, text } = made;

    assert_eq!(keys.list().await.expect("keys are listed"), [record.clone(), later.record.clone()]);
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

// breaks: let `Caller` be known by the key's own id; leave `expires_at` out of `is_in_force`
async fn a_key_takes_over_from_another_for_the_same_storefront(bench: Bench) {
    let clock = Arc::new(ManualClock::new(bench.now()));
    let keys = Arc::new(Keys::new(bench.database.clone(), clock.clone()));
    let access = Access::Keys(keys.clone());
    // A key as the version before wrote it.
    let label = "old".to_owned();
    let first = KeyWish { label, scopes: vec![Scope::Checkout], ..KeyWish::default() };
    let old = keys.create(&first, &bench.chance).await.expect("made");
    bench.by_hand("update api_keys set storefront = null").await.expect("as it was before");
    assert_eq!(keys.list().await.expect("listed")[0].storefront, old.record.id);
    let storefront = Some(old.record.id);
    let hour = Duration::from_secs(60 * 60);
    let next = KeyWish { storefront, expires_at: Some(clock.now().plus(hour)), ..first.clone() };
    let next = keys.create(&next, &bench.chance).await.expect("made");
    let asked = async |text: &str| access.caller(None, Some(text)).await;
    let before = asked(&old.text).await.expect("in force");
    assert_eq!(asked(&next.text).await.expect("in force"), before, "they speak for the same");
    assert!(keys.revoke(old.record.id).await.expect("ended"));
    assert!(asked(&old.text).await.is_err());
    // A storefront outlives its first key.
    let third = keys.create(&KeyWish { storefront, ..first.clone() }, &bench.chance).await;
    assert_eq!(asked(&third.expect("made").text).await.expect("in force"), before);
    clock.advance(hour);
    assert!(matches!(asked(&next.text).await, Err(AccessRefused::KeyInvalid)), "it has ended");
    let listed = keys.list().await.expect("listed");
    let used: Vec<_> = listed.iter().map(|key: &KeyRecord| key.used_at).collect();
    assert!(used.iter().all(Option::is_some), "{used:?}");
    let unknown = KeyWish { storefront: Some(next.record.id), ..first.clone() };
    let refused = keys.create(&unknown, &bench.chance).await.err();
    assert!(matches!(refused, Some(KeysRefused::UnknownStorefront(_))), "{refused:?}");
    let over = KeyWish { expires_at: Some(clock.now()), ..first };
    let refused = keys.create(&over, &bench.chance).await.err();
    assert!(matches!(refused, Some(KeysRefused::Ended)), "{refused:?}");
}

#[tokio::test]
async fn keys_on_sqlite() {
    keys_open_the_door_until_they_are_revoked(Bench::sqlite().await).await;
    a_key_takes_over_from_another_for_the_same_storefront(Bench::sqlite().await).await;
}

#[tokio::test]
async fn keys_on_postgres() {
    keys_open_the_door_until_they_are_revoked(Bench::postgres().await).await;
    a_key_takes_over_from_another_for_the_same_storefront(Bench::postgres().await).await;
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
