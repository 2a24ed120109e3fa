//! The rulebook: every rule with its lists and snoozes, ready to be asked.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    check::{Vocabulary, compile},
    facts::{Facts, Subject, Value},
    list::{List, ListKind},
    parse::ExpressionRefused,
    program::Program,
    rule::{Action, Mode, Name, Pass, Rule, Snooze},
    vocabulary::Variable,
};
use crate::fraud::assessment::{Outcome, RuleHit};

/// What the rules make of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Considered {
    /// The strictest that live rules ask for; none when no live rule matched.
    pub outcome: Option<Outcome>,
    /// Whether a live rule allowed it: the score's thresholds are not for this order.
    pub allowed: bool,
    /// The rule that decided the outcome.
    pub decided_by: Option<String>,
    /// Every rule that matched, in the order of asking, also those in shadow.
    pub hits: Vec<RuleHit>,
}

impl Considered {
    fn hear(&mut self, rule: &Rule) {
        let (name, action) = (&rule.draft.name, rule.draft.action);
        let shadow = rule.draft.mode != Mode::Live;
        self.hits.push(RuleHit {
            rule: name.to_string(),
            version: rule.version,
            action: action.as_str().to_owned(),
            shadow,
        });
        if shadow {
            return;
        }
        self.allowed |= action == Action::Allow;
        if self.outcome.is_none_or(|outcome| outcome < action.outcome()) {
            self.outcome = Some(action.outcome());
            self.decided_by = Some(name.to_string());
        }
    }
}

/// A rule that is asked.
#[derive(Debug)]
struct Asked {
    rule: Rule,
    program: Program,
    lists: Vec<Arc<List>>,
    /// Whom it passes over, by kind.
    snoozed: HashMap<ListKind, List>,
}

impl Asked {
    fn matches(&self, facts: &Facts<'_>) -> bool {
        self.program.holds(facts, &self.lists) == Some(true) && !self.passes_over(facts)
    }

    fn passes_over(&self, facts: &Facts<'_>) -> bool {
        self.snoozed.values().any(|list| {
            let value = Variable::of_list(list.kind()).and_then(|variable| facts.get(variable));
            matches!(value, Some(Value::Text(text)) if list.holds(text, facts.now()))
        })
    }
}

/// The rules in force at one moment. Immutable: a change makes another one.
#[derive(Debug, Default)]
pub struct Rulebook {
    version: u64,
    before: Vec<Asked>,
    after: Vec<Asked>,
    lists: BTreeMap<Name, Arc<List>>,
    broken: Vec<(Name, ExpressionRefused)>,
}

impl Rulebook {
    /// A rulebook of these rules. One that no longer reads is left out and
    /// [told](Self::broken); it was checked when it was saved, so its list or the language changed.
    pub fn new(
        version: u64,
        rules: Vec<Rule>,
        lists: BTreeMap<Name, Arc<List>>,
        snoozes: Vec<Snooze>,
    ) -> Self {
        let mut book = Self { version, lists, ..Self::default() };
        let mut snoozed = by_rule(snoozes);
        for rule in rules.into_iter().filter(|rule| rule.draft.mode != Mode::Off) {
            let snoozed = snoozed.remove(&rule.draft.name).unwrap_or_default();
            match book.ready(rule, snoozed) {
                Ok(asked) if asked.rule.draft.pass == Pass::Before => book.before.push(asked),
                Ok(asked) => book.after.push(asked),
                Err(broken) => book.broken.push(*broken),
            }
        }
        for asked in [&mut book.before, &mut book.after] {
            asked.sort_by(|a, b| {
                let key = |asked: &Asked| asked.rule.draft.action;
                key(a).cmp(&key(b)).then_with(|| a.rule.draft.name.cmp(&b.rule.draft.name))
            });
        }
        book
    }

    fn ready(
        &self,
        rule: Rule,
        snoozed: HashMap<ListKind, List>,
    ) -> Result<Asked, Box<(Name, ExpressionRefused)>> {
        let kind = |name: &str| self.list(name).map(|list| list.kind());
        // Another model may have other features: a rule is no worse for naming one of the last.
        let vocabulary = Vocabulary { features: None, lists: &kind, pass: rule.draft.pass };
        let program = match compile(&rule.draft.expression, vocabulary) {
            Ok(program) => program,
            Err(refused) => return Err(Box::new((rule.draft.name, refused))),
        };
        let lists = program.lists().filter_map(|name| self.list(name).cloned()).collect();
        Ok(Asked { rule, program, lists, snoozed })
    }

    /// Grows with each change of any rule, list or snooze.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// A list by its name.
    pub fn list(&self, name: &str) -> Option<&Arc<List>> {
        self.lists.get(&Name::parse(name).ok()?)
    }

    /// All lists by their names.
    pub const fn lists(&self) -> &BTreeMap<Name, Arc<List>> {
        &self.lists
    }

    /// Rules that no longer read, and are not asked.
    pub fn broken(&self) -> &[(Name, ExpressionRefused)] {
        &self.broken
    }

    /// Asks the rules of one pass about an order.
    pub fn consider(&self, subject: &Subject<'_>, pass: Pass) -> Considered {
        let asked = match pass {
            Pass::Before => &self.before,
            Pass::After => &self.after,
        };
        let facts = Facts::new(subject);
        let mut considered = Considered::default();
        for one in asked {
            let draft = &one.rule.draft;
            let ended = considered.allowed && draft.action > Action::Allow;
            if (ended && draft.mode == Mode::Live) || !one.matches(&facts) {
                continue;
            }
            considered.hear(&one.rule);
        }
        considered
    }
}

fn by_rule(snoozes: Vec<Snooze>) -> HashMap<Name, HashMap<ListKind, List>> {
    let mut by_rule: HashMap<Name, HashMap<ListKind, List>> = HashMap::new();
    for snooze in snoozes {
        let lists = by_rule.entry(snooze.rule).or_default();
        let list = lists.entry(snooze.kind).or_insert_with(|| List::new(snooze.kind));
        list.add(&snooze.value, Some(snooze.until));
    }
    by_rule
}
