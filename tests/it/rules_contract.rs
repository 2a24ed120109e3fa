//! Rules, lists and snoozes behave the same on both databases.

use doorbuster::{
    base::{Clock, ManualClock, Timestamp},
    fraud::rules::{
        Action, Draft, FeatureNames, ListEntry, ListKind, Mode, Name, Pass, Rules, RulesRefused,
        Snooze,
    },
};
use std::{sync::Arc, time::Duration};

use crate::support::bench::Bench;

const HOUR: Duration = Duration::from_secs(3600);

fn name(raw: &str) -> Name {
    Name::parse(raw).expect("a name")
}

fn draft(expression: &str, mode: Mode) -> Draft {
    Draft {
        name: name("ours"),
        expression: expression.into(),
        action: Action::Block,
        pass: Pass::Before,
        mode,
        reason: "a test".into(),
    }
}

fn entry(value: &str, expires_at: Option<Timestamp>, now: Timestamp) -> ListEntry {
    ListEntry {
        value: value.into(),
        expires_at,
        note: "n".into(),
        author: "ada".into(),
        added_at: now,
    }
}

async fn open(bench: &Bench) -> (Rules, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(bench.now()));
    let rules = Rules::load(bench.database.clone(), clock.clone()).await.expect("rules load");
    (rules, clock)
}

async fn a_shop_starts_with_rules_in_shadow(bench: Bench) {
    let (rules, _) = open(&bench).await;
    let kept = rules.store().rules().await.expect("rules are listed");
    assert!(kept.len() >= 12, "{kept:?}");
    assert!(kept.iter().all(|rule| rule.draft.mode == Mode::Shadow && rule.version == 1));
    assert!(kept.is_sorted_by_key(|rule| rule.draft.name.clone()));
    assert_eq!(rules.current().broken(), []);
    let version = rules.current().version();
    assert_eq!(version, rules.store().version().await.expect("a version"));
    let (again, _) = open(&bench).await;
    assert_eq!(again.current().version(), version, "once");
    let lists = rules.store().lists().await.expect("lists are listed");
    assert!(lists.iter().any(|head| head.name == name("blocked_emails") && head.entries == 0));
}

async fn each_change_of_a_rule_is_a_version(bench: Bench) {
    let (rules, clock) = open(&bench).await;
    let start = rules.current().version();
    let first = rules.save(draft("amount > 5", Mode::Off), None, "ada").await.expect("saved");
    assert_eq!((first.version, first.author.as_str()), (1, "ada"));
    assert_eq!(first.updated_at, clock.now());
    let same = rules.save(draft("amount > 5", Mode::Off), None, "bob").await.expect("as it is");
    assert_eq!(same, first, "what stands is not written again");
    clock.advance(HOUR);
    let live = rules.save(draft("amount > 5", Mode::Live), Some(1), "bob").await.expect("saved");
    assert_eq!((live.version, live.updated_at), (2, clock.now()));
    assert_eq!(rules.current().version(), start + 2, "each change is one");
    let late = rules.save(draft("amount > 6", Mode::Live), Some(1), "eve").await;
    assert!(matches!(&late, Err(RulesRefused::VersionMismatch { found: 2, .. })), "{late:?}");
    let versions = rules.store().versions(&name("ours"), None, 10).await.expect("versions");
    assert_eq!(versions, [live, first.clone()]);
    let older = rules.store().versions(&name("ours"), Some(2), 10).await.expect("versions");
    assert_eq!(older, [first]);
    let wrong = rules.save(draft("amuont > 6", Mode::Off), None, "ada").await;
    assert!(matches!(wrong, Err(RulesRefused::Expression(_))), "{wrong:?}");
    let late = Draft { action: Action::Challenge, pass: Pass::After, ..draft("!cvc", Mode::Off) };
    let late = rules.save(late, None, "ada").await;
    assert!(matches!(late, Err(RulesRefused::ChallengeTooLate)), "{late:?}");
}

async fn another_replica_sees_what_changed(bench: Bench) {
    let (here, clock) = open(&bench).await;
    let (there, _) = open(&bench).await;
    assert!(!there.refresh_if_changed().await.expect("a look"));
    let before = there.current();
    let list = name("ours");
    here.save_list(&list, ListKind::Ip, "test", "ada").await.expect("made");
    let until = clock.now().plus(HOUR);
    let twice = [("192.0.2.0/24", None), ("198.51.100.7", None), ("192.0.2.0/24", Some(until))];
    let twice = twice.map(|(value, end)| entry(value, end, clock.now())).to_vec();
    here.add_entries(&list, twice, "ada").await.expect("added");
    assert!(there.refresh_if_changed().await.expect("a look"));
    let seen = there.current();
    assert!(before.list("ours").is_none(), "a rulebook in hand stays as it is");
    let holds = |value: &str, at| seen.list("ours").expect("the list").holds(value, at);
    assert!(holds("192.0.2.9", clock.now()) && !holds("192.0.2.9", until));
    assert!(holds("198.51.100.7", until));
    let kept = there.store().entries(&list, None, 10).await.expect("entries");
    let values: Vec<_> = kept.iter().map(|one| (one.value.as_str(), one.expires_at)).collect();
    assert_eq!(values, [("192.0.2.0/24", Some(until)), ("198.51.100.7", None)]);
    let rest = there.store().entries(&list, Some("192.0.2.0/24"), 10).await.expect("entries");
    assert_eq!(rest.len(), 1);

    assert!(here.remove_entry(&list, "198.51.100.7", "ada").await.expect("removed"));
    assert!(!here.remove_entry(&list, "198.51.100.7", "ada").await.expect("gone already"));
    assert!(there.refresh_if_changed().await.expect("a look"));
    assert!(!there.current().list("ours").expect("the list").holds("198.51.100.7", clock.now()));
    assert_eq!(there.find_list(&list).await.expect("the list").entries, 1);

    let untouched = there.current().list("blocked_ips").expect("a list").clone();
    here.save_list(&list, ListKind::Ip, "another note", "ada").await.expect("saved");
    there.refresh_if_changed().await.expect("a look");
    let after = there.current().list("blocked_ips").expect("a list").clone();
    assert!(Arc::ptr_eq(&untouched, &after), "what did not change is not read again");
    let other = here.save_list(&list, ListKind::Email, "", "ada").await;
    assert!(matches!(other, Err(RulesRefused::OtherKind { kind: ListKind::Ip, .. })), "{other:?}");
    let nowhere = here.add_entries(&name("nowhere"), Vec::new(), "ada").await;
    assert!(matches!(nowhere, Err(RulesRefused::NoSuchList(_))), "{nowhere:?}");
}

async fn snoozes_end(bench: Bench) {
    let (rules, clock) = open(&bench).await;
    let snooze = |until| Snooze {
        rule: name("allow_trusted"),
        kind: ListKind::Email,
        value: "ada@example.com".into(),
        until,
        reason: "vacation".into(),
        author: "bob".into(),
        at: clock.now(),
    };
    let until = clock.now().plus(HOUR);
    rules.snooze(snooze(until)).await.expect("snoozed");
    let version = rules.current().version();
    rules.snooze(snooze(until)).await.expect("as it is");
    assert_eq!(rules.current().version(), version, "what stands is not written again");
    rules.snooze(snooze(until.plus(HOUR))).await.expect("longer");
    let rule = name("allow_trusted");
    let kept = rules.snoozes(&rule).await.expect("snoozes");
    assert_eq!(kept, [snooze(until.plus(HOUR))]);
    clock.advance(HOUR * 2);
    assert_eq!(rules.snoozes(&rule).await.expect("snoozes"), []);
    assert!(matches!(rules.snooze(snooze(until)).await, Err(RulesRefused::Past)));
    let nobody = Snooze { rule: name("nobody"), ..snooze(until.plus(HOUR * 2)) };
    assert!(matches!(rules.snooze(nobody).await, Err(RulesRefused::NoSuchRule(_))));
    let ended = rules.end_snooze(&rule, ListKind::Email, "ada@example.com", "bob").await;
    assert!(ended.expect("ended"));
}

async fn only_known_features_are_named(bench: Bench) {
    let (rules, _) = open(&bench).await;
    let expression = "features[\"card.count.42h\"] > 1.0";
    assert!(rules.check(expression, Pass::Before).is_ok(), "no model has said what it knows");
    rules.know_features(FeatureNames::new(["card.count.24h"]));
    let refused = rules.check(expression, Pass::Before).expect_err("no such feature");
    assert_eq!(refused.offset, 9, "{refused}");
    assert_eq!(rules.features(), ["card.count.24h"]);
}

macro_rules! on_both {
    ($($scenario:ident $sqlite:ident $postgres:ident;)*) => {$(
        #[tokio::test]
        async fn $sqlite() {
            $scenario(Bench::sqlite().await).await;
        }

        #[tokio::test]
        async fn $postgres() {
            $scenario(Bench::postgres().await).await;
        }
    )*};
}

on_both! {
    a_shop_starts_with_rules_in_shadow starter_on_sqlite starter_on_postgres;
    each_change_of_a_rule_is_a_version versions_on_sqlite versions_on_postgres;
    another_replica_sees_what_changed lists_on_sqlite lists_on_postgres;
    snoozes_end snoozes_on_sqlite snoozes_on_postgres;
    only_known_features_are_named features_on_sqlite features_on_postgres;
}

#[tokio::test]
async fn behind_a_pooler() {
    each_change_of_a_rule_is_a_version(Bench::pooled().await).await;
}

#[tokio::test]
async fn replicas_that_change_at_once_count_every_change() {
    let bench = Bench::postgres().await;
    let (here, _) = open(&bench).await;
    let (there, _) = open(&bench).await;
    let start = here.current().version();
    let change = |rules: &Rules, name: &str, amount: u32| {
        let draft = Draft {
            name: Name::parse(name).expect("a name"),
            ..draft(&format!("amount > {amount}"), Mode::Shadow)
        };
        let store = rules.store().clone();
        let by = doorbuster::fraud::rules::By { author: "ada".into(), at: bench.now() };
        async move { store.save_rule((&draft, &[]), None, &by).await.expect("saved") }
    };
    let changes = (1..=20)
        .flat_map(|amount| [change(&here, "ours", amount), change(&there, "theirs", amount)]);
    let changed = futures_util::future::join_all(changes).await;
    assert!(changed.iter().all(|changed| *changed));
    assert_eq!(here.store().version().await.expect("a version"), start + 40);
    let versions = here.store().versions(&name("ours"), None, 100).await.expect("versions");
    assert_eq!(
        versions.iter().map(|rule| rule.version).collect::<Vec<_>>(),
        (1..=20).rev().collect::<Vec<_>>()
    );
}
