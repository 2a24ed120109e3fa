//! A figure that is declared and never taken is a lie on a dashboard.

use crate::code::Source;

/// Labels whose value is worked out from what is measured, not chosen where it is.
const DERIVED: &[&str] = &["Method", "StatusClass"];

/// Every recording function of the metrics, and every value of their labels, is used by a slice.
pub(crate) fn taken(sources: &[Source]) -> Vec<String> {
    let (telemetry, slices): (Vec<&Source>, Vec<&Source>) =
        sources.iter().partition(|source| source.path.starts_with("src/telemetry"));
    let is_used = |name: &str| {
        let mut code = slices.iter().flat_map(|source| source.code());
        code.any(|(_, line)| line.match_indices(name).any(|(at, _)| ends_there(line, at, name)))
    };
    let mut complaints = Vec::new();
    for source in telemetry {
        for (line, name) in figures(source).into_iter().chain(values(source)) {
            if !is_used(&name) {
                let what = format!("`{name}` is declared and nobody uses it");
                complaints.push(source.complain(line, &what));
            }
        }
    }
    complaints
}

fn ends_there(line: &str, at: usize, name: &str) -> bool {
    let next = line[at + name.len()..].chars().next();
    next.is_none_or(|next| !next.is_alphanumeric() && next != '_')
}

/// The functions of `metrics.rs`, as others call them.
fn figures(source: &Source) -> Vec<(usize, String)> {
    if source.name() != "metrics.rs" {
        return Vec::new();
    }
    let function = |line: &str| {
        let (name, _) = line.strip_prefix("pub fn ")?.split_once('(')?;
        Some(format!("metrics::{name}"))
    };
    source.code().filter_map(|(line, code)| Some((line, function(code)?))).collect()
}

/// The values of each label in `labels.rs`, as others name them.
fn values(source: &Source) -> Vec<(usize, String)> {
    let (mut label, mut found) = (None, Vec::new());
    let is_labels = source.name() == "labels.rs";
    for (number, line) in (1..).zip(source.text.lines()).filter(|_| is_labels) {
        if let Some((name, _)) = line.trim().split_once(" as \"").filter(|_| line.ends_with('{')) {
            label = Some(name).filter(|name| !DERIVED.contains(name));
        } else if line == "}" {
            label = None;
        } else if let (Some(label), Some((value, _))) = (label, line.trim().split_once(" = \"")) {
            found.push((number, format!("{label}::{value}")));
        }
    }
    found
}

#[test]
fn a_figure_nobody_takes_is_seen() {
    let metrics = || Source::new("src/telemetry/metrics.rs", "pub fn held(n: u64) {}\n");
    let labels = || {
        let text = "label! {\n    Result as \"result\" {\n        Sold = \"sold\",\n    }\n}\n";
        Source::new("src/telemetry/labels.rs", text)
    };
    let uses = |text| Source::new("src/stock/a.rs", text);
    let both = "metrics::held(1);\nmetrics::hold(Result::Sold);\n";
    assert_eq!(taken(&[metrics(), labels(), uses(both)]), [""; 0]);
    let neither = "metrics::held_up(1);\n// metrics::held(1)\nResult::SoldOut;\n";
    let complaints = taken(&[metrics(), labels(), uses(neither)]);
    assert_eq!(complaints.len(), 2, "{complaints:?}");
    assert!(complaints[1].starts_with("src/telemetry/labels.rs:3: "), "{complaints:?}");
}
