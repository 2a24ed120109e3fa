//! What is recorded answers again: entries by their id, requests by their key; until it is purged.

use doorbuster::{
    base::{Buyer, CheckoutId, Email, Hints, Person, Sealed},
    ledger::{
        Done, Entry, EntryId, Fact, LedgerRefused,
        row::{KeyRow, SessionState},
        store::RetainSince,
    },
};
use std::time::Duration;

use crate::support::bench::{Bench, write};

on_both!(
    a_recorded_id_answers_again_without_deltas,
    a_refusal_is_recorded_only_for_a_resubmission,
    a_key_that_stands_is_taken,
    who_settles_an_attempt_answers_the_key_that_waits,
    a_key_is_taken_in_the_batch_that_answers_it,
    what_was_kept_long_enough_goes,
    raw_signals_go_and_people_stay,
    sessions_over_time_are_found,
);

async fn a_recorded_id_answers_again_without_deltas(bench: Bench) {
    bench.receive("TEE", 5).await;
    let entry = write(bench.session(bench.checkout(), 1, &[("TEE", 2)]));
    let first = bench.one(entry.clone()).await;
    assert_eq!(first, Ok(Done::Session { version: 1 }));
    assert_eq!(bench.one(entry.clone()).await, first);
    assert_eq!(bench.batch(&[entry.clone(), entry]).await.outcomes, [first.clone(), first]);
    assert_eq!(bench.levels("TEE").await, [5, 3, 0, 2, 0]);
}

async fn a_refusal_is_recorded_only_for_a_resubmission(bench: Bench) {
    bench.receive("TEE", 1).await;
    let early = write(bench.session(bench.checkout(), 1, &[("TEE", 2)]));
    let mut entry = write(bench.session(bench.checkout(), 1, &[("TEE", 2)]));
    for entry in [&early, &entry] {
        let refused = bench.one(entry.clone()).await;
        assert!(matches!(refused, Err(LedgerRefused::Short(_))), "{refused:?}");
    }
    bench.receive("TEE", 7).await;
    // A refusal whose answer was heard is decided again when it is sent again.
    assert_eq!(bench.one(early).await, Ok(Done::Session { version: 1 }));
    // Sent once more as possibly committed, and refused: from now on that is what it came to.
    bench.one(write(bench.session(bench.checkout(), 1, &[("TEE", 6)]))).await.expect("takes all");
    entry.resubmitted = true;
    let refused = bench.one(entry.clone()).await;
    bench.receive("TEE", 5).await;
    entry.resubmitted = false;
    assert_eq!(bench.one(entry).await, refused, "the late first sending finds its id taken");
    assert_eq!(bench.levels("TEE").await, [13, 5, 0, 8, 0]);
}

async fn a_key_that_stands_is_taken(bench: Bench) {
    bench.receive("TEE", 5).await;
    let mut session = bench.session(bench.checkout(), 1, &[("TEE", 1)]);
    session.key = Some(bench.key("k1", Some("created")));
    bench.one(write(session.clone())).await.expect("creates");
    let row = bench.store.find_key("shop", "k1").await.expect("reads").expect("stands");
    let answer = row.answer.clone().expect("is answered");
    assert_eq!((answer.status, answer.body.open(), answer.version), (201, Ok("created"), 1));
    let mut other = bench.session(bench.checkout(), 1, &[("TEE", 1)]);
    other.key = Some(bench.key("k1", Some("another")));
    assert_eq!(bench.one(write(other)).await, Err(LedgerRefused::KeyTaken(Box::new(row))));
    assert_eq!(bench.levels("TEE").await, [5, 4, 0, 1, 0]);
    // Another caller's key of the same name is another key.
    let mut foreign = bench.key("k1", None);
    foreign.caller = "other".into();
    let entry = Entry::new(EntryId::of("other/k1"), Fact::Answer(foreign));
    assert_eq!(bench.one(entry).await, Ok(Done::Written));
    assert_eq!(bench.store.find_key("shop", "k2").await.expect("reads"), None);
}

async fn who_settles_an_attempt_answers_the_key_that_waits(bench: Bench) {
    bench.receive("TEE", 5).await;
    let (checkout, attempt) = (bench.checkout(), bench.attempt());
    let mut pin = bench.pinning(checkout, 1, &[("TEE", 1)], attempt);
    pin.key = Some(bench.key("pay", None));
    bench.one(write(pin)).await.expect("claims the key");
    let find = async || bench.store.find_key("shop", "pay").await.expect("reads").expect("stands");
    let KeyRow { answer, dialect, .. } = find().await;
    assert_eq!((answer, dialect.as_str()), (None, "v1"));
    let row = bench.store.find_attempt(attempt).await.expect("reads").expect("is there");
    assert_eq!(row.waiting, Some(("shop".into(), "pay".into())));
    let mut place = bench.place(checkout, attempt, &[("TEE", 1)]);
    if let Fact::Place(place) = &mut place.fact {
        place.key = Some(bench.key("pay", Some("placed")));
    }
    bench.one(place).await.expect("sells");
    assert_eq!(find().await.answer.expect("is answered").body.open(), Ok("placed"));
}

/// The same request again, or another one under its key, commits together with what the first one
/// came to: whatever the rival is, and whichever stands first in the batch.
// breaks: leave the key out of what `Known::foresee_end` adds to the world, and let `ledger_insert`
// pass over keys that stand (`on conflict do nothing`)
async fn a_key_is_taken_in_the_batch_that_answers_it(bench: Bench) {
    bench.receive("TEE", 99).await;
    let mut sold = 0;
    for case in 0..12 {
        let (sells, is_first, rival) = (case % 2 == 0, case / 2 % 2 == 0, case / 4);
        let name = format!("pay-{case}");
        let (checkout, attempt) = (bench.checkout(), bench.attempt());
        let mut pin = bench.pinning(checkout, 1, &[("TEE", 1)], attempt);
        pin.key = Some(bench.key(&name, None));
        bench.one(write(pin)).await.expect("claims the key");
        let answer = Some(bench.key(&name, Some("the first")));
        let mut end = match sells {
            true => bench.place(checkout, attempt, &[("TEE", 1)]),
            false => bench.settle(checkout, attempt, false),
        };
        match &mut end.fact {
            Fact::Place(place) => place.key = answer,
            Fact::Settle(settle) => settle.key = answer,
            _ => unreachable!("an attempt ends in one of these"),
        }
        let rival = rival_under(&bench, &name, rival);
        let batch = if is_first { [end, rival] } else { [rival, end] };
        let mut outcomes = bench.batch(&batch).await.outcomes;
        let (of_end, of_rival) = if is_first { (0, 1) } else { (1, 0) };
        assert!(outcomes[of_end].is_ok(), "case {case}: {outcomes:?}");
        let Err(LedgerRefused::KeyTaken(row)) = outcomes.swap_remove(of_rival) else {
            panic!("case {case}: the key was given away twice");
        };
        assert_eq!(row.answer.is_some(), is_first, "case {case}");
        let row = bench.store.find_key("shop", &name).await.expect("reads").expect("stands");
        assert_eq!(row.answer.expect("is answered").body.open(), Ok("the first"), "case {case}");
        sold += i64::from(sells);
        assert_eq!(bench.levels("TEE").await, [99, 99 - sold, 0, 0, sold], "case {case}");
    }
}

/// Something else that would take this key: a payment, a session, or an answer alone.
fn rival_under(bench: &Bench, name: &str, rival: u32) -> Entry {
    let (checkout, wants) = (bench.checkout(), [("TEE", 1)]);
    let mut session = match rival {
        0 => bench.pinning(checkout, 1, &wants, bench.attempt()),
        1 => bench.session(checkout, 1, &wants),
        _ => {
            let answer = Fact::Answer(bench.key(name, Some("another")));
            return Entry::new(EntryId::of(format_args!("answer/{checkout}")), answer);
        }
    };
    session.key = Some(bench.key(name, (rival == 1).then_some("another")));
    write(session)
}

async fn what_was_kept_long_enough_goes(bench: Bench) {
    bench.receive("TEE", 9).await;
    let (ended, ordered, open) = (bench.checkout(), bench.checkout(), bench.checkout());
    let mut first = bench.session(ended, 1, &[]);
    first.state = SessionState::Canceled;
    first.key = Some(bench.key("old", Some("canceled")));
    let canceled = write(first);
    bench.one(canceled.clone()).await.expect("writes");
    let attempt = bench.attempt();
    let mut pin = bench.pinning(ordered, 1, &[("TEE", 1)], attempt);
    pin.key = Some(bench.key("waits", None));
    bench.one(write(pin)).await.expect("pins");
    bench.one(bench.place(ordered, attempt, &[("TEE", 1)])).await.expect("sells");
    bench.one(write(bench.session(open, 1, &[("TEE", 1)]))).await.expect("holds");
    let before = RetainSince { keys: bench.now(), sessions: bench.now(), events: bench.now() };
    let none = bench.store.purge(before, 10).await.expect("purges");
    assert_eq!((none.keys, none.sessions, none.events), (0, 0, 0), "nothing is older than now");
    bench.clock.advance(Duration::from_secs(1));
    let since = RetainSince { keys: bench.now(), sessions: bench.now(), events: bench.now() };
    let gone = bench.store.purge(since, 10).await.expect("purges");
    assert_eq!((gone.keys, gone.sessions, gone.events), (1, 1, 0), "unsent events stay");
    assert!(bench.store.find_session(ended).await.expect("reads").is_none());
    assert!(bench.store.find_session(open).await.expect("reads").is_some());
    assert!(bench.store.find_session(ordered).await.expect("reads").is_some());
    assert!(bench.store.find_key("shop", "old").await.expect("reads").is_none());
    assert!(bench.store.find_key("shop", "waits").await.expect("reads").is_some());
    bench.by_hand("update events set sent_at = at").await.expect("the relay has been here");
    let gone = bench.store.purge(since, 10).await.expect("purges");
    assert_eq!((gone.keys, gone.sessions, gone.events), (0, 0, 1), "sent ones go");
    // Its id is forgotten with it: sent again, the entry is judged as new.
    let again = bench.one(canceled).await;
    assert_eq!(again, Ok(Done::Session { version: 1 }));
    assert_eq!(bench.levels("TEE").await, [9, 7, 0, 1, 1]);
}

/// What is known of a checkout's person; with a field of a version that is yet to come.
fn person() -> Sealed {
    let email = Email::parse("ada@example.com").expect("well formed");
    let hints = Hints { device_id: Some("d1".into()), ..Hints::default() };
    let person = Person {
        buyer: Some(Box::new(Buyer { email: Some(email), ..Buyer::default() })),
        ip: Some("192.0.2.7".into()),
        hints: Some(Box::new(hints)),
        ..Person::default()
    };
    let mut person = serde_json::to_value(&person).expect("serializes");
    person["of_tomorrow"] = true.into();
    Sealed::seal_json(&person)
}

async fn raw_signals_go_and_people_stay(bench: Bench) {
    bench.receive("TEE", 9).await;
    let (ordered, canceled, open) = (bench.checkout(), bench.checkout(), bench.checkout());
    let attempt = bench.attempt();
    let mut pin = bench.pinning(ordered, 1, &[("TEE", 1)], attempt);
    pin.personal = Some(person());
    bench.one(write(pin)).await.expect("pins");
    for (checkout, state) in [(canceled, SessionState::Canceled), (open, SessionState::Open)] {
        let mut session = bench.session(checkout, 1, &[]);
        (session.state, session.personal) = (state, Some(person()));
        bench.one(write(session)).await.expect("writes");
    }
    let stored = async |checkout: CheckoutId| {
        let row = bench.store.find_session(checkout).await.expect("reads").expect("is there");
        row.personal.expect("somebody").open().expect("opens").to_owned()
    };
    let raw = async |checkout| {
        let text = stored(checkout).await;
        assert!(text.contains("ada@example.com") && text.contains("of_tomorrow"), "{text}");
        text.contains("192.0.2.7") && text.contains("d1")
    };
    let purge = async |limit| {
        let purged = bench.store.purge_raw_signals(bench.now(), limit).await;
        purged.expect("purges")
    };
    assert_eq!(purge(9).await, 0, "nothing ended before now");
    bench.clock.advance(Duration::from_secs(60));
    bench.one(bench.place(ordered, attempt, &[("TEE", 1)])).await.expect("sells");
    assert_eq!(purge(9).await, 1, "one has ended, one ended now, one lives");
    assert_eq!((raw(ordered).await, raw(canceled).await, raw(open).await), (true, false, true));
    bench.clock.advance(Duration::from_secs(60));
    let mut again = bench.session(canceled, 1, &[]);
    again.checkout = bench.checkout();
    (again.state, again.personal) = (SessionState::Expired, Some(person()));
    bench.one(write(again)).await.expect("writes");
    bench.clock.advance(Duration::from_secs(60));
    assert_eq!([purge(1).await, purge(1).await, purge(1).await], [1, 1, 0], "each once");
    assert_eq!((raw(ordered).await, raw(open).await), (false, true), "who still shops is known");
}

async fn sessions_over_time_are_found(bench: Bench) {
    let (open, ended) = (bench.checkout(), bench.checkout());
    bench.one(write(bench.session(open, 1, &[]))).await.expect("writes");
    let mut last = bench.session(ended, 1, &[]);
    last.state = SessionState::Canceled;
    bench.one(write(last)).await.expect("writes");
    let find = async || bench.store.list_expired_sessions(bench.now(), 9).await.expect("lists");
    assert!(find().await.is_empty());
    bench.clock.advance(Duration::from_secs(7200));
    assert_eq!(find().await, [open]);
    let told = bench.store.now().await.expect("tells the time");
    assert!(told > bench.now().minus(Duration::from_secs(86_400 * 3650)));
}
