//! What is remembered of one card, address or device: counts by step, the last distinct partners,
//! first and last time. Pure values, so that any store may keep them.

use super::{
    payments::{Keeps, Lesson, Outcome, Paid, Payments},
    window::Window,
};
use crate::{base::Timestamp, fraud::event::Key};

/// After so long without an attempt an entity is new again: a card that comes back after a season
/// says no more than an unknown one, and memory needs an end.
pub const LIFE_MICROS: i64 = 90 * 24 * 60 * 60 * 1_000_000;

/// How many distinct partners are remembered; more count as so many. A number, not a list, is
/// wanted, and 64 cards on one device say what 6,400 would.
pub const MOST_DISTINCT: usize = 64;

/// The windows over labels. Labels come by the day.
pub const LABEL_WINDOWS: [Window; 3] = [Window::Day, Window::Week, Window::Month];

/// Attempts within one window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Attempts {
    /// How many.
    pub count: u32,
    /// How many of them failed.
    pub failures: u32,
    /// How many had an amount.
    pub priced: u32,
    /// Sum of the amounts, in hundredths.
    pub sum: i64,
    /// The largest amount, in hundredths.
    pub max: i64,
}

/// Labels learned within one window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Labels {
    /// Attempts whose label was due.
    pub due: u32,
    /// Attempts found to be fraud.
    pub frauds: u32,
}

impl Labels {
    /// A fraud that was counted was none. A replica of before this was known reads it as nothing
    /// learned, which it is to it.
    pub const TAKEN_BACK: Self = Self { due: 0, frauds: 0 };

    /// What they say of one payment.
    const fn lesson(self) -> Lesson {
        match self {
            Self { due: 0, frauds: 0 } => Lesson::TakenBack,
            Self { due: 0, .. } => Lesson::FoundOut,
            Self { frauds: 0, .. } => Lesson::Good,
            _ => Lesson::Fraud,
        }
    }
}

/// What was counted in one step of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step<T> {
    pub(super) window: Window,
    pub(super) number: i64,
    pub(super) count: T,
}

/// One entity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entity {
    pub(super) attempts: Vec<Step<Attempts>>,
    pub(super) labels: Vec<Step<Labels>>,
    /// In the order in which they came, which decides between two of one moment.
    pub(super) partners: Vec<(u8, Key, Timestamp)>,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
    pub(super) touched: Option<Timestamp>,
    /// Payments one by one, where anybody asks for them.
    pub(super) payments: Option<Box<Payments>>,
}

impl Entity {
    /// As [`note`](Self::note), and keeps what is wanted of the payment itself.
    pub fn note_payment(
        &mut self,
        at: Timestamp,
        amount: Option<i64>,
        partners: impl Iterator<Item = (u8, Key)>,
        keeps: Keeps,
    ) {
        if self.last_seen(at).is_none()
            && let Some(payments) = &mut self.payments
        {
            payments.begin_anew();
        }
        if let Some(amount) = amount.filter(|_| keeps != Keeps::NOTHING) {
            self.payments.get_or_insert_default().note(at, amount, keeps);
        }
        self.note(at, amount, partners);
    }

    /// Notes an attempt that was not a retry. `partners` are the others who took part and whose
    /// distinct number is wanted, each under the place of its kind.
    pub fn note(
        &mut self,
        at: Timestamp,
        amount: Option<i64>,
        partners: impl Iterator<Item = (u8, Key)>,
    ) {
        if self.last_seen(at).is_none() {
            self.first = Some(at);
        }
        self.last = self.last.max(Some(at));
        self.touch(at);
        for window in Window::ALL {
            let count = count_at(&mut self.attempts, window, at);
            count.count += 1;
            if let Some(amount) = amount {
                count.priced += 1;
                count.sum = count.sum.saturating_add(amount);
                count.max = count.max.max(amount);
            }
        }
        for (kind, partner) in partners {
            self.note_partner(kind, partner, at);
        }
    }

    /// Notes that an attempt noted at `at` failed.
    pub fn note_failure(&mut self, at: Timestamp) {
        self.touch(at);
        for window in Window::ALL {
            count_at(&mut self.attempts, window, at).failures += 1;
        }
    }

    /// Notes what was learned at `at` about an earlier attempt; [`Labels::TAKEN_BACK`] takes the
    /// first fraud back that was counted from then on.
    pub fn note_label(&mut self, at: Timestamp, learned: Labels) {
        if learned == Labels::TAKEN_BACK {
            return self.take_back(at);
        }
        self.touch(at);
        for window in LABEL_WINDOWS {
            let count = count_at(&mut self.labels, window, at);
            count.due += learned.due;
            count.frauds += learned.frauds;
        }
    }

    /// As [`note_label`](Self::note_label), and keeps the outcome of the payment it is about, where
    /// that is wanted.
    pub fn note_outcome(&mut self, at: Timestamp, learned: Labels, paid: Option<Paid>) {
        self.note_label(at, learned);
        if let Some(paid) = paid {
            self.payments.get_or_insert_default().learn(paid, learned.lesson());
        }
    }

    /// Its payments in its present life.
    pub fn payments(&self, now: Timestamp) -> Option<&Payments> {
        self.last_seen(now).and(self.payments.as_deref())
    }

    /// What its payments turned out to be, of those last made in its present life.
    pub fn outcomes(&self, now: Timestamp) -> impl DoubleEndedIterator<Item = Outcome> {
        let lived = self.first_seen(now).zip(self.payments.as_deref());
        lived.into_iter().flat_map(|(first, payments)| payments.outcomes(first))
    }

    /// A window that it has left since has nothing to give back: what is counted there is another.
    fn take_back(&mut self, from: Timestamp) {
        let now = self.touched.unwrap_or(from);
        for window in LABEL_WINDOWS {
            let least = window.step_of(from);
            if !window.covers(least, now) {
                continue;
            }
            let counted = |step: &&mut Step<Labels>| {
                step.window == window && step.number >= least && step.count.frauds > 0
            };
            let counted = self.labels.iter_mut().filter(counted);
            if let Some(first) = counted.min_by_key(|step| step.number) {
                first.count.frauds -= 1;
            }
        }
    }

    /// Attempts within a window.
    pub fn attempts(&self, window: Window, now: Timestamp) -> Attempts {
        covered(&self.attempts, window, now).fold(Attempts::default(), |all, one| Attempts {
            count: all.count + one.count,
            failures: all.failures + one.failures,
            priced: all.priced + one.priced,
            sum: all.sum.saturating_add(one.sum),
            max: all.max.max(one.max),
        })
    }

    /// Labels learned within a window.
    pub fn labels(&self, window: Window, now: Timestamp) -> Labels {
        covered(&self.labels, window, now).fold(Labels::default(), |all, one| Labels {
            due: all.due + one.due,
            frauds: all.frauds + one.frauds,
        })
    }

    /// Distinct partners of a kind within a window, at most [`MOST_DISTINCT`].
    pub fn distinct(&self, kind: u8, window: Window, now: Timestamp) -> usize {
        let within = |seen: Timestamp| seen.micros() > now.micros() - window.micros();
        self.partners.iter().filter(|(of, _, seen)| *of == kind && within(*seen)).count()
    }

    /// Distinct partners of a kind within a window without this one.
    pub fn others(&self, (kind, own): (u8, Option<Key>), window: Window, now: Timestamp) -> usize {
        let within = |seen: Timestamp| seen.micros() > now.micros() - window.micros();
        let other = |(of, key, seen): &&(u8, Key, Timestamp)| {
            *of == kind && Some(*key) != own && within(*seen)
        };
        self.partners.iter().filter(other).count()
    }

    /// Whether this partner took part within a window.
    pub fn has_met(&self, (kind, own): (u8, Option<Key>), window: Window, now: Timestamp) -> bool {
        let within = |seen: Timestamp| seen.micros() > now.micros() - window.micros();
        let is_own = |(of, key, seen): &(u8, Key, Timestamp)| {
            *of == kind && Some(*key) == own && within(*seen)
        };
        self.partners.iter().any(is_own)
    }

    /// When it was last seen, unless it is new again.
    pub fn last_seen(&self, now: Timestamp) -> Option<Timestamp> {
        self.last.filter(|last| now.micros() - last.micros() <= LIFE_MICROS)
    }

    /// When it was first seen in its present life.
    pub fn first_seen(&self, now: Timestamp) -> Option<Timestamp> {
        self.last_seen(now).and(self.first)
    }

    /// When anything was last noted.
    pub fn touched(&self) -> Option<Timestamp> {
        self.touched
    }

    fn touch(&mut self, at: Timestamp) {
        self.touched = self.touched.max(Some(at));
    }

    fn note_partner(&mut self, kind: u8, partner: Key, at: Timestamp) {
        if let Some((_, _, seen)) =
            self.partners.iter_mut().find(|(of, key, _)| (*of, *key) == (kind, partner))
        {
            *seen = at.max(*seen);
            return;
        }
        self.partners.retain(|(_, _, seen)| seen.micros() > at.micros() - Window::Month.micros());
        if self.partners.iter().filter(|(of, ..)| *of == kind).count() >= MOST_DISTINCT {
            // The one seen longest ago leaves every window before the others do.
            let of_kind = self.partners.iter().enumerate().filter(|(_, (of, ..))| *of == kind);
            if let Some((place, _)) = of_kind.min_by_key(|(_, (_, _, seen))| *seen) {
                self.partners.remove(place);
            }
        }
        self.partners.push((kind, partner, at));
    }
}

/// The count of the step that `at` falls in; steps that have left the window make room.
fn count_at<T: Default>(steps: &mut Vec<Step<T>>, window: Window, at: Timestamp) -> &mut T {
    let number = window.step_of(at);
    let same = |step: &Step<T>| step.window == window && step.number == number;
    let place = steps.iter().rposition(same).unwrap_or_else(|| {
        steps.retain(|step| step.window.covers(step.number, at));
        steps.push(Step { window, number, count: T::default() });
        steps.len() - 1
    });
    &mut steps[place].count
}

fn covered<T>(steps: &[Step<T>], window: Window, now: Timestamp) -> impl Iterator<Item = &T> {
    let within = move |step: &&Step<T>| step.window == window && window.covers(step.number, now);
    steps.iter().filter(within).map(|step| &step.count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU64;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_micros(minutes * 60 * 1_000_000)
    }

    fn key(number: u64) -> Key {
        Key::from_raw(NonZeroU64::new(number).expect("a number from 1"))
    }

    #[test]
    fn what_is_remembered_of_a_busy_entity_is_bounded() {
        let mut entity = Entity::default();
        for minute in 0..100_000_i64 {
            let partner = key(minute.unsigned_abs() + 1);
            entity.note(at(minute), Some(100), [(0, partner)].into_iter());
            entity.note_label(at(minute), Labels { due: 1, frauds: 0 });
        }
        let steps: i64 = Window::ALL.iter().map(|window| window.steps()).sum();
        assert!(entity.attempts.len() <= usize::try_from(steps).expect("few"));
        assert_eq!(entity.partners.len(), MOST_DISTINCT);
        assert_eq!(entity.distinct(0, Window::TenMinutes, at(99_999)), 10);
        assert_eq!(entity.distinct(0, Window::Day, at(99_999)), MOST_DISTINCT);
    }

    #[test]
    fn a_fraud_taken_back_is_gone_where_it_was_counted_and_no_other() {
        let fraud = Labels { due: 0, frauds: 1 };
        let day = |days: i64| at(days * 24 * 60);
        let mut entity = Entity::default();
        entity.note_label(day(10), fraud);
        entity.note_label(day(14), fraud);
        let frauds =
            |entity: &Entity| LABEL_WINDOWS.map(|window| entity.labels(window, day(14)).frauds);
        assert_eq!(frauds(&entity), [1, 2, 2], "a day, a week, a month");
        entity.note_label(day(10), Labels::TAKEN_BACK);
        assert_eq!(frauds(&entity), [1, 1, 1], "the second one stands in each of them");
        entity.note_label(day(11), Labels::TAKEN_BACK);
        assert_eq!(
            frauds(&entity),
            [1, 0, 0],
            "the last day never had what was counted on the 11th"
        );
        entity.note_label(day(14), Labels::TAKEN_BACK);
        entity.note_label(day(14), Labels::TAKEN_BACK);
        assert_eq!(frauds(&entity), [0, 0, 0], "never less than none");
    }

    #[test]
    fn a_card_of_last_season_is_new_again() {
        let mut entity = Entity::default();
        entity.note(at(0), None, std::iter::empty());
        let season = Timestamp::from_micros(LIFE_MICROS);
        assert_eq!(entity.last_seen(season), Some(at(0)));
        let later = Timestamp::from_micros(LIFE_MICROS + 1);
        assert_eq!((entity.last_seen(later), entity.first_seen(later)), (None, None));
        entity.note(later, None, std::iter::empty());
        assert_eq!(entity.first_seen(later), Some(later));
    }
}
