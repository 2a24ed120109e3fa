//! Hot copies: the contract on Redis and on a Cluster, and what happens when Redis is gone.

mod cluster;

use crate::support::{own_redis::Redis, servers};
use doorbuster::{
    base::{CheckoutId, ManualClock, SeededChance, SystemChance, Timestamp},
    sessions::{HotCopy, HotSessions, RedisLimits, RedisSessions},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// The pause after a failure is counted by this clock. Most tests let calls wait long enough that
/// a busy machine is not taken for a dead one.
fn at(url: &str, wait: Duration) -> (RedisSessions, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
    let limits = RedisLimits { wait, ..RedisLimits::default() };
    let sessions = RedisSessions::new(url, limits, clock.clone());
    (sessions.expect("a well-formed address"), clock)
}

fn in_redis(redis: &Redis, wait: Duration) -> (RedisSessions, Arc<ManualClock>) {
    at(&redis.url(), wait)
}

const PATIENT: Duration = Duration::from_secs(5);

fn checkout(number: u64) -> CheckoutId {
    CheckoutId::new(Timestamp::from_micros(1_764_000_000_000_000), &SeededChance::new(number))
}

fn copy(version: u32, body: &[u8]) -> HotCopy {
    HotCopy { version, body: body.to_vec() }
}

async fn keeps_the_contract(sessions: &dyn HotSessions) {
    // Others may use the same Redis, and a run before this one may have.
    let now = Timestamp::from_micros(1_764_000_000_000_000);
    let [first, second] = [(); 2].map(|()| CheckoutId::new(now, &SystemChance));
    sessions.ping().await.expect("it answers");
    assert_eq!(sessions.find(first).await.expect("answers"), None);

    for (put, then) in [
        (copy(2, b"two"), copy(2, b"two")),
        (copy(1, b"one, late"), copy(2, b"two")),
        (copy(2, b"two again"), copy(2, b"two again")),
        (copy(10, b""), copy(10, b"")),
        (copy(9, b"nine, late"), copy(10, b"")),
        (copy(u32::MAX, b"\0\xff\r\n"), copy(u32::MAX, b"\0\xff\r\n")),
    ] {
        sessions.put(first, put).await.expect("kept");
        assert_eq!(sessions.find(first).await.expect("answers"), Some(then));
    }
    assert_eq!(sessions.find(second).await.expect("answers"), None, "sessions are mixed up");

    let versions = (1..=50_u32).map(|version| version * 37 % 51);
    let puts = versions.map(|version| sessions.put(second, copy(version, &[0; 100])));
    for put in futures_util::future::join_all(puts).await {
        put.expect("kept");
    }
    let newest = sessions.find(second).await.expect("answers").expect("kept");
    assert_eq!(newest.version, 50);
}

#[tokio::test]
async fn redis_keeps_the_contract() {
    keeps_the_contract(&at(servers::redis(), PATIENT).0).await;
}

#[tokio::test]
async fn redis_forgets_copies_after_their_time() {
    let redis = Redis::started();
    let (sessions, _) = in_redis(&redis, PATIENT);
    sessions.put(checkout(1), copy(1, b"x")).await.expect("kept");
    let left = redis.says(&format!("PTTL {{doorbuster:session:{}}}", checkout(1)));
    let left: u64 = left.expect("answers").trim()[1..].parse().expect("milliseconds");
    assert!((21_000_000..=21_600_000).contains(&left), "{left} ms instead of six hours");
}

#[tokio::test]
async fn what_is_not_ours_is_no_copy_and_no_reason_to_stop_asking() {
    let redis = Redis::started();
    let (sessions, _) = in_redis(&redis, PATIENT);
    let key = |number| format!("{{doorbuster:session:{}}}", checkout(number));
    redis.says(&format!("SET {} nonsense", key(1))).expect("answers");
    redis.says(&format!("LPUSH {} 1", key(2))).expect("answers");
    assert_eq!(sessions.find(checkout(1)).await.expect("answers"), None);
    sessions.put(checkout(1), copy(1, b"x")).await.expect("kept");
    assert_eq!(sessions.find(checkout(1)).await.expect("answers"), Some(copy(1, b"x")));
    assert!(sessions.find(checkout(2)).await.is_err(), "a list is no copy");
    sessions.ping().await.expect("one damaged key does not turn Redis off");
}

#[tokio::test]
async fn redis_may_be_down_at_the_start_and_costs_nothing_until_it_comes() {
    let mut redis = Redis::not_started();
    let (sessions, clock) = in_redis(&redis, PATIENT);
    sessions.ping().await.expect_err("nobody is there");
    redis.start();
    for _ in 0..1000 {
        let fault = sessions.find(checkout(1)).await.expect_err("nobody asks yet");
        assert!(fault.to_string().contains("not asked"), "{fault}");
    }
    clock.advance(Duration::from_secs(1));
    sessions.put(checkout(1), copy(1, b"x")).await.expect("it came");
    assert_eq!(sessions.find(checkout(1)).await.expect("answers"), Some(copy(1, b"x")));
}

#[tokio::test]
async fn redis_may_be_killed_restarted_and_flushed_in_between() {
    let mut redis = Redis::started();
    let (sessions, clock) = in_redis(&redis, PATIENT);
    for round in 1..=3 {
        sessions.put(checkout(1), copy(round, b"x")).await.expect("kept");
        redis.says("FLUSHALL").expect("answers");
        redis.says("SCRIPT FLUSH").expect("answers");
        assert_eq!(sessions.find(checkout(1)).await.expect("answers"), None);
        sessions.put(checkout(1), copy(round, b"x")).await.expect("kept without its script");
        redis.kill();
        sessions.find(checkout(1)).await.expect_err("it is dead");
        redis.start();
        clock.advance(Duration::from_secs(1));
        assert_eq!(sessions.find(checkout(1)).await.expect("it is back"), None);
    }
}

#[tokio::test]
async fn a_silent_redis_is_given_up_and_found_again() {
    let redis = Redis::started();
    let (sessions, clock) = in_redis(&redis, Duration::from_millis(200));
    sessions.put(checkout(1), copy(1, b"x")).await.expect("kept");
    redis.signal("-STOP");
    let asked = sessions.find(checkout(1));
    let fault = tokio::time::timeout(PATIENT, asked).await.expect("it gives up in time");
    fault.expect_err("it is silent");
    sessions.find(checkout(1)).await.expect_err("nobody asks");
    redis.signal("-CONT");
    // Redis needs a moment to run again; each try is one pause later.
    for _ in 0..50 {
        clock.advance(Duration::from_secs(1));
        if let Ok(found) = sessions.find(checkout(1)).await {
            assert_eq!(found, Some(copy(1, b"x")));
            return;
        }
    }
    panic!("it was never found again");
}

#[tokio::test]
async fn a_connection_that_stays_silent_for_ever_is_replaced() {
    let gone = Redis::started();
    let mut redis = Redis::not_started();
    std::fs::rename(gone.socket(), redis.socket()).expect("moved");
    let (sessions, clock) = in_redis(&redis, Duration::from_millis(200));
    sessions.ping().await.expect("it answers under the other's name");
    gone.signal("-STOP");
    std::fs::remove_file(redis.socket()).expect("removed");
    redis.start();
    sessions.ping().await.expect_err("the old connection is silent");
    clock.advance(Duration::from_secs(1));
    sessions.ping().await.expect("a new connection is made");
}

#[test]
fn an_address_that_is_none_is_told_without_its_password() {
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
    for url in ["http://u:secret@127.0.0.1", "redis://:secret@host:port", "rediss://:secret@h"] {
        let sessions = RedisSessions::new(url, RedisLimits::default(), clock.clone());
        let fault = sessions.err().expect("malformed").to_string();
        assert!(fault.contains("redis://") && !fault.contains("secret"), "{fault}");
    }
}

// breaks: leave the write out of `Home::ping`, or a word out of `REFUSES_WRITES`
#[tokio::test]
async fn a_redis_that_refuses_writes_is_down_until_it_takes_them_again() {
    let redis = Redis::started();
    let (sessions, clock) = in_redis(&redis, PATIENT);
    sessions.ping().await.expect("it takes writes");
    for (refuse, take, word) in [
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE", "READONLY"),
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", "OOM"),
        ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0", "NOREPLICAS"),
    ] {
        redis.says(refuse).expect("it answers");
        let said = redis.says("SET some thing").expect("it answers");
        assert!(said.starts_with(&format!("-{word}")), "{said}");
        sessions.ping().await.expect_err(word);
        clock.advance(Duration::from_secs(60));
        let put = sessions.put(checkout(1), copy(1, b"x")).await;
        put.expect_err("what is not kept is no success");
        let resting = sessions.find(checkout(1)).await.expect_err("it is left for a while");
        assert!(resting.to_string().contains("not asked"), "{word}: {resting}");
        redis.says(take).expect("it answers");
        clock.advance(Duration::from_secs(60));
        sessions.ping().await.unwrap_or_else(|fault| panic!("{word} is over: {fault}"));
    }
}

/// Answers like a Redis whose every write fails with these words.
#[expect(clippy::disallowed_methods, reason = "it answers for as long as the test runs")]
async fn refusing(word: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("redis://{}", listener.local_addr().expect("bound"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut asked = vec![0; 65536];
                while let Ok(length @ 1..) = stream.read(&mut asked).await {
                    let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
                    // One answer for each command: an array at the beginning of a line.
                    for command in asked.split("\r\n*").map(|one| one.trim_start_matches('*')) {
                        let is = |name: &str| command.contains(&format!("\r\n{name}"));
                        let answer = match () {
                            () if is("SET\r\n") || is("EVAL") => format!("-{word} no\r\n"),
                            () if is("PING") => "+PONG\r\n".to_owned(),
                            () if is("INFO") => "$0\r\n\r\n".to_owned(),
                            () => "+OK\r\n".to_owned(),
                        };
                        if stream.write_all(answer.as_bytes()).await.is_err() {
                            return;
                        }
                    }
                }
            });
        }
    });
    url
}

// breaks: a word out of `REFUSES_WRITES`
#[tokio::test]
async fn every_word_that_refuses_writes_counts() {
    for word in ["READONLY", "OOM", "MISCONF", "LOADING", "NOREPLICAS", "MASTERDOWN"] {
        let (sessions, clock) = at(&refusing(word).await, PATIENT);
        let fault = sessions.ping().await.expect_err(word).to_string();
        assert!(fault.to_lowercase().contains("no"), "{fault}");
        clock.advance(Duration::from_secs(60));
        sessions.put(checkout(1), copy(1, b"x")).await.expect_err(word);
        let resting = sessions.find(checkout(1)).await.expect_err("it is left for a while");
        assert!(resting.to_string().contains("not asked"), "{word}: {resting}");
    }
}
