//! Files as people have them, read into rows: CSV out of any spreadsheet, and JSON lines.
//!
//! **Owns:** unpacking, encodings, separators, lines, and what stands in a cell.
//! **Invariant:** a file is read as it is meant or refused with the line, as an editor counts it,
//! and what to do; a column that a file does not have is told apart from an empty cell.
//! **Not here:** which columns there are and what they mean (see [`catalog`](crate::catalog) and
//! [`exchange`](crate::exchange)).

pub mod decode;
pub mod field;
pub mod fields;
pub mod given;
mod json_lines;
pub mod row;
pub mod sheet;
mod table;
pub mod write;

pub use fields::Fields;
pub use given::Given;
pub use row::{Cell, Column, FileError, Known, Row};
pub use table::{NO_CARDS, rows};

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// Values under a header, separated by commas (RFC 4180), semicolons or tabs.
    #[default]
    Csv,
    /// A JSON object on each line.
    JsonLines,
}

impl Format {
    /// The format with this word.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "csv" => Some(Self::Csv),
            "jsonl" => Some(Self::JsonLines),
            _ => None,
        }
    }

    /// Its media type.
    pub const fn media(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::JsonLines => "application/x-ndjson",
        }
    }
}
