//! When people buy: seasons, weekdays, sales peaks, hours of the day where they are. Each world has
//! its own.

use super::{countries::COUNTRIES, dice::Dice};

/// Of each hour of the day, where the buyer is.
const HOURS: [u32; 24] =
    [6, 3, 2, 1, 1, 2, 5, 10, 16, 22, 26, 28, 30, 28, 26, 26, 27, 30, 36, 44, 50, 46, 32, 16];

/// The days of a simulated span.
#[derive(Debug)]
pub struct Calendar {
    first_day: i64,
    weights: Vec<u32>,
    peaks: Vec<u32>,
}

impl Calendar {
    /// Days from `first_day` on, counted from 1970-01-01.
    pub fn draw(first_day: i64, days: u16, dice: &Dice<'_>) -> Self {
        let months: [u32; 12] = [(); 12].map(|()| dice.between(6, 14));
        let weekdays: [u32; 7] = [(); 7].map(|()| dice.between(8, 15));
        let count = u32::from(days.max(1));
        let mut peaks = vec![1; count as usize];
        for _ in 0..=count / 60 {
            peaks[dice.below(count) as usize] = dice.between(2, 6);
        }
        let weight = |(day, peak): (usize, &u32)| {
            let day = first_day + day as i64;
            let month = (day.rem_euclid(365) * 12 / 365) as usize;
            months[month] * weekdays[day.rem_euclid(7) as usize] * peak
        };
        let weights = peaks.iter().enumerate().map(weight).collect();
        Self { first_day, weights, peaks }
    }

    /// How many days there are.
    pub fn days(&self) -> u32 {
        u32::try_from(self.weights.len()).unwrap_or(u32::MAX)
    }

    /// A day on which somebody buys, counted from 1970-01-01.
    pub fn day(&self, dice: &Dice<'_>) -> i64 {
        self.first_day + dice.weighted(&self.weights) as i64
    }

    /// A second of that day in which somebody of that country buys.
    pub fn second(&self, day: i64, country: u8, dice: &Dice<'_>) -> i64 {
        let hour = dice.weighted(&HOURS) as i64 - COUNTRIES[usize::from(country)].hours_ahead;
        day * 86_400 + hour.rem_euclid(24) * 3_600 + i64::from(dice.below(3_600))
    }

    /// Any second, with room for `days` behind it: attackers have no seasons.
    pub fn any_second(&self, days: u32, dice: &Dice<'_>) -> i64 {
        let day = dice.below(self.days().saturating_sub(days).max(1));
        (self.first_day + i64::from(day)) * 86_400 + i64::from(dice.below(86_400))
    }

    /// The day of a second, counted from the first one.
    pub fn day_of(&self, second: i64) -> i64 {
        second.div_euclid(86_400) - self.first_day
    }

    /// Whether a second lies in a sales peak.
    pub fn is_peak(&self, second: i64) -> bool {
        usize::try_from(self.day_of(second))
            .is_ok_and(|day| self.peaks.get(day).is_some_and(|times| *times > 1))
    }
}
