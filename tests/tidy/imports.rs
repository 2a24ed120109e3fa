//! Who may name whom.

use crate::{
    code::Source,
    paths::{Named, named},
};

/// The slices, from the top down. Those on one line never import one another.
const ORDER: &[&[&str]] = &[
    &["main"],
    &["app"],
    &["commands"],
    &["replay"],
    &["audit"],
    // Settings are handed down as values: a slice that reads them itself hides what it depends on.
    &["config"],
    &["console"],
    &["http"],
    &["cart", "exchange", "reconcile"],
    &["checkout"],
    &["catalog", "stock", "pricing", "fraud", "payment", "fulfillment", "forecast"],
    &["outbox"],
    &["platforms"],
    &["access", "sessions", "customers", "signing"],
    &["ledger"],
    &["outbound"],
    &["telemetry"],
    &["files"],
    &["base"],
];

/// Those that start a service: they may name `app` for it, and the actix system it runs in.
const STARTERS: &[&str] = &[
    "src/commands/serve.rs",
    "src/commands/sandbox.rs",
    // It asks the gateways as a service does.
    "src/commands/reconcile.rs",
    "src/commands/listen.rs",
    "src/replay/embedded.rs",
];

/// Where a framework may be named.
struct Address {
    crate_name: &'static str,
    said: &'static str,
    allows: fn(&Source) -> bool,
}

const ADDRESSES: &[Address] = &[
    Address {
        crate_name: "sqlx",
        said: "files or folders named postgres or sqlite",
        allows: |source| {
            let named = |part: &str| matches!(part.trim_end_matches(".rs"), "postgres" | "sqlite");
            source.path.split('/').any(named)
        },
    },
    Address {
        crate_name: "redis",
        said: "files or folders named redis",
        allows: |source| source.path.split('/').any(|part| part.trim_end_matches(".rs") == "redis"),
    },
    Address {
        crate_name: "actix",
        said: "actor.rs, messages.rs, registry.rs, carts.rs, app.rs and what starts a service",
        allows: |source| {
            let names = ["actor.rs", "messages.rs", "registry.rs", "carts.rs"];
            names.contains(&source.name())
                || slice_of(&source.path) == "app"
                || STARTERS.contains(&source.path.as_str())
        },
    },
    Address {
        crate_name: "actix_web",
        said: "src/http, src/console and app.rs",
        allows: |source| ["http", "console", "app"].contains(&slice_of(&source.path)),
    },
    Address {
        crate_name: "smartcore",
        said: "src/fraud/train: it grows trees, and serves none",
        allows: |source| source.path.starts_with("src/fraud/train/"),
    },
    Address {
        crate_name: "cel",
        said: "src/fraud/rules: it reads them, and evaluates none",
        allows: |source| source.path.starts_with("src/fraud/rules/"),
    },
    Address {
        crate_name: "ring",
        said: "src/signing, and src/outbound for TLS",
        allows: |source| ["signing", "outbound"].contains(&slice_of(&source.path)),
    },
    Address {
        crate_name: "reqwest",
        said: "src/outbound",
        allows: |source| slice_of(&source.path) == "outbound",
    },
];

/// `src/stock/actor.rs` → `stock`.
fn slice_of(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

fn rank(slice: &str) -> Option<usize> {
    ORDER.iter().position(|level| level.contains(&slice))
}

/// How many modules stand above the ones that this file declares: `src/a/b.rs` is `crate::a::b`.
fn depth(path: &str) -> usize {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    inside.split('/').count()
}

/// The slice that a path leads to, when it leads to one of ours.
fn target<'a>(source: &Source, path: &'a Named) -> Option<&'a str> {
    let segments = &path.segments;
    let supers = segments.iter().take_while(|segment| *segment == "super").count();
    let first = match segments[0].as_str() {
        "crate" => segments.get(1),
        "doorbuster" if source.path == "src/main.rs" => segments.get(1),
        "super" if supers == depth(&source.path) => segments.get(supers),
        _ => None,
    };
    // A macro or an item at the root starts no slice; a slice is a lower-case module.
    first.map(String::as_str).filter(|name| rank(name).is_some() || is_module(name))
}

fn is_module(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name != "self"
}

/// Imports go down only.
pub(crate) fn order(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| source.path != "src/lib.rs") {
        let slice = slice_of(&source.path);
        let Some(own) = rank(slice) else {
            let what = format!("`{slice}` has no place in the order of slices; give it one");
            complaints.push(source.complain(1, &what));
            continue;
        };
        let mut said = Vec::new();
        for path in named(source).iter().filter(|path| !source.is_test(path.line)) {
            let Some(other) = target(source, path).filter(|other| *other != slice) else {
                continue;
            };
            let allowed = match rank(other) {
                _ if other == "app" && STARTERS.contains(&source.path.as_str()) => true,
                _ if other == "app" => slice == "main",
                Some(other) => other > own,
                None => false,
            };
            if !allowed && !said.contains(&(path.line, other)) {
                let what = format!("`{slice}` imports `{other}`; imports go down only");
                complaints.push(source.complain(path.line, &what));
                said.push((path.line, other));
            }
        }
    }
    complaints
}

/// What serves scores never leans on what trains or judges them, nor the trained on the made up.
const OFFLINE: &[&str] = &["train", "evaluate", "simulate"];

/// Within `fraud`, only the offline parts name offline parts, each its own.
pub(crate) fn offline(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let Some(inside) = source.path.strip_prefix("src/fraud/") else { continue };
        let part = inside.split('/').next().unwrap_or_default().trim_end_matches(".rs");
        let above = depth(&source.path) - 1;
        for path in named(source).iter().filter(|path| !source.is_test(path.line)) {
            let segments: Vec<&str> = path.segments.iter().map(String::as_str).collect();
            let supers = segments.iter().take_while(|segment| **segment == "super").count();
            let other = match segments[..] {
                ["crate", "fraud", other, ..] => other,
                _ if supers > 0 && supers == above => segments.get(supers).unwrap_or(&""),
                _ => "",
            };
            if OFFLINE.contains(&other) && other != part {
                let what = format!("`fraud/{part}` names `fraud/{other}`, which never serves");
                complaints.push(source.complain(path.line, &what));
            }
        }
    }
    complaints.dedup();
    complaints
}

/// Frameworks stay at their addresses.
pub(crate) fn frameworks(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let paths = named(source);
        let mut said = Vec::new();
        for path in paths.iter().filter(|path| !source.is_test(path.line)) {
            let what = match path.segments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["std", "env", ..] if slice_of(&source.path) != "config" => {
                    "the environment is read in config.rs only: settings have one source".to_owned()
                }
                // A module of ours may be called like the crate that it wraps.
                [first, ..] if source.masked.contains(&format!("mod {first};")) => continue,
                [first, ..] => match ADDRESSES.iter().find(|at| at.crate_name == first) {
                    Some(address) if !(address.allows)(source) => {
                        format!("`{first}` lives in {} only", address.said)
                    }
                    _ => continue,
                },
                [] => continue,
            };
            if !said.contains(&path.line) {
                complaints.push(source.complain(path.line, &what));
                said.push(path.line);
            }
        }
    }
    complaints
}

#[cfg(test)]
fn ordered(path: &str, text: &str) -> Vec<String> {
    order(&[Source::new(path, text)])
}

#[test]
fn an_import_that_goes_up_is_seen_however_it_is_written() {
    for text in [
        "use crate::http::X;",
        "use crate::{base::Sku, http};",
        "use crate::{base::{Sku}, checkout::{Draft, quote::{self, X}}};",
        "fn f() { crate::app::run() }",
        "use super::super::http::X;",
        "use crate::pricing::Totals;",
        "use crate::nowhere::X;",
    ] {
        let complaints = ordered("src/stock/actor.rs", text);
        assert_eq!(complaints.len(), 1, "{text}: {complaints:?}");
        assert!(complaints[0].starts_with("src/stock/actor.rs:1: `stock` imports `"));
    }
}

#[test]
fn an_import_that_goes_down_is_fine() {
    let text = "use super::grant::X; use crate::{base::{Sku, Money}, ledger::Entry, stock::Y};\n\
                #[cfg(test)]\nmod tests { use crate::checkout::Z; }";
    assert_eq!(ordered("src/stock/actor.rs", text), [""; 0]);
    let start = "use crate::app::start;";
    assert_eq!(ordered("src/replay/embedded.rs", start), [""; 0]);
    assert_eq!(ordered("src/main.rs", "use doorbuster::{app, commands};"), [""; 0]);
    assert_eq!(ordered("src/commands/import.rs", start).len(), 1);
    assert_eq!(ordered("src/weather/mod.rs", "").len(), 1);
    assert_eq!(ordered("src/commands/serve.rs", start), [""; 0]);
}

#[test]
fn serving_that_leans_on_training_is_seen() {
    for (path, text, seen) in [
        ("src/fraud/model/file.rs", "use crate::fraud::train::TrainOptions;", 1),
        ("src/fraud/model/file.rs", "use super::super::train::TrainOptions;", 1),
        ("src/fraud/rules.rs", "use super::evaluate::Figures;", 1),
        ("src/fraud/train/grow.rs", "use crate::fraud::simulate::SCHEMA;", 1),
        ("src/fraud/train/grow.rs", "use crate::fraud::{model::Forest, train::sample};", 0),
        ("src/fraud/train/mod.rs", "use super::features::Layout;", 0),
        ("src/fraud/model/mod.rs", "#[cfg(test)] mod tests { use crate::fraud::train::X; }", 0),
        ("src/commands/train.rs", "use crate::fraud::train::X;", 0),
    ] {
        assert_eq!(offline(&[Source::new(path, text)]).len(), seen, "{path}: {text}");
    }
}

#[test]
fn a_framework_away_from_home_is_seen() {
    for (path, text) in [
        ("src/stock/mod.rs", "use sqlx::query;"),
        ("src/ledger/writer.rs", "fn f() { sqlx::query(s) }"),
        ("src/sessions/hot.rs", "use redis::Client;"),
        ("src/stock/hold.rs", "use actix::Addr;"),
        ("src/cart/actor.rs", "use actix_web::web;"),
        ("src/http/problem.rs", "use {std::fmt, reqwest::Client};"),
        ("src/payment/gateway.rs", "use smartcore::x;"),
        ("src/fraud/model/forest.rs", "use smartcore::x;"),
        ("src/fraud/signals.rs", "use cel::Env;"),
        ("src/telemetry/logs.rs", "use std::{env, io};"),
        ("src/app.rs", "fn f() { std::env::var(n) }"),
    ] {
        assert_eq!(frameworks(&[Source::new(path, text)]).len(), 1, "{path}: {text}");
    }
    for (path, text) in [
        ("src/access/postgres.rs", "use sqlx::query;"),
        ("src/ledger/sqlite/pool.rs", "use sqlx::query;"),
        ("src/sessions/redis.rs", "use redis::Client;"),
        ("src/sessions/redis/node.rs", "use redis::Client;"),
        ("src/sessions/mod.rs", "mod redis; pub use self::redis::RedisSessions;"),
        ("src/sessions/mod.rs", "pub mod redis; pub use redis::RedisSessions;"),
        ("src/cart/carts.rs", "use actix::Addr;"),
        ("src/http/v1/orders.rs", "use actix_web::web;"),
        ("src/config.rs", "use std::env;"),
        ("src/fraud/train/grow.rs", "use smartcore::x;"),
        ("src/stock/hold.rs", "#[cfg(test)] mod tests { #[actix::test] async fn f() {} }"),
    ] {
        assert_eq!(frameworks(&[Source::new(path, text)]), [""; 0], "{path}: {text}");
    }
}
