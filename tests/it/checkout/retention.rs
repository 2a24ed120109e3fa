//! What is kept, for how long, and what stands for ever.

use std::time::Duration;

use doorbuster::{
    base::Sealed,
    ledger::{
        Entry, EntryId, Fact,
        entry::{KeyWrite, StoredAnswer},
    },
};

use super::holds::many;
use crate::shop::{On, TestShop, in_shops_on_both};

in_shops_on_both!(
    a_key_is_kept_for_thirty_days_and_an_order_for_ever,
    what_comes_due_together_goes_together,
);

/// Days pass, and the keeper purges.
async fn after_days(shop: &TestShop, days: u64) {
    shop.clock.advance(Duration::from_secs(days * 24 * 60 * 60));
    shop.app().keeper.purge().await.expect("the ledger answers");
}

async fn a_key_is_kept_for_thirty_days_and_an_order_for_ever(on: On) {
    let shop = on.shop().await;
    shop.stock("TEE", 3).await;
    let (ada, bob) = (shop.shopper(), shop.shopper());
    ada.adds("TEE", 1).await.text();
    let paid = ada.pays_as("pay", "success_token").await.text();
    bob.adds("TEE", 1).await.text();
    bob.cancels().await.text();
    shop.debts_are_paid().await;

    after_days(&shop, 6).await;
    let row = |shopper: &crate::shop::Shopper<'_>| shop.store().find_session(shopper.checkout);
    assert!(row(&bob).await.expect("reads").is_some(), "it ended less than a week ago");
    after_days(&shop, 2).await;
    assert!(row(&bob).await.expect("reads").is_none(), "it became no order, and a week is over");

    after_days(&shop, 21).await;
    let again = ada.pays_as("pay", "success_token").await;
    assert_eq!((again.is_replay(), again.text()), (true, paid));
    after_days(&shop, 2).await;
    let again = ada.pays_as("pay", "success_token").await;
    assert!(again.refusal().contains("completed"), "its key is forgotten, its order is not");
    assert!(ada.pays("success_token").await.refusal().contains("completed"));
    assert_eq!((shop.orders().await, shop.captures()), (1, 1));
    assert!(row(&ada).await.expect("reads").is_some());
    shop.assert_clean_slate().await;
    shop.closes().await;
}

// breaks: return from `Keeper::purge_what_is_old` after its first page
async fn what_comes_due_together_goes_together(on: On) {
    let shop = on.shop().await;
    let keys = many("DOORBUSTER_TEST_KEYS");
    answers_to(&shop, keys).await;
    let last = format!("key-{}", keys - 1);
    let store = shop.store();
    assert!(store.find_key("shop", &last).await.expect("reads").is_some());
    after_days(&shop, 31).await;
    for number in 0..keys {
        let key = format!("key-{number}");
        let found = store.find_key("shop", &key).await.expect("reads");
        assert!(found.is_none(), "{key} was kept for long enough");
    }
    shop.closes().await;
}

/// Answers stored under so many keys.
async fn answers_to(shop: &TestShop, keys: usize) {
    let entry = |number| {
        let key = KeyWrite {
            caller: "shop".into(),
            key: format!("key-{number}"),
            fingerprint: "f".into(),
            dialect: "v1".into(),
            answer: Some(StoredAnswer { status: 201, body: Sealed::seal("{}").into(), version: 1 }),
            now: shop.now(),
        };
        Entry::new(EntryId::of(format_args!("answer/{number}")), Fact::Answer(key))
    };
    let entries: Vec<Entry> = (0..keys).map(entry).collect();
    for batch in entries.chunks(200) {
        shop.store().commit(batch, shop.now()).await.expect("the ledger answers");
    }
}
