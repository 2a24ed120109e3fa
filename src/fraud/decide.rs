//! From everything that was found to one outcome, and what decided it. Pure.
//!
//! In this order, as risk teams know it: rules that challenge, rules that allow, rules that block,
//! rules that review, then the guard against card testing, the score and the expected loss. An
//! allow rule keeps those three from deciding, and nothing else. What was missing makes the outcome
//! at least as strict as the policy says.

use super::{
    assessment::{Assessment, DecidedBy, Degraded, Outcome, RuleHit},
    policy::{FraudMode, Policy, test_email},
};

/// What the rules said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ruled {
    /// What those in force ask for, and which one.
    pub outcome: Option<(Outcome, String)>,
    /// Whether one lets the payment through whatever the score says.
    pub allowed: bool,
    /// Every rule that matched.
    pub hits: Vec<RuleHit>,
}

/// Everything that was found.
#[derive(Debug, Clone, Default)]
pub struct Findings<'a> {
    /// The rules.
    pub ruled: Ruled,
    /// The guard against card testing, and its reason.
    pub guard: Option<(Outcome, String)>,
    /// The score.
    pub score: Option<u16>,
    /// Probability of fraud × amount, in minor units of the policy's currency.
    pub expected_loss: Option<i64>,
    /// What was not available.
    pub degraded: &'a [Degraded],
    /// The buyer's e-mail address.
    pub email: Option<&'a str>,
}

/// Decides.
pub fn decide(policy: &Policy, found: &Findings<'_>) -> (Outcome, DecidedBy) {
    if policy.test_emails
        && let Some(outcome) = found.email.and_then(test_email)
    {
        return (outcome, DecidedBy::TestEmail);
    }
    let mut strictest = (Outcome::Approve, DecidedBy::Nothing);
    let mut consider = |outcome: Outcome, by: DecidedBy| {
        if outcome > strictest.0 {
            strictest = (outcome, by);
        }
    };
    if let Some((outcome, rule)) = &found.ruled.outcome {
        consider(*outcome, DecidedBy::Rule(rule.clone()));
    }
    if !found.ruled.allowed {
        if let Some((outcome, why)) = found.guard.as_ref().filter(|_| policy.guard) {
            consider(*outcome, DecidedBy::Guard(why.clone()));
        }
        if let Some(score) = found.score {
            consider(policy.thresholds(found.degraded).by_score(score), DecidedBy::Score);
        }
        if let Some(loss) = found.expected_loss {
            consider(policy.thresholds.by_loss(loss), DecidedBy::ExpectedLoss);
        }
    }
    for degraded in found.degraded {
        consider(policy.at_least(*degraded), DecidedBy::Policy(*degraded));
    }
    strictest
}

/// What becomes of the payment: where judgements are only recorded, every one is approved.
pub fn in_force(mode: FraudMode, assessment: &Assessment) -> Outcome {
    match mode {
        FraudMode::Shadow | FraudMode::Live => assessment.outcome,
        FraudMode::Record | FraudMode::Off => Outcome::Approve,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fraud::policy::Thresholds;

    fn policy() -> Policy {
        Policy {
            thresholds: Thresholds {
                challenge: 900,
                review: 950,
                decline: 990,
                review_loss: 2_000,
                ..Thresholds::NEVER
            },
            without_velocity: Outcome::Challenge,
            ..Policy::default()
        }
    }

    fn rule(outcome: Outcome) -> Ruled {
        Ruled { outcome: Some((outcome, "r".into())), ..Ruled::default() }
    }

    fn outcome(found: &Findings<'_>) -> Outcome {
        decide(&policy(), found).0
    }

    #[test]
    fn nothing_against_it_is_an_approval() {
        let found = Findings { score: Some(10), ..Findings::default() };
        assert_eq!(decide(&policy(), &found), (Outcome::Approve, DecidedBy::Nothing));
    }

    #[test]
    fn the_strictest_word_decides_and_is_named() {
        let found =
            Findings { ruled: rule(Outcome::Review), score: Some(995), ..Findings::default() };
        assert_eq!(decide(&policy(), &found), (Outcome::Decline, DecidedBy::Score));
        let found = Findings { score: Some(960), ..found };
        let by_rule = DecidedBy::Rule("r".into());
        assert_eq!(decide(&policy(), &found), (Outcome::Review, by_rule), "rules come first");
    }

    // breaks: leave the loss out of `decide`, or consider it outside of what an allow rule silences
    #[test]
    fn an_expected_loss_decides_beside_the_score() {
        let loss = Findings { score: Some(10), expected_loss: Some(2_000), ..Findings::default() };
        assert_eq!(decide(&policy(), &loss), (Outcome::Review, DecidedBy::ExpectedLoss));
        let both = Findings { score: Some(990), ..loss.clone() };
        assert_eq!(decide(&policy(), &both), (Outcome::Decline, DecidedBy::Score));
        let allowed = Findings { ruled: Ruled { allowed: true, ..Ruled::default() }, ..loss };
        assert_eq!(outcome(&allowed), Outcome::Approve);
    }

    #[test]
    fn who_is_allowed_meets_neither_score_nor_guard_but_still_the_rules() {
        let guard = Some((Outcome::Decline, "ip".to_owned()));
        let ruled = Ruled { allowed: true, ..Ruled::default() };
        let mut found = Findings { ruled, guard, score: Some(1000), ..Findings::default() };
        assert_eq!(outcome(&found), Outcome::Approve);
        found.ruled.outcome = Some((Outcome::Challenge, "r".into()));
        assert_eq!(outcome(&found), Outcome::Challenge);
        found.ruled = Ruled::default();
        assert_eq!(outcome(&found), Outcome::Decline);
    }

    #[test]
    fn what_is_missing_is_never_a_silent_approval() {
        for (degraded, least) in [
            (Degraded::Velocity, Outcome::Challenge),
            (Degraded::Model, Outcome::Review),
            (Degraded::Deadline, Outcome::Review),
        ] {
            let degraded = &[degraded][..];
            let found = Findings { degraded, ..Findings::default() };
            assert_eq!(outcome(&found), least, "{degraded:?}");
            let ruled = Ruled { allowed: true, ..Ruled::default() };
            assert_eq!(outcome(&Findings { ruled, ..found }), least, "allowed, {degraded:?}");
        }
        let degraded = &[Degraded::Velocity][..];
        let found = Findings { score: Some(905), degraded, ..Findings::default() };
        assert_eq!(outcome(&found), Outcome::Review, "the thresholds are lower as well");
    }

    #[test]
    fn test_addresses_work_where_they_are_meant_to() {
        let email = Some("fraud-decline@example.com");
        let found = Findings { email, ..Findings::default() };
        assert_eq!(outcome(&found), Outcome::Approve);
        let policy = Policy { test_emails: true, ..policy() };
        assert_eq!(decide(&policy, &found), (Outcome::Decline, DecidedBy::TestEmail));
    }
}
