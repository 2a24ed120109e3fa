//! Forms as Stripe reads them: names with brackets, `metadata[attempt]=…`.

use crate::base::Money;

/// Currencies whose amounts Stripe counts in hundredths though they have none (ISO 4217).
const COUNTED_IN_HUNDREDTHS: [&str; 2] = ["ISK", "UGX"];

/// A form under way.
#[derive(Debug, Default)]
pub(super) struct Form(String);

impl Form {
    /// With one more field.
    pub(super) fn with(mut self, name: &str, value: impl AsRef<str>) -> Self {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        escape(name, &mut self.0);
        self.0.push('=');
        escape(value.as_ref(), &mut self.0);
        self
    }

    /// The text, for a body or behind a `?`.
    pub(super) fn text(self) -> String {
        self.0
    }
}

/// Percent-encodes all but the unreserved characters (RFC 3986 §2.3).
fn escape(text: &str, to: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                to.push(char::from(byte));
            }
            _ => {
                let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('0');
                to.push('%');
                to.push(digit(byte >> 4).to_ascii_uppercase());
                to.push(digit(byte & 15).to_ascii_uppercase());
            }
        }
    }
}

/// An amount as Stripe counts it; none where it cannot be charged: amounts with three decimals end
/// in a zero.
pub(super) fn amount(money: Money) -> Option<i64> {
    let code = money.currency().code();
    if COUNTED_IN_HUNDREDTHS.contains(&code) {
        return money.minor().checked_mul(100);
    }
    let is_whole = money.currency().decimals() < 3 || money.minor() % 10 == 0;
    is_whole.then(|| money.minor())
}

/// Minor units of an amount as Stripe counts it.
pub(super) fn minor(amount: i64, currency: crate::base::Currency) -> i64 {
    if COUNTED_IN_HUNDREDTHS.contains(&currency.code()) { amount / 100 } else { amount }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64, currency: &str) -> Money {
        Money::from_minor(minor, currency.parse().expect("a currency"))
    }

    // breaks: brackets or separators that are not escaped in names and values
    #[test]
    fn a_value_cannot_become_another_field() {
        let form = Form::default().with("metadata[a]", "x&amount=1").with("b", "ü €").text();
        assert_eq!(form, "metadata%5Ba%5D=x%26amount%3D1&b=%C3%BC%20%E2%82%AC");
    }

    // breaks: an amount that is passed on as it is in every currency
    #[test]
    fn amounts_are_counted_as_stripe_counts_them() {
        let cases = [
            ("EUR", 1990, Some(1990)),
            ("JPY", 500, Some(500)),
            ("ISK", 500, Some(50_000)),
            ("KWD", 1_230, Some(1_230)),
            ("KWD", 1_234, None),
        ];
        for (currency, written, told) in cases {
            assert_eq!(amount(money(written, currency)), told, "{currency}");
            if let Some(told) = told {
                assert_eq!(minor(told, money(0, currency).currency()), written);
            }
        }
    }
}
