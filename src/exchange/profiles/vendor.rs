//! A vendor's CSV by the names of its columns, whatever their case; what is asked for is known.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use crate::files::{
    FileError,
    sheet::{Record, Records},
};

/// A file with a header.
#[derive(Debug)]
pub(super) struct Sheet {
    names: Vec<String>,
    places: HashMap<String, usize>,
    records: Vec<Record>,
    asked: RefCell<HashSet<usize>>,
}

/// A row of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    sheet: &'a Sheet,
    record: &'a Record,
}

impl Sheet {
    pub(super) fn read(text: &str) -> Result<Self, Vec<FileError>> {
        let mut records = Records::of(text).map_err(|error| vec![error])?;
        let Some(header) = records.next() else {
            return Err(vec![FileError::at(1, "expected a header line; the file is empty")]);
        };
        let names = header.map_err(|error| vec![error])?.fields;
        let places = names.iter().enumerate().map(|(at, name)| (name.to_lowercase(), at));
        let places = places.rev().collect();
        let (mut all, mut errors) = (Vec::new(), Vec::new());
        for record in records {
            match record {
                Ok(record) if record.fields.len() > names.len() => {
                    let (wanted, got) = (names.len(), record.fields.len());
                    let text = format!("expected {wanted} fields as in the header, found {got}");
                    errors.push(FileError::at(record.line, text));
                }
                Ok(record) => all.push(record),
                Err(error) => errors.push(error),
            }
        }
        let sheet = Self { names, places, records: all, asked: RefCell::default() };
        if errors.is_empty() { Ok(sheet) } else { Err(errors) }
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.records.iter().map(|record| Line { sheet: self, record })
    }

    /// The first of these columns that there is, by its own name.
    pub(super) fn column(&self, names: &[&str]) -> Option<&str> {
        let at = names.iter().find_map(|name| self.places.get(&name.to_lowercase()))?;
        self.names.get(*at).map(String::as_str)
    }

    /// Refuses a file without one of these columns.
    pub(super) fn needs(&self, names: &[&str]) -> Result<(), Vec<FileError>> {
        if self.column(names).is_some() {
            return Ok(());
        }
        let column = names.first().copied().unwrap_or_default().to_owned();
        let expected = "this column is needed and missing; is the file of this shop?".to_owned();
        Err(vec![FileError { line: 1, column, expected }])
    }

    /// Columns with something in them that nobody asked for.
    pub(super) fn unmapped(&self) -> Vec<String> {
        let asked = self.asked.borrow();
        let filled = |at: usize| {
            self.records.iter().any(|row| row.fields.get(at).is_some_and(|text| !text.is_empty()))
        };
        let others = (0..self.names.len()).filter(|at| !asked.contains(at) && filled(*at));
        others.map(|at| self.names[at].clone()).collect()
    }
}

impl<'a> Line<'a> {
    pub(super) const fn number(self) -> u64 {
        self.record.line
    }

    /// What stands in the first of these columns that there is; nothing when there is none.
    pub(super) fn get(self, names: &[&str]) -> &'a str {
        let at = names.iter().find_map(|name| self.sheet.places.get(&name.to_lowercase()));
        let Some(at) = at else { return "" };
        self.sheet.asked.borrow_mut().insert(*at);
        self.record.fields.get(*at).map_or("", String::as_str)
    }

    /// Whether the file has one of these columns.
    pub(super) fn has(self, names: &[&str]) -> bool {
        self.sheet.column(names).is_some()
    }
}
