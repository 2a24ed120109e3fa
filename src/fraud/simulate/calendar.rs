//! When people buy: seasons, weekdays, sales peaks, hours of the day.

use super::dice::Dice;

/// Of each month, January first.
const MONTHS: [u32; 12] = [8, 7, 8, 8, 9, 8, 7, 7, 9, 10, 15, 17];

/// Of each weekday, Monday first.
const WEEKDAYS: [u32; 7] = [11, 10, 10, 10, 10, 12, 14];

/// Of each hour.
const HOURS: [u32; 24] =
    [6, 3, 2, 1, 1, 2, 5, 10, 16, 22, 26, 28, 30, 28, 26, 26, 27, 30, 36, 44, 50, 46, 32, 16];

/// Sales peaks: day of the year and how many times as much as usual.
const PEAKS: [(i64, u32); 6] = [(13, 2), (180, 3), (314, 3), (331, 6), (332, 4), (334, 5)];

/// The days of a simulated span.
#[derive(Debug)]
pub struct Calendar {
    first_day: i64,
    weights: Vec<u32>,
}

impl Calendar {
    /// Days from `first_day` on, counted from 1970-01-01.
    pub fn new(first_day: i64, days: u16) -> Self {
        let weight = |day: i64| {
            let of_year = (day - super::FIRST_DAY).rem_euclid(365);
            let month = (of_year * 12 / 365) as usize;
            let weekday = (day + 3).rem_euclid(7) as usize;
            MONTHS[month] * WEEKDAYS[weekday] * peak(of_year)
        };
        let weights = (0..i64::from(days.max(1))).map(|day| weight(first_day + day)).collect();
        Self { first_day, weights }
    }

    /// How many days there are.
    pub fn days(&self) -> u32 {
        u32::try_from(self.weights.len()).unwrap_or(u32::MAX)
    }

    /// A second in which somebody buys.
    pub fn second(&self, dice: &Dice<'_>) -> i64 {
        let day = self.first_day + dice.weighted(&self.weights) as i64;
        let hour = dice.weighted(&HOURS) as i64;
        day * 86_400 + hour * 3_600 + i64::from(dice.below(3_600))
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
        let day = second.div_euclid(86_400);
        peak((day - super::FIRST_DAY).rem_euclid(365)) > 1
    }
}

fn peak(of_year: i64) -> u32 {
    PEAKS.iter().find(|(day, _)| *day == of_year).map_or(1, |(_, times)| *times)
}
