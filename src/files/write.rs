//! Writes rows as CSV or JSON lines.

use serde_json::Value;

use super::{Cell, Format, field};

/// Writes a header, where the format has one.
pub fn header(format: Format, columns: &[&str], bytes: &mut Vec<u8>) {
    if format == Format::Csv {
        record(columns.iter().map(|name| (*name).to_owned()), bytes);
    }
}

/// Writes a row: its cells in the order of the columns.
pub fn row(format: Format, columns: &[&str], cells: &[Cell], bytes: &mut Vec<u8>) {
    match format {
        Format::Csv => record(cells.iter().map(in_sheet), bytes),
        Format::JsonLines => bytes.extend_from_slice(line(columns, cells).as_bytes()),
    }
}

fn in_sheet(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Text(text) => field::encode(text).into_owned(),
        Cell::Json(value) => field::guard(&value.to_string()).into_owned(),
    }
}

/// A record as RFC 4180 has it, but with LF alone.
fn record(fields: impl Iterator<Item = String>, bytes: &mut Vec<u8>) {
    for (at, field) in fields.enumerate() {
        if at > 0 {
            bytes.push(b',');
        }
        if field.contains([',', '"', '\r', '\n', ';', '\t']) {
            let quoted = format!("\"{}\"", field.replace('"', "\"\""));
            bytes.extend_from_slice(quoted.as_bytes());
        } else {
            bytes.extend_from_slice(field.as_bytes());
        }
    }
    bytes.push(b'\n');
}

fn line(columns: &[&str], cells: &[Cell]) -> String {
    let member = |(column, cell): (&&str, &Cell)| {
        let value = match cell {
            Cell::Empty => return None,
            Cell::Text(text) => Value::String(text.clone()).to_string(),
            Cell::Json(value) => value.to_string(),
        };
        Some(format!("\"{column}\":{value}"))
    };
    let members: Vec<String> = columns.iter().zip(cells).filter_map(member).collect();
    format!("{{{}}}\n", members.join(","))
}
