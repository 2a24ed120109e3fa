//! Words that must not be there.

use crate::code::Source;

/// Spelled apart, so that this file does not complain about itself.
const UNDONE: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("unimplement", "ed!"),
    concat!("to", "do!"),
];

/// No `.unwrap()` outside tests: a failure without a reason helps nobody.
pub(crate) fn unwraps(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for (line, _) in source.code().filter(|(_, code)| code.contains(".unwrap()")) {
            let what = "`.unwrap()` outside tests; handle it, or `expect(\"why it cannot fail\")`";
            complaints.push(source.complain(line, what));
        }
    }
    complaints
}

/// Nothing is left for later in the text: what is open is an issue, or does not matter.
pub(crate) fn undone(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for (index, line) in source.text.lines().enumerate() {
            for word in UNDONE.iter().filter(|word| has_word(line, word)) {
                let what = format!("`{word}`: do it, or open an issue");
                complaints.push(source.complain(index + 1, &what));
            }
        }
    }
    complaints
}

fn has_word(line: &str, word: &str) -> bool {
    let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    line.match_indices(word).any(|(at, _)| {
        let after = line[at + word.len()..].chars().next();
        apart(line[..at].chars().next_back()) && (word.ends_with('!') || apart(after))
    })
}

#[test]
fn an_unwrap_is_seen_unless_a_test_or_a_comment_has_it() {
    let bad = Source::new("src/a.rs", "fn f() {\n    x.unwrap();\n}\n");
    assert!(unwraps(&[bad])[0].starts_with("src/a.rs:2: "));
    let fine = "// x.unwrap()\n#[cfg(test)]\nmod tests {\n    fn f() { x.unwrap() }\n}\n";
    assert_eq!(unwraps(&[Source::new("src/a.rs", fine)]), [""; 0]);
    assert_eq!(unwraps(&[Source::new("src/a.rs", "x.unwrap_or(1);")]), [""; 0]);
}

#[test]
fn work_left_undone_is_seen() {
    for word in UNDONE {
        let bad = Source::new("src/a.rs", &format!("\n// {word} later\n"));
        assert!(undone(&[bad])[0].starts_with("src/a.rs:2: "), "{word}");
    }
    let fine = Source::new("a.md", concat!("MASTO", "DON mas", "to", "dont"));
    assert_eq!(undone(&[fine]), [""; 0]);
}
