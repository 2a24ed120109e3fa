//! What was judged is read back, learned from and judged again, the same on both databases.

use doorbuster::{
    base::{AssessmentId, CheckoutId, Clock, ManualClock, OrderId, Timestamp},
    fraud::{
        Bench as Judges,
        assessment::{Assessment, DecidedBy, Outcome},
        backtest::{
            Proposal,
            report::{Report, Truth},
        },
        bench::{Written, WrittenEvent},
        cases::Cases,
        drift::DriftReader,
        event::{Event, Key},
        features::Layout,
        history::{History, Span},
        learning::{Learner, Place},
        links::LinkKeys,
        policy::{Policy, Thresholds},
        schemas::Schemas,
        serving::Serving,
        velocity::{InProcessVelocity, Passing},
    },
    ledger::{
        Database, Entry, EntryId, Fact, LedgerRefused,
        review::{LabelsWrite, NewAssessment, NewLabel},
    },
};
use std::{collections::BTreeMap, num::NonZeroU64, sync::Arc, time::Duration};

use crate::support::bench::{Bench, document, write};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn serving() -> Serving {
    Serving::configured(None).expect("the bundled model")
}

/// An order of one card that scored this much, as the ledger keeps it.
async fn order(bench: &Bench, score: u16, card: u64) -> OrderId {
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    let mut pinning = bench.pinning(checkout, 1, &[("TEE", 1)], attempt);
    pinning.assessment =
        Some(NewAssessment { attempt: Some(attempt), ..judged(bench, checkout, score, card) });
    bench.one(write(pinning)).await.expect("pins");
    bench.one(bench.place(checkout, attempt, &[("TEE", 1)])).await.expect("sells");
    OrderId::of(checkout)
}

fn judged(bench: &Bench, checkout: CheckoutId, score: u16, card: u64) -> NewAssessment {
    let serving = serving();
    let mut keys = vec![0; serving.layout.entities.len()];
    keys[0] = card;
    let outcome = Policy::default().thresholds.by_score(score);
    let assessment = Assessment {
        outcome,
        decided_by: if outcome == Outcome::Approve { DecidedBy::Nothing } else { DecidedBy::Score },
        score: Some(score),
        features: vec![0.0; serving.layout.features.len()],
        features_hash: serving.features_hash.clone(),
        ..Assessment::default()
    };
    let others = BTreeMap::new();
    let event =
        Some(WrittenEvent { amount: Some(100), currency: None, keys, counted: true, others });
    let written = Written { assessment, event, links: LinkKeys::default() };
    let body = serde_json::to_string(&written).expect("it is written");
    NewAssessment {
        id: AssessmentId::new(bench.now(), &bench.chance),
        checkout,
        attempt: None,
        outcome: outcome.as_str(),
        score: Some(score),
        degraded: false,
        body: document(&body),
        at: bench.now(),
    }
}

async fn labels(bench: &Bench, key: &str, order: OrderId, fraud: bool, source: &str) {
    let label = NewLabel {
        order,
        fraud,
        source: source.into(),
        at: bench.now(),
        details: Default::default(),
    };
    let key = bench.key(key, Some("said"));
    let id = EntryId::of(format_args!("labels/{}", key.key));
    let write = LabelsWrite { labels: vec![label], key };
    let said = bench.one(Entry::new(id, Fact::Labels(Box::new(write)))).await;
    said.expect("it is kept");
}

fn span(bench: &Bench) -> Span {
    Span::of(Timestamp::from_micros(0), bench.now().plus(DAY))
}

async fn the_last_label_is_believed(bench: Bench) {
    bench.receive("TEE", 5).await;
    let first = order(&bench, 900, 1).await;
    let history = History::new(bench.database.clone());
    labels(&bench, "one", first, true, "dispute").await;
    labels(&bench, "two", first, false, "reviewer").await;
    let rows = history.list(span(&bench), None, 10).await.expect("reads");
    assert_eq!(rows.len(), 1);
    let label = rows[0].label.clone().expect("a label");
    assert_eq!((label.fraud, label.source.as_str()), (false, "reviewer"));
    let then = Span { labels_until: Some(1), ..span(&bench) };
    let rows = history.list(then, None, 10).await.expect("reads");
    assert!(rows[0].label.clone().expect("a label").fraud, "what was known then");
    let again = LabelsWrite { labels: Vec::new(), key: bench.key("two", Some("other")) };
    let again = Entry::new(EntryId::of("another"), Fact::Labels(Box::new(again)));
    assert!(matches!(bench.one(again).await, Err(LedgerRefused::KeyTaken(_))));
}

async fn other_thresholds_are_tried_on_what_happened(bench: Bench) {
    bench.receive("TEE", 9).await;
    let fraud = order(&bench, 950, 1).await;
    let good = order(&bench, 960, 2).await;
    let _mild = order(&bench, 100, 3).await;
    labels(&bench, "one", fraud, true, "dispute").await;
    labels(&bench, "two", good, false, "reviewer").await;
    let declined = judged(&bench, bench.checkout(), 999, 4);
    let mut alone = bench.session(declined.checkout, 1, &[]);
    alone.assessment = Some(declined);
    bench.one(write(alone)).await.expect("kept");

    let thresholds = Some(Thresholds { review: 940, ..Thresholds::NEVER });
    let proposal = Proposal { thresholds, ..Proposal::default() };
    let history = History::new(bench.database.clone());
    let (serving, policy, mut report) = (serving(), Policy::default(), Report::default());
    let now = bench.now().plus(DAY * 30);
    let (mut cursor, mut seen) = (None, 0);
    loop {
        let page = history.list(span(&bench), cursor, 2).await.expect("reads");
        let Some(last) = page.last() else { break };
        cursor = Some(last.id);
        for past in &page {
            let written = past.written().expect("it reads");
            let again = proposal.judge(&policy, &serving, (past, &written), None);
            let truth = Truth::of(past, now, serving.layout.label_delay);
            report.add((past, &written), &again, truth);
            seen += 1;
        }
    }
    report.end();
    assert_eq!(seen, 4, "each attempt once, whatever the pages");
    let reviewed = &report.proposed.outcomes["review"];
    let count = |truth| reviewed.get(&truth).map_or(0, |cell| cell.attempts);
    let counts = [Truth::Disputed, Truth::Good, Truth::Blocked].map(count);
    assert_eq!(counts, [1, 1, 1], "{report:?}");
    assert_eq!(reviewed[&Truth::Disputed].money["EUR"], 100);
    assert_eq!(report.stricter.values().map(|cell| cell.attempts).sum::<u64>(), 2);
    assert_eq!(report.actual.outcomes["review"].len(), 1, "999 was in review already");
}

async fn features_learn_of_labels_after_their_delay(bench: Bench) {
    bench.receive("TEE", 9).await;
    let (told, found) = (order(&bench, 100, 7).await, order(&bench, 100, 8).await);
    labels(&bench, "one", told, true, "dispute").await;
    let clock = Arc::new(ManualClock::new(bench.now()));
    let judges = || {
        let serving = serving();
        let local = InProcessVelocity::new(serving.layout.clone(), 1_000);
        Arc::new(Judges::new(serving, local, None, Policy::default(), clock.clone()))
    };
    let history = History::new(bench.database.clone());
    let learner = Learner::new(judges(), history.clone(), clock.clone());
    assert_eq!(learner.round().await.expect("a round"), 0, "nothing is due on the first day");
    clock.advance(DAY * 8);
    assert_eq!(learner.round().await.expect("a round"), 2, "both are due after a week");
    assert_eq!(learner.round().await.expect("a round"), 0, "once");
    labels(&bench, "two", found, true, "reviewer").await;
    // PostgreSQL waits until no earlier label can appear any more; a place that is told does not.
    if history.last_label().await.expect("reads") == 2 {
        assert_eq!(learner.round().await.expect("a round"), 1, "found out after it was learned");
        assert_eq!(learner.round().await.expect("a round"), 0, "once");
    }
    let heard = history.list_labels(1, 2, 10).await.expect("reads");
    assert_eq!((heard.len(), heard[0].was_fraud(), heard[0].judged.is_some()), (1, false, true));
    let anew = Learner::new(judges(), history, clock);
    assert_eq!(anew.round().await.expect("a round"), 2, "memory is built again after a restart");
}

/// Somebody was wrong about an order, and says so; and once more.
async fn a_label_taken_back_is_no_longer_counted(bench: Bench) {
    bench.receive("TEE", 9).await;
    let order = order(&bench, 100, 7).await;
    labels(&bench, "one", order, true, "dispute").await;
    let (clock, serving) = (Arc::new(ManualClock::new(bench.now())), serving());
    let layout = serving.layout.clone();
    let memory = || InProcessVelocity::new(layout.clone(), 1_000);
    let shared = Arc::new(memory());
    let judges =
        Judges::new(serving, memory(), Some(shared.clone()), Policy::default(), clock.clone());
    let history = History::new(bench.database.clone());
    let learner = Learner::new(Arc::new(judges), history, clock.clone());
    let place = layout.names().iter().position(|name| name == "card.frauds.30d");
    let place = place.expect("a feature");
    let said = async |key: &str, fraud: bool| {
        labels(&bench, key, order, fraud, "reviewer").await;
        learned(&bench, &learner).await;
        frauds(&layout, &shared, clock.now())[place]
    };
    learned(&bench, &learner).await;
    clock.advance(DAY * 8);
    learned(&bench, &learner).await;
    assert_eq!(frauds(&layout, &shared, clock.now())[place], 1.0, "due, and known by then");
    assert_eq!(said("the same", true).await, 1.0);
    assert_eq!(said("an error", false).await, 0.0);
    clock.advance(DAY);
    assert_eq!(said("it was one", true).await, 1.0);
    assert_eq!(said("no, it was not", false).await, 0.0);
    assert_eq!(said("never", false).await, 0.0);
}

/// Whatever was said is learned. PostgreSQL would wait until no earlier label can appear any more.
async fn learned(bench: &Bench, learner: &Learner) {
    if let Database::Postgres(_) = bench.database {
        let earlier = "update labels set recorded_at = recorded_at - interval '1 minute'";
        bench.by_hand(earlier).await.expect("by hand");
    }
    learner.round().await.expect("a round");
}

/// The features of the next order of card 7.
fn frauds(layout: &Layout, memory: &InProcessVelocity, now: Timestamp) -> Vec<f32> {
    let mut keys = vec![None; layout.entities.len()];
    keys[0] = NonZeroU64::new(7).map(Key::from_raw);
    let event = Event {
        at: now,
        amount: Some(100),
        keys: keys.into(),
        numbers: vec![f32::NAN; layout.numbers.len()].into(),
        attempt: None,
        failed: false,
    };
    let passing = Passing { event, counts: false };
    let recalled = memory.pass_now(std::slice::from_ref(&passing));
    let mut row = Vec::new();
    layout.compute(&passing.event, &recalled[0], &mut row);
    row
}

async fn a_step_of_learning_is_one_replicas(bench: Bench) {
    let history = History::new(bench.database.clone());
    assert_eq!(history.place("m").await.expect("reads"), None);
    let first = Place { round: 1, judged_until: bench.now(), labels_until: 0 };
    history.start_place("m", first).await.expect("begins");
    history.start_place("m", Place { round: 9, ..first }).await.expect("has begun");
    assert_eq!(history.place("m").await.expect("reads"), Some(first));
    let next = Place { round: 2, judged_until: bench.now().plus(DAY), labels_until: 4 };
    assert!(history.move_place("m", first, next).await.expect("moves"));
    assert!(!history.move_place("m", first, next).await.expect("is refused"), "another came first");
    assert_eq!(history.place("m").await.expect("reads"), Some(next));
}

// breaks: let `DriftReader::round` count the last hour alone
async fn replicas_read_the_same_drift_from_the_ledger(bench: Bench) {
    bench.receive("TEE", 9).await;
    for card in 1..=3 {
        order(&bench, 100, card).await;
    }
    let clock = Arc::new(ManualClock::new(bench.now()));
    let judges = || {
        let serving = serving();
        let local = InProcessVelocity::new(serving.layout.clone(), 1_000);
        let judges = Judges::new(serving, local, None, Policy::default(), clock.clone());
        let schemas = Arc::new(Schemas::of(bench.database.clone()));
        Arc::new(judges.with_past(Cases::new(bench.database.clone()), schemas, |_| None))
    };
    let read = async |judges: &Arc<Judges>| {
        let reader = DriftReader::new(judges.clone(), clock.clone());
        while reader.round().await.expect("reads") {}
        judges.drift().expect("it has a reference").orders
    };
    let (one, other) = (judges(), judges());
    assert_eq!(read(&one).await, 0, "the span is not over");
    clock.advance(Duration::from_secs(11 * 60));
    assert_eq!((read(&one).await, read(&one).await), (3, 3), "each once");
    clock.advance(DAY * 3);
    assert_eq!(read(&other).await, 3, "and whoever starts later reads the same");
    clock.advance(DAY * 8);
    assert_eq!((read(&one).await, read(&other).await), (0, 0), "a week counts");
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
    the_last_label_is_believed labels_on_sqlite labels_on_postgres;
    other_thresholds_are_tried_on_what_happened backtest_on_sqlite backtest_on_postgres;
    features_learn_of_labels_after_their_delay learning_on_sqlite learning_on_postgres;
    a_label_taken_back_is_no_longer_counted taken_back_on_sqlite taken_back_on_postgres;
    a_step_of_learning_is_one_replicas places_on_sqlite places_on_postgres;
    replicas_read_the_same_drift_from_the_ledger read_on_sqlite read_on_postgres;
}
