//! Amounts as PayPal writes them: decimal text beside a currency.

use serde::{Deserialize, Serialize};

use crate::base::{Currency, Money};

/// Currencies that PayPal counts in whole units, whatever ISO 4217 says.
const WHOLE: [&str; 3] = ["HUF", "JPY", "TWD"];

/// An amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Amount {
    currency_code: String,
    value: String,
}

impl Amount {
    /// An amount for PayPal; none where it takes no such decimals.
    pub(super) fn of(money: Money) -> Option<Self> {
        let currency = money.currency();
        let unit = 10_i64.checked_pow(currency.decimals())?;
        let (whole, rest) = (money.minor() / unit, money.minor() % unit);
        let width = currency.decimals() as usize;
        let value = match (WHOLE.contains(&currency.code()), rest) {
            (true, 0) => whole.to_string(),
            (true, _) => return None,
            (false, _) if width == 0 => whole.to_string(),
            (false, _) => format!("{whole}.{rest:0width$}"),
        };
        (money.minor() >= 0).then(|| Self { currency_code: currency.code().to_owned(), value })
    }

    /// The amount, where its currency and its decimals are known.
    pub(super) fn money(&self) -> Option<Money> {
        let currency: Currency = self.currency_code.parse().ok()?;
        Money::parse_decimal(&self.value, currency).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // breaks: amounts in minor units, yen with decimals, or half a forint
    #[test]
    fn amounts_are_written_as_paypal_writes_them() {
        let cases = [
            ("EUR", 1990, Some("19.90")),
            ("EUR", 5, Some("0.05")),
            ("JPY", 500, Some("500")),
            ("HUF", 150_000, Some("1500")),
            ("HUF", 150_050, None),
            ("TWD", 100, Some("1")),
            ("KWD", 1_234, Some("1.234")),
            ("EUR", -1, None),
        ];
        for (currency, minor, written) in cases {
            let money = Money::from_minor(minor, currency.parse().expect("a currency"));
            let amount = Amount::of(money);
            assert_eq!(amount.as_ref().map(|amount| &*amount.value), written, "{currency} {minor}");
            if let Some(amount) = amount {
                assert_eq!(amount.money(), Some(money));
            }
        }
        let yen = Amount { currency_code: "JPY".into(), value: "500.00".into() };
        assert_eq!(yen.money().map(Money::minor), Some(500));
    }
}
