//! What one row of the file is.

use std::{collections::BTreeMap, fmt};

use crate::base::{Sku, Timestamp};

/// A row as read, its numbers understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `536365`, or `C…` for a cancellation, `A…` for an adjustment.
    pub invoice: String,
    /// The shop's own code.
    pub code: String,
    /// What it is.
    pub description: String,
    /// Units; negative for what comes back or is written off.
    pub quantity: i64,
    /// When.
    pub at: Timestamp,
    /// Thousandths of a pound: the finest price in the data is 0.001.
    pub price_mills: i64,
    /// Whose; empty when unknown.
    pub customer: String,
}

/// What becomes of a row. Each row is exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A line that a buyer buys.
    Sale,
    /// Came back, and the sales it belongs to are found for every unit.
    ReturnMatched,
    /// Came back, and sales are found for some of the units.
    ReturnPartlyMatched,
    /// Came back from a customer without an unreturned sale of it in the file.
    ReturnUnmatched,
    /// Came back from nobody we know.
    ReturnWithoutCustomer,
    /// A cancellation of a positive quantity.
    CancellationOfPositive,
    /// Too few fields, or a number or date that does not read.
    Unreadable,
    /// `A…` invoices and code `B`: bad debt.
    DebtAdjustment,
    /// `POST`, `DOT`, `C2`: shipping, which is not stock.
    Postage,
    /// `M`: typed in by hand, for anything.
    Manual,
    /// `D`.
    Discount,
    /// `S`.
    Samples,
    /// `BANK CHARGES`, `AMAZONFEE`, `CRUK`.
    Fees,
    /// A negative quantity outside a cancellation: damaged, lost, counted again.
    StockAdjustment,
    /// A quantity of zero.
    ZeroQuantity,
    /// Nothing says what it is.
    MissingDescription,
    /// Given away, found again, sold elsewhere.
    ZeroPrice,
    /// Less than nothing.
    NegativePrice,
    /// Above zero, but less than half a penny: no price in whole pennies.
    BelowPenny,
    /// An empty code, or one that is too long for a SKU.
    UnusableCode,
}

impl Kind {
    /// Every kind, in the order of the report.
    pub const ALL: [Self; 20] = [
        Self::Sale,
        Self::ReturnMatched,
        Self::ReturnPartlyMatched,
        Self::ReturnUnmatched,
        Self::ReturnWithoutCustomer,
        Self::CancellationOfPositive,
        Self::Unreadable,
        Self::DebtAdjustment,
        Self::Postage,
        Self::Manual,
        Self::Discount,
        Self::Samples,
        Self::Fees,
        Self::StockAdjustment,
        Self::ZeroQuantity,
        Self::MissingDescription,
        Self::ZeroPrice,
        Self::NegativePrice,
        Self::BelowPenny,
        Self::UnusableCode,
    ];

    /// Whether the row is neither a sale nor a return.
    pub const fn is_bad(self) -> bool {
        !matches!(
            self,
            Self::Sale
                | Self::ReturnMatched
                | Self::ReturnPartlyMatched
                | Self::ReturnUnmatched
                | Self::ReturnWithoutCustomer
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sale => "sale",
            Self::ReturnMatched => "return, matched",
            Self::ReturnPartlyMatched => "return, matched in part",
            Self::ReturnUnmatched => "return without a sale",
            Self::ReturnWithoutCustomer => "return without a customer",
            Self::CancellationOfPositive => "cancellation of a positive quantity",
            Self::Unreadable => "unreadable",
            Self::DebtAdjustment => "debt adjustment",
            Self::Postage => "postage and carriage",
            Self::Manual => "manual entry",
            Self::Discount => "discount",
            Self::Samples => "samples",
            Self::Fees => "bank, marketplace and charity fees",
            Self::StockAdjustment => "stock adjustment",
            Self::ZeroQuantity => "zero quantity",
            Self::MissingDescription => "missing description",
            Self::ZeroPrice => "zero price",
            Self::NegativePrice => "negative price",
            Self::BelowPenny => "price below a penny",
            Self::UnusableCode => "unusable stock code",
        })
    }
}

/// How many rows there were of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<Kind, u64>);

impl Tally {
    /// Counts one row.
    pub fn count(&mut self, kind: Kind) {
        *self.0.entry(kind).or_default() += 1;
    }

    /// Rows of this kind.
    pub fn of(&self, kind: Kind) -> u64 {
        self.0.get(&kind).copied().unwrap_or(0)
    }

    /// All rows.
    pub fn rows(&self) -> u64 {
        self.0.values().sum()
    }
}

/// What a readable row wants to be. Whether a return finds its sale is known only when all are
/// read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// To be bought, at this many pence.
    Sale(i64),
    /// To come back.
    Return,
    /// Nothing: it is counted and left.
    Nothing(Kind),
}

impl Row {
    /// What the row wants to be. The first rule that fits decides.
    pub fn wants(&self) -> Wants {
        if self.invoice.starts_with('A') {
            return Wants::Nothing(Kind::DebtAdjustment);
        }
        if let Some(kind) = no_goods(&self.code) {
            return Wants::Nothing(kind);
        }
        match (self.invoice.starts_with('C'), self.quantity) {
            (_, 0) => Wants::Nothing(Kind::ZeroQuantity),
            (true, 1..) => Wants::Nothing(Kind::CancellationOfPositive),
            (true, _) => Wants::Return,
            (false, ..0) => Wants::Nothing(Kind::StockAdjustment),
            (false, _) => self.wants_to_sell(),
        }
    }

    fn wants_to_sell(&self) -> Wants {
        let pence = self.price_mills.saturating_add(5) / 10;
        match self.price_mills {
            _ if self.description.is_empty() => Wants::Nothing(Kind::MissingDescription),
            ..0 => Wants::Nothing(Kind::NegativePrice),
            0 => Wants::Nothing(Kind::ZeroPrice),
            _ if pence == 0 => Wants::Nothing(Kind::BelowPenny),
            _ => Wants::Sale(pence),
        }
    }
}

/// Codes of the shop that name a booking rather than goods.
fn no_goods(code: &str) -> Option<Kind> {
    match code.to_ascii_uppercase().as_str() {
        "POST" | "DOT" | "C2" => Some(Kind::Postage),
        "M" => Some(Kind::Manual),
        "D" => Some(Kind::Discount),
        "S" => Some(Kind::Samples),
        "B" => Some(Kind::DebtAdjustment),
        "BANK CHARGES" | "AMAZONFEE" | "CRUK" => Some(Kind::Fees),
        _ => None,
    }
}

/// The SKU of a shop's code. Codes that differ in case alone are one SKU (`85123a` is `85123A`);
/// bytes a SKU cannot have become `~` and two hexadecimal digits, as does `~` itself, so that two
/// codes never meet in one SKU.
pub fn sku_of(code: &str) -> Option<Sku> {
    let mut text = String::with_capacity(code.len());
    for byte in code.trim().bytes() {
        if byte.is_ascii_graphic() && byte != b'~' {
            text.push(char::from(byte.to_ascii_uppercase()));
        } else {
            text.push_str(&format!("~{byte:02X}"));
        }
    }
    Sku::parse(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(invoice: &str, code: &str, quantity: i64, price_mills: i64) -> Row {
        Row {
            invoice: invoice.into(),
            code: code.into(),
            description: "MUG".into(),
            quantity,
            at: Timestamp::from_micros(0),
            price_mills,
            customer: "17850".into(),
        }
    }

    #[test]
    fn each_row_of_the_shop_is_told_for_what_it_is() {
        let undescribed = Row { description: String::new(), ..row("536365", "22139", 3, 0) };
        for (row, wants) in [
            (row("536365", "85123A", 6, 2550), Wants::Sale(255)),
            (row("536365", "85123A", 6, 5), Wants::Sale(1)),
            (row("C536379", "22556", -12, 1650), Wants::Return),
            (row("C536379", "22556", 12, 1650), Wants::Nothing(Kind::CancellationOfPositive)),
            (row("C536379", "D", -1, 27500), Wants::Nothing(Kind::Discount)),
            (row("A563185", "B", 1, 11_062_060), Wants::Nothing(Kind::DebtAdjustment)),
            (row("536370", "POST", 3, 18000), Wants::Nothing(Kind::Postage)),
            (row("536381", "m", 3, 18000), Wants::Nothing(Kind::Manual)),
            (row("536589", "21777", -10, 0), Wants::Nothing(Kind::StockAdjustment)),
            (row("536365", "85123A", 0, 2550), Wants::Nothing(Kind::ZeroQuantity)),
            (row("536365", "85123A", 6, 0), Wants::Nothing(Kind::ZeroPrice)),
            (row("536365", "85123A", 6, -1), Wants::Nothing(Kind::NegativePrice)),
            (row("550193", "PADS", 1, 1), Wants::Nothing(Kind::BelowPenny)),
            (undescribed, Wants::Nothing(Kind::MissingDescription)),
        ] {
            assert_eq!(row.wants(), wants, "{row:?}");
        }
    }

    #[test]
    fn codes_become_skus_without_meeting() {
        let sku = |code| sku_of(code).map(|sku| sku.to_string());
        assert_eq!(sku(" 85123a "), Some("85123A".to_owned()));
        assert_eq!(sku("GIFT BOX"), Some("GIFT~20BOX".to_owned()));
        assert_eq!(sku("GIFT~20BOX"), Some("GIFT~7E20BOX".to_owned()));
        assert_eq!(sku("£5"), Some("~C2~A35".to_owned()));
        assert_eq!(sku(""), None);
        assert_eq!(sku(&"X".repeat(65)), None);
    }

    #[test]
    fn every_kind_stands_once_in_the_report() {
        let kinds: std::collections::BTreeSet<_> = Kind::ALL.into_iter().collect();
        let names: std::collections::BTreeSet<_> =
            Kind::ALL.iter().map(ToString::to_string).collect();
        assert_eq!((kinds.len(), names.len()), (Kind::ALL.len(), Kind::ALL.len()));
    }
}
