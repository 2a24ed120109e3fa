//! Rust text, understood just far enough: what is code, what is a test, where functions end.

use std::ops::RangeInclusive;

/// A file.
pub(crate) struct Source {
    /// Path from the repository's root.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
    /// Its text with comments blanked and the insides of strings replaced by `s`; as many lines.
    pub(crate) masked: String,
    tests: Vec<RangeInclusive<usize>>,
}

impl Source {
    /// A file with this text.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let masked = if path.ends_with(".rs") { mask(text) } else { String::new() };
        let tests = test_regions(&masked);
        Self { path: path.to_owned(), text: text.to_owned(), masked, tests }
    }

    /// The file's last name.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// Whether a line (from 1) belongs to tests alone.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        let whole = self.path.starts_with("tests/")
            || self.path.ends_with("tests.rs")
            || self.path.contains("/tests/");
        whole || self.tests.iter().any(|region| region.contains(&line))
    }

    /// Lines of code outside tests, by number.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.masked.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter(|(number, line)| !line.trim().is_empty() && !self.is_test(*number))
    }

    /// A complaint about a line.
    pub(crate) fn complain(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

/// The line, from 1, of a byte.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Blanks comments and the insides of strings, keeping every line where it is.
fn mask(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let after_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
        let (length, filler) = match rest {
            ['/', '/', ..] => (line_comment(rest), ' '),
            ['/', '*', ..] => (block_comment(rest), ' '),
            ['"', ..] => (quoted(rest), 's'),
            ['r', '"' | '#', ..] if !after_word => (raw(rest, 1), 's'),
            ['b', 'r', '"' | '#', ..] if !after_word => (raw(rest, 2), 's'),
            ['\'', '\\', ..] => {
                (rest.iter().skip(2).position(|c| *c == '\'').map_or(1, |n| n + 3), 's')
            }
            ['\'', _, '\'', ..] => (3, 's'),
            _ => (0, ' '),
        };
        for c in &rest[..length.max(1)] {
            out.push(if length == 0 || c.is_whitespace() { *c } else { filler });
        }
        at += length.max(1);
    }
    out
}

fn line_comment(rest: &[char]) -> usize {
    rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn quoted(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// A raw string whose hashes start at `from`; 0 when it is a raw identifier.
fn raw(rest: &[char], from: usize) -> usize {
    let hashes = rest[from..].iter().take_while(|c| **c == '#').count();
    if rest.get(from + hashes) != Some(&'"') {
        return 0;
    }
    let mut at = from + hashes + 1;
    while at < rest.len() {
        let closing = rest[at + 1..].iter().take(hashes).filter(|c| **c == '#').count();
        if rest[at] == '"' && closing == hashes {
            return at + 1 + hashes;
        }
        at += 1;
    }
    rest.len()
}

/// The lines under each `#[cfg(test)]`.
fn test_regions(masked: &str) -> Vec<RangeInclusive<usize>> {
    let starts = masked.match_indices("#[cfg(test)]").map(|(start, _)| start);
    let region = |start| line_of(masked, start)..=line_of(masked, item_end(masked, start));
    starts.map(region).collect()
}

/// Where the item that starts here ends: its `;`, or its closing brace.
pub(crate) fn item_end(masked: &str, start: usize) -> usize {
    let (mut braces, mut others) = (0_i32, 0_i32);
    for (offset, c) in masked[start..].char_indices() {
        match c {
            '(' | '[' => others += 1,
            ')' | ']' => others -= 1,
            '{' => braces += 1,
            '}' => braces -= 1,
            ';' if braces == 0 && others == 0 => return start + offset,
            _ => {}
        }
        if c == '}' && braces <= 0 {
            return start + offset;
        }
    }
    masked.len()
}

#[test]
fn comments_and_strings_are_no_code() {
    let text =
        "let a = \"// x { \\\" }\"; // fn b() {\n/* { /* */ */ let c = '{'; let d: &'a str;\n";
    let masked = mask(text);
    assert_eq!(masked.lines().count(), 2);
    assert!(!masked.contains(['{', '}', '/', '"']), "{masked}");
    assert!(masked.contains("let c =") && masked.contains("let d: &'a str"), "{masked}");
    let masked = mask("let r = r#\"a \" { \"#; x();\nlet r#fn = br\"{\";");
    assert!(masked.contains("; x();") && !masked.contains('{'), "{masked}");
}

#[test]
fn tests_are_told_from_code() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n";
    let source = Source::new("src/x.rs", text);
    let code: Vec<usize> = source.code().map(|(line, _)| line).collect();
    assert_eq!(code, [1, 6]);
    assert!(Source::new("src/x/tests.rs", "fn a() {}").code().next().is_none());
}
