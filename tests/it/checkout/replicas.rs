//! Two replicas over one ledger: what one remembers, the other may have overtaken.

use doorbuster::{config::SecretUrl, ledger::row::SessionState, sessions::HotCopy};

use crate::{shop::On, support::own_redis::Redis};

#[actix::test]
async fn a_replica_that_was_overtaken_notices() {
    let shop = On::Postgres.shop().await;
    let other = shop.beside().await;
    shop.stock("TEE", 9).await;
    shop.stock("MUG", 9).await;
    let here = shop.shopper();
    here.adds("TEE", 1).await.text();
    let there = here.at(&other);
    there.wants(&[("TEE", 2)]).await.text();
    // This replica remembers one tee; its write must land on what the other one wrote.
    here.wants(&[("MUG", 3)]).await.text();
    assert_eq!((shop.level("TEE").await.held, shop.level("MUG").await.held), (0, 3));
    assert_eq!(there.session().await.lines[0].sku.as_str(), "MUG");
    other.leaves().await;
    shop.closes().await;
}

#[actix::test]
async fn what_is_remembered_is_looked_up_before_it_is_told() {
    let shop = On::Postgres.shop().await;
    let other = shop.beside().await;
    shop.stock("TEE", 1).await;
    shop.stock("MUG", 9).await;
    let first = shop.shopper();
    first.adds("TEE", 1).await.text();
    // Half of this cart is sold out, and this replica remembers it so.
    let here = shop.shopper();
    assert!(here.wants(&[("TEE", 1), ("MUG", 2)]).await.says("out_of_stock"));
    let there = here.at(&other);
    there.wants(&[("MUG", 2)]).await.text();
    assert!(here.pays("success_token").await.says(r#""status":"completed""#));
    // The same with a version, and with a total, that only the other one has seen.
    let here = shop.shopper();
    here.adds("MUG", 1).await.text();
    here.at(&other).wants(&[("MUG", 3)]).await.text();
    assert!(here.cancels_at(2).await.says(r#""status":"canceled""#));
    let here = shop.shopper();
    here.adds("MUG", 1).await.text();
    let there = here.at(&other);
    there.wants(&[("MUG", 3)]).await.text();
    let total = there.session().await.totals.total;
    assert!(here.pays_exactly(total).await.says(r#""status":"completed""#));
    other.leaves().await;
    shop.closes().await;
}

#[actix::test]
async fn two_replicas_that_pay_for_one_cart_charge_once() {
    let shop = On::Postgres.shop().await;
    let other = shop.beside().await;
    shop.stock("TEE", 1).await;
    let here = shop.shopper();
    here.adds("TEE", 1).await.text();
    let there = here.at(&other);
    there.session().await;
    let (first, second) = tokio::join!(here.pays("success_token"), there.pays("success_token"));
    assert!(first.0.is_ok() || second.0.is_ok(), "{first:?} {second:?}");
    shop.debts_are_paid().await;
    assert_eq!(here.state().await, SessionState::Completed);
    assert_eq!((shop.orders().await, shop.captures()), (1, 1), "{}", shop.state().await);
    shop.assert_clean_slate().await;
    other.leaves().await;
    shop.closes().await;
}

#[actix::test]
async fn an_old_hot_copy_is_not_believed() {
    let redis = Redis::started();
    let url = SecretUrl::new(redis.url());
    let shop = On::Postgres.shop_with(|config| config.storage.redis = Some(url)).await;
    let other = shop.beside().await;
    shop.stock("TEE", 9).await;
    let here = shop.shopper();
    here.adds("TEE", 1).await.text();
    here.at(&other).wants(&[("TEE", 4)]).await.text();
    // The actor is gone; what it left in the hot store is one version old.
    let carts = &shop.app().carts;
    assert_eq!(carts.retire_idle(std::time::Duration::ZERO).await, 1);
    let hot = shop.app().desk.hot.clone().expect("there is a Redis");
    let stale =
        HotCopy { version: 1, ..hot.find(here.checkout).await.expect("answers").expect("kept") };
    redis.says("FLUSHALL").expect("answers");
    hot.put(here.checkout, stale).await.expect("kept");
    let seen = here.session().await;
    assert_eq!((seen.version, seen.lines[0].quantity), (2, 4));
    assert_eq!(seen.person.buyer.as_ref().map(|buyer| buyer.email.is_some()), Some(true));
    here.cancels().await.text();
    other.leaves().await;
    shop.closes().await;
}
