//! Countries, and how people there write their e-mail addresses and tell the time.

use super::dice::Dice;

/// A country.
#[derive(Debug)]
pub struct Country {
    /// ISO 3166-1 alpha-2.
    pub code: &'static str,
    /// Hours ahead of UTC.
    pub hours_ahead: i64,
    /// How many of a hundred addresses have no digits, a year's, a number's, a phone number's.
    emails: [u32; 4],
}

const fn country(code: &'static str, hours_ahead: i64, emails: [u32; 4]) -> Country {
    Country { code, hours_ahead, emails }
}

/// All of them.
pub const COUNTRIES: [Country; 16] = [
    country("DE", 1, [65, 28, 6, 1]),
    country("AT", 1, [65, 28, 6, 1]),
    country("FR", 1, [60, 30, 9, 1]),
    country("NL", 1, [66, 26, 7, 1]),
    country("GB", 0, [58, 32, 9, 1]),
    country("PL", 1, [52, 34, 13, 1]),
    country("US", -6, [50, 32, 17, 1]),
    country("CA", -5, [52, 32, 15, 1]),
    country("BR", -3, [50, 30, 17, 3]),
    country("MX", -6, [48, 32, 17, 3]),
    country("NG", 1, [45, 30, 20, 5]),
    country("IN", 5, [40, 28, 24, 8]),
    country("CN", 8, [20, 10, 35, 35]),
    country("JP", 9, [45, 25, 27, 3]),
    country("VN", 7, [38, 27, 25, 10]),
    country("AU", 10, [58, 30, 11, 1]),
];

/// The digits of an e-mail address in the country's style, whoever writes it.
pub fn email_digits(country: u8, dice: &Dice<'_>) -> u8 {
    match dice.weighted(&COUNTRIES[usize::from(country)].emails) {
        0 => 0,
        1 => dice.one(&[2, 2, 4]),
        2 => dice.between(1, 9) as u8,
        _ => dice.between(10, 11) as u8,
    }
}
