//! What lines of the log are looked for by.

use crate::code::Source;

/// Things that are looked for by their id: the field is `checkout.id`, here as in every span.
const HAVE_IDS: &[&str] = &[
    "attempt",
    "case",
    "checkout",
    "delivery",
    "entry",
    "event",
    "grant",
    "holder",
    "key",
    "operation",
    "order",
    "request",
    "trace",
];

/// What writes lines and spans.
const WRITERS: &[&str] = &[
    "trace!",
    "debug!",
    "info!",
    "warn!",
    "error!",
    "event!",
    "span!",
    "trace_span!",
    "debug_span!",
    "info_span!",
    "warn_span!",
    "error_span!",
];

/// No field is called as the thing itself.
pub(crate) fn fields(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        for (at, _) in source.masked.match_indices("tracing::") {
            let rest = &source.masked[at + "tracing::".len()..];
            let Some((name, rest)) = rest.split_once('(') else { continue };
            if !WRITERS.contains(&name.trim()) {
                continue;
            }
            for field in arguments(rest).iter().filter_map(|one| name_of(one)) {
                if HAVE_IDS.contains(&field) {
                    let line = crate::code::line_of(&source.masked, at);
                    let what = format!("a field `{field}`; it is looked for as `{field}.id`");
                    complaints.push(source.complain(line, &what));
                }
            }
        }
    }
    complaints
}

/// What stands between commas up to the closing parenthesis.
fn arguments(text: &str) -> Vec<String> {
    let (mut depth, mut all) = (0_i32, vec![String::new()]);
    for c in text.chars() {
        match c {
            ')' if depth == 0 => break,
            ',' if depth == 0 => all.push(String::new()),
            _ => {
                depth += i32::from(matches!(c, '(' | '[' | '{'));
                depth -= i32::from(matches!(c, ')' | ']' | '}'));
                if let Some(last) = all.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    all
}

/// The name of a field: `%order`, `order = x`. None for a text or an expression.
fn name_of(argument: &str) -> Option<&str> {
    let name = argument.split('=').next()?.trim().trim_start_matches(['%', '?']);
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    (!name.is_empty() && name.chars().all(is_name)).then_some(name)
}

#[test]
fn a_field_without_its_id_is_seen() {
    for (bad, line) in [
        ("fn f() {\n    tracing::info!(%order, \"x\");\n}\n", 2),
        ("tracing::warn!(\n    order = %row.id,\n    \"x\"\n);\n", 1),
        ("tracing::error!(why, ?entry, \"x, y\");\n", 1),
        ("let s = tracing::info_span!(parent: None, \"x\", checkout = %id);\n", 1),
    ] {
        let complaints = fields(&[Source::new("src/a.rs", bad)]);
        assert_eq!(complaints.len(), 1, "{bad}");
        assert!(complaints[0].starts_with(&format!("src/a.rs:{line}: ")), "{complaints:?}");
    }
    for fine in [
        "tracing::info!(order.id = %order, \"order\");",
        "tracing::info!(orders = count(order, key), \"x\");",
        "tracing::debug!(parent: &caller.span, entry.id = id, \"x\");",
        "use tracing::{Span, field};\nfn f(order: u8) {}",
        "metrics::order(order);",
    ] {
        assert_eq!(fields(&[Source::new("src/a.rs", fine)]), [""; 0], "{fine}");
    }
}
