//! The same contract on a Redis Cluster, and what happens when a part of it is gone.

use super::{PATIENT, at, checkout, copy, keeps_the_contract};
use crate::support::{
    own_cluster::{self, OwnCluster},
    servers,
};
use doorbuster::{
    base::CheckoutId,
    sessions::{HotCopy, HotSessions, RedisSessions},
};
use std::time::Duration;

/// Copies enough that each of three masters has some.
const COPIES: u64 = 30;

fn key(checkout: CheckoutId) -> String {
    format!("{{doorbuster:session:{checkout}}}")
}

fn one() -> HotCopy {
    copy(1, b"x")
}

async fn fill(sessions: &RedisSessions) {
    for number in 0..COPIES {
        sessions.put(checkout(number), one()).await.expect("kept");
    }
}

/// Those whose copies one master has, and the rest.
fn split(cluster: &OwnCluster, master: usize) -> (Vec<CheckoutId>, Vec<CheckoutId>) {
    let all = (0..COPIES).map(checkout);
    let (its, others): (Vec<_>, Vec<_>) =
        all.partition(|checkout| cluster.owner_of(&key(*checkout)) == master);
    assert!(!its.is_empty() && others.len() > 1, "copies lie on all masters");
    (its, others)
}

#[tokio::test]
async fn a_redis_cluster_keeps_the_contract() {
    keeps_the_contract(&at(own_cluster::shared(), PATIENT).0).await;
}

#[tokio::test]
async fn any_node_leads_to_all_others() {
    let cluster = OwnCluster::start();
    let first = cluster.url_of(0).replace("redis://", "redis-cluster://");
    let (sessions, _) = at(&first, PATIENT);
    fill(&sessions).await;
    for master in 0..3 {
        let (its, _) = split(&cluster, master);
        assert_eq!(cluster.says(master, "DBSIZE"), format!(":{}", its.len()));
    }
    sessions.ping().await.expect("all answer");
}

#[tokio::test]
async fn a_killed_master_takes_its_copies_with_it_and_no_others() {
    let mut cluster = OwnCluster::start();
    let (sessions, clock) = at(&cluster.url(), PATIENT);
    fill(&sessions).await;
    let (lost, kept) = split(&cluster, 1);
    cluster.kill(1);
    sessions.find(lost[0]).await.expect_err("it is dead");
    sessions.ping().await.expect_err("one of three is dead");
    for _ in 0..3 {
        for checkout in &lost {
            sessions.find(*checkout).await.expect_err("it is dead");
        }
        let fault = sessions.put(lost[0], one()).await.expect_err("it is dead");
        assert!(fault.to_string().contains("not asked"), "{fault}");
        for checkout in &kept {
            let found = sessions.find(*checkout).await.expect("the others live");
            assert_eq!(found, Some(one()));
        }
    }
    cluster.start_again(1);
    clock.advance(Duration::from_secs(1));
    for checkout in &lost {
        assert_eq!(sessions.find(*checkout).await.expect("it is back"), None, "and empty");
        sessions.put(*checkout, one()).await.expect("kept");
    }
    sessions.ping().await.expect("all answer");
}

#[tokio::test]
async fn a_silent_master_holds_nobody_up_who_asks_another() {
    let cluster = OwnCluster::start();
    let (sessions, clock) = at(&cluster.url(), Duration::from_secs(1));
    fill(&sessions).await;
    let (silent, others) = split(&cluster, 2);
    cluster.signal(2, "-STOP");
    let waits = sessions.find(silent[0]);
    let go_on = async {
        for checkout in others.iter().cycle().take(200) {
            assert_eq!(sessions.find(*checkout).await.expect("the others live"), Some(one()));
        }
    };
    // Both at once: had one of the others waited for the silent one, this one would have ended.
    let first = futures_util::future::select(Box::pin(waits), Box::pin(go_on)).await;
    let futures_util::future::Either::Right(((), waits)) = first else {
        panic!("two hundred answers take longer than the silence of one");
    };
    waits.await.expect_err("it is silent");
    cluster.signal(2, "-CONT");
    // Redis needs a moment to run again; each try is one pause later.
    for _ in 0..50 {
        clock.advance(Duration::from_secs(1));
        if let Ok(found) = sessions.find(silent[0]).await {
            assert_eq!(found, Some(one()));
            return;
        }
    }
    panic!("it was never found again");
}

#[tokio::test]
async fn slots_are_followed_while_they_move_and_after() {
    let cluster = OwnCluster::start();
    let (sessions, _) = at(&cluster.url(), PATIENT);
    fill(&sessions).await;
    let (its, _) = split(&cluster, 0);
    let (slot, from, to) = (cluster.slot_of(&key(its[0])), cluster.id(0), cluster.id(1));
    cluster.says(0, &format!("DEL {}", key(its[0])));
    for (at, how) in [(1, format!("IMPORTING {from}")), (0, format!("MIGRATING {to}"))] {
        assert_eq!(cluster.says(at, &format!("CLUSTER SETSLOT {slot} {how}")), "+OK");
    }
    assert_eq!(sessions.find(its[0]).await.expect("both answer"), None);
    sessions.put(its[0], copy(2, b"on its way")).await.expect("kept by the one that takes over");
    let moving = sessions.find(its[0]).await.expect("found there");
    assert_eq!(moving, Some(copy(2, b"on its way")));
    for at in [1, 0, 2] {
        assert_eq!(cluster.says(at, &format!("CLUSTER SETSLOT {slot} NODE {to}")), "+OK");
    }
    let moved = sessions.find(its[0]).await.expect("found there");
    assert_eq!(moved, Some(copy(2, b"on its way")));
    sessions.put(its[0], copy(1, b"late")).await.expect("not kept");
    assert_eq!(sessions.find(its[0]).await.expect("found there"), moved);
    assert_eq!(cluster.says(1, &format!("EXISTS {}", key(its[0]))), ":1");
}

#[tokio::test]
async fn a_replica_that_takes_over_is_found() {
    let mut cluster = OwnCluster::start();
    let named = cluster.url();
    let replica = cluster.add_replica_of(0);
    let (sessions, clock) = at(&named, PATIENT);
    fill(&sessions).await;
    let (its, _) = split(&cluster, 0);
    let all = format!(":{}", its.len());
    cluster.until("the replica has all copies", |cluster| cluster.says(replica, "DBSIZE") == all);
    cluster.kill(0);
    sessions.find(its[0]).await.expect_err("it is dead");
    assert_eq!(cluster.says(replica, "CLUSTER FAILOVER TAKEOVER"), "+OK");
    let id = cluster.id(replica);
    cluster.until("all know who took over", |cluster| {
        let knows = |number| {
            let nodes = cluster.says(number, "CLUSTER NODES");
            let line = nodes.lines().find(|line| line.starts_with(&id)).map(str::to_owned);
            line.is_some_and(|line| line.ends_with("0-5460"))
        };
        [1, 2].into_iter().all(knows)
    });
    clock.advance(Duration::from_secs(1));
    for checkout in &its {
        assert_eq!(sessions.find(*checkout).await.expect("the other has it"), Some(one()));
    }
    sessions.ping().await.expect("all who have slots answer");
}

#[tokio::test]
async fn the_wrong_kind_of_address_is_told() {
    let cluster = OwnCluster::start();
    let (sessions, _) = at(&cluster.url_of(0), PATIENT);
    let (_, elsewhere) = split(&cluster, 0);
    for fault in [
        sessions.ping().await.expect_err("it is one of many"),
        sessions.find(elsewhere[0]).await.expect_err("another has it"),
        sessions.put(elsewhere[0], one()).await.expect_err("another has it"),
    ] {
        assert!(fault.to_string().contains("write `redis-cluster://`"), "{fault}");
    }
    let alone = servers::redis().replace("redis://", "redis-cluster://");
    let fault = at(&alone, PATIENT).0.ping().await.expect_err("it stands alone");
    assert!(fault.to_string().contains("write `redis://`"), "{fault}");
}
