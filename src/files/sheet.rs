//! CSV as spreadsheets write it (RFC 4180 and what they do instead): records with the line of an
//! editor. What could be read in two ways is an error.

use std::{iter::Peekable, str::Chars};

use super::{FileError, decode::lines_in};

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The line where it starts, from 1.
    pub line: u64,
    /// Its fields, without white space around them.
    pub fields: Vec<String>,
}

/// What may stand between fields, most usual first.
const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];

/// Reads records one after another; those without anything in them are passed over.
#[derive(Debug)]
pub struct Records<'a> {
    chars: Peekable<Chars<'a>>,
    separator: char,
    line: u64,
}

impl<'a> Records<'a> {
    /// The records of a text. What stands between fields is told by a first line `sep=;`, else seen
    /// in the header.
    ///
    /// # Errors
    /// When the first line names a separator that is none.
    pub fn of(text: &'a str) -> Result<Self, FileError> {
        let first = text.split(['\r', '\n']).next().unwrap_or_default();
        let told = first.trim_matches('"').strip_prefix("sep=");
        let Some(told) = told else {
            let header = text.trim_start_matches(['\r', '\n']);
            return Ok(Self::from(text, separator_in(header), 1));
        };
        let mut chars = told.chars();
        match (chars.next(), chars.next()) {
            (Some(separator), None) if SEPARATORS.contains(&separator) => {
                let rest = &text[first.len()..];
                let rest = rest.strip_prefix('\r').unwrap_or(rest);
                let rest = rest.strip_prefix('\n').unwrap_or(rest);
                Ok(Self::from(rest, separator, lines_in(&text[..text.len() - rest.len()])))
            }
            _ => {
                let text = "expected `sep=` and one of `,`, `;`, `|` or a tab";
                Err(FileError::at(1, text))
            }
        }
    }

    fn from(text: &'a str, separator: char, line: u64) -> Self {
        Self { chars: text.chars().peekable(), separator, line }
    }

    /// The next character of a field, lines counted.
    fn take(&mut self) -> Option<char> {
        let c = self.chars.next()?;
        let breaks = c == '\n' || (c == '\r' && self.chars.peek() != Some(&'\n'));
        self.line += u64::from(breaks);
        Some(c)
    }

    /// Whether the record ends here; its line break is gone then.
    fn ends(&mut self) -> bool {
        match self.chars.peek() {
            None => true,
            Some('\r') => {
                self.take();
                self.line += u64::from(self.chars.next_if_eq(&'\n').is_some());
                true
            }
            Some('\n') => self.take().is_some(),
            Some(_) => false,
        }
    }

    fn blanks(&mut self) {
        let separator = self.separator;
        while self.chars.next_if(|c| matches!(c, ' ' | '\t') && *c != separator).is_some() {}
    }

    fn field(&mut self) -> Result<String, FileError> {
        self.blanks();
        if self.chars.next_if_eq(&'"').is_some() {
            return self.quoted();
        }
        let mut field = String::new();
        let separator = self.separator;
        while let Some(c) = self.chars.next_if(|c| !matches!(c, '\r' | '\n') && *c != separator) {
            field.push(c);
        }
        Ok(field.trim().to_owned())
    }

    /// A field within quotation marks, behind the first.
    fn quoted(&mut self) -> Result<String, FileError> {
        let (opened, mut field) = (self.line, String::new());
        loop {
            match self.take() {
                None => {
                    let text = "a quotation mark opens a field here, and none closes it";
                    return Err(FileError::at(opened, text));
                }
                Some('"') if self.chars.next_if_eq(&'"').is_none() => break,
                Some(c) => field.push(c),
            }
        }
        self.blanks();
        match self.chars.peek() {
            None | Some('\r' | '\n') => {}
            Some(c) if *c == self.separator => {}
            Some(_) => {
                let text = "something stands behind the quotation mark that closes a field; write \
                            a quotation mark within a field twice";
                return Err(FileError::at(self.line, text));
            }
        }
        Ok(field.trim().to_owned())
    }

    fn record(&mut self) -> Result<Record, FileError> {
        let (line, mut fields) = (self.line, Vec::new());
        loop {
            fields.push(self.field()?);
            if self.chars.next_if_eq(&self.separator).is_some() {
                continue;
            }
            let ended = self.ends();
            debug_assert!(ended, "a field ends at a separator or with its record");
            return Ok(Record { line, fields });
        }
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.chars.peek().is_some() {
            match self.record() {
                Ok(record) if record.fields.iter().all(String::is_empty) => {}
                Ok(record) => return Some(Ok(record)),
                Err(error) => {
                    // Where a record ends is unknown from here on.
                    self.chars = "".chars().peekable();
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// What stands most often between the fields of a header.
fn separator_in(text: &str) -> char {
    let mut quoted = false;
    let mut counts = [0_usize; SEPARATORS.len()];
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            '\r' | '\n' if !quoted => break,
            _ if quoted => {}
            c => {
                if let Some(at) = SEPARATORS.iter().position(|one| *one == c) {
                    counts[at] += 1;
                }
            }
        }
    }
    let most = counts.into_iter().max().unwrap_or_default();
    let at = counts.into_iter().position(|count| count == most).unwrap_or_default();
    SEPARATORS[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u64, Vec<String>)> {
        let records = Records::of(text).expect("a separator").map(|record| {
            let Record { line, fields } = record.expect("a record");
            (line, fields)
        });
        records.collect()
    }

    fn rows(rows: &[(u64, &[&str])]) -> Vec<(u64, Vec<String>)> {
        let texts = |row: &[&str]| row.iter().map(|text| (*text).to_owned()).collect();
        rows.iter().map(|(line, row)| (*line, texts(row))).collect()
    }

    // breaks: count a line for CR alone only in `take`
    #[test]
    fn lines_are_those_of_an_editor_whatever_breaks_them() {
        let expected = [
            (1, &["a", "b"][..]),
            (2, &["1", "two\nlines"]),
            (4, &["2", "x"]),
            (6, &["3", "y\n\nz"]),
            (9, &["4", ""]),
        ];
        let text = "a,b\n1,\"two\nlines\"\n2,x\n\n3,\"y\n\nz\"\n4,\n\n,,\n \n";
        assert_eq!(read(text), rows(&expected));
        for line_break in ["\r\n", "\r"] {
            let got = read(&text.replace('\n', line_break));
            let with = |(line, row): (u64, Vec<String>)| {
                (line, row.iter().map(|text| text.replace(line_break, "\n")).collect())
            };
            let got: Vec<(u64, Vec<String>)> = got.into_iter().map(with).collect();
            assert_eq!(got, rows(&expected), "{line_break:?}");
        }
    }

    // breaks: take a comma for every separator in `separator_in`
    #[test]
    fn what_stands_between_fields_is_seen_in_the_header_or_told() {
        for (text, line) in [
            ("a;b;c\n1,5;\"x;y\";z", 2),
            ("a\tb\tc\n1,5\t\"x;y\"\tz", 2),
            ("sep=;\r\na;b;c\r\n1,5;\"x;y\";z\r\n", 3),
            ("\"sep=|\"\ra|b|c\r1,5|\"x;y\" | z\r", 3),
            ("\"a,b,c,d\";b;c\n1,5;\"x;y\";z", 2),
        ] {
            let read = read(text);
            assert_eq!(read.last(), rows(&[(line, &["1,5", "x;y", "z"])]).last(), "{text:?}");
        }
        let wrong = Records::of("sep=:\na:b\n").expect_err("no separator");
        assert_eq!(wrong.line, 1);
    }

    // breaks: let `quoted` end at the end of the text
    #[test]
    fn what_could_be_read_in_two_ways_is_refused_by_line() {
        for (text, line) in [
            ("a,b\n1,\"never closed\n2,x\n", 2),
            ("a,b\n1,\"a\"b\n", 2),
            ("a,b\r\n\"x\r\ny\",\"a\" \"b\"\r\n", 3),
        ] {
            let errors: Vec<FileError> =
                Records::of(text).expect("a separator").filter_map(Result::err).collect();
            assert_eq!(errors.iter().map(|error| error.line).collect::<Vec<_>>(), [line], "{text}");
        }
        assert_eq!(read("a,b\n5\" nail,\"7\"\" nail\"\n")[1].1, ["5\" nail", "7\" nail"]);
    }
}
