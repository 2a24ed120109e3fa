//! What a run came to: for people, and as JSON.

use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fmt::Write as _, sync::atomic::Ordering, time::Duration};

use super::{
    last_units::SoldOut,
    options::Options,
    plan::Action,
    sale::{Broken, Sale},
    stranded::Stranded,
};

/// How soon the units of a dead replica must be back on sale.
pub const BACK_ON_SALE: Duration = Duration::from_secs(10);

/// Everything about a run that is told.
#[derive(Debug)]
pub struct Outcome<'a> {
    /// What was asked for.
    pub options: &'a Options,
    /// The machine, the commit, the day.
    pub machine: Value,
    /// How long each action took to be got over, in the order they were taken.
    pub resumed: BTreeMap<Action, Vec<Duration>>,
    /// Actions that were planned and not taken.
    pub left_out: usize,
    /// Units of the dead.
    pub stranded: Vec<Stranded>,
    /// The last units.
    pub last: SoldOut,
    /// Holds that were acknowledged.
    pub holds: u64,
    /// Holds that were left until the end, and paid for then.
    pub left: u64,
    /// The sale itself: its counts and what was broken.
    pub sale: &'a Sale,
    /// How long the chaos took.
    pub took: Duration,
}

impl Outcome<'_> {
    /// How many promises of a kind were broken.
    pub fn count(&self, broken: Broken) -> u64 {
        self.sale.broken().get(&broken).map_or(0, |(count, _)| *count)
    }

    /// Whether none was.
    pub fn is_clean(&self) -> bool {
        Broken::ALL.iter().all(|broken| self.count(*broken) == 0)
    }

    /// How long units were out of reach: the median and the most while PostgreSQL was there, and the
    /// most of all.
    fn out_of_reach(&self) -> [Duration; 3] {
        let quiet = self.stranded.iter().filter(|one| !one.disturbed);
        let mut took: Vec<Duration> = quiet.map(|one| one.took).collect();
        took.sort_unstable();
        let middle = took.get(took.len() / 2).copied().unwrap_or_default();
        let most = self.stranded.iter().map(|one| one.took).max().unwrap_or_default();
        [middle, took.last().copied().unwrap_or_default(), most]
    }

    fn counts(&self) -> [(&'static str, u64); 10] {
        let tally = &self.sale.tally;
        let read = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
        [
            ("orders", read(&tally.orders)),
            ("holds", self.holds),
            ("holds_left_and_paid_at_the_end", self.left),
            ("sold_out_answers", read(&tally.sold_out)),
            ("declined_payments", read(&tally.declined)),
            ("payments_unknown_at_first", read(&tally.unknown)),
            ("requests_without_answer", read(&tally.unanswered)),
            ("requests_refused", read(&tally.refused)),
            ("requests_still_worked_on", read(&tally.in_flight)),
            ("requests_answered_with_a_fault", read(&tally.faults)),
        ]
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        let mut out = Map::new();
        out.insert("setup".into(), self.machine.clone());
        out.insert("replicas".into(), self.options.replicas.into());
        out.insert("redis_cluster".into(), self.options.redis_cluster.into());
        out.insert("seed".into(), self.options.seed.into());
        out.insert("buyers".into(), self.options.buyers.into());
        out.insert("seconds".into(), round(self.took).into());
        let actions = self.resumed.iter().map(|(action, took)| {
            let longest = took.iter().max().copied().unwrap_or_default();
            let value =
                json!({"taken": took.len(), "longest_until_sale_goes_on_s": round(longest)});
            (action.name().to_owned(), value)
        });
        out.insert("actions".into(), Value::Object(actions.collect()));
        out.insert("actions_left_out".into(), self.left_out.into());
        for broken in Broken::ALL {
            out.insert(broken.key().into(), self.count(broken).into());
        }
        let [middle, longest, most] = self.out_of_reach();
        let stranded = json!({
            "kills_with_units": self.stranded.len(),
            "units": self.stranded.iter().map(|one| one.units).sum::<i64>(),
            "median_s": round(middle),
            "longest_s": round(longest),
            "longest_with_postgres_away_meanwhile_s": round(most),
        });
        out.insert("stranded".into(), stranded);
        let last = json!({
            "units": self.last.units, "sold": self.last.sold, "sold_out_answers": self.last.refused,
        });
        out.insert("last_units".into(), last);
        for (name, count) in self.counts() {
            out.insert(name.into(), count.into());
        }
        let gap = Duration::from_micros(self.sale.tally.longest_gap.load(Ordering::Relaxed));
        out.insert("longest_time_without_an_order_s".into(), round(gap).into());
        let findings: Vec<String> = self
            .sale
            .broken()
            .into_iter()
            .flat_map(|(broken, (_, what))| what.into_iter().map(move |w| format!("{broken}: {w}")))
            .collect();
        out.insert("findings".into(), findings.into());
        Value::Object(out)
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut out = String::new();
        let mut line = |text: String| {
            writeln!(out, "{text}").expect("a string takes what is written to it");
        };
        let taken: usize = self.resumed.values().map(Vec::len).sum();
        line(format!(
            "\n{taken} actions in {:.0} s, {} left out; longest until the sale went on:",
            self.took.as_secs_f64(),
            self.left_out
        ));
        for (action, took) in &self.resumed {
            let longest = took.iter().max().copied().unwrap_or_default();
            line(format!("  {action:<28} {:>4} ×  {:>6.2} s", took.len(), longest.as_secs_f64()));
        }
        for (name, count) in self.counts() {
            line(format!("{:<40} {count:>9}", name.replace('_', " ")));
        }
        let [middle, longest, most] = self.out_of_reach().map(|time| time.as_secs_f64());
        line(format!(
            "{} kills left units behind; back on sale after {middle:.1} s (median), {longest:.1} s \
             at most; {most:.1} s where PostgreSQL was away meanwhile",
            self.stranded.len()
        ));
        let SoldOut { units, sold, refused, .. } = self.last;
        line(format!("last units: {units} there, {sold} sold, {refused} times \"sold out\""));
        for broken in Broken::ALL {
            line(format!("{:<40} {:>9}", broken.key().replace('_', " "), self.count(broken)));
        }
        out
    }
}

fn round(time: Duration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}
