//! The rules under any sequence of calls.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::payment::sandbox::TOKENS;

const AT: Timestamp = Timestamp::from_micros(1_764_000_000_000_000);

fn reference(number: u128) -> AttemptId {
    AttemptId::from_uuid(Uuid::from_u128(number))
}

fn euros(minor: i64) -> Money {
    Money::from_minor(minor, "EUR".parse().expect("a currency"))
}

/// Anything a confused client could ask.
#[derive(Debug, Clone)]
enum Asked {
    Authorize { reference: u128, minor: i64, token: usize },
    Move { op: Op, part: u8, reference: u128, of: u128, minor: i64 },
}

fn anything() -> impl Strategy<Value = Asked> {
    let op = prop_oneof![Just(Op::Capture), Just(Op::Void), Just(Op::Refund)];
    let minor = prop_oneof![Just(-1_i64), Just(0), Just(500), Just(1000), Just(1001)];
    prop_oneof![
        (0_u128..3, minor.clone(), 0_usize..9)
            .prop_map(|(reference, minor, token)| Asked::Authorize { reference, minor, token }),
        (op, 0_u8..3, 0_u128..3, prop_oneof![9 => Just(None), 1 => Just(Some(1_u128))], minor)
            .prop_map(|(op, part, reference, of, minor)| Asked::Move {
                op,
                part: if op == Op::Void { 0 } else { part },
                reference,
                of: of.unwrap_or(reference),
                minor
            }),
    ]
}

fn judge(charges: &Charges, asked: &Asked) -> Record {
    match *asked {
        Asked::Authorize { reference: number, minor, token } => {
            let token = TOKENS.get(token).map_or("nonsense", |(token, _)| token);
            charges.judge_authorize(
                reference(number),
                euros(minor),
                (Token::read(token), false),
                AT,
            )
        }
        Asked::Move { op, part, reference: number, of, minor } => {
            let request = MoneyRequest {
                reference: reference(number),
                part,
                authorization: authorization_of(reference(of)),
                amount: euros(minor),
            };
            charges.judge_move(op, &request, AT)
        }
    }
}

proptest! {
    #[test]
    fn no_sequence_of_calls_moves_money_twice_or_beyond_what_was_authorized(
        calls in proptest::collection::vec(anything(), 1..60)
    ) {
        let mut charges = Charges::default();
        let mut lines = Vec::new();
        for asked in &calls {
            let before = charges.clone();
            let record = judge(&charges, asked);
            prop_assert_eq!(charges.apply(&record), Ok(()));
            for was in before.iter() {
                let is = charges.get(was.reference).expect("charges are not forgotten");
                prop_assert!(was.answer.is_none() || was.answer == is.answer, "an answer changed");
                prop_assert!(was.answer.is_none() || was.amount == is.amount, "an amount changed");
            }
            lines.push(record);
        }
        for charge in charges.iter() {
            let of = |op, outcome| {
                let those = |line: &&Record| {
                    line.reference == charge.reference && line.op == op && line.outcome == outcome
                };
                lines.iter().filter(those).count()
            };
            prop_assert!(of(Op::Authorize, Outcome::Approved) <= 1);
            // Captured in parts, each once.
            prop_assert_eq!(of(Op::Capture, Outcome::Done), charge.captures.len());
            let parts: i64 = charge.captures.values().sum();
            prop_assert_eq!(charge.captured_minor.unwrap_or(0), parts);
            prop_assert_eq!(of(Op::Refund, Outcome::Done), charge.refunds.len());
            let refunded: i64 = charge.refunds.values().sum();
            prop_assert_eq!(charge.refunded_minor.unwrap_or(0), refunded);
            let captured = charge.captured_minor.unwrap_or(0);
            prop_assert!(captured <= charge.amount.minor());
            prop_assert!(charge.refunded_minor.unwrap_or(0) <= captured);
            // What was not captured is let go: there must have been something.
            let is_whole = charge.captured_minor == Some(charge.amount.minor());
            prop_assert!(!(charge.voided && is_whole));
            prop_assert!(charge.authorization().is_some() || charge.paid_minor() == 0);
        }
        let mut again = Charges::default();
        for line in &lines {
            let text = serde_json::to_string(line).expect("lines serialize");
            let read: Record = serde_json::from_str(&text).expect("lines read back");
            prop_assert_eq!(again.apply(&read), Ok(()));
        }
        prop_assert_eq!(again, charges);
    }
}

#[test]
fn a_line_that_the_rules_would_not_write_is_damage() {
    let approved =
        Charges::default().judge_authorize(reference(1), euros(1000), (Token::Success, false), AT);
    let capture = Record { op: Op::Capture, outcome: Outcome::Done, ..approved.clone() };
    let mut charges = Charges::default();
    assert!(charges.apply(&capture).is_err(), "captured without an authorization");
    assert_eq!(charges.apply(&approved), Ok(()));
    assert!(charges.apply(&approved).is_err(), "approved twice");
    let beyond = Record { amount_minor: 1001, ..capture.clone() };
    assert!(charges.apply(&beyond).is_err(), "captured more than authorized");
    assert_eq!(charges.apply(&capture), Ok(()));
    assert!(charges.apply(&capture).is_err(), "captured twice");
}
