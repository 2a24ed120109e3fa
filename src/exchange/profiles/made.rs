//! What is made of a vendor's file: rows of groups and of products, as our own files have them.

use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

use super::{Missing, html};
use crate::{
    base::Limits,
    catalog::texts::{CATEGORIES_APART, CATEGORIES_MAX, CATEGORY_BYTES_MAX, DESCRIPTION_BYTES_MAX},
    files::{Cell, FileError, Row},
};

/// Bytes of a group's id, of which its hash takes some where a name is too long.
const ID_BYTES: usize = 64;
const HASH_BYTES: usize = 9;

/// Rows, and what there is to say about them.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) groups: Vec<Row>,
    pub(super) products: Vec<Row>,
    pub(super) notes: BTreeMap<String, usize>,
    pub(super) errors: Vec<FileError>,
    /// The vendor's name of a column by ours.
    pub(super) names: HashMap<&'static str, String>,
    pub(super) missing: Missing,
    text_bytes: usize,
}

/// Builds a row cell by cell; what is empty clears what was there.
#[derive(Debug)]
pub(super) struct RowOf(Row);

impl RowOf {
    pub(super) const fn line(line: u64) -> Self {
        Self(Row { line, cells: Vec::new() })
    }

    pub(super) fn set(&mut self, column: impl Into<String>, text: impl Into<String>) -> &mut Self {
        let text: String = text.into();
        let cell = if text.is_empty() { Cell::Empty } else { Cell::Text(text) };
        self.0.cells.push((column.into(), cell));
        self
    }

    /// Sets what may not be there, and stays as it is then.
    pub(super) fn maybe(&mut self, column: &str, text: &str) -> &mut Self {
        if !text.is_empty() {
            self.set(column, text);
        }
        self
    }

    pub(super) fn done(&mut self) -> Row {
        std::mem::take(&mut self.0)
    }
}

impl Made {
    pub(super) fn new(missing: &Missing, limits: &Limits) -> Self {
        Self {
            groups: Vec::new(),
            products: Vec::new(),
            notes: BTreeMap::new(),
            errors: Vec::new(),
            names: HashMap::new(),
            missing: missing.clone(),
            text_bytes: limits.text_bytes,
        }
    }

    pub(super) fn note(&mut self, what: &str) {
        *self.notes.entry(what.to_owned()).or_default() += 1;
    }

    pub(super) fn wrong(&mut self, line: u64, column: &str, expected: &str) {
        let (column, expected) = (column.to_owned(), expected.to_owned());
        self.errors.push(FileError { line, column, expected });
    }

    /// The text of a description, cut at a word where it is too long.
    pub(super) fn description(&mut self, html: &str) -> String {
        let text = html::to_text(html);
        if text.len() <= DESCRIPTION_BYTES_MAX {
            return text;
        }
        self.note("descriptions were cut: ours have at most 4096 bytes");
        let mut end = DESCRIPTION_BYTES_MAX - '…'.len_utf8();
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let cut = &text[..end];
        let cut = cut.rsplit_once(char::is_whitespace).map_or(cut, |(before, _)| before);
        format!("{cut}…")
    }

    /// The address of a picture: as it is, or below where they are.
    pub(super) fn image(&mut self, path: &str) -> String {
        if path.is_empty() || path == "no_selection" {
            return String::new();
        }
        let url = if path.starts_with("https://") || path.starts_with("http://") {
            path.replace(' ', "%20")
        } else if let Some(base) = &self.missing.images {
            format!("{base}/{}", path.trim_start_matches('/').replace(' ', "%20"))
        } else {
            self.note("images without an address were left out; say where they are with --images");
            return String::new();
        };
        if url.len() > self.text_bytes {
            self.note("images with too long an address were left out");
            return String::new();
        }
        url
    }

    /// Categories as one of our fields has them.
    pub(super) fn categories<'a>(&mut self, paths: impl Iterator<Item = &'a str>) -> String {
        let mut kept: Vec<String> = Vec::new();
        for path in paths.map(str::trim).filter(|path| !path.is_empty()) {
            let path = path.replace(CATEGORIES_APART, "/");
            let fits = path.len() <= CATEGORY_BYTES_MAX && kept.len() < CATEGORIES_MAX;
            if fits && !kept.contains(&path) {
                kept.push(path);
            } else if !fits {
                self.note("categories were left out: too long, or too many of one product");
            }
        }
        kept.join("|")
    }
}

/// The id of a group by a name of another shop.
pub(super) fn group_id(name: &str) -> String {
    let mut id = String::new();
    for c in name.to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' | '_' => id.push(c),
            _ if id.ends_with('-') => {}
            _ => id.push('-'),
        }
    }
    let id = id.trim_matches('-');
    let is_same = id == name.to_lowercase() && id.len() <= ID_BYTES;
    if is_same {
        return id.to_owned();
    }
    // Names that differ in what an id cannot hold stay apart.
    let hash = Sha256::digest(name.as_bytes());
    let hash: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let kept = id.len().min(ID_BYTES - HASH_BYTES);
    format!("{}-{hash}", &id[..kept]).trim_start_matches('-').to_owned()
}

/// Yes, as the vendors write it.
pub(super) fn is_yes(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "1" | "active")
}

/// Whole units of a stock that is written with decimals; what shops owe is none.
pub(super) fn units(text: &str) -> String {
    let whole = text.split(['.', ',']).next().unwrap_or_default();
    let rest = text[whole.len()..].trim_start_matches(['.', ',']);
    let is_whole = rest.bytes().all(|digit| digit == b'0');
    match whole.strip_prefix('-') {
        Some(_) => "0".to_owned(),
        None if is_whole => whole.to_owned(),
        None => text.to_owned(),
    }
}

/// Grams of a weight in kilograms or pounds and so on; nothing when it is none.
pub(super) fn grams(text: &str, per_unit: f64) -> String {
    let grams = text.replace(',', ".").parse::<f64>().ok().map(|weight| weight * per_unit);
    match grams {
        Some(grams) if grams > 0.0 && grams < 1e9 => format!("{:.0}", grams.ceil()),
        _ => String::new(),
    }
}
