//! Uses of discounts are held, sold and given back like stock.

use doorbuster::{
    base::{Email, Sku},
    checkout::{CrashPoint, NoticeCode},
    ledger::row::SessionState,
    pricing::{Item, ItemKind},
};
use futures_util::future::join_all;
use serde_json::json;

use crate::shop::{On, TestShop, in_shops_on_both};

in_shops_on_both!(
    a_limit_holds_under_a_race_and_what_is_given_up_comes_back,
    a_crash_on_the_way_to_an_order_takes_one_use_or_none,
    a_use_that_lapsed_and_is_gone_is_told_before_anything_is_charged,
    a_use_that_lapsed_and_is_free_is_taken_again,
    a_discount_that_ended_while_its_hold_lapsed_is_priced_anew,
    once_for_each_buyer_holds_for_whoever_pays,
);

/// Puts a discount of one euro into the tariff, with so many uses.
async fn limited(shop: &TestShop, uses: u32) {
    let document = json!({"id": "few", "title": "Few", "code": "FEW", "currency": "EUR",
        "usage_limit": uses, "benefit": {"kind": "fixed", "amount_minor": 100}});
    saved(shop, document).await;
}

async fn saved(shop: &TestShop, document: serde_json::Value) {
    let item = ItemKind::Discounts.read(&document).expect("it makes sense");
    let Item::Discount(discount) = &item else { panic!("a discount") };
    let desk = &shop.app().desk;
    desk.count_uses(discount).await.expect("reachable").expect("nothing is promised");
    desk.tariffs.save(&item, &document, "test", shop.now()).await.expect("saved");
}

/// Uses that are held, that orders have, and that are free.
async fn uses(shop: &TestShop) -> (i64, i64, i64) {
    let level = shop.level(Sku::of_uses("few", None).as_str()).await;
    (level.held, level.sold, level.unallocated + level.granted)
}

async fn a_limit_holds_under_a_race_and_what_is_given_up_comes_back(on: On) {
    let shop = on.shop().await;
    let other = match on {
        On::Postgres => Some(shop.beside().await),
        On::Sqlite => None,
    };
    shop.stock("TEE", 500).await;
    limited(&shop, 10).await;
    if let Some(other) = &other {
        other.app().desk.tariffs.follow().await.expect("reachable");
    }
    let shoppers: Vec<_> = (0..100)
        .map(|number: usize| {
            let there = other.as_ref().filter(|_| number.is_multiple_of(2));
            there.unwrap_or(&shop).shopper().types("few")
        })
        .collect();
    let told = join_all(shoppers.iter().map(|one| one.wants(&[("TEE", 1)]))).await;
    let have: Vec<_> =
        shoppers.iter().zip(&told).filter(|(_, t)| t.says("items_discount")).collect();
    assert_eq!(have.len(), 10);
    assert_eq!(uses(&shop).await, (10, 0, 0));
    for (number, (one, _)) in have.iter().enumerate() {
        match number % 2 {
            0 => assert!(one.pays("success_token").await.says("\"completed\"")),
            _ => assert!(one.cancels().await.says("\"canceled\"")),
        }
    }
    assert_eq!(uses(&shop).await, (0, 5, 5));
    // In one request as well: five more, and then it is told instead of charged more.
    let buy = |_| async { shop.shopper().types("FEW").buys(&[("TEE", 1)]).await };
    let told = join_all((0..20).map(buy)).await;
    let placed = told.iter().filter(|told| told.says("\"placed\"")).count();
    assert_eq!((placed, uses(&shop).await), (5, (0, 10, 0)));
    shop.debts_are_paid().await;
    if let Some(other) = other {
        other.leaves().await;
    }
    shop.closes().await;
}

async fn a_crash_on_the_way_to_an_order_takes_one_use_or_none(on: On) {
    for point in [CrashPoint::BeforeBegin, CrashPoint::AfterBegin, CrashPoint::AnswerRead] {
        let mut shop = on.shop().await;
        shop.stock("TEE", 5).await;
        limited(&shop, 1).await;
        let ada = shop.shopper().types("few");
        assert!(ada.wants(&[("TEE", 1)]).await.says("items_discount"));
        shop.fuse.arm(point);
        assert!(ada.pays_as("pay", "success_token").await.is_in_flight(), "{point:?}");
        assert!(shop.fuse.has_blown(), "{point:?}");
        let away = ada.leaves();
        shop.opens_again().await;
        shop.after(1).await;
        let ada = shop.comes_back(away);
        if ada.state().await != SessionState::Completed {
            assert_eq!(uses(&shop).await, (1, 0, 0), "{point:?}");
            assert!(ada.pays("success_token").await.says("\"completed\""), "{point:?}");
        }
        assert_eq!((uses(&shop).await, shop.orders().await), ((0, 1, 0), 1), "{point:?}");
        shop.debts_are_paid().await;
        shop.assert_clean_slate().await;
        shop.closes().await;
    }
}

async fn a_use_that_lapsed_and_is_gone_is_told_before_anything_is_charged(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 5).await;
    limited(&shop, 1).await;
    let ada = shop.shopper().types("few");
    assert!(ada.wants(&[("TEE", 1)]).await.says("items_discount"));
    shop.after(11).await;
    let bob = shop.shopper().types("few");
    assert!(bob.wants(&[("TEE", 1)]).await.says("items_discount"), "it is free again");
    // It is priced anew, and what it costs now is told before it is charged.
    let told = ada.pays("success_token").await;
    assert!(told.says("discount_code_expired") && !told.says("items_discount"), "{}", told.text());
    assert!(told.says("total_changed") && !told.says("\"completed\""), "{}", told.text());
    assert!(ada.was_told(NoticeCode::TotalChanged).await);
    assert!(shop.bank.charges().is_empty());
    assert!(ada.pays("success_token").await.says("\"completed\""));
    assert_eq!(uses(&shop).await, (1, 0, 0));
    shop.debts_are_paid().await;
    shop.closes().await;
}

async fn a_use_that_lapsed_and_is_free_is_taken_again(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 5).await;
    limited(&shop, 1).await;
    let ada = shop.shopper().types("few");
    assert!(ada.wants(&[("TEE", 1)]).await.says("items_discount"));
    shop.after(11).await;
    assert_eq!(uses(&shop).await, (0, 0, 1));
    let paid = ada.pays("success_token").await;
    assert!(paid.says("\"completed\"") && paid.says("items_discount"), "{}", paid.text());
    assert_eq!(uses(&shop).await, (0, 1, 0));
    shop.debts_are_paid().await;
    shop.closes().await;
}

// breaks: `is_quoted_for` without `hold_until`
async fn a_discount_that_ended_while_its_hold_lapsed_is_priced_anew(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 5).await;
    limited(&shop, 1).await;
    let ada = shop.shopper().types("few");
    assert!(ada.wants(&[("TEE", 1)]).await.says("items_discount"));
    let ended = json!({"id": "few", "title": "Few", "code": "FEW", "currency": "EUR",
        "ends_at": "2001-01-01T00:00:00Z", "usage_limit": 1,
        "benefit": {"kind": "fixed", "amount_minor": 100}});
    saved(&shop, ended).await;
    shop.after(11).await;
    let told = ada.pays_as("pay", "success_token").await;
    assert!(told.says("total_changed") && !told.says("\"completed\""), "{}", told.text());
    assert_eq!(ada.pays_as("pay", "success_token").await.text(), told.text(), "and told again");
    assert!(shop.bank.charges().is_empty());
    assert!(ada.pays("success_token").await.says("\"completed\""));
    assert_eq!(uses(&shop).await, (0, 0, 1));
    shop.debts_are_paid().await;
    shop.assert_clean_slate().await;
    shop.closes().await;
}

/// Uses of the discount of once for each buyer that orders have, of each of these mailboxes.
async fn sold_to(shop: &TestShop, mailboxes: [&str; 2]) -> [i64; 2] {
    let sku = |raw: &str| Sku::of_uses("hello", Some(&Email::parse(raw).expect("an address")));
    let mut sold = [0; 2];
    for (at, mailbox) in mailboxes.into_iter().enumerate() {
        let found = shop.store().find_stock(&[sku(mailbox)]).await.expect("the ledger answers");
        sold[at] = found.first().map_or(0, |level| level.sold);
    }
    sold
}

// breaks: `is_quoted_for` that does not compare the mailboxes
async fn once_for_each_buyer_holds_for_whoever_pays(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 9).await;
    saved(
        &shop,
        json!({"id": "hello", "title": "Hello", "code": "HELLO", "currency": "EUR",
            "once_per_buyer": true, "benefit": {"kind": "fixed", "amount_minor": 100}}),
    )
    .await;
    assert!(shop.shopper().types("hello").buys(&[("TEE", 1)]).await.says("\"placed\""));
    for (alias, spelt) in
        [("a@example.com", "ADA@example.com"), ("b@example.com", "ada+2@example.com")]
    {
        let other = shop.shopper().named(alias).types("hello");
        assert!(other.wants(&[("TEE", 1)]).await.says("items_discount"));
        let told = other.pays_named(spelt).await;
        assert!(told.says("total_changed") && !told.says("\"completed\""), "{}", told.text());
        let paid = other.pays_named(spelt).await;
        assert!(paid.says("\"completed\"") && !paid.says("items_discount"), "{}", paid.text());
        assert_eq!(sold_to(&shop, ["ada@example.com", alias]).await, [1, 0]);
    }
    // Whose use it was held for gives it back; whoever pays has had it.
    let eve = shop.shopper().named("eve@example.com").types("hello");
    assert!(eve.wants(&[("TEE", 1)]).await.says("items_discount"));
    let paid = eve.pays_named("grace@example.com").await;
    assert!(paid.says("\"completed\"") && paid.says("items_discount"), "{}", paid.text());
    assert_eq!(sold_to(&shop, ["eve@example.com", "grace@example.com"]).await, [0, 1]);
    shop.debts_are_paid().await;
    assert_eq!(shop.orders().await, 4);
    shop.assert_clean_slate().await;
    shop.closes().await;
}
