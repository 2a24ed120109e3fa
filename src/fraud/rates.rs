//! What an amount is worth in another currency, as far as trust is concerned: a table of rates,
//! dated. No money moves by it, so a rate that is some percent off does no harm, and one that is
//! missing is a value that is missing.
//!
//! A file has the form in which the European Central Bank publishes its reference rates
//! (`eurofxref-hist.csv`): `Date,USD,JPY,…`, then a day and units of each currency for one euro.
//! Without a file the table that comes with the program counts: rates of 2026, rounded by hand and
//! good to about a tenth, which is enough to tell 2,000 yen from 2,000 euros.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::OnceLock,
};

use crate::base::{Currency, Money, Timestamp};

/// The currency of which one unit buys so many of the others.
const BASE: &str = "EUR";

/// Rates that come with the program.
const BUNDLED: &str = include_str!("../../models/rates.csv");

/// Those of this process.
static CURRENT: OnceLock<Rates> = OnceLock::new();

/// The rates that this process judges by: those installed at its start, else those that come with
/// the program. One table for all, as of time zones.
pub fn current() -> &'static Rates {
    CURRENT.get_or_init(Rates::bundled)
}

/// Takes the rates of a file for this process, if one is named, before anything is judged.
///
/// # Errors
/// When it does not read.
pub fn install(path: Option<&Path>) -> Result<(), RatesFault> {
    let Some(path) = path else { return Ok(()) };
    if CURRENT.set(Rates::open(path)?).is_err() {
        tracing::warn!("exchange rates are read once: those of the first start count");
    }
    Ok(())
}

/// A file of rates that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} is no table of exchange rates that reads ({why}); expected the form of the European \
     Central Bank's `eurofxref-hist.csv`: a line `Date,USD,JPY,…`, then `2026-11-27,1.08,163.2,…`, \
     units for one euro", .path.display()
)]
pub struct RatesFault {
    path: PathBuf,
    why: String,
}

/// Rates by currency and day.
#[derive(Debug, Clone, Default)]
pub struct Rates {
    /// Units for one euro from each day on.
    by_currency: HashMap<Currency, BTreeMap<Timestamp, f64>>,
}

impl Rates {
    /// Those of a file.
    ///
    /// # Errors
    /// When it does not read.
    pub fn open(path: &Path) -> Result<Self, RatesFault> {
        let fault = |why: String| RatesFault { path: path.to_owned(), why };
        let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
        Self::parse(&text).map_err(fault)
    }

    /// Those that come with the program.
    pub fn bundled() -> Self {
        Self::parse(BUNDLED).expect("invariant: the bundled table reads")
    }

    /// Reads a table.
    ///
    /// # Errors
    /// What does not read, with its line.
    fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().zip(1_u32..).filter(|(line, _)| !line.trim().is_empty());
        let (head, _) = lines.next().ok_or("it is empty")?;
        let mut names = cells(head);
        if !names.next().is_some_and(|name| name.eq_ignore_ascii_case("date")) {
            return Err("its first column is not `Date`".to_owned());
        }
        let known = |name: &str| name.parse::<Currency>().ok();
        let columns: Vec<Option<Currency>> = names.map(known).collect();
        let mut rates = Self::default();
        for (line, number) in lines {
            let mut values = cells(line);
            let day = values.next().unwrap_or_default();
            let from = Timestamp::parse(&format!("{day}T00:00:00Z"))
                .ok_or_else(|| format!("line {number}: `{day}` is no day such as 2026-11-27"))?;
            for (currency, value) in columns.iter().zip(values) {
                // A currency that no longer exists, or a rate that was not set that day.
                let Some(currency) = currency else { continue };
                if value.is_empty() || value.eq_ignore_ascii_case("n/a") {
                    continue;
                }
                let rate: f64 = value
                    .parse()
                    .ok()
                    .filter(|rate: &f64| rate.is_normal() && *rate > 0.0)
                    .ok_or_else(|| format!("line {number}: `{value}` is no rate of {currency}"))?;
                rates.by_currency.entry(*currency).or_default().insert(from, rate);
            }
        }
        if rates.by_currency.is_empty() {
            return Err("it has no rate".to_owned());
        }
        Ok(rates)
    }

    /// Units for one euro at a moment: of the latest day before it, else of the first day there is.
    fn rate(&self, currency: Currency, at: Timestamp) -> Option<f64> {
        if currency.code() == BASE {
            return Some(1.0);
        }
        let days = self.by_currency.get(&currency)?;
        let before = days.range(..=at).next_back().or_else(|| days.iter().next());
        before.map(|(_, rate)| *rate)
    }

    /// An amount in main units of another currency at a moment. None without a rate.
    pub fn main_units(&self, amount: Money, to: Currency, at: Timestamp) -> Option<f64> {
        let own = in_main_units(amount);
        if amount.currency() == to {
            return Some(own);
        }
        Some(own / self.rate(amount.currency(), at)? * self.rate(to, at)?)
    }

    /// An amount in minor units of another currency, rounded. None without a rate.
    pub fn minor(&self, amount: Money, to: Currency, at: Timestamp) -> Option<i64> {
        if amount.currency() == to {
            return Some(amount.minor());
        }
        let scale = 10_f64.powi(i32::try_from(to.decimals()).ok()?);
        Some(whole(self.main_units(amount, to, at)? * scale))
    }
}

fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.trim().trim_end_matches(',').split(',').map(str::trim)
}

/// An amount in main units: 49.9. Exact for all amounts below 2⁵³ minor units, as far as tenths are
/// exact in binary at all.
pub fn in_main_units(amount: Money) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "amounts of shops stay below 2⁵³")]
    let minor = amount.minor() as f64;
    let decimals = i32::try_from(amount.currency().decimals()).unwrap_or(0);
    minor / 10_f64.powi(decimals)
}

/// The expected loss of an order: probability of fraud × what it costs, in minor units.
pub fn expected_loss(probability: f64, minor: i64) -> i64 {
    #[expect(clippy::cast_precision_loss, reason = "amounts of shops stay below 2⁵³")]
    let amount = minor as f64;
    whole(amount * probability)
}

fn whole(amount: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, and no shop comes near")]
    let whole = amount.round() as i64;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64, currency: &str) -> Money {
        Money::from_minor(minor, currency.parse().expect("a currency"))
    }

    fn at(day: &str) -> Timestamp {
        Timestamp::parse(&format!("{day}T12:00:00Z")).expect("a day")
    }

    // breaks: take the first day in `rate`, or leave decimals out of `minor`
    #[test]
    fn a_rate_is_that_of_the_latest_day_before() {
        let file =
            "Date,USD,JPY,KWD,ZZZ,\n2026-11-27,1.25,160,0.32,7,\n2026-11-20,1.0,100,N/A,7,\n";
        let rates = Rates::parse(file).expect("a table");
        let eur: Currency = "EUR".parse().expect("a currency");
        let on = |day: &str, amount| rates.minor(amount, eur, at(day));
        assert_eq!(on("2026-11-30", money(2_000, "JPY")), Some(1_250));
        assert_eq!(on("2026-11-22", money(2_000, "JPY")), Some(2_000));
        assert_eq!(on("2026-01-01", money(2_000, "JPY")), Some(2_000), "before the first day");
        assert_eq!(on("2026-11-22", money(320, "KWD")), Some(100), "the first day it has");
        assert_eq!(on("2026-11-30", money(1_999, "EUR")), Some(1_999), "as it is");
        assert_eq!(on("2026-11-30", money(100, "CHF")), None);
        let yen = "JPY".parse().expect("a currency");
        assert_eq!(rates.minor(money(250, "USD"), yen, at("2026-11-27")), Some(320));
        let main = rates.main_units(money(250, "USD"), eur, at("2026-11-27"));
        assert_eq!(main, Some(2.0));
    }

    #[test]
    fn what_is_no_table_says_where() {
        for (file, why) in [
            ("", "it is empty"),
            ("day,USD\n", "its first column is not `Date`"),
            ("Date,USD\n27.11.2026,1.1\n", "line 2: `27.11.2026` is no day such as 2026-11-27"),
            ("Date,USD\n\n2026-11-27,-1\n", "line 3: `-1` is no rate of USD"),
            ("Date,USD\n2026-11-27,N/A\n", "it has no rate"),
        ] {
            assert_eq!(Rates::parse(file).err().as_deref(), Some(why), "{file:?}");
        }
    }

    #[test]
    fn the_bundled_table_has_the_currencies_that_shops_take() {
        let rates = Rates::bundled();
        let eur: Currency = "EUR".parse().expect("a currency");
        for currency in ["USD", "GBP", "JPY", "CNY", "INR", "BRL", "KWD", "IDR", "NGN", "CHF"] {
            let euros = rates.main_units(money(1_000_000, currency), eur, at("2026-11-30"));
            assert!(euros.is_some_and(|euros| euros > 0.0), "{currency}");
        }
        let yen = rates.main_units(money(2_000, "JPY"), eur, at("2026-11-30")).expect("a rate");
        assert!((8.0..20.0).contains(&yen), "2,000 yen are {yen} euros");
    }
}
