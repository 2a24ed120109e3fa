//! Velocity: wherever attempts are remembered, and whoever writes them down, serving sees the very
//! features that training saw.

mod agreement;
mod cluster;
mod emptied;
mod outages;
mod replay;

use doorbuster::{
    base::{ManualClock, Timestamp},
    fraud::{
        event::{Event, Key},
        features::{Aggregate, EntityKind, Feature, Layout, Window, entity::LABEL_WINDOWS},
        velocity::{Passing, RedisVelocity, VelocityLimits},
    },
};
use std::{
    num::NonZeroU64,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::support::own_redis::Redis;

/// A busy machine is not taken for a dead Redis.
const PATIENT: VelocityLimits =
    VelocityLimits { wait: Duration::from_secs(5), pause: Duration::from_secs(1), late_max: 0 };

const START: i64 = 1_700_000_000_000_000;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// Every aggregate in every window, over three kinds. Each layout remembers apart from all others,
/// so that tests may share a Redis.
fn layout(label_delay: Duration) -> Arc<Layout> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let unique = format!("{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
    let entity = |name: &str| EntityKind {
        name: format!("{name}_{unique}"),
        says: name.into(),
        columns: vec![name.into()],
    };
    let mut features = vec![Feature::Amount];
    for kind in 0..3 {
        let mut of = |aggregate| features.push(Feature::Of(kind, aggregate));
        of(Aggregate::Since);
        of(Aggregate::Age);
        for window in Window::ALL {
            of(Aggregate::Count(window));
            of(Aggregate::Failures(window));
            of(Aggregate::Sum(window));
            of(Aggregate::ToMean(window));
            of(Aggregate::ToMax(window));
            of(Aggregate::Distinct((kind + 1) % 3, window));
            of(Aggregate::Others((kind + 1) % 3, window));
            of(Aggregate::Unmet((kind + 1) % 3, window));
        }
        for window in LABEL_WINDOWS {
            of(Aggregate::Frauds(window));
            of(Aggregate::FraudRate(window));
        }
        Aggregate::of_payments().into_iter().for_each(&mut of);
    }
    let entities = vec![entity("card"), entity("ip"), entity("device")];
    Arc::new(Layout {
        entities,
        numbers: Vec::new(),
        features,
        label_delay,
        reads: Vec::new(),
        acquaintances: Vec::new(),
    })
}

/// The place of a count of cards, in this window.
fn card_count(layout: &Layout, window: Window) -> usize {
    let wanted = Feature::Of(0, Aggregate::Count(window));
    layout.features.iter().position(|feature| *feature == wanted).expect("declared")
}

fn in_redis(
    url: &str,
    layout: &Arc<Layout>,
    limits: VelocityLimits,
) -> (RedisVelocity, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
    let velocity = RedisVelocity::new(url, layout.clone(), limits, clock.clone());
    (velocity.expect("a well-formed address"), clock)
}

/// Where the attempts with card 7 are written down.
fn place_of_card_7(redis: &Redis, layout: &Layout) -> String {
    let keys = format!("KEYS *:{}:0000000000000007}}", layout.entities[0].name);
    let keys = redis.says(&keys).expect("it answers");
    keys.lines().last().expect("a key").trim().to_owned()
}

fn key(number: u64) -> Option<Key> {
    NonZeroU64::new(number).map(Key::from_raw)
}

/// One attempt with a card, on an IP address of its own, some microseconds after the start.
fn attempt(card: u64, micros: i64) -> Passing {
    let event = Event {
        at: Timestamp::from_micros(START + micros),
        amount: Some(1_990),
        keys: Box::new([key(card), key(1_000_000 + micros.unsigned_abs()), None]),
        numbers: Box::new([]),
        attempt: None,
        failed: false,
    };
    Passing { event, counts: true }
}
