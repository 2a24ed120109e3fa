//! JSON lines: an object on each line, whose members are the cells of a row.

use serde_json::{Map, Value};

use super::{Cell, FileError, Known, Row};

/// Reads JSON lines; empty ones count as nothing.
///
/// # Errors
/// Every line that is no JSON object, and every member that is no column.
pub(super) fn rows(text: &str, known: &Known) -> Result<Vec<Row>, Vec<FileError>> {
    let (mut rows, mut errors) = (Vec::new(), Vec::new());
    for (line, text) in (1_u64..).zip(lines(text)) {
        if text.trim().is_empty() {
            continue;
        }
        let object: Map<String, Value> = match serde_json::from_str(text) {
            Ok(object) => object,
            Err(fault) => {
                let column = fault.column();
                let text = format!("expected a JSON object; see character {column}");
                errors.push(FileError::at(line, text));
                continue;
            }
        };
        let mut row = Row { line, ..Row::default() };
        for (name, value) in object {
            if let Some(expected) = known.refuses(&name) {
                errors.push(FileError { line, column: name, expected });
                continue;
            }
            let cell = match value {
                Value::Null => Cell::Empty,
                Value::String(text) if text.is_empty() => Cell::Empty,
                Value::String(text) => Cell::Text(text),
                other => Cell::Json(other),
            };
            row.cells.push((name, cell));
        }
        rows.push(row);
    }
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

/// Lines as an editor counts them.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(at) = text.find(['\r', '\n']) else { return rest.take() };
        let after = &text[at..];
        let width = if after.starts_with("\r\n") { 2 } else { 1 };
        rest = Some(&after[width..]);
        Some(&text[..at])
    })
}
