//! A model with another schema forgets nobody: memory is kept by what its entities are made of, and
//! told of the past where it was not.

use doorbuster::{
    config::SecretUrl,
    fraud::{
        assessment::{Assessment, Degraded},
        bench::Written,
        models::Wish,
        serving::bundled,
    },
};
use std::time::Duration;

use crate::{
    shop::{On, TestShop, in_shops_on_both},
    support::{
        models::{self, OTHER_SCHEMA},
        own_cluster::OwnCluster,
        own_redis::Redis,
    },
};

in_shops_on_both!(
    a_release_with_another_schema_forgets_nobody,
    a_model_of_other_features_is_watched_goes_live_and_back,
    and_so_where_replicas_share_a_redis,
);

/// Buys; how it was judged.
async fn buys(shop: &TestShop) -> Assessment {
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays("success_token").await.text();
    let cases = shop.app().keeper.cases.clone().expect("a database");
    let rows = cases.list_assessments(ada.checkout).await.expect("the ledger answers");
    serde_json::from_str::<Written>(rows[0].body.get()).expect("it reads").assessment
}

/// How often the buyer was seen before, as the live model's features have it.
fn seen(shop: &TestShop, judged: &Assessment) -> f32 {
    let names = shop.app().desk.fraud.bench().serving().layout.names();
    let is_mailbox = |name: &String| ["email.count.24h", "mailbox.count.24h"].contains(&&**name);
    judged.features[names.iter().position(is_mailbox).expect("a feature")]
}

// breaks: let `Places::keys` answer `None` for every kind
async fn a_release_with_another_schema_forgets_nobody(on: On) {
    let folder = tempfile::tempdir().expect("a folder");
    let model = folder.path().join("own");
    models::write(&model, bundled::SCHEMA, 0.001);
    let named = model.clone();
    let mut shop = on.shop_with(|config| config.fraud.model = Some(named)).await;
    shop.stock("TEE", 9).await;
    assert_eq!(seen(&shop, &buys(&shop).await), 0.0);
    assert_eq!(seen(&shop, &buys(&shop).await), 1.0);
    models::write(&model, OTHER_SCHEMA, 0.001);
    shop.opens_again().await;
    let judged = buys(&shop).await;
    assert_eq!((seen(&shop, &judged), &judged.degraded), (2.0, &vec![]), "it is remembered");
    models::write(&model, bundled::SCHEMA, 0.001);
    shop.opens_again().await;
    assert_eq!(seen(&shop, &buys(&shop).await), 3.0, "and the way back");
    shop.closes().await;
}

async fn follow(shop: &TestShop) {
    shop.app().learning.follower.follow().await.expect("it follows");
}

/// What was judged is in the ledger, and the memories are told.
async fn memories_are_told(shop: &TestShop) {
    for _ in 0..6 {
        shop.clock.advance(Duration::from_secs(6));
        shop.app().learning.tender.round().await.expect("a round");
    }
}

async fn goes_live(shop: &TestShop, name: &str) {
    let models = &shop.app().learning.models;
    let wish = Wish { by: "ada", reason: "a test", waived: true };
    models.promote(name, wish).await.expect("asked");
    models.approve(name, "grace").await.expect("live");
}

// breaks: let `Setup::next` keep the memory there is, whatever it remembers
async fn a_model_of_other_features_is_watched_goes_live_and_back(on: On) {
    let shop = on.shop().await;
    watched_live_and_back(&shop).await;
    shop.closes().await;
}

// breaks: let `Rebuilder::tell` tell nothing
async fn and_so_where_replicas_share_a_redis(on: On) {
    let redis = Redis::started();
    let url = redis.url();
    let shop = on.shop_with(|config| config.storage.redis = Some(SecretUrl::new(url))).await;
    watched_live_and_back(&shop).await;
    shop.closes().await;
}

#[actix::test]
async fn and_so_on_a_cluster() {
    let cluster = OwnCluster::start();
    let url = cluster.url();
    let shop =
        On::Sqlite.shop_with(|config| config.storage.redis = Some(SecretUrl::new(url))).await;
    watched_live_and_back(&shop).await;
    shop.closes().await;
}

async fn watched_live_and_back(shop: &TestShop) {
    let registry = &shop.app().learning.models;
    shop.stock("TEE", 30).await;
    assert_eq!(buys(shop).await.degraded, []);
    buys(shop).await;
    shop.clock.advance(Duration::from_secs(1));
    registry.add(&models::bundle(OTHER_SCHEMA, 0.001), "other", "ada").await.expect("added");
    registry.watch("other", ("ada", "")).await.expect("watched");
    follow(shop).await;
    let judged = buys(shop).await;
    assert_eq!((seen(shop, &judged), &judged.degraded), (2.0, &vec![]), "the live one goes on");
    assert_eq!(judged.challenger, None, "not before it remembers all of the past");
    memories_are_told(shop).await;
    let judged = buys(shop).await;
    let watched = judged.challenger.clone().expect("it is watched");
    assert_eq!((watched.model.as_str(), watched.score), ("other", 1));
    assert_eq!((seen(shop, &judged), &judged.degraded), (3.0, &vec![]));
    goes_live(shop, "other").await;
    follow(shop).await;
    let judged = buys(shop).await;
    assert_eq!(judged.model.as_deref(), Some("other"));
    assert_eq!((seen(shop, &judged), &judged.degraded), (4.0, &vec![]), "it has its memory");
    shop.clock.advance(Duration::from_secs(1));
    registry.rollback(("ada", "")).await.expect("back");
    follow(shop).await;
    let judged = buys(shop).await;
    assert_eq!(judged.model.as_deref(), Some(bundled::VERSION), "at once");
    assert_eq!(judged.degraded, [Degraded::Velocity], "and it says what it lacks");
    memories_are_told(shop).await;
    let judged = buys(shop).await;
    assert_eq!((seen(shop, &judged), &judged.degraded), (6.0, &vec![]), "nobody is forgotten");
    let bench = shop.app().desk.fraud.bench();
    assert_eq!(bench.setup().memories().len(), 1, "what nobody asks is let go");
}
