//! What an audit found.

use std::{collections::BTreeMap, fmt};

use crate::{base::Currency, ledger::store::Figures};

/// How many differences are shown one by one: enough to see what kind they are.
const SHOWN: usize = 50;

/// Two records that do not agree, or a promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The SKU, order, attempt or reference it is about.
    pub about: String,
    /// What is wrong, with the numbers.
    pub finding: String,
}

impl Difference {
    /// A finding about something.
    pub fn new(about: impl fmt::Display, finding: impl Into<String>) -> Self {
        Self { about: about.to_string(), finding: finding.into() }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.about, self.finding)
    }
}

/// What was looked at, what is unfinished, and what does not add up.
#[derive(Debug, Clone, Default)]
pub struct AuditReport {
    /// The ledger's own counts.
    pub figures: Figures,
    /// Stock movements read.
    pub movements: u64,
    /// Payment attempts read.
    pub attempts: u64,
    /// Attempts whose outcome is open; the reconciler settles them.
    pub pending: u64,
    /// Captures, voids and refunds still owed.
    pub due: u64,
    /// Charges in the sandbox's book, when there was one.
    pub charges: Option<u64>,
    /// Minor units captured and not refunded, by currency, as the book says.
    pub paid: BTreeMap<&'static str, i64>,
    /// What does not add up.
    pub differences: Vec<Difference>,
}

impl AuditReport {
    /// Whether everything adds up.
    pub const fn is_clean(&self) -> bool {
        self.differences.is_empty()
    }

    /// Adds what the book says was paid.
    pub(super) fn add_paid(&mut self, currency: Currency, minor: i64) {
        *self.paid.entry(currency.code()).or_default() += minor;
    }
}

impl fmt::Display for AuditReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { orders, lines, units, skus, holds, sessions, .. } = &self.figures;
        let [open, completing, completed, canceled, expired] = sessions;
        writeln!(
            f,
            "audited   {skus} SKUs with {} stock movements, {holds} holds",
            self.movements
        )?;
        writeln!(
            f,
            "          sessions: {open} open, {completing} completing, {completed} completed, \
             {canceled} canceled, {expired} expired"
        )?;
        writeln!(f, "          {orders} orders with {lines} lines and {units} units")?;
        writeln!(
            f,
            "          {} payment attempts ({} pending), {} operations due",
            self.attempts, self.pending, self.due
        )?;
        match self.charges {
            Some(charges) => writeln!(f, "          {charges} charges in the sandbox's book")?,
            None => writeln!(f, "          no book of charges to compare with")?,
        }
        for (code, minor) in &self.paid {
            writeln!(f, "          {minor} minor units of {code} captured and kept")?;
        }
        self.verdict(f)
    }
}

impl AuditReport {
    fn verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_clean() {
            return write!(f, "audit: clean");
        }
        write!(f, "audit: {} differences", self.differences.len())?;
        for difference in self.differences.iter().take(SHOWN) {
            write!(f, "\n  {difference}")?;
        }
        match self.differences.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_clean_or_a_list() {
        let mut report = AuditReport::default();
        assert_eq!(report.to_string().lines().last(), Some("audit: clean"));
        report.differences = vec![Difference::new("MUG", "gone"); SHOWN + 2];
        let text = report.to_string();
        assert!(text.contains("audit: 52 differences\n  MUG: gone\n"), "{text}");
        assert_eq!(text.lines().last(), Some("  and 2 more"));
    }
}
