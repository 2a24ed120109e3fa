//! Redis may come back empty: that is seen at once, and what it has forgotten is told once more.

use doorbuster::{
    config::SecretUrl,
    fraud::{
        assessment::Degraded,
        bench::Written,
        velocity::{Passing, Velocity},
    },
};
use std::time::Duration;

use super::{PATIENT, attempt, in_redis, layout};
use crate::{
    shop::{On, TestShop, in_shops_on_both},
    support::{own_cluster::OwnCluster, own_redis::Redis},
};

in_shops_on_both!(an_emptied_redis_is_not_believed_until_it_was_told_again, replicas_follow);

/// Buys, and tells how often the buyer was seen before, how often without success, and what the
/// judgement lacked.
async fn seen_paying(shop: &TestShop, token: &str) -> (f32, f32, Vec<Degraded>) {
    let ada = shop.shopper();
    ada.adds("TEE", 1).await.text();
    ada.pays(token).await.text();
    let cases = shop.app().keeper.cases.clone().expect("a database");
    let rows = cases.list_assessments(ada.checkout).await.expect("the ledger answers");
    let judged: Written = serde_json::from_str(rows[0].body.get()).expect("it reads");
    let names = shop.app().desk.fraud.bench().serving().layout.names();
    let feature = |wanted: &str| {
        let place = names.iter().position(|name| name == wanted).expect("a feature");
        judged.assessment.features[place]
    };
    let (count, failures) = (feature("email.count.24h"), feature("email.failures.24h"));
    (count, failures, judged.assessment.degraded)
}

async fn seen(shop: &TestShop) -> (f32, f32, Vec<Degraded>) {
    seen_paying(shop, "success_token").await
}

/// The time passes, and the memory is looked after.
async fn after(shop: &TestShop, seconds: u64) {
    shop.clock.advance(Duration::from_secs(seconds));
    shop.app().learning.tender.round().await.expect("it is there");
}

async fn an_emptied_redis_is_not_believed_until_it_was_told_again(on: On) {
    let redis = Redis::started();
    let url = redis.url();
    let shop = on.shop_with(|config| config.storage.redis = Some(SecretUrl::new(url))).await;
    shop.stock("TEE", 30).await;
    assert_eq!(seen_paying(&shop, "fail_token").await, (0.0, 0.0, vec![]), "a new shop is whole");
    assert_eq!(seen(&shop).await, (1.0, 1.0, vec![]));
    redis.says("FLUSHALL").expect("it is emptied");
    let unsure = vec![Degraded::Velocity];
    // What this process saw itself is known still.
    assert_eq!(seen(&shop).await, (2.0, 1.0, unsure.clone()), "seen with the first question");
    after(&shop, 1).await;
    assert_eq!(seen(&shop).await, (3.0, 1.0, unsure.clone()), "it is being told");
    after(&shop, 1).await;
    assert_eq!(seen(&shop).await, (4.0, 1.0, unsure.clone()), "not all of it is in the ledger yet");
    after(&shop, 4).await;
    // What was judged in the last seconds comes a little later.
    assert_eq!(seen(&shop).await, (4.0, 1.0, vec![]));
    after(&shop, 20).await;
    assert_eq!(seen(&shop).await, (6.0, 1.0, vec![]), "each once");
    for _ in 0..3 {
        after(&shop, 20).await;
    }
    assert_eq!(seen(&shop).await, (7.0, 1.0, vec![]), "and no more than once");
    shop.closes().await;
}

async fn replicas_follow(on: On) {
    // An embedded database has one process.
    let On::Postgres = on else { return };
    let redis = Redis::started();
    let url = redis.url();
    let shop = on.shop_with(|config| config.storage.redis = Some(SecretUrl::new(url))).await;
    shop.stock("TEE", 30).await;
    let other = shop.beside().await;
    assert_eq!(seen(&shop).await, (0.0, 0.0, vec![]));
    assert_eq!(seen(&other).await, (1.0, 0.0, vec![]), "they share a memory");
    redis.says("FLUSHALL").expect("it is emptied");
    // One builds, whoever comes first; the other waits for it, though it has not asked itself.
    after(&shop, 1).await;
    after(&other, 1).await;
    assert_eq!(seen(&other).await.2, [Degraded::Velocity]);
    after(&shop, 6).await;
    assert_eq!(seen(&other).await.2, [Degraded::Velocity], "it has not looked");
    after(&other, 0).await;
    let (count, _, lacks) = seen(&other).await;
    assert_eq!((count, lacks), (3.0, vec![]), "all but the last, which the builder tells soon");
    other.leaves().await;
    shop.closes().await;
}

#[tokio::test]
async fn a_cluster_that_lost_the_keys_of_one_node_is_seen() {
    let cluster = OwnCluster::start();
    let layout = layout(Duration::from_secs(7 * 24 * 3600));
    let (velocity, _) = in_redis(&cluster.url(), &layout, PATIENT);
    let velocity = velocity.tended();
    let batch: Vec<Passing> = (1..=30).map(|card| attempt(card, 0)).collect();
    velocity.pass(&batch).await.expect_err("nobody has said that it is whole");
    assert!(!velocity.is_whole() && !velocity.holds("e1").await.expect("it answers"));
    velocity.build("e1");
    velocity.mark().await.expect("marks are written");
    assert!(velocity.holds("e1").await.expect("it answers"));
    velocity.enter("e1", true);
    velocity.pass(&batch).await.expect("all marks are there");
    cluster.says(1, "FLUSHALL");
    assert!(!velocity.holds("e1").await.expect("it answers"), "one node has lost its marks");
    velocity.pass(&batch).await.expect_err("and entities with them");
    assert!(!velocity.is_whole() && velocity.has_lost("e1"));
    velocity.enter("e1", true);
    assert!(!velocity.is_whole(), "what was lost stays lost");
    velocity.enter("e2", true);
    assert!(velocity.is_whole() && !velocity.has_lost("e1"));
}
