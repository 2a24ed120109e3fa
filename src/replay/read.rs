//! Reads the file into a plan.

use csv::{ByteRecord, ReaderBuilder, Trim};
use std::{borrow::Cow, io::Read};
use time::{
    PrimitiveDateTime, format_description::FormatItem, macros::format_description as pattern,
};

use super::{plan::Plan, plan::Planner, row::Row};
use crate::base::Timestamp;

/// A column under the names the two editions give it.
const COLUMNS: [[&str; 2]; 7] = [
    ["InvoiceNo", "Invoice"],
    ["StockCode", "StockCode"],
    ["Description", "Description"],
    ["Quantity", "Quantity"],
    ["InvoiceDate", "InvoiceDate"],
    ["UnitPrice", "Price"],
    ["CustomerID", "Customer ID"],
];

/// The times seen in copies of the file: ISO, and month first as spreadsheets write it.
const TIMES: [&[FormatItem<'_>]; 4] = [
    pattern!("[year]-[month]-[day] [hour]:[minute]:[second]"),
    pattern!("[year]-[month]-[day]T[hour]:[minute]:[second]"),
    pattern!("[year]-[month]-[day] [hour]:[minute]"),
    pattern!("[month padding:none]/[day padding:none]/[year] [hour padding:none]:[minute]"),
];

/// Prices above ten million pounds are a damaged file, not a price.
const DEAREST: f64 = 1e7;

/// The file is not one of invoices.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// A column is missing.
    #[error(
        "the file has no column `{0}`; its first line must name InvoiceNo, \
         StockCode, Description, Quantity, InvoiceDate, UnitPrice and CustomerID"
    )]
    NoColumn(&'static str),
    /// The file cannot be read on.
    #[error("the file cannot be read: {0}")]
    Csv(#[from] csv::Error),
}

/// Reads all rows and makes the plan.
///
/// # Errors
/// When a column is missing or the input breaks off. A bad row is counted, not an error.
pub fn read(input: impl Read) -> Result<Plan, ReadFault> {
    let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(input);
    let places = places(reader.byte_headers()?)?;
    let mut planner = Planner::default();
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record)? {
        planner.add(row(&record, &places));
    }
    Ok(planner.plan())
}

fn places(header: &ByteRecord) -> Result<[usize; 7], ReadFault> {
    let mut places = [0; 7];
    for (place, names) in places.iter_mut().zip(COLUMNS) {
        let found = header.iter().position(|field| names.iter().any(|n| n.as_bytes() == field));
        *place = found.ok_or(ReadFault::NoColumn(names[0]))?;
    }
    Ok(places)
}

fn row(record: &ByteRecord, places: &[usize; 7]) -> Option<Row> {
    let [invoice, code, description, quantity, at, price, customer] =
        places.map(|place| record.get(place).map(text));
    // Copies that went through a data frame write customers as `17850.0`.
    let customer = customer?;
    let customer = customer.strip_suffix(".0").unwrap_or(&customer).to_owned();
    Some(Row {
        invoice: invoice.filter(|invoice| !invoice.is_empty())?.into_owned(),
        code: code?.into_owned(),
        description: description?.into_owned(),
        quantity: i64::from(quantity?.parse::<i32>().ok()?),
        at: moment(&at?)?,
        price_mills: mills(&price?)?,
        customer,
    })
}

/// UTF-8, or Latin 1 as one well-known copy has it.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().copied().map(char::from).collect()),
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    let read = TIMES.iter().find_map(|format| PrimitiveDateTime::parse(text, format).ok())?;
    Some(Timestamp::from_micros(read.assume_utc().unix_timestamp() * 1_000_000))
}

fn mills(text: &str) -> Option<i64> {
    let price: f64 = text.parse().ok()?;
    // In range, so the conversion is exact to the mill.
    (price.abs() <= DEAREST).then(|| (price * 1000.0).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::row::Kind;

    const HEADER: &str =
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

    #[test]
    fn a_small_file_becomes_buyers_and_returns() {
        let file = format!(
            "{HEADER}\
             536365,85123A,HEART,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n\
             536365,71053,LANTERN,6,2010-12-01 08:26:00,3.39,17850.0,United Kingdom\n\
             536365,85123a,HEART,2,2010-12-01 08:26:00,2.95,17850.0,United Kingdom\n\
             536370,POST,POSTAGE,3,12/1/2010 8:45,18,12583,France\n\
             C536379,85123A,HEART,-7,2010-12-01 09:41:00,2.55,17850.0,United Kingdom\n\
             536380,broken\n"
        );
        let plan = read(file.as_bytes()).expect("a good file");
        assert_eq!(plan.tally.rows(), 6);
        for kind in [Kind::Postage, Kind::Unreadable, Kind::ReturnMatched] {
            assert_eq!(plan.tally.of(kind), 1, "{kind}");
        }
        assert_eq!((plan.sales.len(), plan.sales[0].lines.len()), (1, 2));
        let heart = &plan.products[plan.sales[0].lines[0].product];
        assert_eq!((heart.sku.as_str(), heart.price_minor, heart.stock), ("85123A", 255, 8));
        assert_eq!(plan.returns[0].parts[0].quantity, 7);
    }

    #[test]
    fn another_edition_of_the_file_reads_too() {
        let file =
            b"Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\r\n\
            489434,79323P,\xa3 MUG,12,2009-12-01 07:45:00,6.95,,UK\r\n";
        let plan = read(&file[..]).expect("a good file");
        assert_eq!(plan.products[0].title, "\u{a3} MUG");
        assert_eq!(plan.sales[0].customer, None);
    }

    #[test]
    fn a_file_of_something_else_is_refused() {
        let error = read(&b"sku,title\nA,a\n"[..]).expect_err("no invoices");
        assert!(error.to_string().contains("InvoiceNo"), "{error}");
    }
}
