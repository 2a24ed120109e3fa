//! What is counted, compared and remembered about an entity.

use std::fmt;

use super::{payments::Keeps, window::Window};

/// What is counted about an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// Attempts in the window.
    Count(Window),
    /// Failed ones.
    Failures(Window),
    /// Sum of their amounts, in main units.
    Sum(Window),
    /// This amount ÷ the mean amount in the window.
    ToMean(Window),
    /// This amount ÷ the largest amount in the window.
    ToMax(Window),
    /// Distinct entities of the kind at this place of the layout's entities.
    Distinct(usize, Window),
    /// Distinct entities of the kind at this place of the layout's entities other than the event's
    /// own: whoever comes back with the same things brings none.
    Others(usize, Window),
    /// 1 where the entity was seen in the window and never with the event's own of the kind at this
    /// place, 0 where it was, or was not seen at all: a known account on a device it never used.
    Unmet(usize, Window),
    /// This amount ÷ the mean amount in the window without those of the kind at this place: what
    /// others spend, whatever the buyer spent. Missing below
    /// [`OTHERS_LEAST`](super::declared::OTHERS_LEAST) such amounts.
    ToOthers(usize, Window),
    /// Failed attempts ÷ attempts without those of the kind at this place, as if
    /// [`AS_IF_GOOD`](super::declared::AS_IF_GOOD) that did not fail came before: what a single
    /// failure says of a part of the net or an issuer does not grow with the shop, and nothing the
    /// buyer did is in it.
    FailureShare(usize, Window),
    /// Frauds learned of in the window.
    Frauds(Window),
    /// The same ÷ attempts whose label came due in it.
    FraudRate(Window),
    /// Seconds since the last attempt.
    Since,
    /// Seconds since the first attempt.
    Age,
    /// This amount ÷ the mean of all amounts of its life.
    ToLifeMean,
    /// This amount ÷ the median of its last amounts.
    ToMedian,
    /// How many standard deviations this amount is above the mean of all of its life.
    Deviation,
    /// Attempts in the window whose amount was an outlier among those before them.
    Outliers(Window),
    /// Seconds since the last of those.
    SinceOutlier,
    /// The share of frauds among so many of the payments last made of which the outcome is known.
    LastFrauds(u8),
    /// How many of those were frauds without a break, counted from the last.
    FraudStreak,
    /// Seconds since the first payment of that streak.
    SinceStreak,
    /// Seconds since the last of the known payments that was fraud.
    SinceFraud,
    /// Known frauds paid in so many days whose amount is no outlier: nothing gave them away but
    /// with whom they were.
    PlainFrauds(u8),
}

impl Aggregate {
    /// What a share of frauds may be of.
    pub const LAST: [u8; 3] = [1, 3, 10];

    /// The days in which plain frauds are counted: a label is known after a week or so, which
    /// leaves one, two and four.
    pub const PLAIN_DAYS: [u8; 3] = [14, 21, 35];

    /// One of each that is about payments one by one.
    pub fn of_payments() -> Vec<Self> {
        let single = [
            Self::ToLifeMean,
            Self::ToMedian,
            Self::Deviation,
            Self::SinceOutlier,
            Self::FraudStreak,
            Self::SinceStreak,
            Self::SinceFraud,
        ];
        let outliers = Window::ALL.map(Self::Outliers);
        let (last, plain) =
            (Self::LAST.map(Self::LastFrauds), Self::PLAIN_DAYS.map(Self::PlainFrauds));
        single.into_iter().chain(outliers).chain(last).chain(plain).collect()
    }

    /// What has to be remembered of payments for it.
    pub const fn keeps(self) -> Keeps {
        match self {
            Self::ToLifeMean | Self::Deviation => Keeps::SPENT,
            Self::ToMedian => Keeps::RECENT,
            Self::Outliers(_) | Self::SinceOutlier => Keeps::OUTLIERS,
            Self::LastFrauds(_) | Self::FraudStreak | Self::SinceStreak | Self::SinceFraud => {
                Keeps::OUTCOMES
            }
            Self::PlainFrauds(_) => Keeps::OUTCOMES.and(Keeps::SPENT),
            _ => Keeps::NOTHING,
        }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(window) => write!(f, "count.{window}"),
            Self::Failures(window) => write!(f, "failures.{window}"),
            Self::Sum(window) => write!(f, "sum.{window}"),
            Self::ToMean(window) => write!(f, "amount_to_mean.{window}"),
            Self::ToMax(window) => write!(f, "amount_to_max.{window}"),
            Self::Distinct(of, window) => write!(f, "distinct_{of}.{window}"),
            Self::Others(of, window) => write!(f, "others_{of}.{window}"),
            Self::Unmet(of, window) => write!(f, "unmet_{of}.{window}"),
            Self::ToOthers(of, window) => write!(f, "amount_to_others_{of}.{window}"),
            Self::FailureShare(of, window) => write!(f, "failure_share_but_{of}.{window}"),
            Self::Frauds(window) => write!(f, "frauds.{window}"),
            Self::FraudRate(window) => write!(f, "fraud_rate.{window}"),
            Self::Since => f.write_str("since"),
            Self::Age => f.write_str("age"),
            Self::ToLifeMean => f.write_str("amount_to_life_mean"),
            Self::ToMedian => f.write_str("amount_to_median"),
            Self::Deviation => f.write_str("amount_deviation"),
            Self::Outliers(window) => write!(f, "outliers.{window}"),
            Self::SinceOutlier => f.write_str("since_outlier"),
            Self::LastFrauds(last) => write!(f, "last_frauds.{last}"),
            Self::FraudStreak => f.write_str("fraud_streak"),
            Self::SinceStreak => f.write_str("since_streak"),
            Self::SinceFraud => f.write_str("since_fraud"),
            Self::PlainFrauds(days) => write!(f, "plain_frauds.{days}d"),
        }
    }
}
