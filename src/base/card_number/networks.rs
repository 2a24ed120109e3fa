//! Which numbers networks give out: the ranges of their issuers, and how long a number is there.
//!
//! An issuer is named by the first digits (ISO/IEC 7812-1); the ranges are those that the networks
//! publish for routing. Lengths that nobody issues any more count where cards of them were.

use std::ops::RangeInclusive;

/// Maestro's shortest.
pub(super) const DIGITS_MIN: usize = 12;

/// The longest that ISO/IEC 7812-1 allows.
pub(super) const DIGITS_MAX: usize = 19;

/// First four digits, and how long a number is.
const NETWORKS: &[(RangeInclusive<u32>, &[usize])] = &[
    // Visa
    (4000..=4999, &[13, 16, 19]),
    // Mastercard
    (5100..=5599, &[16]),
    (2221..=2720, &[16]),
    // American Express
    (3400..=3499, &[15]),
    (3700..=3799, &[15]),
    // Diners Club
    (3000..=3059, &[14, 16]),
    (3095..=3095, &[14, 16]),
    (3600..=3699, &[14, 16]),
    (3800..=3999, &[14, 16]),
    // Discover
    (6011..=6011, &[16, 17, 18, 19]),
    (6440..=6599, &[16, 17, 18, 19]),
    // JCB
    (3528..=3589, &[16, 17, 18, 19]),
    (1800..=1800, &[15]),
    (2131..=2131, &[15]),
    // UnionPay
    (6200..=6299, &[16, 17, 18, 19]),
    // Maestro
    (5018..=5018, &[12, 13, 14, 15, 16, 17, 18, 19]),
    (5020..=5020, &[12, 13, 14, 15, 16, 17, 18, 19]),
    (5038..=5038, &[12, 13, 14, 15, 16, 17, 18, 19]),
    (5893..=5893, &[12, 13, 14, 15, 16, 17, 18, 19]),
    (6304..=6304, &[12, 13, 14, 15, 16, 17, 18, 19]),
    (6759..=6759, &[12, 13, 14, 15, 16, 17, 18, 19]),
    (6761..=6763, &[12, 13, 14, 15, 16, 17, 18, 19]),
    // Mir
    (2200..=2204, &[16, 17, 18, 19]),
    // RuPay
    (5085..=5089, &[16]),
    (6069..=6085, &[16]),
    // Elo, Verve
    (5060..=5067, &[16, 18, 19]),
    (6360..=6369, &[16]),
    // Dankort
    (5019..=5019, &[16]),
    // Troy
    (9792..=9792, &[16]),
];

/// Whether these digits, as a whole, are a card's.
pub(super) fn is_card(digits: &[u8]) -> bool {
    (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len()) && luhn(digits) && is_issued(digits)
}

fn is_issued(digits: &[u8]) -> bool {
    let first = digits[..4].iter().fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    let is_one = |(range, lengths): &(RangeInclusive<u32>, &[usize])| {
        range.contains(&first) && lengths.contains(&digits.len())
    };
    NETWORKS.iter().any(is_one)
}

/// The check digit of ISO/IEC 7812-1, annex B. One random number in ten has it.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit) * 2) {
            (0, _) => u32::from(*digit),
            (_, doubled) => doubled / 10 + doubled % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether these are the digits of a trade item (GTIN-13, once EAN): its check digit is another.
/// Germany's begin with a 4, and Visa has given out no number of thirteen digits for decades.
pub(super) fn is_gtin13(digits: &[u8]) -> bool {
    let weighed = digits.iter().enumerate().map(|(place, digit)| match place % 2 {
        0 => u32::from(*digit),
        _ => u32::from(*digit) * 3,
    });
    digits.len() == 13 && weighed.sum::<u32>().is_multiple_of(10)
}
