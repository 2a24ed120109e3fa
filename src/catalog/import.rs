//! Reads a catalogue from CSV: every row or none.
//!
//! Columns: `sku`, `title`, `price` and `currency` are needed; `tax_category` (else `standard`),
//! `image_url`, `stock_policy` (`tracked`, `backorder`, `untracked`; else `tracked`), `stock`,
//! `active` (`true` or `false`; else `true`), `group`, `description` and `categories` (with `|`
//! between them) and `max_per_order` (units one order may have) may be left out or empty. Each
//! `attribute:<name>` column gives every product an attribute of that name, where it is not empty;
//! each `option:<name>` column says which variant of its group it is; `attributes` and `options`
//! say the same as JSON. Columns may stand in any order. The file is UTF-8, separated by commas,
//! and may be compressed with gzip.

use csv::{ByteRecord, ReaderBuilder, Trim};
use flate2::bufread::MultiGzDecoder;
use std::{
    collections::HashMap,
    fmt,
    io::{BufRead, Read},
};

use super::{
    Product,
    import_columns::{Columns, Expected, read_row},
};
use crate::base::{Limits, Sku, Timestamp};

/// One good row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// What it says about the product.
    pub product: Product,
    /// Counted units, when the row tells.
    pub stock: Option<u32>,
}

/// What is wrong in one place of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportError {
    /// The line where the row starts, from 1.
    pub line: u64,
    /// The column's name; empty when the row as a whole is meant.
    pub column: String,
    /// What was expected, and what stands there.
    pub expected: String,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column.as_str() {
            "" => write!(f, "line {}: {}", self.line, self.expected),
            column => write!(f, "line {}, column `{column}`: {}", self.line, self.expected),
        }
    }
}

impl ImportError {
    /// What is wrong with a file, as one message that shows so many of its errors.
    pub fn summary(errors: &[Self], shown: usize) -> String {
        let mut text = format!("the file has {} errors; nothing was saved", errors.len());
        for error in errors.iter().take(shown) {
            text.push_str(&format!("\n  {error}"));
        }
        if let more @ 1.. = errors.len().saturating_sub(shown) {
            text.push_str(&format!("\n  and {more} more"));
        }
        text
    }
}

/// Unpacks what starts with gzip's magic number (RFC 1952 §2.3.1) and passes the rest on.
///
/// # Errors
/// When the first bytes cannot be read.
pub fn unpacked<'a>(mut input: impl BufRead + 'a) -> std::io::Result<Box<dyn Read + 'a>> {
    let packed = input.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if packed { Box::new(MultiGzDecoder::new(input)) } else { Box::new(input) })
}

/// Reads a catalogue.
///
/// # Errors
/// Everything that is wrong, in the order of the file. Nothing of the file is to be used then.
pub fn parse_csv(
    input: impl Read,
    limits: &Limits,
    now: Timestamp,
) -> Result<Vec<ImportRow>, Vec<ImportError>> {
    let mut reader =
        ReaderBuilder::new().flexible(true).trim(Trim::All).has_headers(false).from_reader(input);
    let mut record = ByteRecord::new();
    let columns = match reader.read_byte_record(&mut record) {
        Ok(true) => Columns::read(&record)?,
        Ok(false) => return Err(vec![whole(1, "expected a header line; the file is empty")]),
        Err(fault) => return Err(vec![unreadable(&fault, 1)]),
    };
    let mut import =
        Import { columns, limits, now, rows: vec![], errors: vec![], seen: HashMap::new() };
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => return import.finish(),
            Ok(true) => import.add(&record),
            Err(fault) => {
                import.errors.push(unreadable(&fault, reader.position().line()));
                return import.finish();
            }
        }
    }
}

struct Import<'a> {
    columns: Columns,
    limits: &'a Limits,
    now: Timestamp,
    rows: Vec<ImportRow>,
    errors: Vec<ImportError>,
    /// Where each SKU stood first.
    seen: HashMap<Sku, u64>,
}

impl Import<'_> {
    fn add(&mut self, record: &ByteRecord) {
        let line = record.position().map_or(0, csv::Position::line);
        let (wanted, got) = (self.columns.len(), record.len());
        if wanted != got {
            let text = format!("expected {wanted} fields as in the header, found {got}");
            self.errors.push(whole(line, &text));
            return;
        }
        match read_row(&self.columns, record, self.limits, self.now) {
            Ok(row) => self.keep(row, line),
            Err(wrong) => self.errors.extend(
                wrong.into_iter().map(|Expected { column, expected }| ImportError {
                    line,
                    column,
                    expected,
                }),
            ),
        }
    }

    fn keep(&mut self, row: ImportRow, line: u64) {
        let sku = row.product.sku.clone();
        if let Some(first) = self.seen.get(&sku) {
            self.errors.push(ImportError {
                line,
                column: "sku".to_owned(),
                expected: format!("expected each SKU once; `{sku}` stands on line {first} already"),
            });
            return;
        }
        self.seen.insert(sku, line);
        self.rows.push(row);
    }

    fn finish(self) -> Result<Vec<ImportRow>, Vec<ImportError>> {
        if self.errors.is_empty() { Ok(self.rows) } else { Err(self.errors) }
    }
}

fn whole(line: u64, expected: &str) -> ImportError {
    ImportError { line, column: String::new(), expected: expected.to_owned() }
}

fn unreadable(fault: &csv::Error, line: u64) -> ImportError {
    whole(line, &format!("the file cannot be read on from here: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::StockPolicy;
    use std::io::{BufReader, Write};

    fn read(text: &[u8]) -> Result<Vec<ImportRow>, Vec<String>> {
        parse_csv(text, &Limits::default(), Timestamp::from_micros(7))
            .map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    fn refusals(text: &str) -> Vec<String> {
        read(text.as_bytes()).expect_err("the file is wrong")
    }

    #[test]
    fn columns_stand_in_any_order_and_most_may_be_left_out() {
        let rows = read(
            b"\xef\xbb\xbfcurrency,price,title,sku,attribute:color,stock\n\
              EUR,19.9,\"Tee, red\", TEE ,red,5\n\
              JPY,500,Mug,MUG,,\n",
        )
        .expect("a good file");
        let [tee, mug] = rows.as_slice() else { panic!("two rows: {rows:?}") };
        assert_eq!((tee.product.title.as_str(), tee.product.price.minor()), ("Tee, red", 1990));
        assert_eq!((tee.stock, mug.stock), (Some(5), None));
        assert_eq!(tee.product.attributes["color"], "red");
        assert!(mug.product.attributes.is_empty() && mug.product.active);
        assert_eq!(mug.product.tax_category, "standard");
        assert_eq!(mug.product.stock_policy, StockPolicy::Tracked);
        assert_eq!(mug.product.updated_at, Timestamp::from_micros(7));
    }

    #[test]
    fn a_compressed_file_reads_like_a_plain_one() {
        let plain = b"sku,title,price,currency\nA,a,1,EUR\n";
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(plain).expect("memory takes it");
        let packed = packer.finish().expect("memory takes it");
        for bytes in [&plain[..], &packed[..]] {
            let input = unpacked(BufReader::new(bytes)).expect("memory reads");
            let rows = parse_csv(input, &Limits::default(), Timestamp::from_micros(0));
            assert_eq!(rows.map(|rows| rows.len()), Ok(1));
        }
    }

    #[test]
    fn everything_wrong_is_told_at_once_with_its_place() {
        let wrong = refusals(
            "sku,title,price,currency,stock_policy,stock,active,image_url,tax_category\n\
             A B,,1.999,EUR,lots,-1,maybe,ftp://x,Food\n\
             OK,ok,1,euro,untracked,5,true,,\n\
             SHORT,row\n",
        );
        let expected = [
            "line 2, column `sku`: expected 1 to 64 printable ASCII characters without spaces, \
             found `A B`",
            "line 2, column `price`: expected an amount of 0 or more with at most 2 decimals, \
             found `1.999`",
            "line 2, column `stock_policy`: expected `tracked`, `backorder` or `untracked`, \
             found `lots`",
            "line 2, column `title`: expected a text, found nothing",
            "line 2, column `tax_category`: expected lower-case letters, digits, `-` and `_`, \
             found `Food`",
            "line 2, column `image_url`: expected an address that starts with `https://`, \
             found `ftp://x`",
            "line 2, column `active`: expected `true` or `false`, found `maybe`",
            "line 2, column `stock`: expected a whole number from 0 to 4294967295, found `-1`",
            "line 3, column `currency`: expected a three-letter ISO 4217 currency code such as \
             `EUR`, found `euro`",
            "line 3, column `stock`: expected nothing, for only `tracked` units are counted, \
             found `5`",
            "line 4: expected 9 fields as in the header, found 2",
        ];
        assert_eq!(wrong, expected);
    }

    #[test]
    fn a_wrong_header_is_told_with_a_suggestion() {
        assert_eq!(
            refusals("sku,titel,price,currency,attribute:,price,whatever\n"),
            [
                "line 1, column `titel`: no such column; did you mean `title`?",
                "line 1, column `attribute:`: expected a name after `attribute:`",
                "line 1, column `price`: each column may stand once",
                "line 1, column `whatever`: no such column; there are `sku`, `title`, `price`, \
                 `currency`, `tax_category`, `image_url`, `stock_policy`, `stock`, `active`, \
                 `group`, `description`, `categories`, `max_per_order`, `options`, `attributes`, \
                 `attribute:<name>` and `option:<name>`",
                "line 1, column `title`: this column is needed and missing",
            ]
        );
        let semicolons = refusals("sku;title;price;currency\n");
        assert!(semicolons[0].ends_with("expected columns separated by commas"), "{semicolons:?}");
        assert_eq!(refusals("").len(), 1);
    }

    #[test]
    fn a_sku_stands_once() {
        let wrong = refusals("sku,title,price,currency\nA,a,1,EUR\nB,b,1,EUR\nA,c,1,EUR\n");
        let expected = "line 4, column `sku`: expected each SKU once; `A` stands on line 2 already";
        assert_eq!(wrong, [expected]);
    }

    #[test]
    fn card_numbers_are_refused_in_text_but_not_in_skus() {
        let header = "sku,title,price,currency,attribute:note\n";
        let card = "4111111111111111";
        let wrong = refusals(&format!("{header}A,card {card},1,EUR,{card}\n"));
        assert_eq!(wrong.len(), 2);
        assert!(wrong.iter().all(|text| !text.contains(card)), "{wrong:?} shows the card");
        assert!(read(format!("{header}{card},a,1,EUR,\n").as_bytes()).is_ok());
    }

    #[test]
    fn texts_and_attributes_have_limits() {
        let limits = Limits { text_bytes: 8, metadata_bytes: 20, ..Limits::default() };
        let text = "sku,title,price,currency,attribute:a,attribute:b\n\
                    A,123456789,1,EUR,,\nB,b,1,EUR,12345678,12345678\n";
        let wrong = parse_csv(text.as_bytes(), &limits, Timestamp::from_micros(0));
        let columns: Vec<_> =
            wrong.expect_err("too long").into_iter().map(|e| (e.line, e.column)).collect();
        assert_eq!(columns, [(2, "title".to_owned()), (3, "attribute:*".to_owned())]);
    }

    #[test]
    fn bytes_that_are_no_text_are_told_once() {
        let wrong = read(b"sku,title,price,currency\nA,caf\xe9,1,EUR\n").expect_err("latin 1");
        assert_eq!(wrong, ["line 2, column `title`: expected UTF-8 text"]);
    }
}
