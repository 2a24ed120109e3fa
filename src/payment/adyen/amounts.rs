//! Amounts as Adyen counts them: in ISO 4217's minor units, but for a few currencies.
//! Source: Adyen, "Currency codes and minor units".

use crate::base::{Currency, Money};

/// Counted in hundredths by Adyen, in whole units by ISO 4217.
const IN_HUNDREDTHS: [&str; 2] = ["CLP", "ISK"];

/// Counted in whole units by Adyen, in hundredths by ISO 4217.
const IN_UNITS: [&str; 2] = ["CVE", "IDR"];

/// An amount in Adyen's units; `None` where Adyen cannot count it.
pub(super) fn value(amount: Money) -> Option<i64> {
    let (minor, code) = (amount.minor(), amount.currency().code());
    if IN_HUNDREDTHS.contains(&code) {
        return minor.checked_mul(100);
    }
    match IN_UNITS.contains(&code) {
        true => (minor % 100 == 0).then_some(minor / 100),
        false => Some(minor),
    }
}

/// What an amount of Adyen's is in ours; `None` for a currency that nobody here knows.
pub(super) fn money(value: i64, currency: &str) -> Option<Money> {
    let currency: Currency = currency.parse().ok()?;
    let minor = match currency.code() {
        code if IN_HUNDREDTHS.contains(&code) => value / 100,
        code if IN_UNITS.contains(&code) => value.checked_mul(100)?,
        _ => value,
    };
    Some(Money::from_minor(minor, currency))
}

#[cfg(test)]
mod tests {
    use super::*;

    // breaks: an amount that is passed on as it is in every currency
    #[test]
    fn amounts_are_counted_as_adyen_counts_them() {
        let cases = [
            ("EUR", 1990, Some(1990)),
            ("JPY", 500, Some(500)),
            ("KWD", 1_234, Some(1_234)),
            ("CLP", 500, Some(50_000)),
            ("ISK", 500, Some(50_000)),
            ("IDR", 1_500_000, Some(15_000)),
            ("IDR", 1_500_050, None),
            ("CVE", 200, Some(2)),
        ];
        for (code, minor, told) in cases {
            let amount = Money::from_minor(minor, code.parse().expect("a currency"));
            assert_eq!(value(amount), told, "{code}");
            if let Some(told) = told {
                assert_eq!(money(told, code), Some(amount), "{code}");
            }
        }
        assert_eq!(money(1, "XYZ"), None);
    }
}
