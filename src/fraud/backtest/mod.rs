//! What a rule, other thresholds or another model would have done: recorded attempts, judged again
//! on what was known then.
//!
//! ```text
//!  Past (history) ─► Proposal::judge ─► outcome then, outcome now ─► Report   (report.rs)
//!                            └► scores, expected losses, costs ─► Fitted   (costs.rs, losses.rs)
//!  both, on the thresholds in force ─► Outlook: is it time for the score to decide?  (outlook.rs)
//! ```
//! **Owns:** judging again, counting. **Invariant:** nothing but what was recorded decides; what
//! was not recorded is counted as lacking, never guessed. **Not here:** where history comes from
//! (see [`history`](super::history)). Pure.

pub mod costs;
pub mod losses;
pub mod outlook;
pub mod report;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::{
    assessment::{Assessment, DecidedBy, Outcome},
    bench::Written,
    history::Past,
    policy::{Policy, Thresholds},
    rates::{self, expected_loss},
    rules::{Action, Features, InForce, Name, Pass, Rule, Rulebook, Subject, Worth},
    serving::{Serving, Versioned},
    signals::Signals,
};
use crate::base::{Currency, Money, Timestamp};

/// What is tried. Several together are tried together.
#[derive(Debug, Default)]
pub struct Proposal {
    /// A rule beside those that were in force.
    pub rule: Option<DraftRule>,
    /// Thresholds instead of those that were in force.
    pub thresholds: Option<Thresholds>,
    /// A model instead of the one that scored.
    pub model: Option<Versioned>,
}

/// A rule that nobody has saved, ready to be asked.
#[derive(Debug)]
pub struct DraftRule {
    book: Rulebook,
    action: Action,
    needs_signals: bool,
    needs_person: bool,
    /// Facts that are taken as they were last, not as they were at the attempt.
    pub approximate: Vec<String>,
}

/// What a rule reads that stands in the judgement itself.
const RECORDED: &[&str] = &["score", "probability", "expected_loss"];

/// What a rule reads that the session alone tells.
const OF_SESSION: &[&str] = &[
    "amount",
    "total",
    "currency",
    "lines",
    "units",
    "categories",
    "skus",
    "product_groups",
    "product_categories",
    "unit_price",
    "gift_card",
    "digital",
    "discount",
    "discount_amount",
    "discount_share",
    "discount_codes",
    "codes_tried",
    "declines",
    "storefront",
    "brand",
];

/// What an attempt's session may have changed since.
const CHANGES: &[&str] = &[
    "declines",
    "discount",
    "discount_amount",
    "discount_share",
    "discount_codes",
    "codes_tried",
    "brand",
];

impl DraftRule {
    /// A rule that was [checked](super::rules::Rules::check), over the lists as they stand in this
    /// book.
    pub fn new(
        rule: (&str, Action),
        uses: &[String],
        book: &Rulebook,
        now: Timestamp,
    ) -> Option<Self> {
        let (expression, action) = rule;
        let draft = super::rules::Draft {
            name: Name::parse("draft").ok()?,
            expression: expression.to_owned(),
            action,
            pass: Pass::Before,
            mode: super::rules::Mode::Live,
            reason: String::new(),
        };
        let rule =
            Rule { draft, version: 1, author: String::new(), updated_at: now, removed: false };
        let book = Rulebook::new(0, vec![rule], book.lists().clone(), Vec::new());
        // A feature's name has a point; a variable's has none.
        let signals = uses.iter().map(String::as_str).filter(|name| !name.contains('.'));
        let signals: Vec<&str> = signals.filter(|name| !RECORDED.contains(name)).collect();
        let approximate = signals.iter().filter(|name| CHANGES.contains(name));
        Some(Self {
            book,
            action,
            needs_signals: !signals.is_empty(),
            needs_person: signals.iter().any(|name| !OF_SESSION.contains(name)),
            approximate: approximate.map(|name| (*name).to_owned()).collect(),
        })
    }

    /// Whether sessions, and people, have to be read for it.
    pub const fn needs_signals(&self) -> bool {
        self.needs_signals
    }
}

/// What could not be judged again, and kept the outcome it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lacking {
    /// Session or person are gone, and the rule reads them.
    Facts,
    /// Other features than the model's or the rule's.
    Features,
    /// No score was recorded.
    Score,
}

/// One attempt, judged then and again.
#[derive(Debug, Clone, PartialEq)]
pub struct Again {
    /// What was decided.
    pub then: Outcome,
    /// What would be.
    pub now: Outcome,
    /// The score it would have.
    pub score: Option<u16>,
    /// The expected loss it would have, in minor units of the policy's currency.
    pub expected_loss_minor: Option<i64>,
    /// Whether the score would decide, or something stronger does.
    pub by_score: bool,
    /// Whether the rule matched.
    pub matched: bool,
    /// Why it was not judged again.
    pub lacking: Option<Lacking>,
}

impl Proposal {
    /// Whether sessions, and people, have to be read for it.
    pub fn needs_signals(&self) -> bool {
        self.rule.as_ref().is_some_and(DraftRule::needs_signals)
    }

    /// Judges a recorded attempt again. `signals` are what its session and person still tell.
    pub fn judge(
        &self,
        policy: &Policy,
        serving: &Serving,
        (past, written): (&Past, &Written),
        signals: Option<&Signals>,
    ) -> Again {
        let recorded = &written.assessment;
        let then = past.later.map_or(recorded.outcome, |later| later.max(recorded.outcome));
        let mut again = Again {
            then,
            now: then,
            score: recorded.score,
            expected_loss_minor: recorded.expected_loss_minor.or_else(|| {
                let minor = worth(past, written, policy.currency)?;
                Some(expected_loss(recorded.probability?, minor))
            }),
            by_score: false,
            matched: false,
            lacking: None,
        };
        let comparable = recorded.features_hash == serving.features_hash
            && recorded.features.len() == serving.layout.features.len();
        if let Some(model) = &self.model {
            if comparable {
                let score = model.model.score(&recorded.features);
                let minor = worth(past, written, policy.currency);
                again.score = Some(score.points);
                again.expected_loss_minor =
                    minor.map(|minor| expected_loss(score.probability, minor));
            } else {
                again.lacking = Some(Lacking::Features);
                return again;
            }
        }
        let mut found = Found::of(policy, recorded);
        if let Some(rule) = &self.rule {
            let scored = InForce {
                score: again.score,
                probability: recorded.probability,
                expected_loss_minor: again.expected_loss_minor,
            };
            match rule.ask(serving, (past, recorded), signals, (scored, policy)) {
                Ok(matched) => {
                    again.matched = matched;
                    found.hear(rule.action, matched);
                }
                Err(lacking) => {
                    again.lacking = Some(lacking);
                    return again;
                }
            }
        }
        let scores_anew = self.thresholds.is_some() || self.model.is_some();
        if scores_anew && again.score.is_none() {
            again.lacking = Some(Lacking::Score);
        }
        let thresholds = self.thresholds.unwrap_or(policy.thresholds);
        let policy = Policy { thresholds, ..*policy };
        // Thresholds may have been others then: unless scores are judged anew, what they decided
        // stands.
        let by_score = match (again.score, &recorded.decided_by) {
            (Some(score), _) if scores_anew => {
                policy.thresholds(&recorded.degraded).outcome(score, again.expected_loss_minor)
            }
            (_, DecidedBy::Score | DecidedBy::ExpectedLoss) => recorded.outcome,
            _ => Outcome::Approve,
        };
        again.by_score = !found.forced && !found.allowed;
        again.now = found.outcome(by_score).max(past.later.unwrap_or_default());
        again
    }
}

/// What was found then, as far as it is recorded.
struct Found {
    /// Live rules that asked for something before any allowed, and those after it.
    challenge: Outcome,
    rules: Outcome,
    guard: Outcome,
    floor: Outcome,
    allowed: bool,
    forced: bool,
    forced_to: Outcome,
}

impl Found {
    fn of(policy: &Policy, recorded: &Assessment) -> Self {
        let floors = recorded.degraded.iter().map(|degraded| policy.at_least(*degraded));
        let mut found = Self {
            challenge: Outcome::Approve,
            rules: Outcome::Approve,
            guard: Outcome::Approve,
            floor: floors.max().unwrap_or_default(),
            allowed: false,
            forced: recorded.decided_by == DecidedBy::TestEmail,
            forced_to: recorded.outcome,
        };
        for hit in recorded.rules.iter().filter(|hit| !hit.shadow) {
            if let Some(action) = Action::find(&hit.action) {
                found.hear(action, true);
            }
        }
        match &recorded.decided_by {
            DecidedBy::Guard(_) => found.guard = recorded.outcome,
            DecidedBy::Policy(_) => found.floor = found.floor.max(recorded.outcome),
            _ => {}
        }
        found
    }

    /// A live rule, in the order in which rules are asked: what allows silences what stands after
    /// it.
    fn hear(&mut self, action: Action, matched: bool) {
        match action {
            _ if !matched => {}
            Action::Challenge => self.challenge = Outcome::Challenge,
            Action::Allow => self.allowed = true,
            Action::Block | Action::Review => self.rules = self.rules.max(action.outcome()),
        }
    }

    fn outcome(&self, by_score: Outcome) -> Outcome {
        if self.forced {
            return self.forced_to;
        }
        let strong = self.challenge.max(self.floor);
        if self.allowed { strong } else { strong.max(self.rules).max(self.guard).max(by_score) }
    }
}

impl DraftRule {
    fn ask(
        &self,
        serving: &Serving,
        (past, recorded): (&Past, &Assessment),
        signals: Option<&Signals>,
        (scored, policy): (InForce, &Policy),
    ) -> Result<bool, Lacking> {
        let nobody = Signals::unknown(past.checkout, past.at);
        let signals = match signals {
            Some(_) if self.needs_person && past.personal.is_none() => return Err(Lacking::Facts),
            Some(signals) => signals,
            None if self.needs_signals => return Err(Lacking::Facts),
            None => &nobody,
        };
        let same = recorded.features_hash == serving.features_hash;
        let features = (same && !recorded.features.is_empty())
            .then_some(Features { names: &serving.names, values: &recorded.features });
        let worth = Worth::of(signals, policy.currency);
        let subject = Subject { signals, scored, worth, features, now: past.at };
        Ok(!self.book.consider(&subject, Pass::Before).hits.is_empty())
    }
}

/// What an attempt was to cost, in minor units of a currency.
fn worth(past: &Past, written: &Written, to: Currency) -> Option<i64> {
    let (currency, minor) = report::money(past, written)?;
    rates::current().minor(Money::from_minor(minor, currency), to, past.at)
}

/// What a proposal is called in a report.
pub fn describe(proposal: &Proposal) -> BTreeMap<&'static str, String> {
    let mut named = BTreeMap::new();
    if let Some(rule) = &proposal.rule {
        named.insert("rule", rule.action.as_str().to_owned());
    }
    if let Some(thresholds) = proposal.thresholds {
        let Thresholds { challenge, review, decline, challenge_loss, review_loss } = thresholds;
        let losses = format!("{challenge_loss}/{review_loss}");
        named.insert("thresholds", format!("{challenge}/{review}/{decline}, losses {losses}"));
    }
    if let Some(model) = &proposal.model {
        named.insert("model", model.version.clone());
    }
    named
}

/// A model from its folder, with the name of the folder.
///
/// # Errors
/// When it does not read, or was trained on other features than these.
pub fn versioned(
    version: &str,
    bytes: &[u8],
    serving: &Serving,
) -> Result<Versioned, super::model::ModelFault> {
    let model = super::model::Model::from_bytes(bytes)?;
    model.check_features(serving.layout.hash())?;
    Ok(Versioned::new(version, model))
}
