//! The writer against a ledger that does what the test says.

use async_trait::async_trait;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{AGAIN_MAX, BATCH_MAX, Writer};
use crate::{
    base::{CheckoutId, ManualClock, Timestamp},
    ledger::{
        BatchReply, Commit, CommitFault, Done, Entry, EntryId, Fact, LedgerFault, LedgerRefused,
        Outcome,
        entry::{KeyWrite, SessionWrite},
        row::SessionState,
    },
};

/// What the fake ledger does with one batch.
enum Play {
    /// Waits until the test lets it go on, then commits.
    Wait(Arc<Notify>),
    Again,
    Unknown,
    Unreachable,
}

/// One batch as it came: the ids, and whether each was marked as sent before.
type Seen = Vec<(String, bool)>;

/// A ledger that follows a script, and then commits everything but poison.
#[derive(Default)]
struct Fake {
    script: Mutex<VecDeque<Play>>,
    seen: Mutex<Vec<Seen>>,
    came: Notify,
}

impl Fake {
    fn with(script: impl IntoIterator<Item = Play>) -> Arc<Self> {
        let script = Mutex::new(script.into_iter().collect());
        Arc::new(Self { script, ..Self::default() })
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn ids(&self) -> Vec<Vec<String>> {
        let ids = |batch: Seen| batch.into_iter().map(|(id, _)| id).collect();
        self.seen().into_iter().map(ids).collect()
    }
}

#[async_trait]
impl Commit for Fake {
    async fn commit(&self, batch: &[Entry], _: Timestamp) -> Result<BatchReply, CommitFault> {
        let seen = batch.iter().map(|entry| (entry.id.as_str().to_owned(), entry.resubmitted));
        self.seen.lock().unwrap().push(seen.collect());
        self.came.notify_one();
        let play = self.script.lock().unwrap().pop_front();
        match play {
            Some(Play::Wait(go)) => go.notified().await,
            Some(Play::Again) => return Err(CommitFault::Again("met".into())),
            Some(Play::Unknown) => return Err(CommitFault::Unknown("silence".into())),
            Some(Play::Unreachable) => return Err(LedgerFault::Unreachable("gone".into()).into()),
            None => {}
        }
        if batch.iter().any(|entry| entry.id.as_str().starts_with("poison")) {
            return Err(LedgerFault::Broken("a constraint says no".into()).into());
        }
        let outcome = |entry: &Entry| -> Outcome {
            let no = entry.id.as_str().starts_with("refused");
            if no { Err(LedgerRefused::SessionEnded) } else { Ok(Done::Written) }
        };
        let outcomes = batch.iter().map(outcome).collect();
        Ok(BatchReply { outcomes, ..BatchReply::default() })
    }
}

#[expect(clippy::disallowed_methods, reason = "a test runs the writer as the service does")]
fn spawn<T: Send + 'static>(
    task: impl Future<Output = T> + Send + 'static,
) -> tokio::task::JoinHandle<T> {
    tokio::spawn(task)
}

fn start(fake: &Arc<Fake>) -> Writer {
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
    let (writer, task) = Writer::new(fake.clone(), clock, Arc::new(|_| ()));
    drop(spawn(task));
    writer
}

fn fact(id: &str) -> Entry {
    let key = KeyWrite {
        caller: "shop".into(),
        key: id.into(),
        fingerprint: "f".into(),
        dialect: "v1".into(),
        answer: None,
        now: Timestamp::from_micros(0),
    };
    Entry::new(EntryId::of(id), Fact::Answer(key))
}

/// A session of this checkout.
fn session(id: &str, checkout: u128) -> Entry {
    let body: Box<serde_json::value::RawValue> = serde_json::from_str("{}").unwrap();
    let write = SessionWrite {
        checkout: CheckoutId::from_uuid(Uuid::from_u128(checkout)),
        version: 1,
        state: SessionState::Open,
        expires_at: Timestamp::from_micros(1),
        body: body.into(),
        personal: None,
        holds: Vec::new(),
        hold_until: Timestamp::from_micros(1),
        attempt: None,
        assessment: None,
        key: None,
        now: Timestamp::from_micros(0),
    };
    Entry::new(EntryId::of(id), Fact::Session(Box::new(write)))
}

type Answer = tokio::task::JoinHandle<Result<Outcome, LedgerFault>>;

/// Sends entries while the first commit is held up, so that they form the next group.
async fn line_up(writer: &Writer, entries: Vec<Entry>) -> Vec<Answer> {
    let mut answers = Vec::new();
    for entry in entries {
        let (writer, before) = (writer.clone(), writer.depth());
        let handle = writer.clone();
        answers.push(spawn(async move { writer.write(entry).await }));
        while handle.depth() == before {
            tokio::task::yield_now().await;
        }
    }
    answers
}

async fn written(answers: Vec<Answer>) -> Vec<Result<Outcome, LedgerFault>> {
    let answers = futures_util::future::join_all(answers).await;
    answers.into_iter().map(|answer| answer.expect("the caller lives")).collect()
}

/// A fake whose first commit waits, with that commit under way.
async fn held_up(then: impl IntoIterator<Item = Play>) -> (Arc<Fake>, Writer, Answer, Arc<Notify>) {
    let go = Arc::new(Notify::new());
    let fake = Fake::with([Play::Wait(go.clone())].into_iter().chain(then));
    let writer = start(&fake);
    let first = line_up(&writer, vec![fact("first")]).await.pop().expect("one");
    fake.came.notified().await;
    (fake, writer, first, go)
}

#[tokio::test]
async fn while_one_commit_is_under_way_the_next_group_forms() {
    let (fake, writer, first, go) = held_up([]).await;
    let more = line_up(&writer, ["a", "b", "refused"].map(fact).into()).await;
    go.notify_one();
    assert!(first.await.expect("it lives").expect("reachable").is_ok());
    let answers = written(more).await;
    assert_eq!(fake.ids(), [vec!["first"], vec!["a", "b", "refused"]]);
    assert!(answers[..2].iter().all(|answer| matches!(answer, Ok(Ok(Done::Written)))));
    assert!(matches!(answers[2], Ok(Err(LedgerRefused::SessionEnded))), "to each its own");
    assert_eq!(writer.depth(), 0);
}

#[tokio::test]
async fn a_group_has_its_limit() {
    let (fake, writer, first, go) = held_up([]).await;
    let entries = (0..BATCH_MAX + 10).map(|n| fact(&format!("{n:04}"))).collect();
    let more = line_up(&writer, entries).await;
    go.notify_one();
    first.await.expect("it lives").expect("reachable").expect("written");
    written(more).await;
    assert_eq!(fake.seen().iter().map(Vec::len).collect::<Vec<_>>(), [1, BATCH_MAX, 10]);
}

/// A crowd before one SKU is a long queue, and whoever comes for another stands in it where they
/// came: so many batches later, as there are batches before them.
#[tokio::test]
async fn groups_take_what_came_first_whoever_crowds() {
    let (fake, writer, first, go) = held_up([]).await;
    let name = |n: usize| {
        if n.is_multiple_of(100) { format!("COLD-{n:04}") } else { format!("HOT-{n:04}") }
    };
    let names: Vec<_> = (0..BATCH_MAX * 3).map(name).collect();
    let more = line_up(&writer, names.iter().map(|name| fact(name)).collect()).await;
    go.notify_one();
    first.await.expect("it lives").expect("reachable").expect("written");
    written(more).await;
    let groups: Vec<_> = names.chunks(BATCH_MAX).map(<[String]>::to_vec).collect();
    assert_eq!(fake.ids()[1..], groups);
}

#[tokio::test]
async fn a_batch_has_one_entry_for_a_checkout_and_the_others_follow_in_order() {
    let (fake, writer, first, go) = held_up([]).await;
    let entries =
        [("a1", 1), ("b1", 2), ("a2", 1), ("a3", 1), ("b2", 2)].map(|(id, of)| session(id, of));
    let more = line_up(&writer, entries.into()).await;
    go.notify_one();
    first.await.expect("it lives").expect("reachable").expect("written");
    assert!(written(more).await.iter().all(Result::is_ok));
    assert_eq!(fake.ids(), [vec!["first"], vec!["a1", "b1"], vec!["a2", "b2"], vec!["a3"]]);
}

#[tokio::test]
async fn a_poisoned_entry_does_not_fail_its_neighbors() {
    let (_fake, writer, first, go) = held_up([]).await;
    let more = line_up(&writer, ["a", "poison", "b"].map(fact).into()).await;
    go.notify_one();
    first.await.expect("it lives").expect("reachable").expect("written");
    let answers = written(more).await;
    assert!(matches!(answers[0], Ok(Ok(_))) && matches!(answers[2], Ok(Ok(_))), "{answers:?}");
    assert!(matches!(answers[1], Err(LedgerFault::Broken(_))), "{answers:?}");
}

#[tokio::test]
async fn a_batch_that_met_another_is_judged_again() {
    let fake = Fake::with([Play::Again, Play::Again]);
    let answer = start(&fake).write(fact("a")).await;
    assert!(matches!(answer, Ok(Ok(_))));
    let unmarked = vec![("a".to_owned(), false)];
    assert_eq!(fake.seen(), vec![unmarked; 3], "nothing of it can have happened");
}

#[tokio::test]
async fn a_group_that_meets_others_too_often_goes_one_by_one() {
    let tries = AGAIN_MAX as usize + 1;
    let (fake, writer, first, go) = held_up((0..tries).map(|_| Play::Again)).await;
    let more = line_up(&writer, ["a", "b"].map(fact).into()).await;
    go.notify_one();
    first.await.expect("it lives").expect("reachable").expect("written");
    assert!(written(more).await.iter().all(|answer| matches!(answer, Ok(Ok(_)))));
    assert_eq!(fake.ids()[1 + tries..], [vec!["a"], vec!["b"]]);
}

#[tokio::test]
async fn after_an_unknown_outcome_the_same_ids_are_sent_marked_until_it_is_known() {
    let fake = Fake::with([Play::Unknown, Play::Unreachable, Play::Again, Play::Unreachable]);
    let answer = start(&fake).write(fact("a")).await;
    assert!(matches!(answer, Ok(Ok(_))), "{answer:?}");
    let marks: Vec<bool> = fake.seen().iter().map(|batch| batch[0].1).collect();
    assert_eq!(marks, [false, true, true, true, true]);
    assert!(fake.ids().iter().all(|ids| *ids == ["a"]));
}

#[tokio::test]
async fn while_an_outcome_is_unknown_nothing_new_is_promised() {
    let go = Arc::new(Notify::new());
    let fake = Fake::with([Play::Unknown, Play::Wait(go.clone())]);
    let writer = start(&fake);
    let first = line_up(&writer, vec![fact("a")]).await.pop().expect("one");
    fake.came.notified().await;
    fake.came.notified().await;
    let refused = writer.write(fact("b")).await;
    assert!(matches!(refused, Err(LedgerFault::Unreachable(_))), "{refused:?}");
    go.notify_one();
    assert!(matches!(first.await.expect("it lives"), Ok(Ok(_))));
    assert!(matches!(writer.write(fact("c")).await, Ok(Ok(_))), "it goes on");
    assert_eq!(fake.ids(), [["a"], ["a"], ["c"]]);
}

#[tokio::test]
async fn those_who_waited_when_an_outcome_became_unknown_are_told() {
    let go = Arc::new(Notify::new());
    let (fake, writer, first, held) = held_up([Play::Unknown, Play::Wait(go.clone())]).await;
    let a = line_up(&writer, vec![session("a1", 1), session("a2", 1)]).await;
    held.notify_one();
    first.await.expect("it lives").expect("reachable").expect("written");
    fake.came.notified().await;
    fake.came.notified().await;
    go.notify_one();
    let answers = written(a).await;
    assert!(matches!(answers[0], Ok(Ok(_))), "{answers:?}");
    assert!(matches!(answers[1], Err(LedgerFault::Unreachable(_))), "{answers:?}");
}

#[tokio::test]
async fn an_unreachable_ledger_is_told_at_once() {
    let fake = Fake::with([Play::Unreachable]);
    let writer = start(&fake);
    let answer = tokio::time::timeout(Duration::from_secs(5), writer.write(fact("a"))).await;
    assert!(matches!(answer, Ok(Err(LedgerFault::Unreachable(_)))), "{answer:?}");
    assert_eq!(fake.seen().len(), 1, "it is for the caller to ask again");
    assert!(matches!(writer.write(fact("a")).await, Ok(Ok(_))));
}

#[tokio::test]
async fn a_caller_that_goes_away_takes_nothing_back() {
    let (fake, writer, first, go) = held_up([]).await;
    let gone = line_up(&writer, vec![fact("gone")]).await;
    gone[0].abort();
    go.notify_one();
    first.await.expect("it lives").expect("reachable").expect("written");
    writer.write(fact("later")).await.expect("reachable").expect("written");
    assert!(fake.ids().concat().contains(&"gone".to_owned()));
    assert_eq!(writer.depth(), 0, "nobody counts as waiting who has gone");
}

#[tokio::test]
async fn the_task_ends_with_its_last_handle_and_writes_what_waits() {
    let fake = Fake::with([]);
    let clock = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
    let (writer, task) = Writer::new(fake.clone(), clock, Arc::new(|_| ()));
    let answers = line_up(&writer, ["a", "b"].map(fact).into()).await;
    drop(writer);
    task.await;
    assert!(written(answers).await.iter().all(Result::is_ok));
    assert_eq!(fake.ids(), [["a", "b"]]);
}
