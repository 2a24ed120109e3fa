//! The cells of one row, read as what they are to hold; what is wrong is gathered.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Cell, FileError, Given, Row};

/// How much of a wrong value an error shows: enough to find it, too little to flood a terminal.
const SHOWN_CHARS: usize = 40;

/// What stands between plain texts of a list. Text with any of them inside stands as JSON.
const APART: [char; 3] = ['|', ';', ','];

/// Reads a row.
#[derive(Debug)]
pub struct Fields<'a> {
    row: &'a Row,
    wrong: Vec<FileError>,
}

impl<'a> Fields<'a> {
    /// The cells of this row.
    pub const fn of(row: &'a Row) -> Self {
        Self { row, wrong: Vec::new() }
    }

    /// The row itself.
    pub const fn row(&self) -> &'a Row {
        self.row
    }

    /// What was wrong, when anything was.
    ///
    /// # Errors
    /// All of it.
    pub fn finish<T>(self, read: T) -> Result<T, Vec<FileError>> {
        if self.wrong.is_empty() { Ok(read) } else { Err(self.wrong) }
    }

    /// Notes what a column expected; of one column only the first counts.
    pub fn reject(&mut self, column: &str, expected: impl Into<String>) {
        if !self.wrong.iter().any(|wrong| wrong.column == column) {
            let (line, column, expected) = (self.row.line, column.to_owned(), expected.into());
            self.wrong.push(FileError { line, column, expected });
        }
    }

    /// Notes what a column expected, and what stands there.
    pub fn reject_found(&mut self, column: &str, expected: &str) {
        self.reject(column, format!("expected {expected}, found {}", self.shown(column)));
    }

    fn shown(&self, column: &str) -> String {
        let found = match self.row.get(column) {
            None | Some(Cell::Empty) => return "nothing".to_owned(),
            Some(Cell::Text(text)) => text.clone(),
            Some(Cell::Json(value)) => value.to_string(),
        };
        let shown: String = found.chars().take(SHOWN_CHARS).collect();
        let more = if shown.len() < found.len() { "…" } else { "" };
        format!("`{}{more}`", shown.escape_debug())
    }

    /// A text; a number or a truth value is one too.
    pub fn text(&mut self, column: &str) -> Given<String> {
        match self.row.get(column) {
            None => Given::Absent,
            Some(Cell::Empty) => Given::Empty,
            Some(Cell::Text(text)) => Given::Value(text.clone()),
            Some(Cell::Json(value @ (Value::Number(_) | Value::Bool(_)))) => {
                Given::Value(value.to_string())
            }
            Some(Cell::Json(_)) => {
                self.reject_found(column, "a text");
                Given::Absent
            }
        }
    }

    /// A text by a rule of its own.
    pub fn parse<T>(
        &mut self,
        column: &str,
        like: &str,
        rule: impl FnOnce(&str) -> Option<T>,
    ) -> Given<T> {
        match self.text(column).map(|text| rule(&text)) {
            Given::Absent => Given::Absent,
            Given::Empty => Given::Empty,
            Given::Value(Some(value)) => Given::Value(value),
            Given::Value(None) => {
                self.reject_found(column, like);
                Given::Absent
            }
        }
    }

    /// Yes or no, as spreadsheets write it.
    pub fn truth(&mut self, column: &str) -> Given<bool> {
        self.parse(column, "`true` or `false`", |text| match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Some(true),
            "false" | "no" | "0" => Some(false),
            _ => None,
        })
    }

    /// A count of units.
    pub fn count(&mut self, column: &str) -> Given<u32> {
        // `+5` parses as a number, but a count has no sign.
        self.parse(column, "a whole number from 0 to 4294967295", |text| {
            text.parse().ok().filter(|_| !text.starts_with('+'))
        })
    }

    /// What stands there as JSON.
    pub fn json<T: DeserializeOwned>(&mut self, column: &str, like: &str) -> Given<T> {
        let read = match self.row.get(column) {
            None => return Given::Absent,
            Some(Cell::Empty) => return Given::Empty,
            Some(Cell::Text(text)) => serde_json::from_str(text).ok(),
            Some(Cell::Json(value)) => serde_json::from_value(value.clone()).ok(),
        };
        if read.is_none() {
            self.reject_found(column, like);
        }
        read.map_or(Given::Absent, Given::Value)
    }

    /// A list of texts: as JSON, or plain with one of these between them; else with any that
    /// usually stand there.
    pub fn texts(&mut self, column: &str, apart: Option<char>) -> Given<Vec<String>> {
        let Some(Cell::Text(text)) = self.row.get(column) else {
            return self.json(column, "a list such as `[\"DE\", \"FR\"]`");
        };
        if text.starts_with('[') {
            return self.json(column, "a list such as `[\"DE\", \"FR\"]`, or `DE, FR`");
        }
        let apart = apart.or_else(|| APART.into_iter().find(|apart| text.contains(*apart)));
        let texts = text.split(apart.unwrap_or('|')).map(|one| one.trim().to_owned());
        Given::Value(texts.filter(|one| !one.is_empty()).collect())
    }
}
