//! The search in PostgreSQL. What is asked comes as one JSON text, so that both dialects take the
//! same; an id's prefix is cut off.

use super::FoundBy;
use crate::ledger::{LedgerFault, postgres::Postgres};

/// Judgements that an index finds, the newest first, and those of them that are as asked.
macro_rules! search {
    ($walked:literal) => {
        concat!(
            "with walked as (",
            $walked,
            " order by f.id desc limit ($1::json->>'walk')::int),
            passed as (
                select w.* from walked w
                where ($1::json->>'checkout' is null
                       or w.checkout_id = substr($1::json->>'checkout', 5)::uuid)
                  and ($1::json->>'request' is null or w.request = $1::json->>'request')
                  and ($1::json->>'storefront' is null or w.storefront = $1::json->>'storefront')
                  and ($1::json->>'outcome' is null or w.outcome = $1::json->>'outcome')
                  and ($1::json->>'rule' is null or (select h.rule from rule_hits h
                        where h.rule = $1::json->>'rule' and h.assessment_id = w.id limit 1)
                        is not null)
                  and ($1::json->>'score_from' is null
                       or w.score >= ($1::json->>'score_from')::int)
                  and ($1::json->>'score_to' is null or w.score <= ($1::json->>'score_to')::int)
                  and ($1::json->>'currency' is null or w.currency = $1::json->>'currency')
                  and ($1::json->>'min_minor' is null
                       or w.amount_minor >= ($1::json->>'min_minor')::bigint)
                  and ($1::json->>'max_minor' is null
                       or w.amount_minor <= ($1::json->>'max_minor')::bigint)
                  and ($1::json->>'label' is null or $1::json->>'label' = coalesce((
                        select case when l.fraud then 'fraud' else 'good' end from labels l
                        where l.order_id = w.checkout_id order by l.seq desc limit 1), 'none'))
                  and (json_array_length($1::json->'keys') = 0 or exists (
                        select from assessments a where a.id = w.id and not exists (
                            select from json_to_recordset($1::json->'keys') k (kind int, key text)
                            where split_part(split_part(split_part(a.body, '\"links\":[', 2),
                                ']', 1), ',', k.kind) <> k.key))))
            select json_build_object('walked', (select count(*) from walked),
                'last', (select w.id from walked w order by w.id limit 1),
                'counts', case when ($1::json->>'counts')::boolean then coalesce((
                    select json_object_agg(c.outcome, c.found) from (
                        select p.outcome, count(*) as found from passed p group by p.outcome) c),
                    '{}') end,
                'items', coalesce((select json_agg(i.item order by i.id desc) from (
                    select p.id, json_build_object(
                        'row', (select r.record from assessment_rows r where r.id = p.id),
                        'storefront', p.storefront, 'amount_minor', p.amount_minor,
                        'currency', p.currency,
                        'placed', exists (select from orders o where o.id = p.checkout_id),
                        'case', (select c.state from review_cases c
                                 where c.order_id = p.checkout_id),
                        'label', (select json_build_object('fraud', l.fraud, 'source', l.source,
                                    'at', l.at) from labels l where l.order_id = p.checkout_id
                                  order by l.seq desc limit 1)) as item
                    from passed p order by p.id desc limit ($1::json->>'limit')::int) i),
                    '[]'))::text"
        )
    };
}

/// Between these ids. The comparison stands in each statement, so that each index begins there.
const BY_TIME: &str = search!(
    "select f.* from assessment_facts f
    where f.id >= substr($1::json->>'first', 5)::uuid and f.id < substr($1::json->>'end', 5)::uuid"
);
const BY_STOREFRONT: &str = search!(
    "select f.* from assessment_facts f where f.storefront = $1::json->>'storefront'
    and f.id >= substr($1::json->>'first', 5)::uuid and f.id < substr($1::json->>'end', 5)::uuid"
);
/// That it is not to approve tells the planner that the index, which has only those, has it.
const BY_OUTCOME: &str = search!(
    "select f.* from assessment_facts f
    where f.outcome = $1::json->>'outcome' and f.outcome <> 'approve'
    and f.id >= substr($1::json->>'first', 5)::uuid and f.id < substr($1::json->>'end', 5)::uuid"
);
const BY_RULE: &str = search!(
    "select f.* from (
        select h.assessment_id as id from rule_hits h where h.rule = $1::json->>'rule'
          and h.assessment_id >= substr($1::json->>'first', 5)::uuid
          and h.assessment_id < substr($1::json->>'end', 5)::uuid
        order by h.assessment_id desc limit ($1::json->>'walk')::int) h
    cross join lateral (select * from assessment_facts f where f.id = h.id limit 1) f"
);
/// Those of checkouts that began a payment with it, and those that were declined before.
const BY_KEY: &str = search!(
    "select f.* from (
        select a.id from (
            select distinct l.checkout_id from checkout_links l
            where l.kind = ($1::json#>>'{keys,0,kind}')::smallint
              and l.key = ($1::json#>>'{keys,0,key}')::bigint
              and l.checkout_id < substr($1::json->>'end', 5)::uuid
            order by l.checkout_id desc limit ($1::json->>'walk')::int) l
        cross join lateral (
            select a.id from assessments a where a.checkout_id = l.checkout_id
            order by a.id limit 1000) a
        union
        (select d.assessment_id from declined_links d
        where d.kind = ($1::json#>>'{keys,0,kind}')::smallint
          and d.key = ($1::json#>>'{keys,0,key}')::bigint
          and d.assessment_id < substr($1::json->>'end', 5)::uuid
        order by d.assessment_id desc limit ($1::json->>'walk')::int)) u
    cross join lateral (select * from assessment_facts f where f.id = u.id limit 1) f
    where f.id >= substr($1::json->>'first', 5)::uuid and f.id < substr($1::json->>'end', 5)::uuid"
);
const BY_CHECKOUT: &str = search!(
    "select f.* from (
        select a.id from assessments a
        where a.checkout_id = substr($1::json->>'checkout', 5)::uuid) a
    cross join lateral (select * from assessment_facts f where f.id = a.id limit 1) f
    where f.id >= substr($1::json->>'first', 5)::uuid and f.id < substr($1::json->>'end', 5)::uuid"
);
const BY_REQUEST: &str = search!(
    "select f.* from assessment_facts f where f.request = $1::json->>'request'
    and f.id >= substr($1::json->>'first', 5)::uuid and f.id < substr($1::json->>'end', 5)::uuid"
);

/// What stands behind the name of a plain text in the document of a judgement. No text within it
/// reads like a name with its quotation marks: there they are escaped. Reading the document as JSON
/// costs four times as much.
macro_rules! text_of {
    ($name:literal) => {
        concat!("nullif(split_part(split_part(m.body, '\"", $name, "\":\"', 2), '\"', 1), '')")
    };
}

/// One page of judgements. Those that an older binary wrote say neither their storefront nor what
/// was to be paid: their checkouts and payments do.
const NOTE: &str = concat!(
    "with place as (
        select upto from link_places where name = $1::json->>'place' for update skip locked),
    page as (
        select a.id from assessments a
        where a.id > (select upto from place) and a.id < substr($1::json->>'until', 5)::uuid
        order by a.id limit ($1::json->>'limit')::int),
    missing as (
        select a.id, a.checkout_id, a.attempt_id, a.outcome, a.score, a.body,
            t.amount_minor, t.currency
        from page p
        cross join lateral (select * from assessments a where a.id = p.id limit 1) a
        left join lateral (
            select t.amount_minor, t.currency from payment_attempts t
            where t.id = a.attempt_id limit 1) t on true
        where (select f.id from assessment_facts f where f.id = p.id limit 1) is null),
    facts as (
        insert into assessment_facts (id, checkout_id, storefront, outcome, decided_by, score,
            currency, amount_minor, model, request)
        select m.id, m.checkout_id, coalesce(",
    text_of!("storefront"),
    ", (select s.body->>'caller' from session_rows s where s.id = m.checkout_id), ''),
            m.outcome, coalesce(substring(m.body from '\"decided_by\":[{]?\"([a-z_]+)\"'), ''),
            m.score,
            case when m.amount_minor is null then ",
    text_of!("currency"),
    " else m.currency end,
            case when m.amount_minor is not null then m.amount_minor
                when ",
    text_of!("currency"),
    " is not null
                then split_part(split_part(m.body, '\"amount_minor\":', 2), ',', 1)::bigint end,
            nullif(split_part(split_part(split_part(m.body, '\"challenger\":', 1),
                '\"model\":\"', 2), '\"', 1), ''),
            case when m.outcome <> 'approve' then ",
    text_of!("request_id"),
    " end
        from missing m on conflict do nothing),
    hits as (
        insert into rule_hits (rule, assessment_id, version, shadow)
        select r->>'rule', m.id, (r->>'version')::int, (r->>'shadow')::boolean
        from missing m cross join lateral json_array_elements(
            case when position('\"rules\":[{' in m.body) > 0
                then m.body::json#>'{assessment,rules}' else '[]' end) r
        on conflict do nothing),
    declined as (
        insert into declined_links (kind, key, assessment_id)
        select k.kind, k.key::bigint, m.id from missing m
            cross join lateral unnest(string_to_array(split_part(
                split_part(m.body, '\"links\":[', 2), ']', 1), ','))
                with ordinality k (key, kind)
        where m.attempt_id is null and k.key <> '0' and k.key <> ''
        on conflict do nothing),
    moved as (
        update link_places l set upto = (select id from page order by id desc limit 1)
        from place where l.name = $1::json->>'place' and exists (select 1 from page))
    select count(*)::text from page"
);

pub(super) async fn ask(
    database: &Postgres,
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

pub(super) async fn note(database: &Postgres, to: String) -> Result<u64, LedgerFault> {
    let kept = database.prepares();
    let read: String = database
        .run(move |conn| {
            Box::pin(sqlx::query_scalar(NOTE).bind(to).persistent(kept).fetch_one(conn))
        })
        .await?;
    Ok(read.parse().unwrap_or(0))
}
