//! What both ledgers promise: every case runs on PostgreSQL, alone and behind a pooler in
//! transaction mode, and on SQLite.

/// Runs each case on both databases.
macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod postgres {
            $(#[tokio::test]
            async fn $case() {
                let (bench, plans) = crate::ledger_contract::plans::watched().await;
                super::$case(bench).await;
                plans.find_rows_by_key();
            })+
        }
        mod pooled {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::support::bench::Bench::pooled().await).await;
            })+
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                super::$case(crate::support::bench::Bench::sqlite().await).await;
            })+
        }
    };
}

mod after_sale;
mod constraints;
mod faults;
mod grants;
mod holds;
mod known;
mod money;
mod not_now;
mod payment;
mod plans;
mod property;
mod races;
mod records;
mod review;
mod schema;
mod search;
mod stored;
