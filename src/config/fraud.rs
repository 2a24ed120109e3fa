//! `[fraud]`: whom to trust.

use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::Mode;
use crate::base::Currency;
use crate::fraud::{
    assessment::Outcome,
    models::GateTerms,
    policy::{FraudMode, Policy, Thresholds},
    serving::{Serving, ServingFault},
};

/// Whom to trust.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FraudSettings {
    /// `"shadow"`: the guard and the rules that read no score decide, the score is only recorded;
    /// `"live"`: the score decides as well; `"record"` judges, records and approves all; `"off"`
    /// judges nothing.
    pub mode: FraudMode,
    /// Folder of a trained model (`model` and `schema`). Unset: the one that comes with the
    /// program, trained on made-up shops.
    pub model: Option<PathBuf>,
    /// Folder of registered models. Unset: `models` in the data folder.
    pub models: Option<PathBuf>,
    /// Database of network addresses (MaxMind DB format) with their countries. It is read at the
    /// start. Unset, or without the file, only the storefront says where a buyer is.
    pub ip_database: Option<PathBuf>,
    /// Another one with the numbers of their networks, where those stand in a file of their own.
    pub ip_asn_database: Option<PathBuf>,
    /// The currency in which amounts are judged: expected losses and their thresholds, what rules
    /// read, in which order cases come. ISO 4217.
    pub currency: Currency,
    /// Table of exchange rates for it (CSV as the European Central Bank publishes it), read at the
    /// start. Unset: one that comes with the program, good to about a tenth.
    pub rates: Option<PathBuf>,
    /// Expected losses (probability of fraud × amount) from here on are challenged, in minor units
    /// of `currency`; 0 is never.
    pub challenge_loss_minor: i64,
    /// Expected losses from here on are reviewed, in minor units of `currency`; 0 is never.
    pub review_loss_minor: i64,
    /// Scores from here on are challenged; 1001 is never.
    pub challenge_score: u16,
    /// Scores from here on are reviewed; 1001 is never.
    pub review_score: u16,
    /// Scores from here on are declined; 1001 is never.
    pub decline_score: u16,
    /// What happens at least when Redis does not tell of the past.
    pub without_velocity: Outcome,
    /// What happens at least without a score, or when there was no time for one.
    pub without_score: Outcome,
    /// A judgement takes so long at most; then `without_score` decides.
    pub deadline_ms: u64,
    /// Whether the guard against card testing declines; else it only counts.
    pub guard: bool,
    /// When somebody should have looked at an order in review.
    pub review_due_hours: u32,
    /// When an order in review is declined that nobody has looked at. Authorizations lapse after
    /// seven days.
    pub review_max_hours: u32,
    /// Open cases that one reviewer may have claimed at once.
    pub review_claims_max: u32,
    /// Days after the end of a checkout that its network address, device and instrument are kept as
    /// they came. Hashes and features stay with the judgement.
    pub raw_signals_days: u32,
    /// Days that a model is watched beside the live one before its score may decide. A week has
    /// every hour and weekday.
    pub promotion_days: u32,
    /// Orders that both scored meanwhile. With fewer than a thousand, scores differ from those of
    /// the training by chance.
    pub promotion_orders: u32,
    /// How far its scores may have drifted from those of its training: a population stability
    /// index, in hundredths.
    pub promotion_drift_percent: u32,
    /// How many people have to want a model to go live: 1 or 2.
    pub promotion_people: u8,
}

impl Default for FraudSettings {
    fn default() -> Self {
        let Policy { mode, thresholds, currency, without_velocity, without_score, guard, .. } =
            Policy::default();
        let gate = GateTerms::default();
        Self {
            mode,
            model: None,
            models: None,
            ip_database: None,
            ip_asn_database: None,
            currency,
            rates: None,
            challenge_loss_minor: thresholds.challenge_loss,
            review_loss_minor: thresholds.review_loss,
            challenge_score: thresholds.challenge,
            review_score: thresholds.review,
            decline_score: thresholds.decline,
            without_velocity,
            without_score,
            deadline_ms: 100,
            guard,
            review_due_hours: 4,
            review_max_hours: 6 * 24,
            review_claims_max: 25,
            raw_signals_days: 90,
            promotion_days: gate.days,
            promotion_orders: gate.orders,
            promotion_drift_percent: 25,
            promotion_people: gate.people,
        }
    }
}

impl FraudSettings {
    /// The databases of network addresses.
    pub fn ip_databases(&self) -> impl Iterator<Item = &Path> {
        [&self.ip_database, &self.ip_asn_database].into_iter().flatten().map(PathBuf::as_path)
    }

    /// What scores unless a registered model is live.
    ///
    /// # Errors
    /// When the model's files do not read, or do not belong together.
    pub fn serving(&self) -> Result<Serving, ServingFault> {
        Serving::configured(self.model.as_deref())
    }

    /// What is asked of a model before its score decides.
    pub fn gate(&self) -> GateTerms {
        GateTerms {
            days: self.promotion_days,
            orders: self.promotion_orders,
            psi: f64::from(self.promotion_drift_percent) / 100.0,
            people: self.promotion_people,
        }
    }

    /// The policy they make.
    pub fn policy(&self, mode: Mode) -> Policy {
        Policy {
            mode: self.mode,
            thresholds: Thresholds {
                challenge: self.challenge_score,
                review: self.review_score,
                decline: self.decline_score,
                challenge_loss: self.challenge_loss_minor,
                review_loss: self.review_loss_minor,
            },
            currency: self.currency,
            without_velocity: self.without_velocity,
            without_score: self.without_score,
            deadline: Duration::from_millis(self.deadline_ms),
            guard: self.guard,
            test_emails: mode == Mode::Dev,
            ..Policy::default()
        }
    }
}
