//! Reads the rows of a CSV file whose columns are known.

use csv::{ByteRecord, ReaderBuilder, Trim};
use std::{collections::BTreeMap, io::Read};

use super::columns::Column;
use crate::{
    base::{Holds, is_card_number_in},
    catalog::{field, import::ImportError, texts},
};

/// A row: what stands in its columns. A column that is empty is not there.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) line: u64,
    /// Texts as texts, JSON as it stands.
    pub(super) fields: BTreeMap<&'static str, String>,
}

impl Row {
    pub(super) fn get(&self, column: &str) -> &str {
        self.fields.get(column).map_or("", String::as_str)
    }

    pub(super) fn wrong(&self, column: &str, expected: impl Into<String>) -> ImportError {
        ImportError { line: self.line, column: column.to_owned(), expected: expected.into() }
    }
}

/// Reads all rows.
///
/// # Errors
/// Everything that is wrong, in the order of the file.
pub(super) fn read(
    input: impl Read,
    columns: &'static [Column],
) -> Result<Vec<Row>, Vec<ImportError>> {
    let mut reader =
        ReaderBuilder::new().flexible(true).trim(Trim::All).has_headers(false).from_reader(input);
    let whole = |line, expected: String| ImportError { line, column: String::new(), expected };
    let (mut header, mut rows, mut errors) = (None, Vec::new(), Vec::new());
    let mut record = ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(fault) => {
                let text = format!("the file cannot be read on from here: {fault}");
                errors.push(whole(reader.position().line(), text));
                break;
            }
        }
        let line = record.position().map_or(0, csv::Position::line);
        let Some(names) = &header else {
            header = Some(self::header(&record, columns)?);
            continue;
        };
        if record.len() != names.len() {
            let (wanted, got) = (names.len(), record.len());
            errors.push(whole(
                line,
                format!("expected {wanted} fields as in the header, found {got}"),
            ));
            continue;
        }
        let row = row(&record, line, names, &mut errors);
        for column in columns.iter().filter(|column| column.is_needed) {
            // What is no text has been told already.
            let told = errors.iter().any(|e| e.line == line && e.column == column.name);
            if row.get(column.name).is_empty() && !told {
                errors.push(row.wrong(column.name, "expected something, found nothing"));
            }
        }
        rows.push(row);
    }
    match (header, errors.is_empty()) {
        (None, true) => Err(vec![whole(1, "expected a header line; the file is empty".into())]),
        (Some(_), true) => Ok(rows),
        (_, false) => Err(errors),
    }
}

fn row(
    record: &ByteRecord,
    line: u64,
    names: &[&'static Column],
    errors: &mut Vec<ImportError>,
) -> Row {
    let mut row = Row { line, ..Row::default() };
    for (column, bytes) in names.iter().zip(record) {
        match std::str::from_utf8(bytes) {
            Ok("") => {}
            Ok(text) if column.is_json => drop(row.fields.insert(column.name, text.to_owned())),
            Ok(text) => drop(row.fields.insert(column.name, field::decode(text).into_owned())),
            Err(_) => errors.push(row.wrong(column.name, "expected UTF-8 text")),
        }
        let is_card = |text: &String| is_card_number_in(Holds::of(column.name), text);
        if row.fields.get(column.name).is_some_and(is_card) {
            errors.push(row.wrong(column.name, texts::NO_CARDS));
        }
    }
    row
}

fn header(
    record: &ByteRecord,
    columns: &'static [Column],
) -> Result<Vec<&'static Column>, Vec<ImportError>> {
    let (mut names, mut errors) = (Vec::new(), Vec::new());
    let wrong =
        |name: &str, expected: String| ImportError { line: 1, column: name.to_owned(), expected };
    for name in record {
        let name = String::from_utf8_lossy(name);
        let name = name.trim_start_matches('\u{feff}');
        match columns.iter().find(|column| column.name == name) {
            Some(column) if names.contains(&column) => {
                errors.push(wrong(name, "each column may stand once".to_owned()));
            }
            Some(column) => names.push(column),
            None => {
                let known: Vec<_> = columns.iter().map(|one| format!("`{}`", one.name)).collect();
                let text = format!("no such column; there are {}", known.join(", "));
                errors.push(wrong(name, text));
            }
        }
    }
    for column in columns.iter().filter(|column| column.is_needed && !names.contains(column)) {
        errors.push(wrong(column.name, "this column is needed and missing".to_owned()));
    }
    if errors.is_empty() { Ok(names) } else { Err(errors) }
}
