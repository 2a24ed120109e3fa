//! Which files there are, and what they are called.

use crate::code::Source;
use std::collections::{BTreeMap, BTreeSet};

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] =
    &["utils", "util", "helpers", "helper", "common", "manager", "service"];

/// What `ls` shows.
const TOP_LEVEL: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "src",
    "models",
    "migrations",
    "benches",
    "load-tests",
    "tests",
    "docs",
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
];

/// Files and folders are named by their noun.
pub(crate) fn names(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for part in source.path.trim_end_matches(".rs").split('/') {
            if EMPTY_NAMES.contains(&part) {
                let what = format!("`{part}` names nothing; name it by what is inside");
                complaints.push(source.complain(1, &what));
            }
        }
    }
    complaints
}

/// The top level shows the house and nothing else; hidden files and what git ignores apart.
pub(crate) fn top_level(names: &[String], ignored: &str) -> Vec<String> {
    let ignored: Vec<&str> = ignored.lines().map(|line| line.trim().trim_matches('/')).collect();
    let stray = |name: &&String| {
        !name.starts_with('.')
            && !TOP_LEVEL.contains(&name.as_str())
            && !ignored.contains(&name.as_str())
    };
    let mut complaints: Vec<String> = names
        .iter()
        .filter(stray)
        .map(|name| {
            format!("{name}:1: does not belong at the top level; hide it or give it a room")
        })
        .collect();
    let missing = TOP_LEVEL.iter().filter(|room| !names.iter().any(|name| name == *room));
    complaints.extend(missing.map(|room| format!("{room}:1: is missing at the top level")));
    complaints
}

/// Both dialects have the same numbers under the same names, each with its way up and down.
pub(crate) fn migrations(paths: &[&str]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut found: BTreeMap<String, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for path in paths {
        let parts: Vec<&str> = path.split('/').collect();
        let parsed = match parts[..] {
            ["migrations", dialect @ ("postgres" | "sqlite"), file] => {
                let named = |way: &'static str| {
                    file.strip_suffix(way).filter(|name| is_numbered(name)).map(|name| (name, way))
                };
                named(".up.sql")
                    .or_else(|| named(".down.sql"))
                    .map(|(name, way)| (dialect, name, way))
            }
            _ => None,
        };
        match parsed {
            Some((dialect, name, way)) => {
                found.entry(name.to_owned()).or_default().insert((dialect, way));
            }
            None => complaints.push(format!(
                "{path}:1: migrations are called postgres|sqlite/NNNN_name.up|down.sql"
            )),
        }
    }
    let mut numbers = BTreeSet::new();
    for (name, ways) in &found {
        for dialect in ["postgres", "sqlite"] {
            for way in [".up.sql", ".down.sql"] {
                if !ways.contains(&(dialect, way)) {
                    complaints.push(format!(
                        "migrations/{dialect}/{name}{way}:1: is missing; both dialects go both ways"
                    ));
                }
            }
        }
        if !numbers.insert(&name[..4]) {
            complaints.push(format!("migrations/postgres/{name}.up.sql:1: its number is taken"));
        }
    }
    complaints
}

fn is_numbered(name: &str) -> bool {
    let digits = name.bytes().take_while(u8::is_ascii_digit).count();
    digits == 4 && name.as_bytes().get(4) == Some(&b'_')
}

#[test]
fn an_empty_name_is_seen() {
    assert_eq!(names(&[Source::new("src/stock/hold.rs", "")]), [""; 0]);
    assert_eq!(names(&[Source::new("src/stock/utils.rs", "")]).len(), 1);
    assert_eq!(names(&[Source::new("tests/common/mod.rs", "")]).len(), 1);
}

#[test]
fn a_stray_or_a_missing_thing_at_the_top_level_is_seen() {
    let house = || TOP_LEVEL.iter().map(|name| (*name).to_owned());
    let with = |more: &str| house().chain([more.to_owned()]).collect::<Vec<_>>();
    assert_eq!(top_level(&with(".ci"), ""), [""; 0]);
    assert_eq!(top_level(&with("target"), "/target\n"), [""; 0]);
    assert_eq!(top_level(&with("scripts"), "/target\n").len(), 1);
    assert_eq!(top_level(&house().skip(1).collect::<Vec<_>>(), "").len(), 1);
}

#[test]
fn a_migration_without_its_others_is_seen() {
    let all = [
        "migrations/postgres/0001_a.up.sql",
        "migrations/postgres/0001_a.down.sql",
        "migrations/sqlite/0001_a.up.sql",
        "migrations/sqlite/0001_a.down.sql",
    ];
    assert_eq!(migrations(&all), [""; 0]);
    for missing in 0..all.len() {
        let mut some = all.to_vec();
        let gone = some.remove(missing);
        assert!(migrations(&some)[0].starts_with(&format!("{gone}:1: is missing")));
    }
    for odd in ["migrations/mysql/0001_a.up.sql", "migrations/sqlite/1_a.up.sql"] {
        let some: Vec<&str> = all.iter().copied().chain([odd]).collect();
        assert_eq!(migrations(&some).len(), 1, "{odd}");
    }
    let twice: Vec<String> = all.iter().map(|path| path.replace("_a", "_b")).collect();
    let twice: Vec<&str> = all.iter().copied().chain(twice.iter().map(String::as_str)).collect();
    assert_eq!(migrations(&twice).len(), 1);
}
