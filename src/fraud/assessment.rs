//! The record of one judgement: what was decided, and everything it rested on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use crate::{
    base::Currency,
    telemetry::metrics::{JudgedAs, Missing},
};

/// What becomes of a payment. Later ones are stricter, so that the strictest of several is their
/// maximum.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Authorize, and capture by policy.
    #[default]
    Approve,
    /// The buyer proves who they are first (3-D Secure).
    Challenge,
    /// Authorize, do not capture; a person looks at it.
    Review,
    /// No. The buyer hears what a bank's no sounds like.
    Decline,
}

impl Outcome {
    /// All of them, the mildest first.
    pub const ALL: [Self; 4] = [Self::Approve, Self::Challenge, Self::Review, Self::Decline];

    /// The word in records, metrics and settings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Challenge => "challenge",
            Self::Review => "review",
            Self::Decline => "decline",
        }
    }
}

/// A judgement with all it rested on. Written once, never changed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Assessment {
    /// What was decided.
    pub outcome: Outcome,
    /// What decided it.
    pub decided_by: DecidedBy,
    /// 0–1000: of 1000 good orders like those of the training, 1000 − score score as high. None
    /// without a model.
    pub score: Option<u16>,
    /// Whether the score was only written down: thresholds were not held against it, and rules did
    /// not read it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub score_in_shadow: bool,
    /// The calibrated probability of fraud, to six places.
    #[serde(serialize_with = "rounded::probability")]
    pub probability: Option<f64>,
    /// The probability × what the order costs, in minor units of `fraud.currency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_loss_minor: Option<i64>,
    /// What raised the score most, the strongest first.
    pub reasons: Vec<ReasonGiven>,
    /// What lowered it most, the strongest first: what speaks for the buyer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons_for_buyer: Vec<ReasonGiven>,
    /// Rules that matched, also those that only watch.
    pub rules: Vec<RuleHit>,
    /// What was not available; the policy was stricter for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub degraded: Vec<Degraded>,
    /// The version of the model that scored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The version of the rules that were in force.
    pub rules_version: u64,
    /// The storefront (API key) that it came through. None where it was judged before that was
    /// kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storefront: Option<Box<str>>,
    /// The request that asked for the payment, as its answer and the log name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Box<str>>,
    /// What was to be paid, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_minor: Option<i64>,
    /// In which currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// What another model, watched beside the live one, would have said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenger: Option<Challenger>,
    /// The features, in the order of the model's schema: numbers with spaces between, and
    /// `number*times` where one follows itself. Most of a new buyer's are not known (`-1`).
    #[serde(with = "packed")]
    #[schemars(with = "String")]
    pub features: Vec<f32>,
    /// SHA-256 of the feature declarations, the first 8 bytes in hexadecimal.
    pub features_hash: String,
    /// From asking to knowing, in microseconds.
    pub latency_us: u64,
}

/// What decided an outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// Nothing spoke against it.
    #[default]
    Nothing,
    /// A rule, by its name.
    Rule(String),
    /// The score reached a threshold.
    Score,
    /// The expected loss reached a threshold.
    ExpectedLoss,
    /// The guard against card testing.
    Guard(String),
    /// Something was not available, and the policy for that decided.
    Policy(Degraded),
    /// An e-mail address made for trying things out in dev mode.
    TestEmail,
}

/// What was not available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Degraded {
    /// The counts of the past: Redis did not answer.
    Velocity,
    /// The model: none is loaded, or it broke.
    Model,
    /// Time: the whole step passed its deadline.
    Deadline,
}

impl Degraded {
    /// The word in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Velocity => "velocity",
            Self::Model => "model",
            Self::Deadline => "deadline",
        }
    }
}

impl From<Outcome> for JudgedAs {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Approve => JudgedAs::Approve,
            Outcome::Challenge => JudgedAs::Challenge,
            Outcome::Review => JudgedAs::Review,
            Outcome::Decline => JudgedAs::Decline,
        }
    }
}

impl From<Degraded> for Missing {
    fn from(degraded: Degraded) -> Self {
        match degraded {
            Degraded::Velocity => Missing::Velocity,
            Degraded::Model => Missing::Model,
            Degraded::Deadline => Missing::Deadline,
        }
    }
}

/// A reason of the score, as it was given then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReasonGiven {
    /// The feature's name.
    pub code: Arc<str>,
    /// For people. The ledger keeps it where the outcome was not to approve; of others it is made
    /// when somebody reads it ([`FeatureSet::tell`](super::feature_set::FeatureSet::tell)).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub says: String,
    /// Its value.
    pub value: f32,
    /// What it added to the raw score, to five places.
    #[serde(serialize_with = "rounded::contribution")]
    pub contribution: f64,
}

/// A rule that matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleHit {
    /// Its name.
    pub rule: String,
    /// The version that matched.
    pub version: u32,
    /// What it asks for: `challenge`, `allow`, `block`, `review`.
    pub action: String,
    /// Whether it only watches.
    pub shadow: bool,
}

/// What a challenger model said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Challenger {
    /// Its version.
    pub model: String,
    /// Its score.
    pub score: u16,
    /// What the thresholds would have made of it.
    pub outcome: Outcome,
}

/// Numbers without the digits that nobody reads.
mod rounded {
    use serde::{Serialize, Serializer};

    pub(super) fn probability<S: Serializer>(
        value: &Option<f64>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(|value| to_places(value, 1e6)).serialize(to)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
    pub(super) fn contribution<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        to_places(*value, 1e5).serialize(to)
    }

    fn to_places(value: f64, scale: f64) -> f64 {
        (value * scale).round() / scale
    }
}

/// Numbers as one text.
mod packed {
    use itoa::Buffer;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::fmt::Write;

    /// More of one number than any schema has features: a damaged text must not fill memory.
    const MOST: usize = 65_536;

    pub(super) fn serialize<S: Serializer>(values: &[f32], to: S) -> Result<S::Ok, S::Error> {
        let (mut text, mut digits) = (String::with_capacity(values.len()), Buffer::new());
        // By their bits, so that each reads back as it was.
        for run in values.chunk_by(|a, b| a.to_bits() == b.to_bits()) {
            let value = &run[0];
            if !text.is_empty() {
                text.push(' ');
            }
            // Most are counts, and all are written for every payment.
            #[expect(clippy::cast_possible_truncation, reason = "checked to be whole and small")]
            let whole = (value.trunc() == *value && value.abs() < 1e9).then_some(*value as i64);
            match whole {
                Some(whole) => text.push_str(digits.format(whole)),
                None => write!(text, "{value}").expect("invariant: a text takes everything"),
            }
            if run.len() > 1 {
                text.push('*');
                text.push_str(digits.format(run.len()));
            }
        }
        to.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f32>, D::Error> {
        let text = String::deserialize(from)?;
        let mut values = Vec::new();
        for run in text.split_ascii_whitespace() {
            let (value, times) = run.split_once('*').unwrap_or((run, "1"));
            let value: f32 = value.parse().map_err(D::Error::custom)?;
            let times: usize = times.parse().map_err(D::Error::custom)?;
            if times > MOST - values.len() {
                return Err(D::Error::custom("more features than any schema has"));
            }
            values.extend(std::iter::repeat_n(value, times));
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_read_back_as_they_were() {
        let features =
            vec![0.0, -1.0, -1.0, -1.0, 3.0, 0.1, 1e-7, 123_456_790.0, 3.4e38, 0.333_333_34];
        let assessment = Assessment { features, ..Assessment::default() };
        let text = serde_json::to_string(&assessment).expect("it is written");
        assert!(text.contains("\"0 -1*3 3 0.1 "), "{text}");
        let read: Assessment = serde_json::from_str(&text).expect("it reads");
        assert_eq!(read, assessment);
        let of_before = text.replace("-1*3", "-1 -1 -1");
        let read: Assessment = serde_json::from_str(&of_before).expect("the older form reads");
        assert_eq!(read, assessment);
    }

    // breaks: no bound on how often a number follows itself
    #[test]
    fn a_damaged_run_of_features_is_refused() {
        let text = serde_json::to_string(&Assessment::default()).expect("it is written");
        for damaged in ["1*99999999999", "1*65536 2", "1*x", "1*-1", "*3"] {
            let text = text.replace("\"features\":\"\"", &format!("\"features\":\"{damaged}\""));
            assert!(serde_json::from_str::<Assessment>(&text).is_err(), "{damaged}");
        }
    }

    // breaks: `rounded` that writes all digits
    #[test]
    fn numbers_are_written_without_digits_nobody_reads() {
        let reason = |contribution| ReasonGiven {
            code: "amount".into(),
            says: String::new(),
            value: 0.25,
            contribution,
        };
        let assessment = Assessment {
            probability: Some(0.010_017_147_680_329_542),
            reasons: vec![reason(-0.012_725_051_521_556_452), reason(0.0)],
            ..Assessment::default()
        };
        let text = serde_json::to_string(&assessment).expect("it is written");
        assert!(text.contains("\"probability\":0.010017,"), "{text}");
        assert!(text.contains("\"value\":0.25,\"contribution\":-0.01273}"), "{text}");
        assert!(!text.contains("says"), "{text}");
    }

    #[test]
    fn the_strictest_outcome_is_the_greatest() {
        assert!(Outcome::ALL.is_sorted());
        assert_eq!(Outcome::ALL.into_iter().max(), Some(Outcome::Decline));
        for outcome in Outcome::ALL {
            assert_eq!(serde_json::to_value(outcome).expect("a word"), outcome.as_str());
        }
    }
}
