//! What our store is measured against: the same facts, hand-written.

pub(crate) mod handler;
pub(crate) mod one_statement;
pub(crate) mod sale;
pub(crate) mod statements;

use doorbuster::{
    base::{AnchoredClock, Clock, MovementId, Sku, SystemChance},
    ledger::{
        Database, DatabaseOptions, Entry, EntryId, Fact, Store,
        entry::{MoveKind, StockMove},
    },
};
use sqlx::{
    Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{sync::Arc, time::Duration};

use crate::servers;
use sale::Sale;

/// How hand-written facts reach the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A transaction of one statement a row.
    Statements,
    /// One statement for everything.
    OneStatement,
}

impl Way {
    /// T1.
    pub(crate) async fn begin(
        self,
        conn: &mut PgConnection,
        sale: &Sale,
    ) -> Result<(), sqlx::Error> {
        match self {
            Self::Statements => statements::begin(conn, sale).await,
            Self::OneStatement => one_statement::begin(conn, sale).await,
        }
    }

    /// T2.
    pub(crate) async fn place(
        self,
        conn: &mut PgConnection,
        sale: &Sale,
        authorization: &str,
    ) -> Result<(), sqlx::Error> {
        match self {
            Self::Statements => statements::place(conn, sale, authorization).await,
            Self::OneStatement => one_statement::place(conn, sale, authorization).await,
        }
    }
}

/// A database of one contender's own, on the server all of them share.
pub(crate) struct Ground {
    pub(crate) address: String,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<AnchoredClock>,
}

/// More units than any run sells.
const PLENTY: u32 = 2_000_000_000;

impl Ground {
    /// An empty shop with plenty of one SKU.
    pub(crate) async fn with(sku: &Sku, writers: u32) -> anyhow::Result<Self> {
        let address = servers::postgres().await;
        let options = DatabaseOptions { writers, ..DatabaseOptions::new(address.clone()) };
        let database = Database::open(&options).await?;
        database.check().await?;
        let store = database.store();
        let clock = Arc::new(AnchoredClock::new(store.now().await?));
        let (now, kind, reason) = (clock.now(), MoveKind::Receive, "opening".to_owned());
        let id = MovementId::new(now, &SystemChance);
        let (sku, quantity) = (sku.clone(), PLENTY);
        let moved = StockMove { id, sku, kind, quantity, reason, key: None, now };
        let entry = Entry::new(EntryId::of(id), Fact::Move(moved));
        for outcome in store.commit(&[entry], now).await?.outcomes {
            outcome?;
        }
        Ok(Self { address, store, clock })
    }

    /// Connections that are open before they are needed and never pinged, with the settings under
    /// which our store's connections plan.
    pub(crate) async fn pool(&self, connections: u32) -> anyhow::Result<PgPool> {
        let connect: PgConnectOptions = self.address.parse()?;
        let off = ["enable_seqscan", "enable_hashjoin", "enable_mergejoin", "jit"];
        let connect = connect.options(off.map(|setting| (setting, "off")));
        let connect = connect.options([("plan_cache_mode", "force_generic_plan")]);
        let pool = PgPoolOptions::new()
            .min_connections(connections)
            .max_connections(connections)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(connect)
            .await?;
        while pool.size() < connections {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(pool)
    }

    /// Rows per order, table by table, and whether the stock adds up: contenders that write less
    /// than the others, or something else, are no contenders.
    pub(crate) async fn rows_per_order(&self, sku: &Sku) -> anyhow::Result<Vec<i64>> {
        let level = self.store.find_stock(std::slice::from_ref(sku)).await?.pop();
        let level = level.ok_or_else(|| anyhow::anyhow!("the stock is gone"))?;
        anyhow::ensure!(level.is_conserved(), "{level:?} does not add up");
        let pool = self.pool(1).await?;
        let counts: Vec<i64> = sqlx::query_scalar(COUNTS).fetch_one(&pool).await?;
        pool.close().await;
        let orders = counts[0];
        anyhow::ensure!(orders > 0, "nothing was sold");
        anyhow::ensure!(level.sold == orders && level.held == 0, "{level:?} after {orders} orders");
        Ok(counts.into_iter().map(|count| count / orders).collect())
    }
}

/// The server's name, version and what it does for durability.
pub(crate) async fn server() -> anyhow::Result<String> {
    let mut conn = PgConnection::connect(&servers::empty_postgres().await).await?;
    let sql = "select format('PostgreSQL %s, fsync %s, synchronous_commit %s',
        current_setting('server_version'), current_setting('fsync'),
        current_setting('synchronous_commit'))";
    let server = sqlx::query_scalar(sql).fetch_one(&mut conn).await?;
    conn.close().await?;
    Ok(server)
}

/// The tables of the checkout path, orders first. The stock's one entry is less than an order's.
const COUNTS: &str = "
    select array[(select count(*) from orders), (select count(*) from order_lines),
        (select count(*) from sessions where state = 'completed' and version = 2),
        (select count(*) from checkout_people),
        (select count(*) from payment_attempts where state = 'authorized'),
        (select count(*) from payment_operations), (select count(*) from events),
        (select count(*) from idempotency_keys where answered_at is not null),
        (select count(*) from entries)]";
