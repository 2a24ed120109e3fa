//! What documents point at: each other, and the code.

use crate::code::Source;
use std::collections::{BTreeMap, BTreeSet};

/// What a stranger reads before they decide to stay.
const README_CHARS: usize = 8_000;

/// What may stand before the name of an item.
const DEFINES: &[&str] =
    &["fn", "struct", "enum", "trait", "const", "static", "type", "mod", "macro_rules!"];

/// The README stays short: what is more has a document of its own.
pub(crate) fn length(readme: &Source) -> Vec<String> {
    let chars = readme.text.chars().count();
    let what = format!("{chars} characters; the README has {README_CHARS}: move some to docs/");
    (chars > README_CHARS).then(|| readme.complain(1, &what)).into_iter().collect()
}

/// Every relative link leads to a file that exists, and every anchor to a heading of it.
pub(crate) fn links(documents: &[Source], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let anchors: BTreeMap<&str, BTreeSet<String>> =
        documents.iter().map(|one| (one.path.as_str(), anchors(&one.text))).collect();
    let mut complaints = Vec::new();
    for document in documents {
        for (line, link) in links_of(&document.text) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let path = match file {
                "" => document.path.clone(),
                file => beside(&document.path, file),
            };
            if !exists(&path) {
                complaints.push(document.complain(line, &format!("`{link}`: there is no {path}")));
                continue;
            }
            let known = anchors.get(path.as_str()).is_some_and(|known| known.contains(anchor));
            if !anchor.is_empty() && !known {
                let what = format!("`{link}`: {path} has no heading `#{anchor}`");
                complaints.push(document.complain(line, &what));
            }
        }
    }
    complaints
}

/// Every `folder/file.rs` that a document names exists, at the root or in `src`, and every
/// `folder/file.rs:name` defines that name.
pub(crate) fn code(documents: &[Source], read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut complaints = Vec::new();
    for document in documents {
        for (line, span) in spans(&document.text) {
            let (file, name) = span.split_once(':').unwrap_or((&span, ""));
            if !file.contains('/') || !(file.ends_with(".rs") || file.ends_with(".sql")) {
                continue;
            }
            let text = read(file).or_else(|| read(&format!("src/{file}")));
            match text {
                None => {
                    complaints.push(document.complain(line, &format!("`{span}`: no such file")));
                }
                Some(text) if !name.is_empty() && !defines(&text, name) => {
                    let what = format!("`{span}`: the file defines no `{name}`");
                    complaints.push(document.complain(line, &what));
                }
                Some(_) => {}
            }
        }
    }
    complaints
}

fn defines(text: &str, name: &str) -> bool {
    DEFINES.iter().any(|word| {
        let item = format!("{word} {name}");
        text.match_indices(&item).any(|(at, _)| {
            let next = text[at + item.len()..].chars().next();
            next.is_none_or(|next| !next.is_alphanumeric() && next != '_')
        })
    })
}

/// Lines outside fenced blocks, by number.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fence && !fenced
    })
}

/// What stands between backticks.
fn spans(text: &str) -> Vec<(usize, String)> {
    let inside = |(line, text): (usize, &str)| {
        let spans = text.split('`').skip(1).step_by(2);
        spans.map(|span| (line, span.to_owned())).collect::<Vec<_>>()
    };
    prose(text).flat_map(inside).collect()
}

/// Links that lead to files of ours.
fn links_of(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, text) in prose(text) {
        let plain: String = text.split('`').step_by(2).collect();
        for (at, _) in plain.match_indices("](") {
            let link = plain[at + 2..].split([')', ' ']).next().unwrap_or_default();
            if !link.contains("://") && !link.starts_with("mailto:") {
                found.push((line, link.to_owned()));
            }
        }
    }
    found
}

/// The anchors of a text's headings, as hosts of repositories make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, line) in prose(text).filter(|(_, line)| line.starts_with('#')) {
        let heading = line.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let again = (1..).map(|count| format!("{anchor}-{count}"));
        let fresh = std::iter::once(anchor.clone()).chain(again).find(|one| !found.contains(one));
        found.extend(fresh);
    }
    found
}

/// The path of a link that stands in a document.
fn beside(document: &str, link: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn a_long_readme_is_seen() {
    let readme = |chars| Source::new("README.md", &"ä".repeat(chars));
    assert_eq!(length(&readme(README_CHARS)), [""; 0]);
    assert_eq!(length(&readme(README_CHARS + 1)).len(), 1);
}

#[test]
fn a_link_that_leads_nowhere_is_seen() {
    let exists = |path: &str| ["README.md", "docs/A.md", "src/lib.rs"].contains(&path);
    let complaints = |link: &str| {
        let text = format!("# Up\n\nSee [this]({link}).\n");
        let one = Source::new("docs/A.md", &text);
        let readme = Source::new("README.md", "## What it is, and not\n\n## Twice\n## Twice\n");
        links(&[one, readme], exists)
    };
    for fine in [
        "#up",
        "A.md#up",
        "../README.md",
        "../README.md#what-it-is-and-not",
        "../README.md#twice-1",
        "../src/lib.rs",
        "https://example.com/x#y",
    ] {
        assert_eq!(complaints(fine), [""; 0], "{fine}");
    }
    for bad in ["#down", "B.md", "README.md", "../README.md#twice-2", "../src/lib.rs#up"] {
        assert!(complaints(bad)[0].starts_with("docs/A.md:3: "), "{bad}");
    }
    let fenced = Source::new("docs/A.md", "```\n[x](y)\n```\n`[x](y)`\n");
    assert_eq!(links(&[fenced], exists), [""; 0]);
}

#[test]
fn code_that_is_not_there_is_seen() {
    let read = |path: &str| (path == "src/a/b.rs").then(|| "pub fn pay(x: X) {}".to_owned());
    let complaints = |span: &str| code(&[Source::new("docs/A.md", &format!("`{span}`"))], read);
    for fine in ["a/b.rs", "src/a/b.rs", "a/b.rs:pay", "b.rs", "other", "a/b:c"] {
        assert_eq!(complaints(fine), [""; 0], "{fine}");
    }
    for bad in ["a/c.rs", "src/b.rs", "a/b.rs:pa", "a/b.rs:payer", "migrations/x.sql"] {
        assert!(complaints(bad)[0].starts_with("docs/A.md:1: "), "{bad}");
    }
}
