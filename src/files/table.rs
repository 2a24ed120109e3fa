//! The rows of a file whose columns are known.

use serde_json::Value;
use std::collections::HashSet;

use super::{
    Cell, FileError, Format, Known, Row, field, json_lines,
    sheet::{Record, Records},
};
use crate::base::{Holds, is_card_number_in, looks_like_card_number};

/// What is said of a card number.
pub const NO_CARDS: &str = "expected no payment card number; card numbers are never kept";

/// Reads all rows.
///
/// # Errors
/// Everything that is wrong, in the order of the file.
pub fn rows(format: Format, text: &str, known: &Known) -> Result<Vec<Row>, Vec<FileError>> {
    let rows = match format {
        Format::Csv => sheet(text, known)?,
        Format::JsonLines => json_lines::rows(text, known)?,
    };
    let mut errors = Vec::new();
    for row in &rows {
        check(row, known, &mut errors);
    }
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

fn sheet(text: &str, known: &Known) -> Result<Vec<Row>, Vec<FileError>> {
    let mut records = Records::of(text).map_err(|error| vec![error])?;
    let Some(header) = records.next() else {
        return Err(vec![FileError::at(1, "expected a header line; the file is empty")]);
    };
    let header = header.map_err(|error| vec![error])?;
    let names = names(&header, known)?;
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    for record in records {
        match record.and_then(|record| row(record, &names)) {
            Ok(row) => rows.push(row),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

/// The columns of a header; one without a name has to stay empty.
fn names(header: &Record, known: &Known) -> Result<Vec<Option<String>>, Vec<FileError>> {
    let (mut names, mut errors, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for name in &header.fields {
        if name.is_empty() {
            names.push(None);
            continue;
        }
        let wrong = if seen.insert(name.as_str()) {
            known.refuses(name)
        } else {
            Some("each column may stand once".to_owned())
        };
        if let Some(expected) = wrong {
            errors.push(FileError { line: header.line, column: name.clone(), expected });
        } else if looks_like_card_number(name) {
            let (column, expected) = (String::new(), NO_CARDS.to_owned());
            errors.push(FileError { line: header.line, column, expected });
        }
        names.push(Some(name.clone()));
    }
    for column in known.columns.iter().filter(|column| column.is_needed) {
        if !seen.contains(column.name) {
            let expected = "this column is needed and missing".to_owned();
            errors.push(FileError { line: header.line, column: column.name.to_owned(), expected });
        }
    }
    if errors.is_empty() { Ok(names) } else { Err(errors) }
}

fn row(record: Record, names: &[Option<String>]) -> Result<Row, FileError> {
    let Record { line, fields } = record;
    let beyond = fields.iter().skip(names.len()).any(|field| !field.is_empty());
    if beyond || fields.len() < names.len() {
        let (wanted, got) = (names.len(), fields.len());
        let text = format!("expected {wanted} fields as in the header, found {got}");
        return Err(FileError::at(line, text));
    }
    let mut row = Row { line, ..Row::default() };
    for (name, field) in names.iter().zip(fields) {
        let Some(name) = name else {
            if field.is_empty() {
                continue;
            }
            return Err(FileError::at(line, "something stands in a column without a name"));
        };
        let text = field::decode(&field);
        let cell = if text.is_empty() { Cell::Empty } else { Cell::Text(text.into_owned()) };
        row.cells.push((name.clone(), cell));
    }
    Ok(row)
}

/// Checks what every row needs, and that nothing in it is a card number.
fn check(row: &Row, known: &Known, errors: &mut Vec<FileError>) {
    let mut wrong = |column: &str, expected: &str| {
        let (line, column, expected) = (row.line, column.to_owned(), expected.to_owned());
        errors.push(FileError { line, column, expected });
    };
    for column in known.columns.iter().filter(|column| column.is_needed) {
        if matches!(row.get(column.name), None | Some(Cell::Empty)) {
            wrong(column.name, "expected something, found nothing");
        }
    }
    for (name, cell) in &row.cells {
        let plain = name.split_once(':').map_or(name.as_str(), |(_, name)| name);
        let has_card = match cell {
            Cell::Empty => false,
            Cell::Text(text) => match serde_json::from_str::<Value>(text) {
                Ok(value @ (Value::Array(_) | Value::Object(_))) => card_in(plain, &value),
                _ => is_card_number_in(Holds::of(plain), text),
            },
            Cell::Json(value) => card_in(plain, value),
        };
        if has_card {
            wrong(name, NO_CARDS);
        }
    }
}

/// Whether a card number stands in what has this name.
fn card_in(name: &str, value: &Value) -> bool {
    let named =
        |(name, value): (&String, &Value)| looks_like_card_number(name) || card_in(name, value);
    match value {
        Value::String(text) => is_card_number_in(Holds::of(name), text),
        Value::Number(number) => is_card_number_in(Holds::of(name), &number.to_string()),
        Value::Array(items) => items.iter().any(|item| card_in(name, item)),
        Value::Object(members) => members.iter().any(named),
        Value::Null | Value::Bool(_) => false,
    }
}
