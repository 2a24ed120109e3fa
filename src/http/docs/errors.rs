//! The one table of errors: each with its status, code and shape in each protocol, from the code.

use std::{collections::HashSet, fmt::Write};

use super::{areas, page::plain, refusals};
use crate::{
    checkout::{Notice, NoticeCode},
    http::{
        acp::{error_wire, message_wire::MessageWire},
        kinds::Kind,
        notices,
        problem::{Dialect, Problem},
        ucp01::error_wire::MessageWire as MessageWire202601,
    },
};

/// A protocol: a column of the table.
struct Column {
    /// Its name for people.
    name: &'static str,
    /// Its name in the page.
    word: &'static str,
    /// Where its routes are.
    below: &'static str,
    /// Its words.
    dialect: Dialect,
    /// What it makes of a kind: the status, and its own words.
    told: fn(Kind) -> Vec<String>,
}

/// The protocols. One more is one more entry: what may happen in it, its operations say.
const COLUMNS: &[Column] = &[
    Column { name: "/v1", word: "v1", below: "/v1/", dialect: Dialect::Plain, told: of_v1 },
    Column {
        name: "UCP 2026-04-08",
        word: "ucp",
        below: "/ucp/",
        dialect: Dialect::Ucp,
        told: of_ucp,
    },
    Column {
        name: "UCP 2026-01-11",
        word: "ucp01",
        below: "/ucp/2026-01-11/",
        dialect: Dialect::Ucp202601,
        told: of_ucp01,
    },
    Column {
        name: "ACP 2026-04-17",
        word: "acp",
        below: "/acp/",
        dialect: Dialect::Acp,
        told: of_acp,
    },
];

fn of_v1(kind: Kind) -> Vec<String> {
    vec![kind.row().status.to_string(), kind.row().code.to_owned()]
}

fn of_ucp(kind: Kind) -> Vec<String> {
    let row = kind.row();
    let words = [row.code, row.ucp_code, row.ucp_severity].map(str::to_owned);
    [row.status.to_string()].into_iter().chain(words).collect()
}

fn of_ucp01(kind: Kind) -> Vec<String> {
    let problem = Problem::new(kind, "");
    let told = serde_json::to_value(MessageWire202601::of(&problem)).unwrap_or_default();
    let words = ["code", "severity"].map(|name| told[name].as_str().unwrap_or_default());
    let status = problem.status(Dialect::Ucp202601).to_string();
    let words = [kind.row().code].into_iter().chain(words).map(str::to_owned);
    [status].into_iter().chain(words).collect()
}

fn of_acp(kind: Kind) -> Vec<String> {
    let words = [error_wire::class(kind), error_wire::code(kind)].map(str::to_owned);
    [error_wire::status(kind).to_string()].into_iter().chain(words).collect()
}

/// What may happen at any address below a protocol's, whatever stands there.
const ANYWHERE: [Kind; 2] = [Kind::NotFound, Kind::MethodNotAllowed];

impl Column {
    /// What may happen in it.
    fn kinds(&self) -> HashSet<Kind> {
        let areas = areas();
        let operations = areas.iter().flat_map(|area| &area.operations);
        let those = operations.filter(|operation| {
            operation.dialect() == self.dialect && operation.path.starts_with(self.below)
        });
        those.flat_map(refusals::of).chain(ANYWHERE).collect()
    }
}

/// The table of errors, as it stands in the guide.
pub(super) fn table() -> String {
    let mut out = String::from("<thead><tr><th>Problem</th>");
    for column in COLUMNS {
        let _infallible = write!(out, "<th>{}</th>", column.name);
    }
    out.push_str("<th>What it is</th></tr></thead><tbody>");
    let known: Vec<_> = COLUMNS.iter().map(|column| (column, column.kinds())).collect();
    for kind in Kind::ALL {
        let row = kind.row();
        let _infallible = write!(
            out,
            "<tr data-code=\"{code}\"><th scope=\"row\"><a href=\"/problems/{code}\">\
             <code>{code}</code></a></th>",
            code = row.code
        );
        for (column, kinds) in &known {
            if kinds.contains(kind) {
                let _infallible = write!(
                    out,
                    "<td data-in=\"{}\">{}</td>",
                    column.word,
                    (column.told)(*kind).join("<br>")
                );
            } else {
                out.push_str("<td class=\"soft\">–</td>");
            }
        }
        let again =
            if row.retry_after.is_some() { ". <code>Retry-After</code> says when" } else { "" };
        let _infallible = writeln!(out, "<td>{}{again}</td></tr>", plain(row.title));
    }
    out.push_str("</tbody>");
    out
}

/// What a session tells instead of an error, and what becomes of it in the express lane.
pub(super) fn messages() -> String {
    let mut out = String::from(
        "<thead><tr><th>What happened</th><th>UCP: message</th><th>ACP: message</th>\
         <th>Express lane: problem</th></tr></thead><tbody>",
    );
    for code in NoticeCode::ALL {
        let row = notices::row(code);
        let told = serde_json::to_value(MessageWire::of(&Notice::of(code, String::new())));
        let told = told.unwrap_or_default();
        let of_acp: Vec<_> =
            ["type", "code", "resolution"].iter().filter_map(|name| told[name].as_str()).collect();
        let of_ucp: Vec<_> =
            [Some(row.kind), Some(row.code), row.severity].into_iter().flatten().collect();
        let problem = row.problem.row();
        let _infallible = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}<br>{}</td></tr>",
            words(code),
            of_ucp.join("<br>"),
            of_acp.join("<br>"),
            problem.status,
            problem.code,
        );
    }
    out.push_str("</tbody>");
    out
}

/// `OutOfStock` as words: `out of stock`.
fn words(code: NoticeCode) -> String {
    let mut out = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// Whose words these are, for those who look at a row without the wire.
pub fn told(protocol: &str, kind: Kind) -> Option<(Dialect, Vec<String>)> {
    let column = COLUMNS.iter().find(|column| column.word == protocol)?;
    Some((column.dialect, (column.told)(kind)))
}
