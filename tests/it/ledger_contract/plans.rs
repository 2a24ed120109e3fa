//! PostgreSQL alone: a commit finds its rows by their keys, whatever the statistics say.
//!
//! The cases of the other files run here on tables that were vacuumed while they were empty, as
//! those of a shop are each night, and each plan of a statement inside the commit's functions is
//! looked at. A plan is made once and kept: one that reads a table from end to end costs little on
//! the day it is made, and takes the shop down when the table has grown.

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{
    fmt::Write as _,
    sync::{Arc, Mutex},
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    Registry,
    layer::{Context, Layer, SubscriberExt},
};

use crate::support::{bench::Bench, servers};

/// A few rows in all, read as a whole on purpose: the replicas that run.
const FEW_ROWS: &[&str] = &["replicas"];

/// Columns of keys of two columns. Where one of them is compared only after a row was read, another
/// index than the key's was used.
const PARTS_OF_KEYS: &[&str] = &["checkout_id", "sku", "order_id", "line", "caller", "key"];

/// What a table holds when its plans are made.
const FULL: &str = "
    insert into holds select gen_random_uuid(), 'OTHER-' || n % 50, 1, now(), null
        from generate_series(1, 20000) n;
    insert into sessions (id, version, state, expires_at, body, created_at, updated_at)
        select gen_random_uuid(), 1, 'open', now() + interval '1 day', '{}', now(), now()
        from generate_series(1, 20000);
    insert into order_lines (order_id, line, sku, quantity, unit_price_minor, tracked)
        select gen_random_uuid(), n % 3 + 1, 'OTHER-' || n % 50, 1, 100, true
        from generate_series(1, 20000) n;
    insert into stock select 'OTHER-' || n, 5, 5 from generate_series(1, 20000) n;
    insert into idempotency_keys (caller, key, fingerprint, dialect, created_at)
        select 'shop', 'other-' || n, 'f', 'v1', now() from generate_series(1, 20000) n;
    insert into entries (id, outcome, at) select 'other-' || n, '{}', now()
        from generate_series(1, 20000) n;
    analyze";

/// The plans that were made, of the statements that are looked at.
pub(super) struct Plans {
    /// The sources of the commit's functions.
    functions: Vec<String>,
    told: Arc<Mutex<Vec<String>>>,
    _listening: DefaultGuard,
}

/// Hears what the server says of its plans.
struct Ear(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != "sqlx::postgres::notice" {
            return;
        }
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, _: &Field, value: &dyn std::fmt::Debug) {
                write!(self.0, "{value:?}").expect("a text grows");
            }
            fn record_str(&mut self, _: &Field, value: &str) {
                self.0.push_str(value);
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().expect("nobody panics with it").push(text.0);
    }
}

/// A ledger whose tables were vacuumed while they were empty, and all plans from here on.
pub(super) async fn watched() -> (Bench, Plans) {
    watched_after("vacuum analyze").await
}

pub(super) async fn watched_after(prepare: &'static str) -> (Bench, Plans) {
    let address = servers::postgres().await;
    let (_, name) = address.rsplit_once('/').expect("an address ends in a database's name");
    let mut hand = PgConnection::connect(&address).await.expect("the test server answers");
    sqlx::raw_sql(prepare).execute(&mut hand).await.expect("the statements run");
    for (setting, value) in [
        ("session_preload_libraries", "auto_explain"),
        ("auto_explain.log_min_duration", "0"),
        ("auto_explain.log_nested_statements", "on"),
        ("auto_explain.log_format", "json"),
        ("auto_explain.log_level", "notice"),
    ] {
        let set = format!("alter database {name} set {setting} = '{value}'");
        sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut hand).await.expect("it may be set");
    }
    let functions = "select prosrc from pg_proc where proname like 'ledger\\_%'";
    let functions = sqlx::query_scalar(functions).fetch_all(&mut hand).await.expect("they read");
    hand.close().await.expect("the connection closes");
    let told = Arc::<Mutex<Vec<String>>>::default();
    let listening = Registry::default().with(Ear(told.clone()));
    let _listening = tracing::subscriber::set_default(listening);
    (Bench::at(address).await, Plans { functions, told, _listening })
}

impl Plans {
    /// The plans of statements with this in their text.
    pub(super) fn of(&self, part: &str) -> Vec<Value> {
        let told = self.told.lock().expect("nobody panics with it");
        let plans = told.iter().filter_map(|told| told.split_once("plan:\n"));
        let plans = plans.map(|(_, plan)| serde_json::from_str::<Value>(plan).expect("JSON"));
        plans
            .filter(|plan| plan["Query Text"].as_str().is_some_and(|text| text.contains(part)))
            .collect()
    }

    /// Panics where a statement of a commit does not find its rows by their key. How many were
    /// looked at.
    pub(super) fn find_rows_by_key(self) -> usize {
        let (mut seen, mut faults) = (0, Vec::new());
        for told in self.told.lock().expect("nobody panics with it").iter() {
            let Some((_, plan)) = told.split_once("plan:\n") else { continue };
            let plan: Value = serde_json::from_str(plan).expect("a plan in JSON");
            let text = plan["Query Text"].as_str().expect("its statement").trim();
            if self.functions.iter().any(|source| source.contains(text)) {
                seen += 1;
                faults_of(&plan["Plan"], text, &mut faults);
            }
        }
        assert!(faults.is_empty(), "{} of {seen} plans:\n{}", faults.len(), faults.join("\n"));
        seen
    }
}

fn faults_of(node: &Value, text: &str, faults: &mut Vec<String>) {
    let said = |name: &str| node[name].as_str().unwrap_or_default();
    let kind = said("Node Type");
    let (of, by) = (said("Relation Name"), said("Index Name"));
    let few = FEW_ROWS.contains(&of) || FEW_ROWS.iter().any(|few| by.starts_with(few));
    let by_index = matches!(kind, "Index Scan" | "Index Only Scan" | "Bitmap Index Scan");
    let late = |part: &&&str| said("Filter").contains(&format!("({part} = "));
    if kind == "Seq Scan" && !few {
        faults.push(format!("all of {of} is read by:\n{text}"));
    } else if by_index && !few && said("Index Cond").is_empty() {
        faults.push(format!("all of {by} is read by:\n{text}"));
    } else if let Some(part) = PARTS_OF_KEYS.iter().find(late).filter(|_| by_index) {
        faults.push(format!("{part} is compared after {by} was read by:\n{text}"));
    }
    for part in node["Plans"].as_array().into_iter().flatten() {
        faults_of(part, text, faults);
    }
}

// breaks: join `holds` in `ledger_commit` or `order_lines` in `ledger_lock` by its columns again
#[tokio::test]
async fn full_tables_are_read_by_key_as_well() {
    for case in 0..3 {
        let (bench, plans) = watched_after(FULL).await;
        match case {
            0 => super::holds::a_session_holds_changes_renews_and_releases(bench).await,
            1 => super::payment::t2_before_settle_wins_and_settle_learns_of_the_order(bench).await,
            _ => super::after_sale::units_of_a_line_move_once(bench).await,
        }
        let seen = plans.find_rows_by_key();
        assert!(seen > 10, "{seen} plans were seen");
    }
}
