//! What must be said at the door.

use crate::code::Source;
use std::collections::BTreeSet;

/// The three answers of a slice's `mod.rs`.
const ANSWERS: &[(&str, &str)] = &[
    ("**Owns:**", "what the slice owns"),
    ("**Invariant", "what always holds"),
    ("**Not here:**", "what to look for elsewhere"),
];

/// Every slice's `mod.rs` says Owns, Invariant, Not here.
pub(crate) fn slices(sources: &[Source]) -> Vec<String> {
    let is_slice = |path: &str| path.ends_with("/mod.rs") && path.matches('/').count() == 2;
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| is_slice(&source.path)) {
        let said: String = source.text.lines().filter(|line| line.starts_with("//!")).collect();
        for (answer, meaning) in ANSWERS.iter().filter(|(answer, _)| !said.contains(answer)) {
            let what = format!("the door does not say `{answer}`, {meaning}");
            complaints.push(source.complain(1, &what));
        }
    }
    complaints
}

/// Every file opens with what it is.
pub(crate) fn files(sources: &[Source]) -> Vec<String> {
    // A file of tests beside its subject says it by its name.
    let silent = |source: &&Source| {
        let beside = source.path.starts_with("src/") && source.is_test(1);
        !beside && !source.text.starts_with("//!")
    };
    let what = "the first line does not say what the file is (`//! …`)";
    sources.iter().filter(silent).map(|source| source.complain(1, what)).collect()
}

/// `src/lib.rs` is the map: it links every slice there is.
pub(crate) fn map(sources: &[Source]) -> Vec<String> {
    let Some(lib) = sources.iter().find(|source| source.path == "src/lib.rs") else {
        return vec!["src/lib.rs:1: there is no map".to_owned()];
    };
    let is_map_line = |line: &&str| line.starts_with("//!");
    let said = lib.text.lines().filter(is_map_line).collect::<Vec<_>>().join("\n");
    let inside = sources.iter().filter_map(|source| source.path.strip_prefix("src/"));
    let slices: BTreeSet<&str> =
        inside.filter_map(|path| path.split_once('/').map(|(slice, _)| slice)).collect();
    let missing = slices.iter().filter(|slice| !said.contains(&format!("[`{slice}`]")));
    missing.map(|slice| lib.complain(1, &format!("the map does not link [`{slice}`]"))).collect()
}

#[test]
fn a_silent_door_is_seen() {
    let said = "//! X.\n//!\n//! **Owns:** x. **Invariant:** y.\n//! **Not here:** z.\n";
    assert_eq!(slices(&[Source::new("src/a/mod.rs", said)]), [""; 0]);
    let complaints = slices(&[Source::new("src/a/mod.rs", "//! **Owns:** x.\n// **Invariant:**")]);
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert_eq!(slices(&[Source::new("src/a/b/mod.rs", "//! Within.")]), [""; 0]);
}

#[test]
fn a_file_that_does_not_introduce_itself_is_seen() {
    assert_eq!(files(&[Source::new("src/a.rs", "//! A.\n")]), [""; 0]);
    assert_eq!(files(&[Source::new("src/a.rs", "use b;\n//! A.\n")]).len(), 1);
    assert_eq!(files(&[Source::new("tests/it/a.rs", "use b;\n")]).len(), 1);
    assert_eq!(files(&[Source::new("src/a/b_tests.rs", "use b;\n")]), [""; 0]);
}

#[test]
fn a_slice_missing_from_the_map_is_seen() {
    let lib = |text| Source::new("src/lib.rs", text);
    let slice = || Source::new("src/stock/mod.rs", "");
    assert_eq!(map(&[lib("//! [`stock`] holds."), slice()]), [""; 0]);
    assert_eq!(map(&[lib("//! Nothing.\n// [`stock`]"), slice()]).len(), 1);
    assert_eq!(map(&[slice()]).len(), 1);
}
