//! Taking migrations back: who works on the database meanwhile, and what would be lost.

use std::path::Path;

use super::{
    database::{Database, SCHEMA_VERSION},
    postgres, sqlite,
    store::LedgerFault,
};

/// Whoever beat in this time works on the database still: a beat is due every second.
const BEATING: &str = "select coalesce(nullif(label, ''), id::text) from replicas
    where state = 'live' and heartbeat_at > clock_timestamp() - interval '10 seconds'
    order by 1";

/// What a migration that is taken back removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// A table, or a column as `table.column`.
    pub what: String,
    /// Its rows; of a column those that say something.
    pub rows: u64,
}

impl Database {
    /// The version of the schema; 0 without one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn schema(&self) -> Result<i64, LedgerFault> {
        let found = match self {
            Self::Sqlite(sqlite) => sqlite.schema().await?,
            Self::Postgres(postgres) => postgres.schema().await?,
        };
        Ok(found.unwrap_or(0))
    }

    /// What people call it: the database's name, or that of its folder.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn name(&self) -> Result<String, LedgerFault> {
        if let Self::Sqlite(sqlite) = self {
            let folder: &Path = &sqlite.folder;
            let name = folder.file_name().unwrap_or(folder.as_os_str());
            return Ok(name.to_string_lossy().into_owned());
        }
        Ok(self.texts("select current_database()::text".to_owned()).await?.concat())
    }

    /// The replicas that work on it now, by their names. An embedded database is this process's
    /// alone.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_beating(&self) -> Result<Vec<String>, LedgerFault> {
        match self {
            Self::Sqlite(_) => Ok(Vec::new()),
            Self::Postgres(_) => self.texts(BEATING.to_owned()).await,
        }
    }

    /// What is lost when the schema goes from its version back to an older one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_losses(&self, found: i64, target: i64) -> Result<Vec<Loss>, LedgerFault> {
        let steps = match self {
            Self::Sqlite(_) => sqlite::STEPS,
            Self::Postgres(_) => postgres::STEPS,
        };
        let mut losses = Vec::new();
        for dropped in dropped(&steps, found, target) {
            let sql = match &dropped {
                Dropped::Table(table) => format!("select cast(count(*) as text) from {table}"),
                Dropped::Column(table, column) => {
                    format!("select cast(count({column}) as text) from {table}")
                }
            };
            let rows = self.texts(sql).await?.concat().parse();
            let rows = rows.map_err(|_| LedgerFault::Broken("a count does not read".to_owned()))?;
            losses.push(Loss { what: dropped.name(), rows });
        }
        Ok(losses)
    }

    /// One column of text. The statement is made of our own words alone.
    async fn texts(&self, sql: String) -> Result<Vec<String>, LedgerFault> {
        match self {
            Self::Sqlite(sqlite) => sqlite.texts(sql).await,
            Self::Postgres(postgres) => postgres.texts(sql).await,
        }
    }
}

/// The migrations of a database, oldest first: name, what each does, what takes it back.
pub(super) type Steps = [(&'static str, &'static str, &'static str); SCHEMA_VERSION as usize];

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Dropped {
    Table(String),
    Column(String, String),
}

impl Dropped {
    fn name(&self) -> String {
        match self {
            Self::Table(table) => table.clone(),
            Self::Column(table, column) => format!("{table}.{column}"),
        }
    }
}

/// The tables and columns that the steps after `target` up to `found` drop when taken back.
fn dropped(steps: &Steps, found: i64, target: i64) -> Vec<Dropped> {
    let taken_back =
        (1_i64..).zip(steps).filter(|(version, _)| (target + 1..=found).contains(version));
    let mut all: Vec<Dropped> = taken_back.flat_map(|(_, (.., down))| read(down)).collect();
    let tables: Vec<Dropped> =
        all.iter().filter(|one| matches!(one, Dropped::Table(_))).cloned().collect();
    // A column goes with its table.
    all.retain(|one| match one {
        Dropped::Column(table, _) => !tables.contains(&Dropped::Table(table.clone())),
        Dropped::Table(_) => true,
    });
    all.sort();
    all
}

/// What a script drops. Bodies of functions never drop anything. A table that the script itself
/// makes is dropped to be made anew, which SQLite needs where a constraint changes; which of its
/// columns are lost then, a line says: `-- loses table.column, …`.
fn read(script: &str) -> Vec<Dropped> {
    let mut found: Vec<Dropped> = script
        .lines()
        .filter_map(|line| line.strip_prefix("-- loses "))
        .flat_map(|columns| columns.split(", "))
        .filter_map(|column| column.trim_end_matches(',').split_once('.'))
        .map(|(table, column)| Dropped::Column(table.to_owned(), column.to_owned()))
        .collect();
    let lines = script.lines().filter(|line| !line.trim_start().starts_with("--"));
    let script = lines.collect::<Vec<_>>().join(" ");
    let mut made = Vec::new();
    for statement in script.split(';') {
        let words: Vec<&str> =
            statement.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            ["create", "table", table, ..] | ["create", "temp", "table", table, ..] => {
                made.push(Dropped::Table((*table).to_owned()));
            }
            ["drop", "table", tables @ ..] => {
                found.extend(tables.iter().map(|table| Dropped::Table((*table).to_owned())));
            }
            ["alter", "table", table, rest @ ..] => {
                let columns = rest.windows(3).filter(|words| words[..2] == ["drop", "column"]);
                let column =
                    |words: &[&str]| Dropped::Column((*table).to_owned(), words[2].to_owned());
                found.extend(columns.map(column));
            }
            _ => {}
        }
    }
    found.retain(|one| !made.contains(one));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    // breaks: read only the first table of a statement
    #[test]
    fn every_table_and_column_a_script_drops_is_found() {
        let script = "-- drop table never;\ndrop view a, b;\ndrop table one,\n    two;\n\
                      alter table three\n    drop column x,\n    drop column y;\n\
                      alter table four add constraint z unique (a); drop index i;";
        let table = |name: &str| Dropped::Table(name.to_owned());
        let column = |name: &str| Dropped::Column("three".to_owned(), name.to_owned());
        assert_eq!(read(script), [table("one"), table("two"), column("x"), column("y")]);
    }

    // breaks: leave `made` out of `read`, or the lines that say what is lost
    #[test]
    fn a_table_that_is_made_anew_loses_the_columns_it_says() {
        let script = "-- loses five.x, five.y\ncreate temp table before as select * from five;\n\
                      drop table five;\ncreate table five (z);\ndrop table before;\n";
        let names: Vec<String> = read(script).iter().map(Dropped::name).collect();
        assert_eq!(names, ["five.x", "five.y"]);
    }

    // breaks: leave `retain` out of `dropped`
    #[test]
    fn both_databases_lose_the_tables_they_made() {
        for steps in [&postgres::STEPS, &sqlite::STEPS] {
            let names: Vec<String> =
                dropped(steps, SCHEMA_VERSION, 0).iter().map(Dropped::name).collect();
            for table in ["orders", "api_keys", "signing_keys", "deliveries", "products"] {
                assert!(names.iter().any(|name| name == table), "{table} in {names:?}");
            }
            assert!(!names.iter().any(|name| name.starts_with("products.")), "{names:?}");
            let names: Vec<String> = dropped(steps, 15, 14).iter().map(Dropped::name).collect();
            assert_eq!(names, ["customer_addresses.used_at"]);
        }
    }
}
