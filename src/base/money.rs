//! Money: an integer of minor units with a currency, and no operators.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An ISO 4217 currency.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Currency(iso_currency::Currency);

/// The text is not a currency we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a three-letter ISO 4217 currency code such as `EUR`")]
pub struct InvalidCurrency;

impl Currency {
    /// No currency: `XXX`.
    pub const NONE: Self = Self(iso_currency::Currency::XXX);

    /// The euro.
    pub const EUR: Self = Self(iso_currency::Currency::EUR);

    /// How many decimals the minor unit stands for: JPY 0, EUR 2, KWD 3.
    pub fn decimals(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or(0))
    }

    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }
}

impl FromStr for Currency {
    type Err = InvalidCurrency;

    fn from_str(raw: &str) -> Result<Self, InvalidCurrency> {
        iso_currency::Currency::from_code(raw).map(Self).ok_or(InvalidCurrency)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of money. Prints as `EUR 19.90`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// A sum that cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Two currencies do not add up.
    #[error("cannot combine {left} with {right}")]
    CurrencyMismatch {
        /// The first currency.
        left: Currency,
        /// The other one.
        right: Currency,
    },
    /// The amount leaves the range of 63 bits.
    #[error("the amount is too large")]
    Overflow,
    /// The text is not a decimal amount of this currency.
    #[error("expected an amount such as `19.90` with at most {decimals} decimals")]
    Malformed {
        /// How many decimals the currency has.
        decimals: u32,
    },
}

impl Money {
    /// So many minor units.
    pub const fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Minor units: cents of EUR, yen of JPY, fils of KWD.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The sum, in one currency and within range.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch {
                left: self.currency,
                right: other.currency,
            });
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// The amount so many times.
    pub fn checked_mul(self, count: u32) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(i64::from(count)).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// Reads an amount as people write it: with a point or a comma before its decimals, and without
    /// marks between thousands. Three digits behind a mark are refused where they may be decimals
    /// as well as a thousand.
    ///
    /// # Errors
    /// What was expected, for people.
    pub fn parse_written(raw: &str, currency: Currency) -> Result<Self, String> {
        let decimals = currency.decimals();
        let mark = raw.find([',', '.']);
        let behind = mark.map_or(0, |at| raw.len() - at - 1);
        let is_point = mark.is_some_and(|at| raw.as_bytes()[at] == b'.');
        if behind == 3
            && !(is_point && decimals == 3)
            && raw[raw.len() - 3..].parse::<u32>().is_ok()
        {
            return Err(format!(
                "expected no mark before three digits, which may be decimals or a thousand, found \
                 `{raw}`"
            ));
        }
        let read = Self::parse_decimal(&raw.replacen(',', ".", 1), currency).ok();
        read.filter(|amount| amount.minor >= 0).ok_or_else(|| {
            format!(
                "expected an amount of 0 or more with at most {decimals} decimals, found `{raw}`"
            )
        })
    }

    /// Reads a decimal amount such as `19.9`; never rounds: too many decimals are an error.
    pub fn parse_decimal(raw: &str, currency: Currency) -> Result<Self, MoneyError> {
        let decimals = currency.decimals();
        let malformed = MoneyError::Malformed { decimals };
        let (negative, digits) = raw.strip_prefix('-').map_or((false, raw), |rest| (true, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let places = u32::try_from(fraction.len()).map_err(|_| malformed)?;
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let dangling = digits.ends_with('.');
        if whole.is_empty() || dangling || !all_digits(whole) || !all_digits(fraction) {
            return Err(malformed);
        }
        let significant = fraction.trim_end_matches('0').len();
        if significant > decimals as usize {
            return Err(malformed);
        }
        let kept = &fraction[..places.min(decimals) as usize];
        let minor: i64 = format!("{whole}{kept}").parse().map_err(|_| MoneyError::Overflow)?;
        let missing = decimals - places.min(decimals);
        let minor = minor.checked_mul(10_i64.pow(missing)).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor: if negative { -minor } else { minor }, currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_u64.pow(self.currency.decimals());
        let (whole, rest) = (self.minor.unsigned_abs() / unit, self.minor.unsigned_abs() % unit);
        let sign = if self.minor < 0 { "-" } else { "" };
        write!(f, "{} {sign}{whole}", self.currency)?;
        match self.currency.decimals() as usize {
            0 => Ok(()),
            width => write!(f, ".{rest:0width$}"),
        }
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        code.parse().expect("a currency of the standard")
    }

    #[test]
    fn each_currency_has_its_own_decimals() {
        let shown = |minor, code| Money::from_minor(minor, currency(code)).to_string();
        assert_eq!(shown(1990, "EUR"), "EUR 19.90");
        assert_eq!(shown(1990, "JPY"), "JPY 1990");
        assert_eq!(shown(-1990, "KWD"), "KWD -1.990");
        assert!("XX1".parse::<Currency>().is_err());
    }

    // breaks: take the check of three digits out of `parse_written`
    #[test]
    fn what_may_be_a_thousand_or_decimals_is_refused() {
        let read = |raw, code| Money::parse_written(raw, currency(code)).map(Money::minor).ok();
        for (raw, code, minor) in [
            ("19,90", "EUR", Some(1990)),
            ("19.9", "EUR", Some(1990)),
            ("1,5", "KWD", Some(1500)),
            ("1.234", "KWD", Some(1234)),
            ("1,234", "KWD", None),
            ("1.234", "EUR", None),
            ("1,000", "EUR", None),
            ("1.000", "EUR", None),
            ("1.000", "JPY", None),
            ("1,234.50", "EUR", None),
            ("1.234,50", "EUR", None),
            ("1 234,50", "EUR", None),
            ("59.000000", "EUR", Some(5900)),
            ("-1,00", "EUR", None),
            ("19,", "EUR", None),
            (",5", "EUR", None),
        ] {
            assert_eq!(read(raw, code), minor, "{raw} {code}");
        }
    }

    #[test]
    fn amounts_are_read_without_rounding() {
        let read = |raw, code| Money::parse_decimal(raw, currency(code)).map(Money::minor);
        assert_eq!(read("19.9", "EUR"), Ok(1990));
        assert_eq!(read("19.9000", "EUR"), Ok(1990));
        assert_eq!(read("-0.05", "EUR"), Ok(-5));
        assert_eq!(read("5", "KWD"), Ok(5000));
        assert_eq!(read("19.999", "EUR"), Err(MoneyError::Malformed { decimals: 2 }));
        assert_eq!(read("1.5", "JPY"), Err(MoneyError::Malformed { decimals: 0 }));
        for bad in ["", ".", "1.", ".5", "1,5", "--1", "1e3", "９"] {
            assert!(read(bad, "EUR").is_err(), "{bad:?} was read");
        }
        assert_eq!(read("99999999999999999999", "EUR"), Err(MoneyError::Overflow));
    }

    #[test]
    fn currencies_never_mix() {
        let (left, right) = (currency("EUR"), currency("KWD"));
        let mixed = Money::from_minor(1, left).checked_add(Money::from_minor(1, right));
        assert_eq!(mixed, Err(MoneyError::CurrencyMismatch { left, right }));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(
            minor in -1_000_000_000_000_i64..1_000_000_000_000,
            pick in 0_usize..3,
        ) {
            let currency = currency(["JPY", "EUR", "KWD"][pick]);
            let money = Money::from_minor(minor, currency);
            let text = money.to_string();
            let (_, amount) = text.split_once(' ').expect("code and amount");
            prop_assert_eq!(Money::parse_decimal(amount, currency), Ok(money));
        }

        #[test]
        fn sums_never_wrap(left: i64, right: i64) {
            let euros = |minor| Money::from_minor(minor, currency("EUR"));
            let sum = i128::from(left) + i128::from(right);
            match euros(left).checked_add(euros(right)) {
                Ok(money) => prop_assert_eq!(i128::from(money.minor()), sum),
                Err(error) => prop_assert_eq!(error, MoneyError::Overflow),
            }
        }
    }
}
