//! Everybody at once.

use futures_util::future::{join, join_all};
use std::{cell::Cell, sync::Arc, time::Duration};

use crate::shop::{
    On, TestShop, Told,
    bank::{Call, Gate, Trouble},
    full, in_shops_on_both,
};

in_shops_on_both!(
    the_last_unit_goes_to_one_of_two_hundred,
    the_last_unit_goes_into_one_of_two_hundred_carts,
    crossing_carts_never_wait_for_each_other,
    one_key_sent_a_hundred_times_to_one_cart_charges_once,
    one_key_sent_a_hundred_times_through_the_express_lane_charges_once,
    a_crowd_before_one_sku_keeps_nobody_from_the_others,
);

const BUYERS: usize = 200;

fn rounds() -> usize {
    if full() { 50 } else { 5 }
}

async fn the_last_unit_goes_to_one_of_two_hundred(on: On) {
    let shop = on.shop().await;
    for round in 0..rounds() {
        let last = format!("LAST-{round}");
        shop.stock(&last, 1).await;
        let buy = |_| async { shop.shopper().buys(&[(last.as_str(), 1)]).await };
        let told = join_all((0..BUYERS).map(buy)).await;
        let placed = told.iter().filter(|told| told.says("\"placed\"")).count();
        let sold_out = told.iter().filter(|told| told.says("out_of_stock")).count();
        assert_eq!((placed, sold_out), (1, BUYERS - 1), "round {round}");
        let level = shop.level(&last).await;
        assert_eq!((level.sold, level.held, level.unallocated), (1, 0, 0), "round {round}");
    }
    shop.debts_are_paid().await;
    assert_eq!(shop.captures(), rounds());
    assert_eq!(shop.bank.calls(Call::Authorize), rounds(), "nobody else was even asked for money");
    shop.assert_clean_slate().await;
    shop.closes().await;
}

async fn the_last_unit_goes_into_one_of_two_hundred_carts(on: On) {
    let shop = on.shop().await;
    shop.stock("LAST", 1).await;
    shop.stock("TEE", 500).await;
    let shoppers: Vec<_> = (0..BUYERS).map(|_| shop.shopper()).collect();
    let told = join_all(shoppers.iter().map(|one| one.wants(&[("LAST", 1), ("TEE", 1)]))).await;
    let without = told.iter().filter(|told| told.says("out_of_stock")).count();
    assert_eq!(without, BUYERS - 1);
    let level = shop.level("LAST").await;
    assert_eq!((level.held, level.unallocated), (1, 0));
    assert_eq!(shop.level("TEE").await.held, BUYERS as i64, "the rest of each cart is held");
    let told = join_all(shoppers.iter().map(|one| one.pays("success_token"))).await;
    let placed = told.iter().filter(|told| told.says("\"completed\"")).count();
    assert_eq!(placed, 1, "the others must first agree to go without it");
    shop.debts_are_paid().await;
    assert_eq!(shop.level("LAST").await.sold, 1);
    shop.closes().await;
}

async fn crossing_carts_never_wait_for_each_other(on: On) {
    let shop = on.shop().await;
    // Only replicas meet in the database; within one, a single writer commits.
    let other = match on {
        On::Postgres => Some(shop.beside().await),
        On::Sqlite => None,
    };
    shop.stock("A", 150).await;
    shop.stock("B", 150).await;
    let cross = |number: usize| {
        let served_by =
            if number.is_multiple_of(2) { other.as_ref().unwrap_or(&shop) } else { &shop };
        async move {
            let shopper = served_by.shopper();
            let [there, back] = [[("A", 1), ("B", 1)], [("B", 1), ("A", 1)]];
            if number.is_multiple_of(3) {
                return shopper.buys(&there).await.says("\"placed\"");
            }
            shopper.wants(&there).await.text();
            shopper.wants(&back).await.text();
            shopper.pays("success_token").await.says("\"completed\"")
        }
    };
    let everybody = join_all((0..150).map(cross));
    let placed = tokio::time::timeout(Duration::from_secs(60), everybody).await;
    let placed = placed.expect("nobody waits for ever");
    assert!(placed.iter().all(|placed| *placed), "there was enough for everybody");
    let (a, b) = (shop.level("A").await, shop.level("B").await);
    assert_eq!((a.sold, b.sold), (150, 150));
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, shop.captures()), (150, 150));
    shop.assert_clean_slate().await;
    if let Some(other) = other {
        other.leaves().await;
    }
    shop.closes().await;
}

/// Those in flight are told apart; all others get the same bytes.
async fn assert_one_charge(shop: &TestShop, told: Vec<Told>, again: Told) {
    let answer = again.text();
    assert!(again.is_replay());
    let answered = told.iter().filter(|told| !told.is_in_flight());
    let mut done = 0;
    for told in answered {
        assert_eq!(told.text(), answer);
        done += usize::from(!told.is_replay());
    }
    assert_eq!(done, 1, "it was done once, and replayed to the others");
    shop.debts_are_paid().await;
    assert_eq!((shop.orders().await, shop.captures()), (1, 1));
    assert_eq!(shop.bank.charges().len(), 1);
    assert_eq!(shop.level("TEE").await.sold, 1);
    shop.assert_clean_slate().await;
}

async fn one_key_sent_a_hundred_times_to_one_cart_charges_once(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 200).await;
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    let told = join_all((0..100).map(|_| ada.pays_as("pay", "success_token"))).await;
    assert!(told.iter().all(|told| !told.is_in_flight()), "they stand in one line");
    let again = ada.pays_as("pay", "success_token").await;
    assert_one_charge(&shop, told, again).await;
    shop.closes().await;
}

async fn one_key_sent_a_hundred_times_through_the_express_lane_charges_once(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 200).await;
    let gate = Arc::new(Gate::default());
    shop.bank.next(Call::Authorize, Trouble::Delayed(gate.clone()));
    let early = Cell::new(0);
    let buy = |_| async {
        let told = shop.shopper().buys_as("buy", &[("TEE", 1)], "success_token").await;
        early.set(early.get() + usize::from(told.is_in_flight()));
        told
    };
    let bank = async {
        gate.reached().await;
        let answers = async {
            while early.get() == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        // Past that, the assertion below tells that nobody was answered.
        let _ = tokio::time::timeout(Duration::from_secs(5), answers).await;
        gate.open();
    };
    let (told, ()) = join(join_all((0..100).map(buy)), bank).await;
    let again = shop.shopper().buys_as("buy", &[("TEE", 1)], "success_token").await;
    assert!(told.iter().any(Told::is_in_flight), "some come while the payment is under way");
    assert_one_charge(&shop, told, again).await;
    shop.closes().await;
}

/// Who wants the hot SKU, and asks again at once whatever they are told.
const CROWD: usize = 256;

/// Who buys something else meanwhile, each another SKU.
const OTHERS: usize = 32;

/// Answers that one of the crowd may get while the others buy once: about as many as a purchase has
/// steps. Seen: two.
const ANSWERS_MAX: usize = 8;

/// First with units to fight over, then sold out.
async fn a_crowd_before_one_sku_keeps_nobody_from_the_others(on: On) {
    let shop = on.shop().await;
    shop.stock("HOT", 300).await;
    let names: Vec<_> = (0..OTHERS).map(|number| format!("COLD-{number}")).collect();
    for name in &names {
        shop.stock(name, 2).await;
    }
    for stage in ["contended", "sold out"] {
        let answers: Vec<_> = (0..CROWD).map(|_| Cell::new(0)).collect();
        let over = Cell::new(false);
        let crowd = join_all(answers.iter().map(|answers| {
            let (shop, over) = (&shop, &over);
            async move {
                while !over.get() {
                    let told = shop.shopper().buys(&[("HOT", 1)]).await;
                    assert!(told.says("\"placed\"") || told.says("out_of_stock"), "{told:?}");
                    answers.set(answers.get() + 1);
                }
            }
        }));
        let others = async {
            // Not before the crowd is there.
            while answers.iter().any(|answers| answers.get() == 0) {
                tokio::task::yield_now().await;
            }
            let before: Vec<_> = answers.iter().map(Cell::get).collect();
            let buy = |name: &String| {
                let (shop, name) = (&shop, name.clone());
                async move { shop.shopper().buys(&[(&name, 1)]).await }
            };
            let told = join_all(names.iter().map(buy)).await;
            assert!(told.iter().all(|told| told.says("\"placed\"")), "{told:?}");
            over.set(true);
            let meanwhile = answers.iter().zip(before).map(|(now, before)| now.get() - before);
            meanwhile.max().unwrap_or_default()
        };
        let (_, most) = join(crowd, others).await;
        assert!(most <= ANSWERS_MAX, "{stage}: the others waited for {most} rounds of the crowd");
    }
    shop.debts_are_paid().await;
    let level = shop.level("HOT").await;
    assert_eq!((level.sold, level.held), (300, 0));
    shop.assert_clean_slate().await;
    shop.closes().await;
}
