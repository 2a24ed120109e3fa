//! Links in SQLite: the statements of PostgreSQL in its words.

use super::Question;
use crate::ledger::{LedgerFault, sqlite::Sqlite};

const KEYS: &str = "select json_object('checkout', c.value, 'kind', l.value->>'$[0]',
        'key', l.value->>'$[1]')
    from json_each($1, '$.checkouts') c, json_each((
        select json_group_array(json_array(kind, key)) from (
            select distinct k.key + 1 as kind, k.value as key
            from assessments a, json_each(a.body, '$.links') k
            where a.checkout_id = c.value and a.attempt_id is not null and k.value <> 0
            order by 1, 2 limit $1->>'$.limit'))) l";
const SHARING: &str = "select json_object('kind', k.value->>'$.kind', 'key', k.value->>'$.key',
        'checkouts', json((
            select json_group_array(checkout_id) from (
                select checkout_id from checkout_links
                where kind = k.value->>'$.kind' and key = k.value->>'$.key'
                order by checkout_id desc limit $1->>'$.most'))))
    from json_each($1, '$.keys') k";
const ORDERS: &str = "select json_object('order', o.id, 'placed_at', o.placed_at,
        'total_minor', o.total_minor, 'currency', o.currency,
        'case', (select c.state from review_cases c where c.order_id = o.id),
        'label', json((
            select json_object('fraud', json(iif(l.fraud, 'true', 'false')), 'source', l.source,
                'at', l.at)
            from labels l where l.order_id = o.id order by l.seq desc limit 1)))
    from orders o where o.checkout_id in (select value from json_each($1, '$.checkouts'))";

const NOTE: &str = "insert into checkout_links (kind, key, checkout_id)
    select k.key + 1, k.value, p.checkout_id from (
        select checkout_id, attempt_id, body from assessments
        where id > (select upto from link_places where name = $1->>'$.place')
          and id < $1->>'$.until'
        order by id limit $1->>'$.limit') p, json_each(p.body, '$.links') k
    where p.attempt_id is not null and k.value <> 0
    on conflict do nothing";
const WAITS: &str = "select id from assessments
    where id > (select upto from link_places where name = $1->>'$.place')
      and id < $1->>'$.until' limit 1";
const PAGE: &str = "select count(*), max(id) from (
        select id from assessments
        where id > (select upto from link_places where name = $1->>'$.place')
          and id < $1->>'$.until'
        order by id limit $1->>'$.limit')";
const MOVE: &str = "update link_places set upto = $2 where name = $1->>'$.place'";

pub(super) async fn ask(
    database: &Sqlite,
    question: Question,
    about: &str,
) -> Result<Vec<String>, LedgerFault> {
    let sql = match question {
        Question::Keys => KEYS,
        Question::Sharing => SHARING,
        Question::Orders => ORDERS,
    };
    database.ask(sql, about).await
}

/// Without anything to note nothing is written: the one writer is not taken for it.
pub(super) async fn note(database: &Sqlite, to: String) -> Result<u64, LedgerFault> {
    let waiting = database.ask(WAITS, &to).await?;
    if waiting.is_empty() {
        return Ok(0);
    }
    let read: (i64, Option<String>) = database
        .write(move |conn| {
            Box::pin(async move {
                let page: (i64, Option<String>) =
                    sqlx::query_as(PAGE).bind(&to).fetch_one(&mut *conn).await?;
                if let Some(last) = &page.1 {
                    sqlx::query(NOTE).bind(&to).execute(&mut *conn).await?;
                    sqlx::query(MOVE).bind(&to).bind(last).execute(&mut *conn).await?;
                }
                Ok(page)
            })
        })
        .await?;
    Ok(u64::try_from(read.0).unwrap_or(0))
}
