use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::{
    book::{Considered, Rulebook},
    facts::Subject,
    list::{List, ListKind},
    rule::{Action, Draft, Mode, Name, Pass, Rule, Snooze},
};
use crate::{
    base::{Buyer, Email, Hints, Timestamp},
    fraud::{
        assessment::Outcome,
        signals::{Signals, tests::bare},
    },
};

fn name(raw: &str) -> Name {
    Name::parse(raw).expect("a name")
}

fn rule(named: &str, action: Action, mode: Mode, expression: &str) -> Rule {
    let draft = Draft {
        name: name(named),
        expression: expression.into(),
        action,
        pass: Pass::Before,
        mode,
        reason: "a test".into(),
    };
    Rule {
        draft,
        version: 3,
        author: "ada".into(),
        updated_at: Timestamp::from_micros(0),
        removed: false,
    }
}

fn live(named: &str, action: Action) -> Rule {
    rule(named, action, Mode::Live, "true")
}

fn book(rules: Vec<Rule>) -> Rulebook {
    Rulebook::new(1, rules, BTreeMap::new(), Vec::new())
}

fn ask(book: &Rulebook, signals: &Signals) -> Considered {
    let subject = Subject::plain(signals);
    book.consider(&subject, Pass::Before)
}

fn heard(rules: Vec<Rule>) -> (Option<Outcome>, bool, Option<String>, Vec<String>) {
    let book = book(rules);
    assert_eq!(book.broken(), []);
    let Considered { outcome, allowed, decided_by, hits } = ask(&book, &bare());
    let told = |hit: &crate::fraud::assessment::RuleHit| {
        format!("{}{}", hit.rule, if hit.shadow { " (shadow)" } else { "" })
    };
    (outcome, allowed, decided_by, hits.iter().map(told).collect())
}

#[test]
fn the_strictest_of_those_that_match_decides() {
    use Action::{Block, Challenge, Review};
    let (outcome, allowed, by, hits) =
        heard(vec![live("r", Review), live("b", Block), live("c", Challenge)]);
    assert_eq!((outcome, allowed), (Some(Outcome::Decline), false));
    assert_eq!(by.as_deref(), Some("b"));
    assert_eq!(hits, ["c", "b", "r"], "challenge, allow, block, review");
    let (outcome, _, by, _) = heard(vec![live("r", Review), live("c", Challenge)]);
    assert_eq!((outcome, by.as_deref()), (Some(Outcome::Review), Some("r")));
    let (_, _, by, hits) = heard(vec![live("b2", Block), live("b1", Block)]);
    assert_eq!((by.as_deref(), hits), (Some("b1"), vec!["b1".to_owned(), "b2".to_owned()]));
}

#[test]
fn an_allow_ends_what_comes_later_and_leaves_a_challenge_standing() {
    use Action::{Allow, Block, Challenge, Review};
    let (outcome, allowed, by, hits) =
        heard(vec![live("r", Review), live("b", Block), live("a", Allow)]);
    assert_eq!((outcome, allowed), (Some(Outcome::Approve), true));
    assert_eq!((by.as_deref(), hits), (Some("a"), vec!["a".to_owned()]));
    let (outcome, allowed, by, hits) =
        heard(vec![live("b", Block), live("a", Allow), live("c", Challenge)]);
    assert_eq!((outcome, allowed), (Some(Outcome::Challenge), true));
    assert_eq!((by.as_deref(), hits), (Some("c"), vec!["c".to_owned(), "a".to_owned()]));
}

#[test]
fn what_is_in_shadow_is_told_and_decides_nothing() {
    use Action::{Allow, Block, Review};
    let shadow = |named: &str, action| rule(named, action, Mode::Shadow, "true");
    let (outcome, allowed, by, hits) =
        heard(vec![shadow("a", Allow), shadow("b", Block), live("r", Review)]);
    assert_eq!((outcome, allowed, by.as_deref()), (Some(Outcome::Review), false, Some("r")));
    assert_eq!(hits, ["a (shadow)", "b (shadow)", "r"]);
    let (outcome, _, by, hits) = heard(vec![shadow("b", Block), live("a", Allow)]);
    assert_eq!((outcome, by.as_deref()), (Some(Outcome::Approve), Some("a")));
    assert_eq!(hits, ["a", "b (shadow)"], "an allow ends no watching");
    let off = rule("o", Block, Mode::Off, "true");
    assert_eq!(heard(vec![off]), (None, false, None, vec![]));
}

#[test]
fn a_rule_whose_value_is_missing_does_not_match() {
    let rules = ["!wallet", "wallet", "score >= 0", "features[\"card.count.24h\"] >= 0.0"];
    let rules = rules.iter().enumerate();
    let rules: Vec<Rule> = rules
        .map(|(index, text)| rule(&format!("r{index}"), Action::Block, Mode::Live, text))
        .collect();
    assert_eq!(heard(rules), (None, false, None, vec![]));
}

#[test]
fn each_pass_asks_its_own() {
    let mut after = live("late", Action::Review);
    after.draft.pass = Pass::After;
    after.draft.expression = "!cvc".into();
    let book = book(vec![after, live("early", Action::Challenge)]);
    let mut signals = bare();
    signals.verification.code_matches = Some(false);
    let subject = Subject::plain(&signals);
    let by = |pass| book.consider(&subject, pass).decided_by;
    assert_eq!(by(Pass::Before).as_deref(), Some("early"));
    assert_eq!(by(Pass::After).as_deref(), Some("late"));
}

/// Ada from 192.0.2.7, on a device of hers.
fn ada() -> Signals {
    let mut signals = bare();
    let email = Email::parse("Ada@Example.com").expect("an address");
    signals.person.buyer = Some(Box::new(Buyer { email: Some(email), ..Buyer::default() }));
    signals.person.ip = Some("192.0.2.7".into());
    let hints = Hints { device_id: Some("d1".into()), ..Hints::default() };
    signals.person.hints = Some(Box::new(hints));
    signals
}

#[test]
fn lists_are_looked_up_until_their_entries_expire() {
    let mut list = List::new(ListKind::Email);
    let signals = ada();
    list.add("ada@example.com", Some(signals.at.plus(Duration::from_secs(1))));
    let lists = BTreeMap::from([(name("blocked"), Arc::new(list))]);
    let rules = vec![rule("b", Action::Block, Mode::Live, "listed(email, \"blocked\")")];
    let book = Rulebook::new(1, rules, lists, Vec::new());
    assert_eq!(ask(&book, &signals).outcome, Some(Outcome::Decline));
    let later = Signals { at: signals.at.plus(Duration::from_secs(1)), ..signals };
    assert_eq!(ask(&book, &later).outcome, None);
}

#[test]
fn a_snooze_passes_one_over_until_its_date() {
    let signals = ada();
    let snooze = |rule: &str, kind, value: &str| Snooze {
        rule: name(rule),
        kind,
        value: value.into(),
        until: signals.at.plus(Duration::from_secs(60)),
        reason: "a good customer".into(),
        author: "ada".into(),
        at: signals.at,
    };
    for (kind, value) in [
        (ListKind::Email, "ada@example.com"),
        (ListKind::Ip, "192.0.2.0/24"),
        (ListKind::Device, "d1"),
    ] {
        let rules = || vec![live("b", Action::Block), live("r", Action::Review)];
        let snoozed = Rulebook::new(1, rules(), BTreeMap::new(), vec![snooze("b", kind, value)]);
        let considered = ask(&snoozed, &signals);
        assert_eq!(considered.outcome, Some(Outcome::Review), "{kind}: only this rule");
        assert_eq!(considered.hits.len(), 1);
        assert_eq!(ask(&snoozed, &bare()).outcome, Some(Outcome::Decline), "{kind}: only Ada");
        let later = Signals { at: signals.at.plus(Duration::from_secs(60)), ..signals.clone() };
        assert_eq!(ask(&snoozed, &later).outcome, Some(Outcome::Decline), "{kind}: until then");
    }
}

#[test]
fn a_rule_that_no_longer_reads_harms_no_other() {
    let broken = rule("b", Action::Block, Mode::Live, "listed(email, \"gone\")");
    let book = book(vec![broken, live("r", Action::Review)]);
    assert_eq!(book.broken()[0].0, name("b"));
    assert_eq!(ask(&book, &ada()).outcome, Some(Outcome::Review));
}
