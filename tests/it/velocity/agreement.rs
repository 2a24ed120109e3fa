//! Online and offline features are one: in process, in Redis, on a cluster, by several replicas.

use doorbuster::{
    base::{Chance, SeededChance, Timestamp},
    fraud::{
        event::{Event, Label},
        features::{Layout, Window, engine::RETRY_MICROS, entity::LIFE_MICROS},
        progress::Silent,
        schema::{Schema, read::read_rows},
        simulate::{self, SCHEMA, SimulateOptions},
        velocity::{InProcessVelocity, Passing, Velocity},
    },
};
use proptest::{prelude::*, test_runner::TestRunner};
use std::{env, sync::Arc, time::Duration};
use tokio::runtime::Runtime;

use super::{
    DAY, PATIENT, START, attempt, card_count, in_redis, key, layout, place_of_card_7,
    replay::{Carts, Told, Turns, assert_same, replayed, trained},
};
use crate::support::{own_cluster, own_redis::Redis, servers};

const DELAY: Duration = Duration::from_secs(2 * 24 * 3600);

fn is_full() -> bool {
    env::var_os("DOORBUSTER_TEST_FULL").is_some()
}

/// Gaps from nothing to longer than a life, mostly short.
fn gap() -> impl Strategy<Value = i64> {
    const HOUR: i64 = 3_600_000_000;
    prop_oneof![
        6 => Just(0),
        16 => 0..HOUR / 6,
        8 => 0..3 * HOUR,
        2 => 0..40 * HOUR,
        1 => Just(RETRY_MICROS),
        1 => 0..20 * 24 * HOUR,
        1 => LIFE_MICROS - 5..LIFE_MICROS + 5,
    ]
}

fn step() -> impl Strategy<Value = (i64, Event, Option<Label>)> {
    let amount = prop_oneof![
        1 => Just(None),
        9 => (0..50_000_i64).prop_map(Some),
        1 => ((1 << 53)..i64::MAX).prop_map(Some),
    ];
    let late = prop_oneof![3 => Just(None), 1 => (0..40 * DAY).prop_map(Some)];
    let label = prop_oneof![1 => Just(None), 4 => (any::<bool>(), late).prop_map(Some)];
    let keys = (0..3_u64, 0..4_u64, 0..80_u64, 0..4_u64);
    (gap(), amount, keys, 0..5_u8, label).prop_map(
        |(gap, amount, (card, ip, device, attempt), failed, label)| {
            let at = Timestamp::from_micros(0);
            let keys = Box::new([key(card), key(ip), key(device)]);
            let (attempt, failed) = (key(attempt), failed == 0);
            let event = Event { at, amount, keys, numbers: Box::new([]), attempt, failed };
            // How late is an offset until the event has its time.
            let label = label
                .map(|(fraud, late)| Label { fraud, known_at: late.map(Timestamp::from_micros) });
            (gap, event, label)
        },
    )
}

fn history(most: usize) -> impl Strategy<Value = Vec<Told>> {
    prop::collection::vec(step(), 1..most).prop_map(|steps| {
        let mut now = START;
        let set = |(gap, mut event, label): (i64, Event, Option<Label>)| {
            now += gap;
            event.at = Timestamp::from_micros(now);
            let known_at = |late: Timestamp| Timestamp::from_micros(now + late.micros());
            let label = label.map(|l| Label { known_at: l.known_at.map(known_at), ..l });
            (event, label)
        };
        steps.into_iter().map(set).collect()
    })
}

fn random_histories(url: &str, cases: u32) {
    let runtime = Runtime::new().expect("a runtime");
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    });
    let any = (history(250), any::<u64>(), any::<bool>(), any::<bool>());
    let case = |(history, seed, failures_end, found_out): (Vec<Told>, u64, bool, bool)| {
        let layout = layout(DELAY);
        let turns = Turns { batch_max: 12, failures_end, found_out, seed };
        let memory = InProcessVelocity::new(layout.clone(), usize::MAX);
        let [(one, _), (other, _)] = [(); 2].map(|()| in_redis(url, &layout, PATIENT));
        runtime.block_on(async {
            let alone = [&memory as &dyn Velocity; 2];
            let at_home = replayed(&layout, &alone, &history, turns).await;
            if failures_end {
                assert_same(&layout, &at_home, &trained(&layout, &history), "in process");
            }
            let both = [&one as &dyn Velocity, &other];
            let abroad = replayed(&layout, &both, &history, turns).await;
            assert_same(&layout, &abroad, &at_home, "in Redis");
        });
        Ok(())
    };
    runner.run(&any, case).expect("online and offline features are one");
}

#[test]
fn random_histories_come_to_the_same_in_process_and_in_redis() {
    random_histories(servers::redis(), if is_full() { 500 } else { 24 });
}

#[test]
fn random_histories_come_to_the_same_on_a_redis_cluster() {
    random_histories(own_cluster::shared(), if is_full() { 200 } else { 12 });
}

/// Orders of a made-up shop, with the features of the bundled model. So many in so few days that
/// some entities are shared by thousands.
fn shop(orders: u32, days: u16) -> (Arc<Layout>, Vec<Told>) {
    let schema = Schema::parse(SCHEMA).expect("it holds");
    let mut layout = schema.layout(schema.label_delay.0).expect("it holds");
    let apart = super::layout(DELAY).entities[0].name.clone();
    for kind in &mut layout.entities {
        kind.name = format!("{}_{apart}", kind.name);
    }
    let options = SimulateOptions { orders, days, ..SimulateOptions::default() };
    let mut file = Vec::new();
    let made = simulate::simulate(options, &SeededChance::new(7));
    simulate::write(&made, &mut file, &mut Silent).expect("memory takes it");
    let rows = read_rows(&schema, None, file.as_slice()).expect("it fits its schema");
    (Arc::new(layout), rows.into_iter().map(|row| (row.event, row.label)).collect())
}

async fn a_shop_is_replayed(homes: &[&dyn Velocity], layout: &Arc<Layout>, history: &[Told]) {
    let turns = Turns { batch_max: 16, failures_end: true, found_out: true, seed: 3 };
    let seen = replayed(layout, homes, history, turns).await;
    assert_same(layout, &seen, &trained(layout, history), "a shop");
}

#[tokio::test]
async fn a_shop_sees_in_process_what_training_saw() {
    let (orders, days) = if is_full() { (1_000_000, 365) } else { (10_000, 60) };
    let (layout, history) = shop(orders, days);
    let memory = InProcessVelocity::new(layout.clone(), usize::MAX);
    a_shop_is_replayed(&[&memory], &layout, &history).await;
    assert_eq!(memory.forgotten(), 0);
}

#[tokio::test]
async fn a_shop_sees_in_redis_what_training_saw() {
    let (orders, days) = if is_full() { (150_000, 120) } else { (4_000, 15) };
    let (layout, history) = shop(orders, days);
    let [(one, _), (other, _)] = [(); 2].map(|()| in_redis(servers::redis(), &layout, PATIENT));
    a_shop_is_replayed(&[&one, &other], &layout, &history).await;
}

#[tokio::test]
async fn clocks_that_disagree_come_to_the_same_too() {
    let layout = layout(DELAY);
    let chance = SeededChance::new(11);
    let skewed = |number: i64| {
        let back = i64::try_from(chance.below(u64::try_from(3 * DAY).expect("positive")));
        let mut passing = attempt(chance.below(3), number * DAY / 50 - back.expect("it fits"));
        passing.event.failed = chance.below(4) == 0;
        (passing.event, None)
    };
    let history: Vec<Told> = (0..600).map(skewed).collect();
    let memory = InProcessVelocity::new(layout.clone(), usize::MAX);
    let (redis, _) = in_redis(servers::redis(), &layout, PATIENT);
    let replay = async |home: &dyn Velocity| {
        let turns = Turns { batch_max: 5, failures_end: false, found_out: false, seed: 5 };
        replayed(&layout, &[home], &history, turns).await
    };
    assert_same(&layout, &replay(&redis).await, &replay(&memory).await, "skewed");
}

#[tokio::test]
async fn replicas_that_meet_lose_nothing_and_see_one_another() {
    const EACH: i64 = 60;
    let layout = layout(DELAY);
    let count = card_count(&layout, Window::Month);
    let replicas: Vec<_> = (0..8).map(|_| in_redis(servers::redis(), &layout, PATIENT).0).collect();
    let work = replicas.iter().zip(0_i64..).map(|(replica, number)| {
        let layout = &layout;
        async move {
            let mut seen = Vec::new();
            for turn in 0..EACH {
                // Two at once, so that batches meet as well.
                let at = (turn * 16 + number * 2) * 1_000_000;
                let batch = [attempt(7, at), attempt(7, at + 1)];
                let recalled = replica.pass(&batch).await.expect("it answers");
                for (passing, recalled) in batch.iter().zip(&recalled) {
                    let mut row = Vec::new();
                    layout.compute(&passing.event, recalled, &mut row);
                    seen.push(row[count] as i64);
                }
            }
            seen
        }
    });
    let mut seen = futures_util::future::join_all(work).await.concat();
    seen.sort_unstable();
    assert_eq!(seen, (0..8 * EACH * 2).collect::<Vec<_>>(), "each sees another number before it");
}

#[tokio::test]
async fn what_is_written_about_a_busy_entity_stays_short_and_ends() {
    let redis = Redis::started();
    let layout = layout(Duration::from_secs(7 * 24 * 3600));
    let (velocity, _) = in_redis(&redis.url(), &layout, PATIENT);
    let good = Label { fraud: false, known_at: None };
    for number in 0..3_000 {
        let passing = attempt(7, number * 1_000_000);
        let batch = [passing];
        velocity.pass(&batch).await.expect("it answers");
        let [Passing { event, .. }] = batch;
        velocity.failed(std::slice::from_ref(&event)).await.expect("it answers");
        velocity.learn(&event, good, event.at).await.expect("it answers");
    }
    let place = place_of_card_7(&redis, &layout);
    let number = |command: &str| -> i64 {
        let said = redis.says(&format!("{command} {place}")).expect("it answers");
        said.trim()[1..].parse().expect("a number")
    };
    redis.says(&format!("PEXPIRE {place} 60000")).expect("it answers");
    velocity.pass(&[attempt(7, 3_000 * 1_000_000)]).await.expect("it answers");
    assert!(number("STRLEN") < 8_000, "{} bytes", number("STRLEN"));
    let life = LIFE_MICROS / 1000;
    assert!((life - 600_000..=life).contains(&number("PTTL")), "{} ms", number("PTTL"));
    let pages = redis.says(&format!("ZCARD {place}:labels")).expect("it answers");
    let pages: i64 = pages.trim()[1..].parse().expect("a number");
    assert!((30..=60).contains(&pages), "{pages} pages for 3,000 labels");
}

#[tokio::test]
async fn a_retry_reads_and_leaves_no_trace() {
    let layout = layout(DELAY);
    let count = card_count(&layout, Window::Hour);
    let (redis, _) = in_redis(servers::redis(), &layout, PATIENT);
    let memory = InProcessVelocity::new(layout.clone(), usize::MAX);
    for home in [&redis as &dyn Velocity, &memory] {
        let mut carts = Carts::default();
        let mut passed = |second: i64| {
            let mut event = attempt(7, second * 1_000_000).event;
            event.attempt = key(9);
            carts.pass(&event)
        };
        let batch: Vec<Passing> = (0..50).map(&mut passed).collect();
        let recalled = home.pass(&batch).await.expect("it answers");
        let counts = batch.iter().zip(&recalled).map(|(passing, recalled)| {
            let mut row = Vec::new();
            layout.compute(&passing.event, recalled, &mut row);
            row[count]
        });
        let expected = (0..50_u8).map(|number| f32::from(number.min(1)));
        assert!(counts.eq(expected), "a storm of retries counts once");
    }
}
