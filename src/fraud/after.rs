//! What comes after a judgement: the payment fails or succeeds, or is looked at once more.

use std::slice;

use super::{
    assessment::{Assessment, DecidedBy, Outcome},
    bench::{Bench, Judged},
    decide::in_force,
    links::LinkKeys,
    rules::{Features, InForce, Pass, Subject},
    setup::Told,
    signals::Signals,
};

impl Bench {
    /// A payment that counted has come to nothing, here or at the gateway.
    pub(super) fn failed_here(&self, told: &[Told], storefront: &str) {
        for Told { memory, event, .. } in told {
            memory.local.failed_now(slice::from_ref(event));
        }
        let now = self.now();
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
        self.storefronts().succeeded(&judged.storefront, self.now(), why);
    }

    /// A second look, on what the issuer said: the rules for it, and never milder than the first.
    /// None when no rule matches.
    pub fn look_again(&self, signals: &Signals, first: Option<&Assessment>) -> Option<Judged> {
        let scored = first.map(InForce::recorded).unwrap_or_default();
        let serving = self.serving();
        // The first look may have been taken with another schema.
        let judged =
            first.and_then(|first| Some((first, self.schemas.find(&first.features_hash)?)));
        let features = judged.as_ref().filter(|(first, _)| !first.features.is_empty());
        let features =
            features.map(|(first, set)| Features { names: &set.names, values: &first.features });
        let worth = self.worth(signals).0;
        let subject = Subject { signals, scored, worth, features, now: signals.at };
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
            expected_loss_minor: first.and_then(|first| first.expected_loss_minor),
            rules: ruled.hits,
            model: first.and_then(|first| first.model.clone()),
            rules_version,
            features_hash: serving.features_hash.clone(),
            ..Assessment::default()
        };
        let outcome = in_force(self.policy.mode, &assessment);
        let (links, storefront) = (LinkKeys::default(), signals.storefront.as_str().into());
        let (event, currency, counted, told) = (None, None, false, Vec::new());
        Some(Judged { outcome, assessment, event, currency, counted, told, storefront, links })
    }
}
