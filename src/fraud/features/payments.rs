//! What is remembered of an entity's payments one by one, where a schema asks for it: what it
//! spends, which of its amounts were outliers, and what its last payments turned out to be.
//!
//! Amounts and outliers are of the entity's present life. Outcomes stand in the order in which was
//! paid, whenever they became known; they may come in any order, and come to the same.

use crate::base::Timestamp;

/// Amounts that the median is of. Fifty tell a habit, and follow when it changes.
pub const RECENT_MOST: usize = 50;

/// Outliers that are remembered; more count as so many.
pub const OUTLIERS_MOST: usize = 16;

/// Outcomes that are remembered: the usual entity's month. Windows count those of a busy one.
pub const OUTCOMES_MOST: usize = 16;

/// Fewer earlier amounts are no habit that one could leave.
const HABIT_LEAST: u32 = 3;

/// An amount so many standard deviations above the mean is an outlier (Pukelsheim 1994: whatever
/// the distribution with one peak, at most one in twenty is further than this on either side).
const OUTLIER_DEVIATIONS: f64 = 3.0;

/// Whoever always pays the same leaves no habit by a few cents: a standard deviation is taken for
/// at least a mean divided by this.
const EVENNESS: f64 = 10.0;

/// Changes when the same memory of payments begins to mean something else.
pub(super) const MEANING: u32 = 1;

/// What is to be remembered of a kind of entity beyond counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keeps(u8);

impl Keeps {
    /// Nothing: costs nothing.
    pub const NOTHING: Self = Self(0);
    /// Number, sum and squares of all amounts.
    pub const SPENT: Self = Self(1);
    /// The last amounts.
    pub const RECENT: Self = Self(2);
    /// Amounts that were outliers when they were paid.
    pub const OUTLIERS: Self = Self(4 | Self::SPENT.0);
    /// What the last payments turned out to be.
    pub const OUTCOMES: Self = Self(8);

    const ALL: u8 = 15;

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of the other is kept.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// As one byte.
    pub const fn byte(self) -> u8 {
        self.0
    }

    /// From one byte; none where it says something else.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        if byte <= Self::ALL { Some(Self(byte)) } else { None }
    }
}

/// A payment, as far as its outcome is remembered by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Paid {
    /// When it was paid.
    pub at: Timestamp,
    /// How much, in hundredths.
    pub amount: Option<i64>,
}

/// What a payment is known to have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The payment.
    pub paid: Paid,
    /// Whether it was fraud.
    pub fraud: bool,
}

/// What was said of the payments of one moment and amount: nearly always one. Whatever is said adds
/// up, so that its order does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) paid: Paid,
    /// How many labels were due.
    pub(super) due: u32,
    /// How often one was fraud, less how often that was taken back.
    pub(super) frauds: i32,
}

impl Said {
    /// The payments, good ones first.
    fn outcomes(self) -> impl DoubleEndedIterator<Item = Outcome> {
        let frauds = u32::try_from(self.frauds).unwrap_or(0);
        let good = self.due.saturating_sub(frauds);
        (0..good + frauds).map(move |place| Outcome { paid: self.paid, fraud: place >= good })
    }
}

/// What was learned about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lesson {
    /// Its label is due, and it was good as far as is known.
    Good,
    /// Its label is due, and it was fraud.
    Fraud,
    /// It was taken for good, and was fraud.
    FoundOut,
    /// It was taken for fraud, and was good.
    TakenBack,
}

/// Amounts, summed up exactly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// How many.
    pub count: u32,
    /// Their sum, in hundredths.
    pub sum: i64,
    /// The sum of their squares.
    pub squares: u128,
}

impl Spent {
    fn add(&mut self, amount: i64) {
        let square = u128::from(amount.unsigned_abs()) * u128::from(amount.unsigned_abs());
        self.count = self.count.saturating_add(1);
        self.sum = self.sum.saturating_add(amount);
        self.squares = self.squares.saturating_add(square);
    }

    /// How many standard deviations above the mean an amount is; none without a habit.
    pub fn deviation(&self, amount: i64) -> Option<f64> {
        if self.count < HABIT_LEAST {
            return None;
        }
        let count = f64::from(self.count);
        let mean = self.sum as f64 / count;
        let variance = (self.squares as f64 / count - mean * mean).max(0.0);
        let deviation = variance.sqrt().max(mean.abs() / EVENNESS).max(1.0);
        Some((amount as f64 - mean) / deviation)
    }

    /// Whether an amount is an outlier.
    pub fn is_outlier(&self, amount: i64) -> bool {
        self.deviation(amount).is_some_and(|deviation| deviation >= OUTLIER_DEVIATIONS)
    }
}

/// The payments of one entity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Payments {
    pub(super) spent: Spent,
    /// The oldest first.
    pub(super) recent: Vec<i64>,
    /// The oldest first.
    pub(super) outliers: Vec<Timestamp>,
    /// In the order in which was paid.
    pub(super) said: Vec<Said>,
}

impl Payments {
    /// Another life begins: nothing was paid in it. Outcomes tell by their time which life they
    /// are of.
    pub(super) fn begin_anew(&mut self) {
        self.spent = Spent::default();
        self.recent.clear();
        self.outliers.clear();
    }

    /// Notes a payment.
    pub(super) fn note(&mut self, at: Timestamp, amount: i64, keeps: Keeps) {
        if keeps.has(Keeps::OUTLIERS) && self.spent.is_outlier(amount) {
            push(&mut self.outliers, at, OUTLIERS_MOST);
        }
        if keeps.has(Keeps::SPENT) {
            self.spent.add(amount);
        }
        if keeps.has(Keeps::RECENT) {
            push(&mut self.recent, amount, RECENT_MOST);
        }
    }

    /// Notes an outcome. What is older than those remembered is not.
    pub(super) fn learn(&mut self, paid: Paid, lesson: Lesson) {
        let place = match self.said.binary_search_by_key(&paid, |said| said.paid) {
            Ok(place) => place,
            Err(place) => {
                self.said.insert(place, Said { paid, due: 0, frauds: 0 });
                place
            }
        };
        let said = &mut self.said[place];
        match lesson {
            Lesson::Good => said.due += 1,
            Lesson::Fraud => (said.due, said.frauds) = (said.due + 1, said.frauds + 1),
            Lesson::FoundOut => said.frauds += 1,
            Lesson::TakenBack => said.frauds -= 1,
        }
        let over = self.said.len().saturating_sub(OUTCOMES_MOST);
        self.said.drain(..over);
    }

    /// What was spent.
    pub fn spent(&self) -> &Spent {
        &self.spent
    }

    /// Twice the median of the last amounts, in hundredths: whole, also between two of them.
    pub fn median_doubled(&self) -> Option<i64> {
        let mut amounts = [0; RECENT_MOST];
        let amounts = amounts.get_mut(..self.recent.len())?;
        amounts.copy_from_slice(&self.recent);
        amounts.sort_unstable();
        let last = amounts.len().checked_sub(1)?;
        Some(amounts[last / 2].saturating_add(amounts[last.div_ceil(2)]))
    }

    /// When amounts were outliers, the last of them.
    pub fn outliers(&self) -> &[Timestamp] {
        &self.outliers
    }

    /// What the last payments since a moment turned out to be, in the order in which was paid.
    pub fn outcomes(&self, since: Timestamp) -> impl DoubleEndedIterator<Item = Outcome> {
        let first = self.said.partition_point(|said| said.paid.at < since);
        self.said[first..].iter().flat_map(|said| said.outcomes())
    }
}

fn push<T>(list: &mut Vec<T>, one: T, most: usize) {
    if list.len() >= most {
        list.remove(0);
    }
    list.push(one);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid(minute: i64) -> Paid {
        Paid { at: Timestamp::from_micros(minute * 60_000_000), amount: Some(minute) }
    }

    // breaks: `FoundOut` to set what is said to one, or a place at the end for whatever is new
    #[test]
    fn outcomes_come_to_the_same_in_whatever_order_they_are_said() {
        let wrong_twice = [Lesson::FoundOut, Lesson::FoundOut, Lesson::TakenBack, Lesson::Good];
        let mut said: Vec<(Paid, Lesson)> = (0..40)
            .map(|minute| {
                (paid(minute), if minute % 3 == 0 { Lesson::Fraud } else { Lesson::Good })
            })
            .chain(wrong_twice.map(|lesson| (paid(38), lesson)))
            .collect();
        said.remove(38);
        let (mut forth, mut back) = (Payments::default(), Payments::default());
        said.iter().for_each(|(paid, lesson)| forth.learn(*paid, *lesson));
        said.iter().rev().for_each(|(paid, lesson)| back.learn(*paid, *lesson));
        assert_eq!(forth, back);
        let outcomes: Vec<Outcome> = forth.outcomes(paid(0).at).collect();
        assert_eq!(outcomes.len(), OUTCOMES_MOST);
        assert_eq!(
            outcomes[14..],
            [38, 39].map(|minute| Outcome { paid: paid(minute), fraud: true })
        );
        forth.learn(paid(2), Lesson::FoundOut);
        assert_eq!(forth, back, "older than all that is remembered");
    }

    // breaks: `last / 2` for both in `median_doubled`
    #[test]
    fn a_median_is_of_the_last_fifty() {
        let mut payments = Payments::default();
        assert_eq!(payments.median_doubled(), None);
        for amount in [1_000_000; 50].into_iter().chain([10; 24]).chain([30; 25]).chain([20]) {
            payments.note(paid(0).at, amount, Keeps::RECENT);
        }
        assert_eq!((payments.median_doubled(), payments.recent.len()), (Some(50), RECENT_MOST));
    }

    // breaks: a deviation without its least of a tenth of the mean
    #[test]
    fn a_few_cents_more_than_always_are_no_outlier() {
        let mut spent = Spent::default();
        for _ in 0..3 {
            assert!(!spent.is_outlier(100_000), "nothing is usual yet");
            spent.add(5_000);
        }
        assert!(!spent.is_outlier(5_100) && spent.is_outlier(6_500));
    }
}
