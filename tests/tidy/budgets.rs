//! How long things may get.

use crate::code::{Source, item_end, line_of};

const FILE_LINES: usize = 400;
const MEDIAN_CODE_LINES: usize = 120;
const FUNCTION_LINES: usize = 70;
const COLUMNS: usize = 100;

/// No file over 400 lines.
pub(crate) fn files(sources: &[Source]) -> Vec<String> {
    let long = |source: &&Source| source.text.lines().count() > FILE_LINES;
    let complain = |source: &Source| {
        let lines = source.text.lines().count();
        source.complain(lines, &format!("{lines} lines; over {FILE_LINES} a file holds two things"))
    };
    sources.iter().filter(long).map(complain).collect()
}

/// Half of the files have at most 120 lines of code; comments, blanks and tests do not count.
pub(crate) fn median(sources: &[Source]) -> Vec<String> {
    let mut sizes: Vec<usize> = sources.iter().map(|source| source.code().count()).collect();
    sizes.sort_unstable();
    match sizes.get(sizes.len() / 2) {
        Some(median) if *median > MEDIAN_CODE_LINES => vec![format!(
            "src:1: the median file has {median} lines of code; over {MEDIAN_CODE_LINES} files \
             are read less and less"
        )],
        _ => Vec::new(),
    }
}

/// No function over 70 lines, blanks and comments apart.
pub(crate) fn functions(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let masked = &source.masked;
        for (start, _) in masked.match_indices("fn ") {
            let after_word =
                masked[..start].ends_with(|before: char| before.is_alphanumeric() || before == '_');
            let is_named = masked[start + 3..].starts_with(|c: char| c.is_alphabetic() || c == '_');
            if after_word || !is_named {
                continue;
            }
            let end = (item_end(masked, start) + 1).min(masked.len());
            let body = &masked[start..end];
            let lines = body.lines().filter(|line| !line.trim().is_empty()).count();
            if lines > FUNCTION_LINES {
                let what = format!(
                    "a function of {lines} lines; over {FUNCTION_LINES} nobody sees \
                                    it whole"
                );
                complaints.push(source.complain(line_of(masked, start), &what));
            }
        }
    }
    complaints
}

/// No line over 100 columns. Rows of a table in a comment cannot be wrapped, and may.
pub(crate) fn columns(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for (index, line) in source.text.lines().enumerate() {
            let columns = line.chars().count();
            let row =
                line.trim_start().trim_start_matches(['/', '!']).trim_start().starts_with('|');
            if columns > COLUMNS && !(row && line.trim_start().starts_with("//")) {
                let what = format!("{columns} columns; two files side by side have {COLUMNS} each");
                complaints.push(source.complain(index + 1, &what));
            }
        }
    }
    complaints
}

#[test]
fn a_long_file_is_seen() {
    assert_eq!(files(&[Source::new("src/a.rs", &"//\n".repeat(400))]), [""; 0]);
    let complaints = files(&[Source::new("src/a.rs", &"//\n".repeat(401))]);
    assert!(complaints[0].starts_with("src/a.rs:401: 401 lines"), "{complaints:?}");
}

#[test]
fn a_large_median_is_seen_and_comments_and_tests_do_not_count() {
    let file = |code: usize| {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "x();\n".repeat(200));
        Source::new(
            "src/a.rs",
            &format!("{}{}{tests}", "x();\n".repeat(code), "// \n\n".repeat(200)),
        )
    };
    assert_eq!(median(&[file(10), file(120), file(300)]), [""; 0]);
    assert_eq!(median(&[file(10), file(121), file(300)]).len(), 1);
}

#[test]
fn a_long_function_is_seen_wherever_it_stands() {
    let function =
        |lines: usize| format!("fn f() {{\n{}    }}\n", "        x();\n".repeat(lines - 2));
    let inside = |lines| format!("impl A {{\n    // why\n    pub async {}}}\n", function(lines));
    assert_eq!(functions(&[Source::new("src/a.rs", &inside(70))]), [""; 0]);
    let complaints = functions(&[Source::new("src/a.rs", &inside(71))]);
    assert!(complaints[0].starts_with("src/a.rs:3: a function of 71 lines"), "{complaints:?}");
    let text = format!("trait T {{ fn f(&self, a: [u8; 3]) -> u8; }}\n{}", function(9).repeat(9));
    assert_eq!(functions(&[Source::new("src/a.rs", &text)]), [""; 0]);
}

#[test]
fn a_long_line_is_seen_and_measured_in_characters() {
    assert_eq!(columns(&[Source::new("src/a.rs", &"→".repeat(100))]), [""; 0]);
    let complaints = columns(&[Source::new("src/a.rs", &format!("\n{}", "a".repeat(101)))]);
    assert!(complaints[0].starts_with("src/a.rs:2: 101 columns"), "{complaints:?}");
    let row = format!("//! | {} |\n", "a".repeat(101));
    assert_eq!(columns(&[Source::new("src/a.rs", &row)]), [""; 0]);
}
