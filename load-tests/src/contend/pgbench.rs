//! P: N2's three statements, told by `pgbench`. No HTTP, no JSON to parse or to write, no gateway:
//! PostgreSQL's own client at its fastest.

use anyhow::Context;
use std::{path::Path, process::Command, time::Duration};
use uuid::Uuid;

use super::{
    http::PRICE,
    n2::{BEGIN, CREATE, CREATE_MANY, PLACE},
    wire::{Blocks, BuyerWire, InstrumentIn, Session, SoldLine, document, in_seconds},
};
use crate::{
    drive::{cart::Pick, request::sku},
    servers::process::run,
};

/// `pgbench` numbers the checkouts of each client; the second run of a turn starts here.
const SECOND_RUN: u64 = 1 << 40;

/// What `pgbench` is to do.
pub struct Bench<'a> {
    /// The program.
    pub program: &'a Path,
    /// The database's address.
    pub url: &'a str,
    /// Options for its connections.
    pub options: &'a str,
    /// Where its script goes.
    pub folder: &'a Path,
    /// SKUs, and lines of a cart.
    pub goods: (u32, u32),
    /// How they are chosen.
    pub pick: Pick,
    /// Its connections.
    pub clients: usize,
}

/// Runs it twice, first to warm up. Gives the orders per second of the second run, and the orders
/// of both.
///
/// # Errors
/// When it fails.
pub fn bench(
    bench: &Bench<'_>,
    warm_up: Duration,
    measure: Duration,
) -> anyhow::Result<(f64, u64)> {
    let file = bench.folder.join("n2.sql");
    std::fs::write(&file, script(bench.goods, bench.pick)).context("the script")?;
    let turn = |first: u64, time: Duration| {
        let mut command = Command::new(bench.program);
        // A shell's spelling; the URL's would be percent-encoded.
        command.env("PGOPTIONS", bench.options);
        command.args(["--no-vacuum", "--protocol=prepared", "--file"]).arg(&file);
        command.arg(format!("--client={}", bench.clients));
        command.arg(format!("--jobs={}", bench.clients.min(2)));
        command.arg(format!("--define=n={first}"));
        command.arg(format!("--time={}", time.as_secs().max(1))).arg(bench.url);
        let said = run(&mut command)?;
        parse(&said).with_context(|| format!("pgbench says no figures:\n{said}"))
    };
    let (_, before) = turn(0, warm_up)?;
    let (rate, orders) = turn(SECOND_RUN, measure)?;
    Ok((rate, before + orders))
}

/// Transactions per second, connecting apart, and how many there were.
fn parse(said: &str) -> Option<(f64, u64)> {
    let after = |beginning: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(beginning))?;
        Some(line.trim().split([' ', '/']).next().unwrap_or_default().to_owned())
    };
    let rate = after("tps = ")?.parse().ok()?;
    Some((rate, after("number of transactions actually processed: ")?.parse().ok()?))
}

/// One order. Ids grow as version 7 UUIDs do, so that rows written together stand together.
fn script((skus, lines): (u32, u32), pick: Pick) -> String {
    let id =
        "(lpad(to_hex(:n::bigint), 16, '0') || lpad(to_hex(:client_id::bigint), 16, '0'))::uuid";
    let key = |step: char| format!("('{step}' || :client_id::text || '-' || :n::text)");
    let mut script = "\\set n :n + 1\n".to_owned();
    let part = skus / lines.max(1);
    for line in 0..lines {
        let (from, to) = (line * part, (line + 1) * part - 1);
        let chosen = match pick {
            Pick::Uniform => format!("random({from}, {to})"),
            // pgbench's exponent is above 1.
            Pick::Zipf(exponent) => {
                format!("random_zipfian({}, {}, {})", from + 1, to + 1, exponent.max(1.001))
                    + " - 1"
            }
        };
        script.push_str(&format!("\\set s{line} {chosen}\n"));
    }
    let name = |line: u32| format!("('SKU-' || lpad((:s{line})::text, 8, '0'))");
    let names: Vec<String> = (0..lines).map(name).collect();
    let names = format!("array[{}]::text[]", names.join(", "));
    let ones = format!("array[{}]", vec!["1"; lines as usize].join(", "));
    let prices = format!("array[{}]::bigint[]", vec!["1990"; lines as usize].join(", "));
    let (body, opened, completed) = documents(lines);
    let fingerprint = format!("'{}'", "0123456789abcdef".repeat(4));
    let (one, many) = (name(0), ones.clone());
    let create = if lines == 1 {
        fill(CREATE, &[id, &one, "1", &body, &key('c'), &fingerprint, &opened])
    } else {
        fill(CREATE_MANY, &[id, &names, &many, &body, &key('c'), &fingerprint, &opened])
    };
    let begin = fill(BEGIN, &[id, id, &key('p'), &fingerprint]);
    let authorization = format!("'auth_{}'", "0123456789abcdef".repeat(2));
    let place = fill(
        PLACE,
        &[id, &authorization, &body, &names, &ones, &prices, id, "200", &completed, &key('p')],
    );
    for statement in [create, begin, place] {
        script.push_str(statement.trim());
        script.push_str(";\n");
    }
    script
}

/// A statement with its parameters replaced, the last first: `$10` begins like `$1`.
fn fill(statement: &str, parameters: &[&str]) -> String {
    let mut text = statement.to_owned();
    for (at, parameter) in parameters.iter().enumerate().rev() {
        text = text.replace(&format!("${}", at + 1), parameter);
    }
    text
}

/// A session and its two answers, as SQL texts.
fn documents(lines: u32) -> (String, String, String) {
    let line = |number| SoldLine {
        sku: sku(number).into(),
        title: format!("The {}", sku(number)).into(),
        quantity: 1,
        unit_price: PRICE,
    };
    let session = Session {
        lines: (0..lines).map(line).collect(),
        buyer: Some(BuyerWire { email: "ada@example.com".into() }),
        total: PRICE * i64::from(lines),
        expires_at: in_seconds(0).into(),
    };
    let instrument: InstrumentIn<'_> = serde_json::from_str(
        r#"{"id":"pi_1","handler_id":"sandbox","type":"card","credential":{"token":"t"}}"#,
    )
    .expect("it is an instrument");
    let blocks = Blocks::of("http://127.0.0.1/");
    let opened = blocks.checkout(Uuid::nil(), &session, None);
    let completed = blocks.checkout(Uuid::nil(), &session, Some(&instrument));
    (literal(&document(&session)), literal(&opened), literal(&completed))
}

/// A text for SQL in a `pgbench` script, where a colon before a letter or digit is a variable.
fn literal(text: &str) -> String {
    let mut out = String::from("'");
    let mut after_colon = false;
    for c in text.chars() {
        if after_colon && (c.is_alphanumeric() || c == '_') {
            out.push(' ');
        }
        after_colon = c == ':';
        out.push(c);
        if c == '\'' {
            out.push(c);
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read() {
        let said = "number of transactions actually processed: 1234\n\
                    latency average = 1.6 ms\ntps = 617.25 (without initial connection time)\n";
        assert_eq!(parse(said), Some((617.25, 1234)));
        let limited = "number of transactions actually processed: 12/12\ntps = 6.0 (x)\n";
        assert_eq!(parse(limited), Some((6.0, 12)));
        assert_eq!(parse("pgbench: error"), None);
    }

    #[test]
    fn a_script_has_three_statements_and_no_stray_variables() {
        for (lines, pick) in [(1, Pick::Zipf(1.0)), (3, Pick::Uniform)] {
            let script = script((1000, lines), pick);
            let statements: Vec<&str> = script.lines().filter(|l| l.ends_with(';')).collect();
            assert_eq!(statements.len(), 3, "{script}");
            assert!(!script.contains('$'), "{script}");
            for (at, _) in script.match_indices(':') {
                let rest = &script[at + 1..];
                let known = ["n", "client_id", "s0", "s1", "s2", ":", "/", "\"", "[", "{", " "];
                let before = script[..at].ends_with(':');
                assert!(before || known.iter().any(|word| rest.starts_with(word)), "{rest}");
            }
        }
        assert_eq!(literal("{\"a\":1,'"), "'{\"a\": 1,'''");
    }
}
