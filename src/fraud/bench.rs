//! One judgement, from signals to the record: what the actors of all threads share.

use std::{
    cmp::Ordering,
    slice,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

pub use super::judged::{Judged, Written, WrittenEvent};
use super::{
    assessment::{Assessment, Challenger, DecidedBy, Degraded, Outcome},
    cases::Cases,
    decide::{Findings, Ruled, decide, in_force},
    drift::Reading,
    feature_set::FeatureSet,
    guard::Pulse,
    links::LinkKeys,
    memory::{Memory, Recollection},
    model::Score,
    past::Recover,
    policy::Policy,
    rates::{self, expected_loss},
    rules::{Considered, Features, InForce, Pass, Rules, Subject, Worth},
    schemas::Schemas,
    serving::{Scored, Serving},
    setup::{Attempt, Recollected, Setup, Told},
    signals::Signals,
    storefronts::Storefronts,
    velocity::{InProcessVelocity, Passing, Velocity},
    whereabouts::Whereabouts,
};
use crate::{
    base::{Clock, Money, Timestamp},
    telemetry::metrics::{self, Verdict},
};

/// What the actors share.
pub struct Bench {
    /// What judges; replaced as a whole while payments are judged.
    setup: RwLock<Arc<Setup>>,
    pulse: Mutex<Pulse>,
    storefronts: Mutex<Storefronts>,
    /// The rules in force; none where nobody keeps any.
    rules: Option<Arc<Rules>>,
    /// What was judged before; none where nobody keeps it.
    pub(super) cases: Option<Cases>,
    /// The schemas that it was judged with.
    pub(super) schemas: Arc<Schemas>,
    /// Reads what is still known of a checkout that was judged before.
    pub(super) recover: Option<Recover>,
    /// Where network addresses are.
    whereabouts: Whereabouts,
    /// The policy.
    pub policy: Policy,
    clock: Arc<dyn Clock>,
}

impl Bench {
    /// A bench that serves this way.
    pub fn new(
        serving: Serving,
        local: InProcessVelocity,
        shared: Option<Arc<dyn Velocity>>,
        policy: Policy,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let memory = Memory::new(serving.set().clone(), local, shared, clock.now());
        Self::over(serving, Arc::new(memory), policy, clock)
    }

    /// A bench over this memory.
    pub fn over(
        serving: Serving,
        memory: Arc<Memory>,
        policy: Policy,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let schemas = Arc::new(Schemas::default());
        schemas.know(serving.set().clone());
        Self {
            setup: RwLock::new(Arc::new(Setup::new(serving, memory))),
            pulse: Mutex::default(),
            storefronts: Mutex::default(),
            rules: None,
            cases: None,
            schemas,
            recover: None,
            whereabouts: Whereabouts::default(),
            policy,
            clock,
        }
    }

    /// The same with rules.
    #[must_use]
    pub fn with_rules(self, rules: Arc<Rules>) -> Self {
        Self { rules: Some(rules), ..self }
    }

    /// The same with judgements of before, the schemas that they were made with, and what reads
    /// their checkouts.
    #[must_use]
    pub fn with_past(self, cases: Cases, schemas: Arc<Schemas>, recover: Recover) -> Self {
        Self { cases: Some(cases), schemas, recover: Some(recover), ..self }
    }

    /// The same with what is known of network addresses.
    #[must_use]
    pub fn with_whereabouts(self, whereabouts: Whereabouts) -> Self {
        Self { whereabouts, ..self }
    }

    /// Where network addresses are.
    pub const fn whereabouts(&self) -> &Whereabouts {
        &self.whereabouts
    }

    /// The schemas that are known.
    pub const fn schemas(&self) -> &Arc<Schemas> {
        &self.schemas
    }

    /// What judges now.
    pub fn setup(&self) -> Arc<Setup> {
        self.setup.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The models that judge now.
    pub fn serving(&self) -> Arc<Serving> {
        self.setup().serving.clone()
    }

    /// From now on these models judge. Memories that they need and that there are not are opened.
    ///
    /// # Errors
    /// When one cannot be; what judged before goes on.
    pub fn serve<E>(
        &self,
        serving: Serving,
        open: impl Fn(&Arc<FeatureSet>) -> Result<Arc<Memory>, E>,
    ) -> Result<(), E> {
        let mut setup = self.setup.write().unwrap_or_else(PoisonError::into_inner);
        let next = setup.next(serving, open)?;
        if let Some(rules) = &self.rules {
            rules.know_features(next.serving.names.clone());
        }
        *setup = Arc::new(next);
        Ok(())
    }

    /// The guard asks the live model's memory from the moment when it is whole.
    pub fn settle(&self) {
        let mut setup = self.setup.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(next) = setup.settled() {
            *setup = Arc::new(next);
        }
    }

    /// How far the orders of the last seven days have drifted from the live model's training.
    pub fn drift(&self) -> Option<Reading> {
        self.serving().drift(self.clock.now())
    }

    /// Whether the shop is under attack, as far as this process sees.
    pub fn is_attack(&self) -> bool {
        let now = self.clock.now();
        self.pulse().is_attack(now) || self.storefronts().is_attack(now)
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn pulse(&self) -> MutexGuard<'_, Pulse> {
        self.pulse.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn storefronts(&self) -> MutexGuard<'_, Storefronts> {
        self.storefronts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Judges an attempt on what this process remembers.
    pub(super) fn judge_here(&self, signals: &Signals, attempt: Attempt) -> Judged {
        let memories = attempt.setup.memories().iter().zip(&attempt.passings);
        let recall = |(memory, passing): (&Arc<Memory>, &Passing)| {
            let Recollection { recalled, is_whole } = memory.pass_here(slice::from_ref(passing));
            Recollected { recalled: recalled.into_iter().next().unwrap_or_default(), is_whole }
        };
        let recalled = memories.map(recall).collect();
        self.judge(signals, attempt, recalled)
    }

    /// Judges an attempt on what each of the memories recalled of its past.
    pub(super) fn judge(
        &self,
        signals: &Signals,
        attempt: Attempt,
        recalled: Vec<Recollected>,
    ) -> Judged {
        let (setup, serving) = (&attempt.setup, &attempt.setup.serving);
        let (event, own) = (&attempt.passings[0].event, &recalled[0]);
        let mut degraded = Vec::new();
        if !own.is_whole {
            degraded.push(Degraded::Velocity);
        }
        let mut scored = serving.score(event, &own.recalled);
        if let Some(watched) = serving.watched_apart() {
            let recalled = &recalled[setup.watched()];
            // On less than all of its past it would say what it would never say when it is live.
            let scores = || watched.score(&watched.set.reader().event(signals), &recalled.recalled);
            scored.challenger = recalled.is_whole.then(scores).flatten();
        }
        let decides = self.policy.mode.is_score_deciding();
        // A score that would have decided nothing is not missed either.
        if scored.score.is_none() && decides {
            degraded.push(Degraded::Model);
        }
        let guard = self.ask_guard(signals, &attempt, &recalled);
        let worth = self.worth(signals);
        let said = InForce::of(scored.score.filter(|_| decides), worth.1);
        let features = (!scored.features.is_empty())
            .then_some(Features { names: &serving.names, values: &scored.features });
        let subject = Subject { signals, scored: said, worth: worth.0, features, now: event.at };
        let (ruled, rules_version) = self.ask_rules(&subject, Pass::Before);
        let email = signals.email();
        let found = Findings {
            ruled,
            guard,
            score: said.score,
            expected_loss: said.expected_loss_minor,
            degraded: &degraded,
            email: email.as_deref(),
        };
        let decided = decide(&self.policy, &found);
        let ruled = found.ruled;
        let mut assessment = self.record(serving, (scored, worth.1), decided, ruled);
        assessment.degraded = degraded;
        assessment.rules_version = rules_version;
        let told = attempt.told(&recalled);
        self.finish(assessment, Some((attempt.passings[0].clone(), told)), signals)
    }

    /// What the guard says, which looks at a memory that is whole as long as there is one.
    fn ask_guard(
        &self,
        signals: &Signals,
        attempt: &Attempt,
        recalled: &[Recollected],
    ) -> Option<(Outcome, String)> {
        let (place, guarded) = attempt.setup.guard();
        let (event, memory) = (&attempt.passings[place].event, &recalled[place].recalled);
        let attack = {
            let mut pulse = self.pulse();
            pulse.attempted(event.at);
            pulse.is_attack(event.at)
        };
        let is_stranger = !guarded.has_good_past(event, memory);
        let stranger = self.storefronts().attempted(&signals.storefront, event.at, is_stranger);
        let guard = stricter(guarded.judge(event, memory, attack), stranger);
        guard.map(|(outcome, why)| (outcome, why.to_owned()))
    }

    /// What an amount is worth in minor units of the policy's currency. None without a rate.
    pub fn minor_worth(&self, amount: Money, at: Timestamp) -> Option<i64> {
        rates::current().minor(amount, self.policy.currency, at)
    }

    /// What an order costs in the policy's currency: for rules, and in minor units.
    pub(super) fn worth(&self, signals: &Signals) -> (Worth, Option<i64>) {
        let worth = Worth::of(signals, self.policy.currency);
        (worth, self.minor_worth(signals.amount, signals.at))
    }

    pub(super) fn ask_rules(&self, subject: &Subject<'_>, pass: Pass) -> (Ruled, u64) {
        let Some(rules) = &self.rules else { return (Ruled::default(), 0) };
        let book = rules.current();
        let Considered { outcome, allowed, decided_by, hits } = book.consider(subject, pass);
        let outcome = outcome.zip(decided_by);
        (Ruled { outcome, allowed, hits }, book.version())
    }

    /// There was no time, or no actor: the policy decides.
    pub(super) fn out_of_time(&self, signals: &Signals) -> Judged {
        let degraded = vec![Degraded::Deadline];
        let email = signals.email();
        let found =
            Findings { degraded: &degraded, email: email.as_deref(), ..Findings::default() };
        let (outcome, decided_by) = decide(&self.policy, &found);
        let serving = self.serving();
        let decided = (outcome, decided_by);
        let nothing = (Scored::default(), None);
        let mut assessment = self.record(&serving, nothing, decided, Ruled::default());
        assessment.degraded = degraded;
        self.finish(assessment, None, signals)
    }

    fn record(
        &self,
        serving: &Serving,
        (scored, minor): (Scored, Option<i64>),
        (outcome, decided_by): (Outcome, DecidedBy),
        ruled: Ruled,
    ) -> Assessment {
        let thresholds = self.policy.thresholds;
        let loss = |score: Score| minor.map(|minor| expected_loss(score.probability, minor));
        let judged = |score: Score| thresholds.outcome(score.points, loss(score));
        let live = scored.score.map(judged);
        let challenger = scored.challenger.map(|(model, score)| {
            let outcome = judged(score);
            if let Some(live) = live {
                metrics::fraud_challenger(match outcome.cmp(&live) {
                    Ordering::Equal => Verdict::Agree,
                    Ordering::Greater => Verdict::Stricter,
                    Ordering::Less => Verdict::Milder,
                });
            }
            Challenger { model, score: score.points, outcome }
        });
        let mut assessment = Assessment {
            outcome,
            decided_by,
            score: scored.score.map(|score| score.points),
            score_in_shadow: scored.score.is_some() && !self.policy.mode.is_score_deciding(),
            probability: scored.score.map(|score| score.probability),
            expected_loss_minor: scored.score.and_then(loss),
            reasons: scored.reasons,
            reasons_for_buyer: scored.reasons_for_buyer,
            rules: ruled.hits,
            degraded: Vec::new(),
            model: scored.version,
            rules_version: 0,
            storefront: None,
            request_id: None,
            amount_minor: None,
            currency: None,
            challenger,
            features: scored.features,
            features_hash: serving.features_hash.clone(),
            latency_us: 0,
        };
        // Who reads of one that was approved has its sentences made then.
        if outcome != Outcome::Approve {
            serving.set().tell(&mut assessment);
        }
        assessment
    }

    fn finish(
        &self,
        assessment: Assessment,
        passed: Option<(Passing, Vec<Told>)>,
        signals: &Signals,
    ) -> Judged {
        let outcome = in_force(self.policy.mode, &assessment);
        metrics::assessed(assessment.outcome.into());
        for hit in &assessment.rules {
            metrics::rule_matched(&hit.rule, hit.shadow);
        }
        for degraded in &assessment.degraded {
            metrics::fraud_degraded((*degraded).into());
        }
        if let DecidedBy::Guard(why) = &assessment.decided_by {
            tracing::debug!(why, "the guard against card testing stepped in");
            metrics::fraud_guarded();
        }
        let storefront = signals.storefront.as_str().into();
        let links = LinkKeys::of(signals);
        let own = signals.amount.currency();
        let currency = self.serving().reader().currency().filter(|currency| *currency != own);
        let (passing, told) = passed.unzip();
        let (event, counted) = passing.map(|passing| (passing.event, passing.counts)).unzip();
        let (counted, told) = (counted.unwrap_or_default(), told.unwrap_or_default());
        Judged { outcome, assessment, event, currency, counted, told, storefront, links }
    }
}

/// The stricter word of two; of the same, the first.
fn stricter<T>(one: Option<(Outcome, T)>, other: Option<(Outcome, T)>) -> Option<(Outcome, T)> {
    match (one, other) {
        (Some(one), Some(other)) if other.0 > one.0 => Some(other),
        (one, other) => one.or(other),
    }
}
