//! The comparison's table and its JSON.

use anyhow::Context;
use serde_json::{Map, Value, json};
use std::{fmt::Write as _, path::Path};

use super::{
    options::{Contender, Race},
    race::Turns,
    spread::{Spread, rounded},
    turn::Turned,
};

/// Figures by key, as they go into the JSON.
pub type Findings = Map<String, Value>;

fn spread(turns: &Turns, contender: Contender, of: impl Fn(&Turned) -> f64) -> Option<Spread> {
    Spread::of(turns.get(&contender)?.iter().map(of))
}

/// Completed durable orders per second of somebody.
pub fn rate(turns: &Turns, contender: Contender) -> Option<Spread> {
    spread(turns, contender, |turned| turned.figures.orders_per_second())
}

/// What a race for throughput came to, for people.
pub fn table(race: Race, turns: &Turns) -> String {
    let mut out = format!(
        "{}\n  {:<6} {:>9} {:>19} {:>10} {:>10} {:>9} {:>8} {:>8}\n",
        race.key(),
        "",
        "orders/s",
        "min – max",
        "ours ÷",
        "cpu-µs",
        "commits",
        "p50 ms",
        "p99 ms"
    );
    let ours = rate(turns, Contender::Ours);
    for (contender, all) in turns {
        let Some(own) = rate(turns, *contender) else { continue };
        let ratio = ours.map_or(String::new(), |ours| format!("{:.2}", ours.median / own.median));
        let middle = |of: fn(&Turned) -> f64| {
            Spread::of(all.iter().map(of)).map_or(0.0, |spread| spread.median)
        };
        let row = writeln!(
            out,
            "  {contender:<6} {:>9.0} {:>19} {ratio:>10} {:>10.0} {:>9.3} {:>8.1} {:>8.1}",
            own.median,
            format!("{:.0} – {:.0}", own.min, own.max),
            middle(Turned::cpu_micros_per_order),
            middle(Turned::commits_per_order),
            middle(|turned| turned.figures.good().millis(0.5)),
            middle(|turned| turned.figures.good().millis(0.99)),
        );
        row.expect("a string takes what is written to it");
    }
    out
}

/// The JSON of a race for throughput.
pub fn findings(race: Race, turns: &Turns) -> Findings {
    let (mut figures, mut ranges) = (Map::new(), Map::new());
    let ours = rate(turns, Contender::Ours);
    for contender in turns.keys() {
        let Some(own) = rate(turns, *contender) else { continue };
        figures.insert(contender.name().to_owned(), json!(rounded(own.median)));
        ranges.insert(contender.name().to_owned(), own.range());
        if let Some(ours) = ours.filter(|_| *contender != Contender::Ours) {
            let ratio = rounded(ours.median / own.median);
            figures.insert(format!("ratio_to_{contender}"), json!(ratio));
        }
    }
    figures.insert("spread".to_owned(), Value::Object(ranges));
    let mut found = Findings::from_iter([(race.key().to_owned(), Value::Object(figures))]);
    if race == Race::HotSku {
        found.extend(cost(turns));
    }
    found
}

/// What an order costs, from the race over one SKU.
fn cost(turns: &Turns) -> Findings {
    let mut found = Findings::new();
    let (mut cpu, mut ranges) = (Map::new(), Map::new());
    for contender in [Contender::Ours, Contender::N1, Contender::N2, Contender::N3] {
        if let Some(used) = spread(turns, contender, Turned::cpu_micros_per_order) {
            cpu.insert(contender.name().to_owned(), json!(rounded(used.median)));
            ranges.insert(contender.name().to_owned(), used.range());
        }
    }
    cpu.insert("spread".to_owned(), Value::Object(ranges));
    found.insert("cpu_us_per_order".to_owned(), Value::Object(cpu));
    type Figure = fn(&Turned) -> f64;
    let ours: [(&str, Figure); 6] = [
        ("commits_per_order", Turned::commits_per_order),
        ("stock_updates_per_1000_orders", Turned::stock_updates_per_thousand),
        ("rows_written_per_order", Turned::rows_written_per_order),
        ("tuples_fetched_per_order", Turned::tuples_fetched_per_order),
        ("wal_bytes_per_order", Turned::wal_bytes_per_order),
        ("wal_records_per_order", Turned::wal_records_per_order),
    ];
    for (key, of) in ours {
        if let Some(figure) = spread(turns, Contender::Ours, of) {
            found.insert(key.to_owned(), json!(rounded(figure.median)));
            found.insert(format!("{key}_spread"), figure.range());
        }
    }
    found
}

/// Writes findings to a file. What it holds of races that were not run stays, with the setup it was
/// measured in.
///
/// # Errors
/// When the file cannot be read or written.
pub fn save(file: &Path, found: &Findings, setup: &Value) -> anyhow::Result<()> {
    let mut whole: Map<String, Value> = match std::fs::read(file) {
        Ok(text) => serde_json::from_slice(&text)
            .with_context(|| format!("{} is no JSON object; move it away", file.display()))?,
        Err(_) => Map::new(),
    };
    let setups = whole.entry("setup").or_insert_with(|| json!({}));
    if let Some(setups) = setups.as_object_mut() {
        setups.extend(found.keys().map(|key| (key.clone(), setup.clone())));
    }
    whole.extend(found.clone());
    let text = serde_json::to_string_pretty(&whole)?;
    std::fs::write(file, text + "\n").with_context(|| format!("cannot write {}", file.display()))
}
