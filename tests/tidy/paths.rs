//! Every path a file names, with the trees of `use` unfolded.

use crate::code::{Source, line_of};

/// A path and where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// Line, from 1.
    pub(crate) line: usize,
    /// Its segments: `["crate", "base", "Money"]`.
    pub(crate) segments: Vec<String>,
}

/// All paths of more than one segment, and everything imported by `use`.
pub(crate) fn named(source: &Source) -> Vec<Named> {
    let text = &source.masked;
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let Some((word, end)) = word(text, at) else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        let glued = text[..at].ends_with(['.', ':', '$']);
        if word == "use" && !glued {
            at = tree(text, end, &[], &mut found);
            continue;
        }
        let mut segments = vec![word.to_owned()];
        let mut next = end;
        while let Some((more, end)) =
            text[next..].strip_prefix("::").and_then(|_| self::word(text, next + 2))
        {
            segments.push(more.to_owned());
            next = end;
        }
        if segments.len() > 1 && !glued {
            found.push(Named { line: line_of(text, at), segments });
        }
        at = next;
    }
    found
}

/// The identifier that starts here, and its end.
fn word(text: &str, at: usize) -> Option<(&str, usize)> {
    let rest = text.get(at..)?;
    let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    let starts = rest.starts_with(|c: char| c.is_alphabetic() || c == '_');
    (starts && length > 0).then(|| (&rest[..length], at + length))
}

/// Reads one use tree; returns where it ends (before `,`, `}` or `;`).
fn tree(text: &str, mut at: usize, prefix: &[String], found: &mut Vec<Named>) -> usize {
    let mut segments = prefix.to_vec();
    let blank = |at: usize| at + (text[at..].len() - text[at..].trim_start().len());
    loop {
        at = blank(at);
        if let Some((word, end)) = word(text, at) {
            if word == "as" {
                at = blank(end);
                at = self::word(text, at).map_or(at, |(_, end)| end);
                continue;
            }
            found.push(Named { line: line_of(text, at), segments: Vec::new() });
            segments.push(word.to_owned());
            found.last_mut().expect("just pushed").segments.clone_from(&segments);
            at = end;
        } else if text[at..].starts_with("::") {
            at += 2;
        } else if text[at..].starts_with('*') {
            at += 1;
        } else if text[at..].starts_with('{') {
            at += 1;
            loop {
                at = blank(at);
                match text[at..].chars().next() {
                    Some('}') => break,
                    Some(',') => at += 1,
                    None | Some(';') => return at,
                    Some(_) => at = tree(text, at, &segments, found),
                }
            }
            at += 1;
        } else {
            return at;
        }
    }
}

#[cfg(test)]
fn shown(text: &str) -> Vec<String> {
    let named = named(&Source::new("src/a/b.rs", text));
    named.iter().map(|named| format!("{} {}", named.line, named.segments.join("::"))).collect()
}

#[test]
fn use_trees_are_unfolded() {
    let found = shown("use crate::{\n  a::{b, c as d},\n  e::*,\n};\nuse sqlx;\n");
    for path in ["2 crate::a::b", "2 crate::a::c", "3 crate::e", "5 sqlx"] {
        assert!(found.iter().any(|found| found == path), "{path} not in {found:?}");
    }
}

#[test]
fn paths_in_code_are_found_and_those_in_comments_are_not() {
    let found = shown("// crate::a::b\nlet x = crate::c::d(y.redis::<u8>()); self::redis::f();");
    assert_eq!(found, ["2 crate::c::d", "2 self::redis::f"]);
}
