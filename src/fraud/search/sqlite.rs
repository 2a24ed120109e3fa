//! The search in SQLite: the statements of PostgreSQL in its words.

use super::FoundBy;
use crate::ledger::{LedgerFault, sqlite::Sqlite};

macro_rules! search {
    ($walked:literal) => {
        concat!(
            "with walked as materialized (",
            $walked,
            " order by f.id desc limit $1->>'$.walk'),
            passed as (
                select w.* from walked w
                where ($1->>'$.checkout' is null or w.checkout_id = $1->>'$.checkout')
                  and ($1->>'$.request' is null or w.request = $1->>'$.request')
                  and ($1->>'$.storefront' is null or w.storefront = $1->>'$.storefront')
                  and ($1->>'$.outcome' is null or w.outcome = $1->>'$.outcome')
                  and ($1->>'$.rule' is null or exists (select 1 from rule_hits h
                        where h.rule = $1->>'$.rule' and h.assessment_id = w.id))
                  and ($1->>'$.score_from' is null or w.score >= $1->>'$.score_from')
                  and ($1->>'$.score_to' is null or w.score <= $1->>'$.score_to')
                  and ($1->>'$.currency' is null or w.currency = $1->>'$.currency')
                  and ($1->>'$.min_minor' is null or w.amount_minor >= $1->>'$.min_minor')
                  and ($1->>'$.max_minor' is null or w.amount_minor <= $1->>'$.max_minor')
                  and ($1->>'$.label' is null or $1->>'$.label' = coalesce((
                        select iif(l.fraud, 'fraud', 'good') from labels l
                        where l.order_id = 'ord' || substr(w.checkout_id, 4)
                        order by l.seq desc limit 1), 'none'))
                  and not exists (select 1 from json_each($1, '$.keys') k
                        where (select json_extract(a.body,
                                '$.links[' || ((k.value->>'$.kind') - 1) || ']')
                               from assessments a where a.id = w.id)
                            is not k.value->>'$.key'))
            select json_object('walked', (select count(*) from walked),
                'last', (select min(w.id) from walked w),
                'counts', json(iif($1->>'$.counts', (
                    select json_group_object(outcome, found) from (
                        select p.outcome, count(*) as found from passed p group by p.outcome)),
                    'null')),
                'items', json((select json_group_array(json(item)) from (
                    select json_object(
                        'row', json((select r.record from assessment_rows r where r.id = p.id)),
                        'storefront', p.storefront, 'amount_minor', p.amount_minor,
                        'currency', p.currency,
                        'placed', json(iif(exists (select 1 from orders o
                            where o.id = 'ord' || substr(p.checkout_id, 4)), 'true', 'false')),
                        'case', (select c.state from review_cases c
                                 where c.order_id = 'ord' || substr(p.checkout_id, 4)),
                        'label', json((
                            select json_object('fraud', json(iif(l.fraud, 'true', 'false')),
                                'source', l.source, 'at', l.at)
                            from labels l where l.order_id = 'ord' || substr(p.checkout_id, 4)
                            order by l.seq desc limit 1))) as item
                    from passed p order by p.id desc limit $1->>'$.limit'))))"
        )
    };
}

const BY_TIME: &str = search!(
    "select f.* from assessment_facts f where f.id >= $1->>'$.first' and f.id < $1->>'$.end'"
);
const BY_STOREFRONT: &str = search!(
    "select f.* from assessment_facts f where f.storefront = $1->>'$.storefront'
      and f.id >= $1->>'$.first' and f.id < $1->>'$.end'"
);
const BY_OUTCOME: &str = search!(
    "select f.* from assessment_facts f
    where f.outcome = $1->>'$.outcome' and f.outcome <> 'approve'
      and f.id >= $1->>'$.first' and f.id < $1->>'$.end'"
);
const BY_RULE: &str = search!(
    "select f.* from rule_hits h cross join assessment_facts f on f.id = h.assessment_id
    where h.rule = $1->>'$.rule'
      and h.assessment_id >= $1->>'$.first' and h.assessment_id < $1->>'$.end'"
);
const BY_KEY: &str = search!(
    "select f.* from (
        select a.id from (
            select l.checkout_id from checkout_links l
            where l.kind = $1->>'$.keys[0].kind' and l.key = $1->>'$.keys[0].key'
              and substr(l.checkout_id, 5) < substr($1->>'$.end', 5)
            order by l.checkout_id desc limit $1->>'$.walk') recent
        cross join assessments a on a.checkout_id = recent.checkout_id
        union
        select * from (
            select d.assessment_id from declined_links d
            where d.kind = $1->>'$.keys[0].kind' and d.key = $1->>'$.keys[0].key'
              and d.assessment_id < $1->>'$.end'
            order by d.assessment_id desc limit $1->>'$.walk')) u
    cross join assessment_facts f on f.id = u.id
    where f.id >= $1->>'$.first' and f.id < $1->>'$.end'"
);
const BY_CHECKOUT: &str = search!(
    "select f.* from assessments a cross join assessment_facts f on f.id = a.id
    where a.checkout_id = $1->>'$.checkout'
      and f.id >= $1->>'$.first' and f.id < $1->>'$.end'"
);
const BY_REQUEST: &str = search!(
    "select f.* from assessment_facts f where f.request = $1->>'$.request'
      and f.id >= $1->>'$.first' and f.id < $1->>'$.end'"
);

const WAITS: &str = "select id from assessments
    where id > (select upto from link_places where name = $1->>'$.place')
      and id < $1->>'$.until' limit 1";

/// The judgements of one page that are not noted yet.
macro_rules! of_missing {
    ($insert:literal, $select:literal) => {
        concat!(
            $insert,
            " with missing as (
                select a.id, a.checkout_id, a.attempt_id, a.outcome, a.score, a.body from (
                    select id from assessments
                    where id > (select upto from link_places where name = $1->>'$.place')
                      and id < $1->>'$.until'
                    order by id limit $1->>'$.limit') p
                cross join assessments a on a.id = p.id
                where not exists (select 1 from assessment_facts f where f.id = p.id)) ",
            $select,
            " on conflict do nothing"
        )
    };
}

const HITS: &str = of_missing!(
    "insert into rule_hits (rule, assessment_id, version, shadow)",
    "select r.value->>'$.rule', m.id, r.value->>'$.version', r.value->>'$.shadow'
    from missing m, json_each(m.body, '$.assessment.rules') r where true"
);
const DECLINED: &str = of_missing!(
    "insert into declined_links (kind, key, assessment_id)",
    "select k.key + 1, k.value, m.id from missing m, json_each(m.body, '$.links') k
    where m.attempt_id is null and k.value <> 0"
);
/// Last of the three: what has its facts is not missing any more.
const FACTS: &str = of_missing!(
    "insert into assessment_facts (id, checkout_id, storefront, outcome, decided_by, score,
        currency, amount_minor, model, request)",
    "select m.id, m.checkout_id,
        coalesce(m.body->>'$.assessment.storefront', (
            select s.body->>'$.caller' from session_rows s where s.id = m.checkout_id), ''),
        m.outcome,
        iif(json_type(m.body, '$.assessment.decided_by') = 'object',
            (select d.key from json_each(m.body, '$.assessment.decided_by') d limit 1),
            coalesce(m.body->>'$.assessment.decided_by', '')),
        m.score,
        coalesce(t.currency, m.body->>'$.assessment.currency'),
        iif(t.id is null, m.body->>'$.assessment.amount_minor', t.amount_minor),
        m.body->>'$.assessment.model',
        iif(m.outcome <> 'approve', m.body->>'$.assessment.request_id', null)
    from missing m left join payment_attempts t on t.id = m.attempt_id where true"
);
const PAGE: &str = "select count(*), max(id) from (
        select id from assessments
        where id > (select upto from link_places where name = $1->>'$.place')
          and id < $1->>'$.until'
        order by id limit $1->>'$.limit')";
const MOVE: &str = "update link_places set upto = $2 where name = $1->>'$.place'";

pub(super) async fn ask(
    database: &Sqlite,
    found_by: FoundBy,
    about: &str,
) -> Result<Vec<String>, LedgerFault> {
    let sql = match found_by {
        FoundBy::Checkout => BY_CHECKOUT,
        FoundBy::Request => BY_REQUEST,
        FoundBy::Key => BY_KEY,
        FoundBy::Rule => BY_RULE,
        FoundBy::Outcome => BY_OUTCOME,
        FoundBy::Storefront => BY_STOREFRONT,
        FoundBy::Time => BY_TIME,
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
                    for sql in [HITS, DECLINED, FACTS] {
                        sqlx::query(sql).bind(&to).execute(&mut *conn).await?;
                    }
                    sqlx::query(MOVE).bind(&to).bind(last).execute(&mut *conn).await?;
                }
                Ok(page)
            })
        })
        .await?;
    Ok(u64::try_from(read.0).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{Database, DatabaseOptions};
    use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

    // breaks: drop an index of migration 0024, or `join` where `cross join` keeps the order
    #[tokio::test]
    async fn judgements_are_found_by_an_index() {
        let folder = tempfile::tempdir().expect("a folder");
        let location = folder.path().display().to_string();
        let database = Database::open(&DatabaseOptions::new(&location)).await.expect("it opens");
        database.migrate().await.expect("it migrates");
        let file = format!("sqlite://{location}/doorbuster.db");
        let mut conn = SqliteConnection::connect(&file).await.expect("it is there");
        for (sql, index) in [
            (BY_TIME, "SEARCH f USING PRIMARY KEY (id>? AND id<?)"),
            (BY_STOREFRONT, "SEARCH f USING INDEX assessment_facts_by_storefront (storefront=?"),
            (BY_OUTCOME, "SEARCH f USING INDEX assessment_facts_by_outcome (outcome=? AND id>?"),
            (BY_RULE, "SEARCH h USING PRIMARY KEY (rule=? AND assessment_id>?"),
            (BY_KEY, "SEARCH d USING PRIMARY KEY (kind=? AND key=? AND assessment_id<?)"),
            (BY_CHECKOUT, "SEARCH a USING INDEX assessments_by_checkout (checkout_id=?)"),
            (BY_REQUEST, "SEARCH f USING INDEX assessment_facts_by_request (request=?"),
        ] {
            let told: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(AssertSqlSafe(format!("explain query plan {sql}")))
                    .bind("{}")
                    .fetch_all(&mut conn)
                    .await
                    .expect("it is explained");
            let steps: Vec<String> = told.into_iter().map(|step| step.3).collect();
            assert!(steps.iter().any(|step| step.starts_with(index)), "{index}: {steps:#?}");
            let growing = ["f", "h", "a", "d", "l", "o", "c"];
            let all =
                |step: &&String| growing.iter().any(|table| **step == format!("SCAN {table}"));
            let whole: Vec<_> = steps.iter().filter(all).collect();
            assert!(whole.is_empty(), "read as a whole: {whole:?} in {steps:#?}");
        }
    }
}
