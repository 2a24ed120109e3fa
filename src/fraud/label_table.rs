//! Labels as a table: what a bank's or a chargeback service's export comes to. Pure.
//!
//! ```text
//! order,fraud,source,at,reason,amount_minor,currency
//! ord_0123…,true,dispute,2026-11-27T08:00:00Z,10.4,1990,EUR
//! ord_4567…,false,,,,,
//! ```

use std::fmt;

use super::schema::moment::moment;
use crate::{
    base::Timestamp,
    ledger::review::{LabelAmount, LabelDetails, NewLabel},
};

/// Who may say what an order was.
pub const SOURCES: &[&str] = &["dispute", "early_warning", "import", "refund", "reviewer"];

/// Bytes of a bank's code: theirs have a dozen.
pub const REASON_BYTES_MAX: usize = 64;

/// Bytes of a note: some sentences.
pub const NOTE_BYTES_MAX: usize = 2_000;

/// Labels of one table. Each is a row of one commit, which others wait for; longer exports are sent
/// in parts.
pub const ROWS_MAX: usize = 5_000;

/// Lines that are told as wrong: enough to correct a column, not to scroll for.
pub const SHOWN: usize = 20;

/// Where a label comes from when the table does not say.
const USUAL_SOURCE: &str = "import";

/// The columns there may be; the first two must.
const COLUMNS: [&str; 8] =
    ["order", "fraud", "source", "at", "reason", "note", "amount_minor", "currency"];

/// A line that is wrong, counted as an editor counts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongLine {
    /// Which.
    pub line: u64,
    /// Why.
    pub why: String,
}

impl fmt::Display for WrongLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// A label and the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The line.
    pub line: u64,
    /// The label.
    pub label: NewLabel,
}

/// Reads a table. Every line is read, so that all errors are told at once.
///
/// # Errors
/// The lines that are wrong.
pub fn read(table: &str, now: Timestamp) -> Result<Vec<Row>, Vec<WrongLine>> {
    let table = table.trim_start_matches('\u{feff}');
    let mut lines = Lines { table: table.as_bytes(), seen: 0, line: 1 };
    let mut reader =
        csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(table.as_bytes());
    let header = reader.headers().cloned().map_err(|error| vec![broken(&error)])?;
    let places = places(&header).map_err(|why| vec![WrongLine { line: 1, why }])?;
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                wrong.push(broken(&error));
                continue;
            }
        };
        let line = lines.of(record.position().map_or(0, csv::Position::byte));
        if rows.len() + wrong.len() == ROWS_MAX {
            let why = format!("a table has at most {ROWS_MAX} labels; send the rest in another");
            wrong.push(WrongLine { line, why });
            break;
        }
        let cell = |column: usize| {
            let text = places[column].and_then(|place| record.get(place));
            text.filter(|text| !text.is_empty())
        };
        match label(cell, now) {
            Ok(label) => rows.push(Row { line, label }),
            Err(why) => wrong.push(WrongLine { line, why }),
        }
    }
    if rows.is_empty() && wrong.is_empty() {
        wrong.push(WrongLine { line: 2, why: "there is no label".to_owned() });
    }
    if wrong.is_empty() { Ok(rows) } else { Err(wrong) }
}

/// Counts lines as an editor does: empty ones, which are no records, too.
struct Lines<'a> {
    table: &'a [u8],
    seen: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the record that begins at this byte, or behind empty lines there.
    fn of(&mut self, byte: u64) -> u64 {
        let from = usize::try_from(byte).unwrap_or(usize::MAX).min(self.table.len());
        let empty = self.table[from..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
        let to = from + empty.count();
        if to > self.seen {
            let ends = self.table[self.seen..to].iter().filter(|byte| **byte == b'\n').count();
            self.line += ends as u64;
            self.seen = to;
        }
        self.line
    }
}

/// Where each column stands.
fn places(header: &csv::StringRecord) -> Result<[Option<usize>; 8], String> {
    let names: Vec<String> = header.iter().map(str::to_lowercase).collect();
    if let Some(other) = names.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        let columns = COLUMNS.join(", ");
        return Err(format!("there is no column `{other}`; there are {columns}"));
    }
    let places = COLUMNS.map(|column| names.iter().position(|name| name == column));
    match places.iter().take(2).position(Option::is_none) {
        Some(missing) => Err(format!("the column `{}` is missing", COLUMNS[missing])),
        None => Ok(places),
    }
}

fn label<'a>(cell: impl Fn(usize) -> Option<&'a str>, now: Timestamp) -> Result<NewLabel, String> {
    let order = cell(0).ok_or("the order is missing")?;
    let order = order.parse().map_err(|_| format!("`{order}` is no order; expected ord_…"))?;
    let fraud = match cell(1).map(str::to_lowercase).as_deref() {
        Some("true" | "1" | "yes") => true,
        Some("false" | "0" | "no") => false,
        _ => return Err("`fraud` is true or false".to_owned()),
    };
    let source = cell(2).unwrap_or(USUAL_SOURCE);
    if !SOURCES.contains(&source) {
        return Err(format!("`{source}` is no source; there are {}", SOURCES.join(", ")));
    }
    let at = match cell(3) {
        None => now,
        Some(raw) => moment(raw).filter(|at| *at <= now).ok_or_else(|| {
            format!("`{raw}` is no time that has passed, such as 2026-11-27T08:00:00Z")
        })?,
    };
    let details = details(cell)?;
    Ok(NewLabel { order, fraud, source: source.to_owned(), at, details })
}

/// What else a line says; who wrote it down it does not.
fn details<'a>(cell: impl Fn(usize) -> Option<&'a str>) -> Result<LabelDetails, String> {
    let text = |column: usize, most: usize| match cell(column) {
        Some(text) if text.len() > most => {
            Err(format!("`{}` has {most} bytes at most", COLUMNS[column]))
        }
        text => Ok(text.map(str::to_owned)),
    };
    let amount = match (cell(6), cell(7)) {
        (None, None) => None,
        (Some(minor), Some(currency)) => Some(LabelAmount {
            amount_minor: minor
                .parse()
                .map_err(|_| format!("`{minor}` is no number of minor units"))?,
            currency: currency.parse().map_err(|_| format!("`{currency}` is no currency"))?,
        }),
        _ => return Err("`amount_minor` and `currency` come together".to_owned()),
    };
    let (reason, note) = (text(4, REASON_BYTES_MAX)?, text(5, NOTE_BYTES_MAX)?);
    Ok(LabelDetails { author: None, reason, note, amount })
}

fn broken(error: &csv::Error) -> WrongLine {
    let line = error.position().map_or(1, csv::Position::line);
    WrongLine { line, why: format!("this is no CSV ({error})") }
}

/// The lines that are wrong, as one text.
pub fn told(wrong: &[WrongLine]) -> String {
    let shown: Vec<String> = wrong.iter().take(SHOWN).map(WrongLine::to_string).collect();
    let shown = shown.join("; ");
    match wrong.len().saturating_sub(SHOWN) {
        0 => format!("{shown}."),
        more => format!("{shown}; and {more} more."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = "ord_00000000000000000000000000000007";

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-27T08:00:00Z").expect("a moment")
    }

    #[test]
    fn columns_stand_in_any_order_and_what_is_left_out_is_usual() {
        let table =
            format!("\u{feff}Fraud, order,at\nyes,{ORDER},2026-11-20\nfalse,\"{ORDER}\" ,\n");
        let rows = read(&table, now()).expect("it reads");
        let told: Vec<_> = rows
            .iter()
            .map(|row| (row.line, row.label.fraud, row.label.source.as_str(), row.label.at))
            .collect();
        let then = Timestamp::parse("2026-11-20T00:00:00Z").expect("a moment");
        assert_eq!(told, [(2, true, "import", then), (3, false, "import", now())]);
    }

    #[test]
    fn every_wrong_line_is_told_by_its_number() {
        let table = format!(
            "order,fraud,source,at\n{ORDER},true,gossip,\nnobody,true,,\n{ORDER},maybe,,\n\n\
             {ORDER},true,dispute,2027-01-01\n{ORDER},true,dispute,\n"
        );
        let wrong = read(&table, now()).expect_err("four are wrong");
        let lines: Vec<_> = wrong.iter().map(|wrong| wrong.line).collect();
        assert_eq!(lines, [2, 3, 4, 6], "{wrong:?}");
        assert!(told(&wrong).starts_with("line 2: `gossip` is no source; there are dispute"));
        let first = |table: &str| read(table, now()).expect_err("no").remove(0).to_string();
        assert_eq!(first("order\n"), "line 1: the column `fraud` is missing");
        assert!(first("order,fraud,why\n").contains("no column `why`"));
        assert_eq!(first("order,fraud\n"), "line 2: there is no label");
        let long = format!("order,fraud\n{}", format!("{ORDER},1\n").repeat(ROWS_MAX + 1));
        assert!(first(&long).contains("at most 5000"), "{}", first(&long));
    }
}
