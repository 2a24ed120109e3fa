//! Velocity on a Redis Cluster, and what happens when a part of it moves or is gone.

use doorbuster::fraud::{
    features::{Layout, Window},
    velocity::{Passing, RedisVelocity, Velocity},
};
use std::time::Duration;

use super::{PATIENT, attempt, card_count, in_redis, layout};
use crate::support::own_cluster::OwnCluster;

/// Cards enough that each of three masters has some.
const CARDS: u64 = 30;

const DELAY: Duration = Duration::from_secs(7 * 24 * 3600);

/// All cards at once.
async fn seen(velocity: &RedisVelocity, layout: &Layout, turn: i64) -> Vec<f32> {
    let batch: Vec<Passing> = (1..=CARDS).map(|card| attempt(card, turn)).collect();
    let recalled = velocity.pass(&batch).await.expect("all answer");
    let count = |(passing, recalled): (&Passing, _)| {
        let mut row = Vec::new();
        layout.compute(&passing.event, recalled, &mut row);
        row[card_count(layout, Window::Day)]
    };
    batch.iter().zip(&recalled).map(count).collect()
}

/// What a card is called in Redis, found out from the node that has it.
fn place_of(cluster: &OwnCluster, layout: &Layout, master: usize) -> String {
    let pattern = format!("KEYS *:{}:*", layout.entities[0].name);
    let said = cluster.says(master, &pattern);
    said.lines().last().expect("each master has cards").trim().to_owned()
}

#[tokio::test]
async fn a_batch_finds_slots_while_they_move_and_after() {
    let cluster = OwnCluster::start();
    let layout = layout(DELAY);
    let first = cluster.url_of(0).replace("redis://", "redis-cluster://");
    let (velocity, _) = in_redis(&first, &layout, PATIENT);
    assert_eq!(seen(&velocity, &layout, 0).await, [0.0; CARDS as usize]);
    assert_eq!(seen(&velocity, &layout, 1).await, [1.0; CARDS as usize]);
    let place = place_of(&cluster, &layout, 0);
    let (slot, from, to) = (cluster.slot_of(&place), cluster.id(0), cluster.id(1));
    cluster.says(0, &format!("DEL {place}"));
    for (at, how) in [(1, format!("IMPORTING {from}")), (0, format!("MIGRATING {to}"))] {
        assert_eq!(cluster.says(at, &format!("CLUSTER SETSLOT {slot} {how}")), "+OK");
    }
    let one_gone = |turn: f32, counts: Vec<f32>, gone: f32| {
        let mut odd = counts.into_iter().filter(|count| *count != turn);
        assert_eq!((odd.next(), odd.next()), (Some(gone), None));
    };
    one_gone(2.0, seen(&velocity, &layout, 2).await, 0.0);
    one_gone(3.0, seen(&velocity, &layout, 3).await, 1.0);
    for at in [1, 0, 2] {
        assert_eq!(cluster.says(at, &format!("CLUSTER SETSLOT {slot} NODE {to}")), "+OK");
    }
    one_gone(4.0, seen(&velocity, &layout, 4).await, 2.0);
    one_gone(5.0, seen(&velocity, &layout, 5).await, 3.0);
    assert_eq!(cluster.says(1, &format!("EXISTS {place}")), ":1");
}

#[tokio::test]
async fn a_killed_master_is_told_and_found_again() {
    let mut cluster = OwnCluster::start();
    let layout = layout(DELAY);
    let (velocity, clock) = in_redis(&cluster.url(), &layout, PATIENT);
    seen(&velocity, &layout, 0).await;
    assert!(velocity.is_up());
    cluster.kill(1);
    let batch: Vec<Passing> = (1..=CARDS).map(|card| attempt(card, 1)).collect();
    for _ in 0..3 {
        velocity.pass(&batch).await.expect_err("one of three is dead");
        assert!(!velocity.is_up());
    }
    cluster.start_again(1);
    clock.advance(Duration::from_secs(1));
    let counts = seen(&velocity, &layout, 2).await;
    let (kept, lost): (Vec<f32>, Vec<f32>) = counts.iter().partition(|count| **count > 0.0);
    assert!(kept.len() > 10 && lost.len() > 2, "one in three is forgotten: {counts:?}");
    assert!(velocity.is_up());
}
