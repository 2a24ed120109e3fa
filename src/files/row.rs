//! Rows, their cells, and what is wrong with them.

use serde_json::Value;
use std::fmt;

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// Whether each row needs it.
    pub is_needed: bool,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A text.
    Text,
    /// JSON: a number, an object.
    Json,
    /// Yes or no.
    Truth,
    /// A list of texts: JSON, or plain with something between them.
    Texts,
}

/// The columns that a file may have.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Those with a name of their own.
    pub columns: &'static [Column],
    /// How the names begin of those that the file names: `attribute:` of `attribute:color`.
    pub prefixes: &'static [&'static str],
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing, or `null`.
    Empty,
    /// A text, as CSV has it.
    Text(String),
    /// A value of JSON lines.
    Json(Value),
}

/// A row: the cells of the columns that it has.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// The line where it starts, from 1.
    pub line: u64,
    /// Its cells with their columns, in the order of the file. A column that is not there is one
    /// the file says nothing about.
    pub cells: Vec<(String, Cell)>,
}

impl Row {
    /// What stands in a column.
    pub fn get(&self, column: &str) -> Option<&Cell> {
        self.cells.iter().find(|(name, _)| name == column).map(|(_, cell)| cell)
    }
}

/// What is wrong in one place of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// The line where the row starts, from 1, as an editor counts.
    pub line: u64,
    /// The column's name; empty when the row as a whole is meant.
    pub column: String,
    /// What was expected, and what stands there.
    pub expected: String,
}

impl FileError {
    /// An error of a line as a whole.
    pub fn at(line: u64, expected: impl Into<String>) -> Self {
        Self { line, column: String::new(), expected: expected.into() }
    }

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

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What stands in a file is shown on terminals: no control character gets there.
        let shown = |text: &str| text.replace(char::is_control, "\u{fffd}");
        let expected = shown(&self.expected);
        match self.column.as_str() {
            "" => write!(f, "line {}: {expected}", self.line),
            column => write!(f, "line {}, column `{}`: {expected}", self.line, shown(column)),
        }
    }
}

impl Known {
    /// Names closer than this to a known column are taken for a typing mistake (Jaro–Winkler, 0–1).
    const LOOKS_ALIKE: f64 = 0.75;

    /// A column with a name of its own.
    pub fn find(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// What is wrong with a name of a column, when anything is.
    pub fn refuses(&self, name: &str) -> Option<String> {
        if self.find(name).is_some() {
            return None;
        }
        let prefix = self.prefixes.iter().find(|prefix| name.starts_with(**prefix));
        match prefix.map(|prefix| (prefix, &name[prefix.len()..])) {
            Some((prefix, "")) => Some(format!("expected a name after `{prefix}`")),
            Some(_) => None,
            None => Some(self.suggest(name)),
        }
    }

    fn suggest(&self, name: &str) -> String {
        let names = || self.columns.iter().map(|column| column.name);
        let likeness = |known: &str| strsim::jaro_winkler(&name.to_lowercase(), known);
        let closest = names().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        if let Some(known) = closest.filter(|known| likeness(known) >= Self::LOOKS_ALIKE) {
            return format!("no such column; did you mean `{known}`?");
        }
        let all = names().map(|name| format!("`{name}`"));
        let all = all.chain(self.prefixes.iter().map(|prefix| format!("`{prefix}<name>`")));
        format!("no such column; there are {}", all.collect::<Vec<_>>().join(", "))
    }
}
