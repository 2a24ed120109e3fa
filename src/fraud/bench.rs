//! One judgement, from signals to the record: what the actors of all threads share.

use std::{
    cmp::Ordering,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

pub use super::judged::{Judged, Written, WrittenEvent};
use super::{
    assessment::{Assessment, Challenger, DecidedBy, Degraded, Outcome},
    cases::Cases,
    decide::{Findings, Ruled, decide, in_force},
    drift::Reading,
    event::Event,
    features::{Recall, engine::RETRY_MICROS},
    guard::{Guarded, Pulse},
    links::LinkKeys,
    policy::{Policy, ScoreMode},
    rules::{Considered, Features, Pass, Rules, Subject},
    serving::{Scored, Serving},
    signals::Signals,
    storefronts::Storefronts,
    velocity::{InProcessVelocity, Passing, RedisVelocity, Velocity},
    whereabouts::Whereabouts,
};
use crate::{
    base::{Clock, Timestamp},
    telemetry::metrics::{self, Verdict},
};

/// What the actors share.
pub struct Bench {
    /// What scores; replaced as a whole while payments are judged.
    serving: RwLock<Arc<Serving>>,
    guarded: Guarded,
    pulse: Mutex<Pulse>,
    storefronts: Mutex<Storefronts>,
    /// What this process remembers: all there is without Redis, and what is left when Redis is
    /// gone.
    pub(super) local: InProcessVelocity,
    /// What all replicas remember together.
    pub(super) shared: Option<Arc<dyn Velocity>>,
    /// The same, where it is tended.
    redis: Option<Arc<RedisVelocity>>,
    /// The rules in force; none where nobody keeps any.
    rules: Option<Arc<Rules>>,
    /// What was judged before; none where nobody keeps it.
    pub(super) cases: Option<Cases>,
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
        Self {
            guarded: Guarded::of(&serving.layout),
            serving: RwLock::new(Arc::new(serving)),
            pulse: Mutex::default(),
            storefronts: Mutex::default(),
            local,
            shared,
            redis: None,
            rules: None,
            cases: None,
            whereabouts: Whereabouts::default(),
            policy,
            clock,
        }
    }

    /// The same with a Redis that is tended.
    #[must_use]
    pub fn with_redis(self, redis: Arc<RedisVelocity>) -> Self {
        Self { shared: Some(redis.clone()), redis: Some(redis), ..self }
    }

    /// The Redis that somebody has to tend.
    pub const fn redis(&self) -> Option<&Arc<RedisVelocity>> {
        self.redis.as_ref()
    }

    /// The same with rules.
    #[must_use]
    pub fn with_rules(self, rules: Arc<Rules>) -> Self {
        Self { rules: Some(rules), ..self }
    }

    /// The same with judgements of before.
    #[must_use]
    pub fn with_cases(self, cases: Cases) -> Self {
        Self { cases: Some(cases), ..self }
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

    /// What scores now.
    pub fn serving(&self) -> Arc<Serving> {
        self.serving.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on this scores.
    pub fn serve(&self, serving: Serving) {
        *self.serving.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(serving);
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

    /// Whether replicas remember together.
    pub const fn is_shared(&self) -> bool {
        self.shared.is_some()
    }

    /// Whether what replicas share is being built, and nobody may add to it.
    pub(super) fn is_building(&self) -> bool {
        self.shared.as_ref().is_some_and(|shared| !shared.is_whole())
    }

    fn pulse(&self) -> MutexGuard<'_, Pulse> {
        self.pulse.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn storefronts(&self) -> MutexGuard<'_, Storefronts> {
        self.storefronts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The attempt on its way through velocity.
    pub(super) fn passing(&self, signals: &Signals, tried: &[(u64, Timestamp)]) -> Passing {
        let event = self.serving().reader().event(signals);
        let retry = event.attempt.is_some_and(|key| {
            let last = tried.iter().find(|(tried, _)| *tried == key.raw()).map(|(_, at)| *at);
            last.is_some_and(|last| event.at.micros() - last.micros() <= RETRY_MICROS)
        });
        Passing { event, counts: !retry }
    }

    /// Judges an attempt on what is remembered of its past.
    pub(super) fn judge(
        &self,
        signals: &Signals,
        passing: Passing,
        memory: &impl Recall,
        mut degraded: Vec<Degraded>,
    ) -> Judged {
        let serving = self.serving();
        let event = passing.event;
        let scored = serving.score(&event, memory);
        let decides = serving.score_mode() == ScoreMode::Live;
        // A score that would have decided nothing is not missed either.
        if scored.score.is_none() && decides {
            degraded.push(Degraded::Model);
        }
        let attack = {
            let mut pulse = self.pulse();
            pulse.attempted(event.at);
            pulse.is_attack(event.at)
        };
        let is_stranger = !self.guarded.has_good_past(&event, memory);
        let stranger = self.storefronts().attempted(&signals.storefront, event.at, is_stranger);
        let guard = stricter(self.guarded.judge(&event, memory, attack), stranger);
        let guard = guard.map(|(outcome, why)| (outcome, why.to_owned()));
        let score = scored.score.map(|score| score.points);
        serving.note(event.at, &scored.features, score);
        let score = score.filter(|_| decides);
        let features = (!scored.features.is_empty())
            .then_some(Features { names: &serving.names, values: &scored.features });
        let subject = Subject { signals, score, features, now: event.at };
        let (ruled, rules_version) = self.ask_rules(&subject, Pass::Before);
        let email = signals.email();
        let found = Findings { ruled, guard, score, degraded: &degraded, email: email.as_deref() };
        let (outcome, decided_by) = decide(&self.policy, &found);
        let ruled = found.ruled;
        let mut assessment = self.record(&serving, scored, (outcome, decided_by), ruled);
        assessment.degraded = degraded;
        assessment.rules_version = rules_version;
        self.finish(assessment, Some(event), (passing.counts, signals))
    }

    fn ask_rules(&self, subject: &Subject<'_>, pass: Pass) -> (Ruled, u64) {
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
        let mut assessment = self.record(&serving, Scored::default(), decided, Ruled::default());
        assessment.degraded = degraded;
        self.finish(assessment, None, (false, signals))
    }

    fn record(
        &self,
        serving: &Serving,
        scored: Scored,
        (outcome, decided_by): (Outcome, DecidedBy),
        ruled: Ruled,
    ) -> Assessment {
        let thresholds = self.policy.thresholds;
        let live = scored.score.map(|score| thresholds.outcome(score.points));
        let challenger = scored.challenger.map(|(model, score)| {
            let outcome = thresholds.outcome(score.points);
            if let Some(live) = live {
                metrics::fraud_challenger(match outcome.cmp(&live) {
                    Ordering::Equal => Verdict::Agree,
                    Ordering::Greater => Verdict::Stricter,
                    Ordering::Less => Verdict::Milder,
                });
            }
            Challenger { model, score: score.points, outcome }
        });
        Assessment {
            outcome,
            decided_by,
            score: scored.score.map(|score| score.points),
            score_in_shadow: scored.score.is_some() && serving.score_mode() == ScoreMode::Shadow,
            probability: scored.score.map(|score| score.probability),
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
        }
    }

    fn finish(
        &self,
        assessment: Assessment,
        event: Option<Event>,
        (counted, signals): (bool, &Signals),
    ) -> Judged {
        let outcome = in_force(self.policy.mode, &assessment);
        metrics::assessed(assessment.outcome.into());
        for degraded in &assessment.degraded {
            metrics::fraud_degraded((*degraded).into());
        }
        if let DecidedBy::Guard(why) = &assessment.decided_by {
            tracing::debug!(why, "the guard against card testing stepped in");
            metrics::fraud_guarded();
        }
        let storefront = signals.storefront.as_str().into();
        Judged { outcome, assessment, event, counted, storefront, links: LinkKeys::of(signals) }
    }

    /// A payment that counted has come to nothing, here or at the gateway.
    pub(super) fn failed_here(&self, event: &Event, storefront: &str) {
        self.local.failed_now(std::slice::from_ref(event));
        let now = self.clock.now();
        let turned_on = self.storefronts().failed(storefront, now);
        if turned_on {
            tracing::warn!(
                storefront,
                "attack mode is on at a storefront: payments fail as when cards are tested; \
                 whoever brings no good past is challenged. It ends by itself"
            );
        }
        if self.pulse().failed(now) {
            tracing::warn!(
                "attack mode is on: payments fail as when cards are tested; whoever fails is \
                 challenged at once. It ends by itself"
            );
        }
    }

    /// A payment was authorized.
    pub(super) fn succeeded(&self, judged: &Judged) {
        let why = match &judged.assessment.decided_by {
            DecidedBy::Guard(why) => Some(why.as_str()),
            _ => None,
        };
        self.storefronts().succeeded(&judged.storefront, self.clock.now(), why);
    }

    /// A second look, on what the issuer said: the rules for it, and never milder than the first.
    /// None when no rule matches.
    pub fn look_again(&self, signals: &Signals, first: Option<&Assessment>) -> Option<Judged> {
        let score = first.and_then(Assessment::score_in_force);
        let serving = self.serving();
        let values = first.map_or(&[][..], |first| &first.features);
        let features = (!values.is_empty()).then_some(Features { names: &serving.names, values });
        let subject = Subject { signals, score, features, now: signals.at };
        let (ruled, rules_version) = self.ask_rules(&subject, Pass::After);
        if ruled.hits.is_empty() {
            return None;
        }
        let before = first.map_or(Outcome::Approve, |first| first.outcome);
        let (outcome, decided_by) = match ruled.outcome {
            Some((outcome, rule)) if outcome > before => (outcome, DecidedBy::Rule(rule)),
            _ => (before, first.map(|first| first.decided_by.clone()).unwrap_or_default()),
        };
        let assessment = Assessment {
            outcome,
            decided_by,
            score: first.and_then(|first| first.score),
            score_in_shadow: first.is_some_and(|first| first.score_in_shadow),
            probability: first.and_then(|first| first.probability),
            rules: ruled.hits,
            model: first.and_then(|first| first.model.clone()),
            rules_version,
            features_hash: serving.features_hash.clone(),
            ..Assessment::default()
        };
        let outcome = in_force(self.policy.mode, &assessment);
        let (links, storefront) = (LinkKeys::default(), signals.storefront.as_str().into());
        Some(Judged { outcome, assessment, event: None, counted: false, storefront, links })
    }
}

/// The stricter word of two; of the same, the first.
fn stricter<T>(one: Option<(Outcome, T)>, other: Option<(Outcome, T)>) -> Option<(Outcome, T)> {
    match (one, other) {
        (Some(one), Some(other)) if other.0 > one.0 => Some(other),
        (one, other) => one.or(other),
    }
}
