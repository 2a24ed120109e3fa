//! The schema file: which column of a CSV is what, and which features are made of it.
//!
//! ```toml
//! label_delay = "7d"
//! currency = "EUR"
//!
//! [columns]
//! time = "TX_DATETIME"
//! label = "TX_FRAUD"
//! amount = "TX_AMOUNT"
//!
//! [[entity]]
//! name = "customer"
//! columns = ["CUSTOMER_ID"]
//! ```
//! An entity that says no more has the usual aggregates; each can be named with its windows, and
//! an empty list leaves it out. Several columns make a pair. `[[number]]` and `[[flag]]` name plain
//! facts.

pub mod declare;
pub mod moment;
pub mod read;
mod reads;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::time::Duration;

use super::features::{Aggregate, Window};
use crate::base::Currency;

/// More kinds of entities than this make a table nobody reads.
pub const MOST_ENTITIES: usize = 64;

/// A schema that does not hold.
#[derive(Debug, thiserror::Error)]
pub enum SchemaFault {
    /// It is not TOML of the known keys.
    #[error("the schema does not read: {0}")]
    Toml(#[from] toml::de::Error),
    /// It contradicts itself.
    #[error("the schema does not hold: {0}")]
    Wrong(String),
}

/// A schema as it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// How long after an attempt its label may be used, when the file does not say.
    #[serde(default = "a_week")]
    pub label_delay: Delay,
    /// The currency of the amounts, ISO 4217: a live order in another one is converted. Unset:
    /// each order's own, for a shop that sells in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The columns with a meaning of their own.
    pub columns: Columns,
    /// Who and what takes part.
    #[serde(default, rename = "entity")]
    pub entities: Vec<EntitySchema>,
    /// Plain numbers.
    #[serde(default, rename = "number")]
    pub numbers: Vec<NumberSchema>,
    /// Plain yes or no.
    #[serde(default, rename = "flag")]
    pub flags: Vec<FlagSchema>,
    /// Entities of one buyer.
    #[serde(default, rename = "acquaintance", skip_serializing_if = "Vec::is_empty")]
    pub acquaintances: Vec<AcquaintanceSchema>,
    /// What a model may read, and how; everything, as it likes, unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelSchema>,
}

/// Whether a buyer is known: 0 when all of these were first seen a day ago or longer, 1 when none
/// was, 2 when some were.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcquaintanceSchema {
    /// Its name.
    pub name: String,
    /// The names of the entities; those an order does not have are passed over.
    pub of: Vec<String>,
}

/// What a model may read of the features. Names as rules have them, where `*` stands for any part
/// of a name without dots: `*.failures.*`. What none of the lists names is there for rules alone.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSchema {
    /// As it likes.
    #[serde(default)]
    pub free: Vec<String>,
    /// More of it never lowers a score.
    #[serde(default)]
    pub rising: Vec<String>,
    /// More of it never raises a score.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub falling: Vec<String>,
    /// Acquaintances: a score is never higher for a buyer who is known than for a stranger.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<String>,
    /// Acquaintances of what others use, too: it may be known for whoever is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub around: Vec<String>,
    /// What is 0 for whoever comes back with all of their things: read as the model likes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<String>,
}

/// The columns with a meaning of their own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// When: RFC 3339, `YYYY-MM-DD HH:MM:SS`, a date, or whole seconds since 1970. UTC unless said.
    pub time: String,
    /// Whether it was fraud: 1 or 0, true or false, yes or no; empty when nobody knows.
    pub label: Option<String>,
    /// When that was found out; empty: after the usual delay.
    pub label_at: Option<String>,
    /// The amount in main units: `57.16`.
    pub amount: Option<String>,
    /// Whether the payment failed, as the label is written.
    pub failed: Option<String>,
    /// Those that tell retries from attempts: cart and instrument.
    #[serde(default)]
    pub attempt: Vec<String>,
}

/// A kind of entity and its aggregates.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntitySchema {
    /// Its name in features: `card`, `card_ip`.
    pub name: String,
    /// The column that tells one from another; several make a pair.
    pub columns: Vec<String>,
    /// How a sentence speaks of it; else `this` and its name.
    pub says: Option<String>,
    /// Attempts; every window unless said.
    pub count: Option<Vec<Window>>,
    /// Failed attempts; every window unless said, if there is a column for failures.
    pub failures: Option<Vec<Window>>,
    /// Sums of amounts; 24h, 7d, 30d unless said, if there is a column for amounts.
    pub sum: Option<Vec<Window>>,
    /// Amount ÷ mean; 7d, 30d unless said, if there is a column for amounts.
    pub amount_to_mean: Option<Vec<Window>>,
    /// Amount ÷ largest; 30d unless said, if there is a column for amounts.
    pub amount_to_max: Option<Vec<Window>>,
    /// Frauds learned of; 24h, 7d, 30d unless said, if there is a column for labels.
    pub frauds: Option<Vec<Window>>,
    /// Their share; 24h, 7d, 30d unless said, if there is a column for labels.
    pub fraud_rate: Option<Vec<Window>>,
    /// Distinct others that took part; none unless said.
    #[serde(default)]
    pub distinct: Vec<DistinctSchema>,
    /// Distinct others that took part, without the order's own; none unless said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<DistinctSchema>,
    /// Whether it was never seen with the order's own; not told unless said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<DistinctSchema>,
    /// Amount ÷ the mean of all but the order's own of another entity, which has to be a part of
    /// this one, as an e-mail address is of its domain; none unless said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amount_to_others: Vec<DistinctSchema>,
    /// Share of failed attempts without those of another entity of the order, which is the buyer's
    /// own; none unless said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failure_share_but: Vec<DistinctSchema>,
    /// Amount ÷ mean of the entity's whole life; no unless said.
    #[serde(default, skip_serializing_if = "is_no")]
    pub amount_to_life_mean: bool,
    /// Amount ÷ median of the last fifty; no unless said.
    #[serde(default, skip_serializing_if = "is_no")]
    pub amount_to_median: bool,
    /// Standard deviations above the mean of the entity's whole life; no unless said.
    #[serde(default, skip_serializing_if = "is_no")]
    pub amount_deviation: bool,
    /// Earlier attempts whose amount was an outlier; none unless said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outliers: Vec<Window>,
    /// Seconds since the last of those; no unless said.
    #[serde(default, skip_serializing_if = "is_no")]
    pub since_outlier: bool,
    /// The share of frauds among the last 1, 3 or 10 known payments, in the order in which was
    /// paid; none unless said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_frauds: Vec<u8>,
    /// How many known payments, from the last back, were frauds without a break; no unless said.
    #[serde(default, skip_serializing_if = "is_no")]
    pub fraud_streak: bool,
    /// Seconds since the first payment of that streak; no unless said.
    #[serde(default, skip_serializing_if = "is_no")]
    pub since_streak: bool,
    /// Seconds since the last known payment that was fraud; no unless said.
    #[serde(default, skip_serializing_if = "is_no")]
    pub since_fraud: bool,
    /// Known frauds with an amount that is no outlier, paid in the last 14, 21 or 35 days; none
    /// unless said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plain_frauds: Vec<PlainDays>,
    /// Seconds since the last; yes unless said.
    #[serde(default = "yes")]
    pub since: bool,
    /// Seconds since the first; yes unless said.
    #[serde(default = "yes")]
    pub age: bool,
}

/// The days in which plain frauds are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlainDays {
    /// Two weeks: with a label delay of one, frauds of one.
    #[serde(rename = "14d")]
    Fortnight,
    /// Three weeks.
    #[serde(rename = "21d")]
    ThreeWeeks,
    /// Five weeks.
    #[serde(rename = "35d")]
    FiveWeeks,
}

impl PlainDays {
    /// How many.
    pub const fn days(self) -> u8 {
        match self {
            Self::Fortnight => Aggregate::PLAIN_DAYS[0],
            Self::ThreeWeeks => Aggregate::PLAIN_DAYS[1],
            Self::FiveWeeks => Aggregate::PLAIN_DAYS[2],
        }
    }
}

/// Distinct others.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DistinctSchema {
    /// The name of the entity that is counted.
    pub of: String,
    /// In which windows.
    pub windows: Vec<Window>,
}

/// A plain number.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumberSchema {
    /// Its name.
    pub name: String,
    /// Its column; the name unless said.
    pub column: Option<String>,
    /// The sentence it gives as a reason; `{}` stands for the value.
    pub says: Option<String>,
    /// The sentence where it is 1, if another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says_one: Option<String>,
    /// The sentence where nobody told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says_unknown: Option<String>,
}

/// A plain yes or no.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlagSchema {
    /// Its name.
    pub name: String,
    /// Its column; the name unless said.
    pub column: Option<String>,
    /// The values that mean yes; 1, true, yes unless said. An empty cell is missing.
    #[serde(default)]
    pub is: Vec<String>,
    /// Two columns whose difference means yes, instead of values.
    #[serde(default)]
    pub differ: Vec<String>,
    /// The sentence it gives as a reason.
    pub says: Option<String>,
    /// The sentence where the answer is no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says_not: Option<String>,
    /// The sentence where nobody told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says_unknown: Option<String>,
}

/// A duration as `7d`, `36h`, `90m` or `0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay(pub Duration);

impl Delay {
    /// Reads one.
    ///
    /// # Errors
    /// When it is none; the message says what is expected.
    pub fn parse(raw: &str) -> Result<Self, String> {
        let split = raw.find(|c: char| !c.is_ascii_digit()).unwrap_or(raw.len());
        let (number, unit) = raw.split_at(split);
        let seconds = match unit {
            "d" => 86_400,
            "h" => 3_600,
            "m" => 60,
            "s" => 1,
            "" if number == "0" => 1,
            _ => 0,
        };
        let total = number.parse::<u64>().ok().and_then(|number| number.checked_mul(seconds));
        // Ten years: beyond, a label teaches nothing, and sums of micros stay far from their end.
        match total {
            Some(total) if seconds > 0 && total <= 3_650 * 86_400 => {
                Ok(Self(Duration::from_secs(total)))
            }
            _ => Err(format!("expected a time like 7d, 36h or 90m, found `{raw}`")),
        }
    }
}

impl Serialize for Delay {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let seconds = self.0.as_secs();
        let text = match seconds {
            _ if seconds.is_multiple_of(86_400) => format!("{}d", seconds / 86_400),
            _ => format!("{seconds}s"),
        };
        to.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

fn a_week() -> Delay {
    Delay(Duration::from_secs(7 * 86_400))
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is the serializer's")]
fn is_no(asked: &bool) -> bool {
    !asked
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// When it does not read or does not hold.
    pub fn parse(text: &str) -> Result<Self, SchemaFault> {
        let schema: Self = toml::from_str(text)?;
        schema.layout(schema.label_delay.0)?;
        Ok(schema)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "[columns]\ntime = \"at\"\n[[entity]]\nname = \"card\"\n";

    #[test]
    fn a_schema_that_does_not_hold_says_what_is_wrong() {
        for (more, part) in [
            ("columns = []", "`card` names no column"),
            ("columns = [\"c\"]\nsum = [\"7d\"]", "`card` counts amounts, but no column"),
            ("columns = [\"c\"]\nfrauds = [\"7d\"]", "`card` counts frauds, but no column"),
            ("columns = [\"c\"]\nfailures = [\"7d\"]", "`card` counts failures, but no column"),
            ("columns = [\"c\"]\nfrauds = [\"10m\"]", "24h, 7d and 30d"),
            ("columns = [\"c\"]\noutliers = [\"7d\"]", "`card` compares amounts, but no column"),
            ("columns = [\"c\"]\nfraud_streak = true", "`card` remembers outcomes, but no column"),
            ("columns = [\"c\"]\nplain_frauds = [\"7d\"]", "unknown variant `7d`"),
            ("columns = [\"c\"]\ndistinct = [{ of = \"ip\", windows = [\"1h\"] }]", "`ip`"),
            ("columns = [\"c\"]\n[[entity]]\nname = \"card\"\ncolumns = [\"d\"]", "twice"),
            ("columns = [\"c\"]\ncolour = 1", "unknown field `colour`"),
            ("columns = [\"c\"]\ncount = [\"2h\"]", "unknown variant `2h`"),
        ] {
            let error = Schema::parse(&format!("{SMALL}{more}")).expect_err(more).to_string();
            assert!(error.contains(part), "{part:?} is missing in {error}");
        }
    }

    #[test]
    fn delays_are_read_and_written() {
        for (text, seconds) in [("7d", 604_800), ("36h", 129_600), ("90m", 5_400), ("0", 0)] {
            assert_eq!(Delay::parse(text), Ok(Delay(Duration::from_secs(seconds))), "{text}");
        }
        for text in ["", "7", "d", "-1d", "7 d", "99999999999999999999d", "4000d"] {
            assert!(Delay::parse(text).is_err(), "{text}");
        }
    }
}
