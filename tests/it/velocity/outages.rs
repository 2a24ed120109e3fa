//! Redis may vanish: velocity says so at once, and is there again when Redis is.

use doorbuster::fraud::{
    features::{Layout, Window},
    velocity::{Passing, RedisVelocity, Velocity, VelocityLimits},
};
use std::time::Duration;

use super::{PATIENT, attempt, card_count, in_redis, layout, place_of_card_7};
use crate::support::own_redis::Redis;

const DELAY: Duration = Duration::from_secs(7 * 24 * 3600);

/// How often card 7 was seen before, counted by passing it once more.
async fn seen(velocity: &RedisVelocity, layout: &Layout, at: i64) -> f32 {
    passed(velocity, layout, attempt(7, at)).await
}

/// How often the card of an attempt was seen before it.
async fn passed(velocity: &RedisVelocity, layout: &Layout, attempt: Passing) -> f32 {
    let batch = [attempt];
    let recalled = velocity.pass(&batch).await.expect("it answers");
    let mut row = Vec::new();
    layout.compute(&batch[0].event, &recalled[0], &mut row);
    row[card_count(layout, Window::Day)]
}

fn batch() -> [Passing; 1] {
    [attempt(7, 0)]
}

#[tokio::test]
async fn redis_killed_is_told_at_once_and_found_again() {
    let mut redis = Redis::not_started();
    let layout = layout(DELAY);
    let (velocity, clock) = in_redis(&redis.url(), &layout, PATIENT);
    assert!(velocity.is_up(), "nobody has failed yet");
    velocity.pass(&batch()).await.expect_err("nobody is there");
    redis.start();
    for round in 0..3 {
        assert!(!velocity.is_up());
        let fault = velocity.pass(&batch()).await.expect_err("nobody asks yet");
        assert!(fault.to_string().contains("not asked"), "{fault}");
        clock.advance(Duration::from_secs(1));
        for count in 0..3_u8 {
            let before = seen(&velocity, &layout, i64::from(count)).await;
            assert_eq!(before, f32::from(count), "round {round}: it is back, and empty");
            redis.says("SCRIPT FLUSH").expect("it answers");
        }
        assert!(velocity.is_up());
        velocity.ping().await.expect("it answers");
        redis.kill();
        velocity.failed(&[attempt(7, 0).event]).await.expect_err("it is dead");
        redis.start();
    }
}

#[tokio::test]
async fn a_silent_redis_costs_its_budget_a_few_times_and_then_nothing() {
    let redis = Redis::started();
    let layout = layout(DELAY);
    let limits = VelocityLimits { wait: Duration::from_millis(50), ..VelocityLimits::default() };
    let (velocity, clock) = in_redis(&redis.url(), &layout, limits);
    redis.signal("-STOP");
    for late in 0..=limits.late_max {
        assert!(velocity.is_up(), "{late} late answers are no failure");
        let batch = batch();
        let fault = tokio::time::timeout(Duration::from_secs(5), velocity.pass(&batch));
        let fault = fault.await.expect("it gives up in time").expect_err("it is silent");
        assert!(!fault.to_string().contains("not asked"), "{fault}");
    }
    assert!(!velocity.is_up());
    for _ in 0..1000 {
        let fault = velocity.pass(&batch()).await.expect_err("nobody asks");
        assert!(fault.to_string().contains("not asked"), "{fault}");
    }
    redis.signal("-CONT");
    // Redis needs a moment to run again; each try is one pause later.
    for _ in 0..200 {
        clock.advance(Duration::from_secs(1));
        if velocity.pass(&batch()).await.is_ok() {
            assert!(velocity.is_up());
            return;
        }
    }
    panic!("it was never found again");
}

#[tokio::test]
async fn what_is_none_of_ours_is_told_once_and_gone() {
    let redis = Redis::started();
    let layout = layout(DELAY);
    let (velocity, _) = in_redis(&redis.url(), &layout, PATIENT);
    assert_eq!(seen(&velocity, &layout, 0).await, 0.0);
    let place = place_of_card_7(&redis, &layout);
    redis.says(&format!("SET {place} nonsense")).expect("it answers");
    let fault = velocity.pass(&[attempt(7, 1)]).await.expect_err("it does not read");
    assert!(fault.to_string().contains("none of ours"), "{fault}");
    assert_eq!(seen(&velocity, &layout, 2).await, 0.0, "it begins anew");
    assert_eq!(seen(&velocity, &layout, 3).await, 1.0);
}

#[tokio::test]
async fn one_place_that_cannot_be_written_keeps_none_of_its_batch_from_being_noted() {
    let redis = Redis::started();
    let layout = layout(DELAY);
    let (velocity, _) = in_redis(&redis.url(), &layout, PATIENT);
    assert_eq!(seen(&velocity, &layout, 0).await, 0.0);
    let place = place_of_card_7(&redis, &layout);
    redis.says(&format!("DEL {place}")).expect("it answers");
    redis.says(&format!("LPUSH {place} 1")).expect("it answers");
    let other = |at| attempt(8, at);
    let fault = velocity.pass(&[attempt(7, 1), other(1)]).await.expect_err("one is a list");
    assert!(fault.to_string().contains("WRONGTYPE"), "{fault}");
    assert_eq!(passed(&velocity, &layout, other(2)).await, 1.0, "the other one was noted");
}
