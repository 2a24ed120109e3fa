//! JSON lines, read as the CSV they stand for, so that one reader serves both.

use csv::WriterBuilder;
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, HashMap},
    io::{BufRead, BufReader, Read},
};

use crate::catalog::{field, import::ImportError};

/// A file as CSV, and where its rows and columns stood.
#[derive(Debug, Default)]
pub(super) struct AsCsv {
    pub(super) csv: Vec<u8>,
    /// The line of a row by the line it has in the CSV.
    rows: HashMap<u64, u64>,
    /// The line where a column stood first.
    columns: BTreeMap<String, u64>,
}

/// Reads JSON lines; empty ones count as nothing.
///
/// # Errors
/// Every line that is no JSON object.
pub(super) fn as_csv(input: impl Read) -> Result<AsCsv, Vec<ImportError>> {
    let (mut objects, mut errors) = (Vec::new(), Vec::new());
    let mut file = AsCsv::default();
    for (number, line) in (1_u64..).zip(BufReader::new(input).split(b'\n')) {
        let wrong =
            |expected: String| ImportError { line: number, column: String::new(), expected };
        let line = match line {
            Ok(line) => line,
            Err(fault) => {
                errors.push(wrong(format!("the file cannot be read on from here: {fault}")));
                break;
            }
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match serde_json::from_slice::<Map<String, Value>>(&line) {
            Ok(object) => {
                for name in object.keys() {
                    file.columns.entry(name.clone()).or_insert(number);
                }
                objects.push((number, object));
            }
            Err(fault) => {
                let column = fault.column();
                errors.push(wrong(format!("expected a JSON object; see character {column}")));
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    file.write(&objects);
    Ok(file)
}

impl AsCsv {
    fn write(&mut self, objects: &[(u64, Map<String, Value>)]) {
        let mut line = 1;
        self.row(&mut line, self.columns.keys().cloned().collect());
        for (number, object) in objects {
            self.rows.insert(line, *number);
            let fields = self.columns.keys().map(|name| match object.get(name) {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => field::encode(text).into_owned(),
                Some(other) => other.to_string(),
            });
            let fields = fields.collect();
            self.row(&mut line, fields);
        }
    }

    fn row(&mut self, line: &mut u64, fields: Vec<String>) {
        let from = self.csv.len();
        let mut writer = WriterBuilder::new().from_writer(&mut self.csv);
        writer.write_record(&fields).expect("invariant: memory takes what is written");
        drop(writer);
        *line += self.csv[from..].iter().filter(|byte| **byte == b'\n').count() as u64;
    }

    /// An error where it stood in the file. What is wrong with a column stands on the first line
    /// that has it.
    pub(super) fn placed(&self, error: ImportError) -> ImportError {
        let line = match self.columns.get(&error.column) {
            Some(first) if error.line == 1 => *first,
            _ => self.rows.get(&error.line).copied().unwrap_or(error.line),
        };
        ImportError { line, ..error }
    }
}
