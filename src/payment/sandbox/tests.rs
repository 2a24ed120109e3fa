//! Each token, and the book through crashes, restarts and confusion.

use proptest::prelude::*;
use std::{path::PathBuf, sync::Arc, time::Duration};
use tempfile::TempDir;
use uuid::Uuid;

use super::{BookFault, Charge, Sandbox, SandboxSettings, TOKENS, read_book};
use crate::{
    base::{AttemptId, Clock, ManualClock, Money, OrderId, Timestamp},
    payment::{
        AuthorizeRequest, Authorized, Challenge, Credential, Decline, Found, Gateway, GatewayFault,
        Lookup, MoneyRequest, Moved,
    },
};

/// A sandbox in a folder of its own, which can be closed and opened again.
struct Bench {
    folder: TempDir,
    clock: Arc<ManualClock>,
}

impl Bench {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(1_764_000_000_000_000)));
        Self { folder: tempfile::tempdir().expect("a folder"), clock }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("sandbox.book")
    }

    fn open(&self) -> Result<Sandbox, BookFault> {
        let settings = SandboxSettings { slow_ms: 400, client_timeout_ms: 1_000 };
        Sandbox::open(self.path(), settings, self.clock.clone())
    }

    fn sandbox(&self) -> Sandbox {
        self.open().expect("a usable book")
    }

    fn ask(&self, number: u128, minor: i64, token: &str) -> AuthorizeRequest {
        AuthorizeRequest {
            reference: reference(number),
            order: OrderId::from_uuid(Uuid::from_u128(number)),
            amount: euros(minor),
            credential: Credential::new(token.into()),
            not_after: self.clock.now().plus(Duration::from_secs(10)),
            authenticate: false,
            return_url: String::new(),
        }
    }
}

fn reference(number: u128) -> AttemptId {
    AttemptId::from_uuid(Uuid::from_u128(number))
}

fn lookup(number: u128) -> Lookup {
    Lookup {
        reference: reference(number),
        order: OrderId::from_uuid(Uuid::from_u128(number)),
        amount: euros(100),
        not_after: Timestamp::from_micros(i64::MAX),
        known: None,
    }
}

fn euros(minor: i64) -> Money {
    Money::from_minor(minor, "EUR".parse().expect("a currency"))
}

fn of(charge: &Charge, minor: i64) -> MoneyRequest {
    MoneyRequest {
        part: 0,
        reference: charge.reference,
        authorization: charge.authorization().unwrap_or("none").into(),
        amount: euros(minor),
    }
}

fn approved(answer: Result<Authorized, GatewayFault>) -> bool {
    matches!(answer, Ok(Authorized::Approved { .. }))
}

#[tokio::test]
async fn each_token_answers_as_documented() {
    let bench = Bench::new();
    let sandbox = bench.sandbox();
    let declined = |code: &str| Ok(Authorized::Declined(Decline::read(code)));
    for (number, token) in [(1, "success_token"), (2, "challenge_passed_token")] {
        assert!(approved(sandbox.authorize(&bench.ask(number, 100, token)).await), "{token}");
    }
    for (number, token, code) in [
        (3, "fail_token", "declined"),
        (4, "insufficient_funds_token", "insufficient_funds"),
        (5, "tok_visa", "unknown_token"),
    ] {
        assert_eq!(sandbox.authorize(&bench.ask(number, 100, token)).await, declined(code));
    }
    let challenged = sandbox.authorize(&bench.ask(6, 100, "challenge_token")).await;
    let Ok(Authorized::Challenged(Challenge { url, .. })) = challenged else {
        panic!("{challenged:?}")
    };
    assert!(url.starts_with("https://") && url.ends_with(&reference(6).to_string()));
    assert_eq!(sandbox.charges().len(), 6, "declines are in the book as well");
}

#[tokio::test]
async fn the_slow_token_is_booked_at_once_and_answered_late() {
    let bench = Bench::new();
    let sandbox = bench.sandbox();
    let request = bench.ask(1, 100, "slow_token");
    let call = sandbox.authorize(&request);
    tokio::pin!(call);
    while sandbox.charges().is_empty() {
        let early = tokio::time::timeout(Duration::from_millis(1), &mut call).await;
        assert!(early.is_err(), "answered at once");
    }
    assert!(matches!(sandbox.find(&lookup(1)).await, Ok(Found::Answered { .. })));
    assert!(approved(call.await));
}

#[tokio::test]
async fn the_lost_token_acts_and_never_answers() {
    let bench = Bench::new();
    let sandbox = bench.sandbox();
    let answer = sandbox.authorize(&bench.ask(1, 100, "lost_token")).await;
    assert!(matches!(answer, Err(GatewayFault::Unknown(_))), "{answer:?}");
    let found = sandbox.find(&lookup(1)).await.expect("it answers look-ups");
    let Found::Answered { answer: Authorized::Approved { .. }, captured_minor: 0, .. } = found
    else {
        panic!("{found:?}")
    };
}

#[tokio::test]
async fn the_flaky_token_fails_without_acting_once_even_across_a_restart() {
    let bench = Bench::new();
    let request = bench.ask(1, 100, "flaky_token");
    let answer = bench.sandbox().authorize(&request).await;
    assert!(matches!(answer, Err(GatewayFault::Unknown(_))), "{answer:?}");
    let sandbox = bench.sandbox();
    assert_eq!(sandbox.find(&lookup(1)).await, Ok(Found::Nothing));
    assert!(approved(sandbox.authorize(&request).await));
}

#[tokio::test]
async fn one_reference_has_one_answer_and_one_amount() {
    let bench = Bench::new();
    let sandbox = bench.sandbox();
    let first = sandbox.authorize(&bench.ask(1, 100, "success_token")).await;
    for token in ["success_token", "fail_token"] {
        assert_eq!(sandbox.authorize(&bench.ask(1, 100, token)).await, first);
    }
    let other = sandbox.authorize(&bench.ask(1, 101, "success_token")).await;
    assert!(matches!(other, Err(GatewayFault::Refused(_))), "{other:?}");
    let mut yen = bench.ask(1, 100, "success_token");
    yen.amount = Money::from_minor(100, "JPY".parse().expect("a currency"));
    assert!(matches!(sandbox.authorize(&yen).await, Err(GatewayFault::Refused(_))));
    assert_eq!(sandbox.charges()[0].attempts, 5);
}

#[tokio::test]
async fn a_hundred_calls_at_once_with_one_reference_are_one_charge() {
    let bench = Bench::new();
    let sandbox = bench.sandbox();
    let request = bench.ask(1, 100, "success_token");
    let calls = futures_util::future::join_all((0..100).map(|_| sandbox.authorize(&request)));
    assert!(calls.await.into_iter().all(approved));
    drop(sandbox);
    let text = std::fs::read_to_string(bench.path()).expect("a book");
    assert_eq!(text.matches("\"approved\"").count(), 1);
    assert_eq!(text.matches("\"repeated\"").count(), 99);
    assert!(!text.contains("token"), "a credential stands in the book");
}

#[tokio::test]
async fn a_late_call_is_not_sent_unless_it_was_answered_before() {
    let bench = Bench::new();
    let sandbox = bench.sandbox();
    let [early, late] = [1, 2].map(|number| bench.ask(number, 100, "success_token"));
    assert!(approved(sandbox.authorize(&early).await));
    bench.clock.advance(Duration::from_secs(11));
    let answer = sandbox.authorize(&late).await;
    assert!(matches!(answer, Err(GatewayFault::NotSent(_))), "{answer:?}");
    assert_eq!(sandbox.find(&lookup(2)).await, Ok(Found::Nothing));
    assert!(approved(sandbox.authorize(&early).await));
}

#[tokio::test]
async fn money_moves_once_in_each_direction() {
    let bench = Bench::new();
    let sandbox = bench.sandbox();
    let refused = |answer| matches!(answer, Err(GatewayFault::Refused(_)));
    for (number, token) in [(1, "success_token"), (2, "success_token"), (3, "fail_token")] {
        let _ = sandbox.authorize(&bench.ask(number, 100, token)).await;
    }
    let [paid, let_go, declined] = sandbox.charges().try_into().expect("three charges");
    assert!(refused(sandbox.refund(&of(&paid, 100)).await), "refunded before capture");
    assert!(refused(sandbox.capture(&of(&paid, 101)).await), "captured too much");
    for _ in 0..2 {
        assert_eq!(sandbox.capture(&of(&paid, 100)).await, Ok(Moved::Done));
    }
    assert!(refused(sandbox.capture(&of(&paid, 50)).await), "captured twice");
    assert!(refused(sandbox.void(&of(&paid, 100)).await), "voided after capture");
    for _ in 0..2 {
        assert_eq!(sandbox.refund(&of(&paid, 40)).await, Ok(Moved::Done));
        assert_eq!(sandbox.void(&of(&let_go, 100)).await, Ok(Moved::Done));
    }
    assert!(refused(sandbox.capture(&of(&let_go, 100)).await), "captured after void");
    assert!(refused(sandbox.capture(&of(&declined, 100)).await), "captured a decline");
    let second = MoneyRequest { part: 1, ..of(&paid, 60) };
    assert!(refused(sandbox.refund(&MoneyRequest { part: 1, ..of(&paid, 61) }).await), "too much");
    for _ in 0..2 {
        assert_eq!(sandbox.refund(&second).await, Ok(Moved::Done));
    }
    assert!(refused(sandbox.refund(&MoneyRequest { part: 2, ..of(&paid, 1) }).await), "too much");
    let mut stolen = of(&paid, 40);
    stolen.authorization = let_go.authorization().expect("approved").into();
    assert!(refused(sandbox.refund(&stolen).await), "refunded by another's authorization");
    let found = sandbox.find(&lookup(1)).await.expect("found");
    let Found::Answered { captured_minor: 100, refunded_minor: 100, voided: false, .. } = found
    else {
        panic!("{found:?}")
    };
    assert_eq!(sandbox.charges().iter().map(Charge::paid_minor).sum::<i64>(), 0);
}

#[tokio::test]
async fn what_was_answered_is_in_the_file_before_the_answer() {
    let bench = Bench::new();
    let sandbox = bench.sandbox();
    for number in 1..=50 {
        assert!(approved(sandbox.authorize(&bench.ask(number, 100, "success_token")).await));
        let charge = sandbox.charges().pop().expect("charged");
        let in_file = || read_book(bench.path()).expect("readable while it is written").pop();
        assert_eq!(in_file(), Some(charge.clone()));
        sandbox.capture(&of(&charge, 100)).await.expect("captured");
        assert_eq!(in_file().and_then(|charge| charge.captured_minor), Some(100));
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_is_in_the_book_all_the_same() {
    let bench = Bench::new();
    let sandbox = bench.sandbox();
    let request = bench.ask(1, 100, "success_token");
    {
        let call = sandbox.authorize(&request);
        tokio::pin!(call);
        assert!(futures_util::poll!(&mut call).is_pending());
    }
    drop(sandbox);
    assert_eq!(read_book(bench.path()).expect("a book").len(), 1);
}

#[tokio::test]
async fn wherever_a_crash_cuts_the_book_the_whole_lines_stand() {
    let bench = Bench::new();
    let sandbox = bench.sandbox();
    for number in 1..=3 {
        assert!(approved(sandbox.authorize(&bench.ask(number, 100, "success_token")).await));
    }
    drop(sandbox);
    let whole = std::fs::read(bench.path()).expect("a book");
    // Every line's end, the byte before it, and a sample in between: each cut costs real syncs.
    let ends = |cut: &usize| whole[..*cut].ends_with(b"\n") || whole[*cut..].starts_with(b"\n");
    for cut in (0..=whole.len()).filter(|cut| cut % 17 == 0 || ends(cut)) {
        std::fs::write(bench.path(), &whole[..cut]).expect("a cut book");
        let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
        assert_eq!(read_book(bench.path()).expect("readable").len(), lines, "cut at {cut}");
        let sandbox = bench.sandbox();
        assert_eq!(sandbox.charges().len(), lines, "cut at {cut}");
        // As a server answers: however long a loaded disk takes.
        assert!(approved(sandbox.answer(&bench.ask(9, 100, "success_token")).await));
        drop(sandbox);
        assert_eq!(read_book(bench.path()).expect("readable").len(), lines + 1, "cut at {cut}");
    }
}

#[tokio::test]
async fn damage_is_named_by_its_line_and_never_guessed_over() {
    let bench = Bench::new();
    let sandbox = bench.sandbox();
    for number in 1..=3 {
        let _ = sandbox.authorize(&bench.ask(number, 100, "success_token")).await;
    }
    drop(sandbox);
    let text = std::fs::read_to_string(bench.path()).expect("a book");
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1] = "{\"reference\":";
    std::fs::write(bench.path(), lines.join("\n") + "\n").expect("a damaged book");
    let fault = bench.open().err().expect("damage is a fault");
    assert!(matches!(fault, BookFault::Damaged { line: 2, .. }), "{fault}");
    lines[1] = lines[0];
    std::fs::write(bench.path(), lines.join("\n") + "\n").expect("a book that approves twice");
    let fault = bench.open().err().expect("nonsense is a fault");
    assert!(matches!(fault, BookFault::Damaged { line: 2, .. }), "{fault}");
}

#[test]
fn two_owners_of_one_book_are_refused() {
    let bench = Bench::new();
    let first = bench.sandbox();
    assert!(matches!(bench.open(), Err(BookFault::InUse(_))));
    drop(first);
    assert!(bench.open().is_ok());
}

#[test]
fn the_documented_tokens_stand_in_the_module_docs() {
    let docs = include_str!("mod.rs");
    for (token, _) in TOKENS {
        assert!(docs.contains(&format!("//! | `{token}` |")), "{token} is missing");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_book_read_back_is_the_book_in_memory(
        calls in proptest::collection::vec((0_u8..4, 0_u128..4, 0_usize..9, 90_i64..102), 1..30)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let bench = Bench::new();
            let mut sandbox = bench.sandbox();
            for (op, number, token, minor) in calls {
                let token = TOKENS.get(token).map_or("nonsense", |(token, _)| token);
                // Waiting for what never comes would only make this slow.
                let token = if token == "lost_token" { "success_token" } else { token };
                let mut charges = sandbox.charges().into_iter();
                let charge = charges.find(|charge| charge.reference == reference(number));
                match (op, charge) {
                    (1, Some(charge)) => drop(sandbox.capture(&of(&charge, minor)).await),
                    (2, Some(charge)) => drop(sandbox.void(&of(&charge, minor)).await),
                    (3, Some(charge)) => drop(sandbox.refund(&of(&charge, minor)).await),
                    _ => drop(sandbox.authorize(&bench.ask(number, minor, token)).await),
                }
            }
            let memory = sandbox.charges();
            drop(sandbox);
            assert_eq!(read_book(bench.path()).expect("a book"), memory);
            sandbox = bench.sandbox();
            assert_eq!(sandbox.charges(), memory);
        });
    }
}
