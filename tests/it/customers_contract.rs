//! Addresses of customers are kept the same on both databases.

use doorbuster::{
    base::{Address, Destination, Email},
    customers::{ADDRESSES_MAX, Addresses, Customer, Known},
};
use std::time::Duration;

use crate::support::bench::Bench;

fn customer(storefront: &str, email: &str) -> Customer {
    Customer::of(storefront, &Email::parse(email).expect("well formed"))
}

fn place(id: &str, street: &str) -> Destination {
    let address = Address { street_address: Some(street.to_owned()), ..Address::default() };
    Destination { id: id.to_owned(), address }
}

fn ids(kept: &[Destination]) -> Vec<&str> {
    kept.iter().map(|one| &*one.id).collect()
}

async fn what_is_told_is_kept_in_its_order_and_stays_what_it_was(bench: Bench) {
    let addresses = Addresses::new(bench.database.clone());
    let (ada, now) = (customer("key_1", "ada@example.com"), bench.now());
    assert_eq!(addresses.list(&ada).await.expect("reachable"), Known::default());
    let told = [place("z", "1 Main St"), place("a", "2 Main St")];
    addresses.keep(&ada, &told, None, now).await.expect("reachable");
    let later = [place("z", "9 Main St"), place("b", "3 Main St")];
    let after = now.plus(Duration::from_secs(1));
    addresses.keep(&ada, &later, Some(now), after).await.expect("reachable");
    let kept = addresses.list(&ada).await.expect("reachable").destinations;
    assert_eq!(ids(&kept), ["z", "a", "b"]);
    assert_eq!(kept[0], told[0], "an id that stands stays what it is");
    for other in [customer("key_2", "ada@example.com"), customer("key_1", "bob@example.com")] {
        assert_eq!(addresses.list(&other).await.expect("reachable"), Known::default());
    }
}

async fn the_latest_are_kept(bench: Bench) {
    let addresses = Addresses::new(bench.database.clone());
    let (ada, bob) = (customer("k", "ada@example.com"), customer("k", "bob@example.com"));
    let home = [place("home", "1 Main St")];
    addresses.keep(&bob, &home, None, bench.now()).await.expect("reachable");
    let many: Vec<_> = (0..ADDRESSES_MAX + 5).map(|n| place(&format!("a{n:02}"), "x")).collect();
    addresses.keep(&ada, &many, None, bench.now()).await.expect("reachable");
    let kept = addresses.list(&ada).await.expect("reachable").destinations;
    assert_eq!((kept.len(), ids(&kept)[0]), (ADDRESSES_MAX, "a05"));
    assert_eq!(ids(&addresses.list(&bob).await.expect("reachable").destinations), ["home"]);
}

async fn who_does_not_come_back_is_forgotten(bench: Bench) {
    let addresses = Addresses::new(bench.database.clone());
    let (ada, bob) = (customer("k", "ada@example.com"), customer("k", "bob@example.com"));
    let (now, hours) = (bench.now(), |hours: u64| Duration::from_secs(hours * 60 * 60));
    for one in [&ada, &bob] {
        let home = [place("home", "1 Main St"), place("work", "2 Main St")];
        addresses.keep(one, &home, None, now).await.expect("reachable");
    }
    let seen = async |one: &Customer| addresses.list(one).await.expect("reachable").seen_at;
    let first = seen(&ada).await;
    let soon = now.plus(hours(1));
    addresses.keep(&ada, &[], first, soon).await.expect("reachable");
    assert_eq!(seen(&ada).await, first, "it is noted once a day");
    let later = now.plus(hours(30));
    addresses.keep(&ada, &[], first, later).await.expect("reachable");
    assert_eq!(seen(&ada).await, Some(later));
    let gone = addresses.forget_unused(later).await.expect("reachable");
    assert_eq!((gone, seen(&bob).await), (2, None));
    let kept = addresses.list(&ada).await.expect("reachable").destinations;
    assert_eq!(ids(&kept), ["home", "work"], "she came back");
}

macro_rules! on_both {
    ($($scenario:ident $sqlite:ident $postgres:ident;)*) => {$(
        #[tokio::test]
        async fn $sqlite() {
            $scenario(Bench::sqlite().await).await;
        }

        #[tokio::test]
        async fn $postgres() {
            $scenario(Bench::postgres().await).await;
        }
    )*};
}

on_both! {
    what_is_told_is_kept_in_its_order_and_stays_what_it_was kept_on_sqlite kept_on_postgres;
    the_latest_are_kept latest_on_sqlite latest_on_postgres;
    who_does_not_come_back_is_forgotten forgotten_on_sqlite forgotten_on_postgres;
}

#[tokio::test]
async fn behind_a_pooler() {
    what_is_told_is_kept_in_its_order_and_stays_what_it_was(Bench::pooled().await).await;
}
