//! Judged again: who silences whom, and what the cheapest thresholds are.

use super::{
    costs::{Bill, Costs, USUALLY_LOST, USUALLY_STOPPED},
    report::Truth,
    *,
};
use crate::fraud::{assessment::RuleHit, history::Known, links::LinkKeys, policy::Thresholds};

fn past() -> Past {
    Past {
        id: crate::base::AssessmentId::from_uuid(uuid::Uuid::nil()),
        checkout: crate::base::CheckoutId::from_uuid(uuid::Uuid::nil()),
        at: Timestamp::from_micros(0),
        body: serde_json::value::RawValue::from_string("{}".into()).expect("JSON").into(),
        later: None,
        minor: Some(10_000),
        currency: "EUR".parse().ok(),
        failed: false,
        placed: true,
        label: None,
        session: None,
        personal: None,
    }
}

fn written(outcome: Outcome, decided_by: DecidedBy, score: u16, rules: &[&str]) -> Written {
    let hit = |action: &&str| RuleHit {
        rule: (*action).to_owned(),
        version: 1,
        action: (*action).to_owned(),
        shadow: false,
    };
    let rules = rules.iter().map(hit).collect();
    let score = Some(score);
    let assessment = Assessment { outcome, decided_by, score, rules, ..Assessment::default() };
    Written { assessment, event: None, links: LinkKeys::default() }
}

fn again(proposal: &Proposal, written: &Written) -> Again {
    let serving = Serving::configured(None).expect("the bundled model");
    proposal.judge(&Policy::default(), &serving, (&past(), written), None)
}

fn rule(expression: &str, action: Action) -> Proposal {
    let now = Timestamp::from_micros(0);
    let rule = DraftRule::new((expression, action), &["score".into()], &Rulebook::default(), now);
    Proposal { rule, ..Proposal::default() }
}

#[test]
fn an_allow_rule_silences_the_score_and_no_challenge() {
    let scored = written(Outcome::Review, DecidedBy::Score, 999, &[]);
    let allows = rule("score > 500", Action::Allow);
    assert_eq!(again(&allows, &scored).now, Outcome::Approve);
    let challenged = written(Outcome::Review, DecidedBy::Score, 999, &["challenge"]);
    assert_eq!(again(&allows, &challenged).now, Outcome::Challenge);
    let forced = written(Outcome::Decline, DecidedBy::TestEmail, 999, &[]);
    assert_eq!(again(&allows, &forced).now, Outcome::Decline);
}

#[test]
fn a_block_rule_does_not_reach_what_is_allowed() {
    let blocks = rule("score > 500", Action::Block);
    let good = written(Outcome::Approve, DecidedBy::Nothing, 600, &[]);
    assert_eq!(again(&blocks, &good).now, Outcome::Decline);
    let allowed = written(Outcome::Approve, DecidedBy::Nothing, 600, &["allow"]);
    assert_eq!(again(&blocks, &allowed).now, Outcome::Approve);
    let low = written(Outcome::Approve, DecidedBy::Nothing, 400, &[]);
    assert_eq!((again(&blocks, &low).now, again(&blocks, &low).matched), (Outcome::Approve, false));
}

#[test]
fn what_is_gone_is_counted_and_never_guessed() {
    let now = Timestamp::from_micros(0);
    let uses = ["email".to_owned()];
    let draft = ("email == \"a@b.c\"", Action::Block);
    let rule = DraftRule::new(draft, &uses, &Rulebook::default(), now);
    let proposal = Proposal { rule, ..Proposal::default() };
    let good = written(Outcome::Approve, DecidedBy::Nothing, 600, &[]);
    let again = again(&proposal, &good);
    assert_eq!((again.now, again.lacking), (Outcome::Approve, Some(Lacking::Facts)));
}

#[test]
fn the_cheapest_thresholds_stop_fraud_and_fit_the_queue() {
    let costs = |reviews_per_day| Costs {
        currency: "EUR".parse().expect("a currency"),
        margin: 0.3,
        chargeback_fee_minor: 2_000,
        review_minutes: 5.0,
        review_minute_minor: 60.0,
        reviews_per_day,
        challenge_lost: USUALLY_LOST,
        challenge_stops: USUALLY_STOPPED,
    };
    let fit = |reviews_per_day| {
        let mut bill = Bill::new(costs(reviews_per_day));
        let mut add = |score: u16, fraud: bool, times: u32| {
            let label = fraud.then(|| Known {
                fraud,
                source: "dispute".into(),
                at: Timestamp::from_micros(0),
            });
            let past = Past { label, ..past() };
            let written = written(Outcome::Approve, DecidedBy::Nothing, score, &[]);
            let again = again(&Proposal::default(), &written);
            for _ in 0..times {
                let truth = if fraud { Truth::Disputed } else { Truth::Good };
                bill.add((&past, &written), &again, truth);
            }
        };
        add(100, false, 1_000);
        add(950, false, 10);
        add(950, true, 10);
        add(990, true, 20);
        bill.cheapest(1.0, Thresholds { review: 960, ..Thresholds::NEVER })
    };
    // A review costs 300; a fraud 9,000; a good order declined 3,000.
    let roomy = fit(100.0);
    assert!((101..=950).contains(&roomy.review) && (951..=990).contains(&roomy.decline));
    assert_eq!((roomy.cost_minor, roomy.cost_of_approving_minor), (20 * 300, 30 * 9_000));
    let tight = fit(0.0);
    assert_eq!(tight.review, tight.decline, "nobody has time: {tight:?}");
    assert_eq!(tight.cost_minor, 10 * 3_000);
    assert_eq!((tight.orders, tight.frauds), (1_040, 30));
    // In force 960: a person finds 20 frauds, and 10 are approved.
    let now = roomy.in_force;
    assert_eq!((now.review, now.cost_minor), (960, 20 * 300 + 10 * 9_000));
    assert_eq!((now.frauds_approved, now.good_declined), (10, 0));
    let reviews: Vec<_> = roomy.curve.iter().map(|point| point.review).collect();
    assert_eq!(reviews, [100, 950, 990, 1_001], "where something changes, and the end");
    let least = roomy.curve.iter().map(|point| point.cost_minor).min();
    assert_eq!(least, Some(roomy.cost_minor));
    let strict = tight.curve[1];
    assert_eq!((strict.decline, strict.good_declined, strict.frauds_approved), (950, 10, 0));
}
