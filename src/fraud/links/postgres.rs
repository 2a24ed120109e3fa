//! Links in PostgreSQL. What is asked comes as one JSON text, so that both dialects take the same;
//! an id's prefix is cut off.

use super::{Question, Reader};
use crate::ledger::{LedgerFault, postgres::Postgres};

/// The keys in the document of a judgement. They are its last member, and no text within it reads
/// like the name of one: there the quotation marks are escaped. Reading the document as JSON costs
/// four times as much.
macro_rules! keys_of {
    ($body:literal) => {
        concat!(
            "unnest(string_to_array(split_part(split_part(",
            $body,
            ", '\"links\":[', 2), ']', 1), ',')) with ordinality k (key, kind)"
        )
    };
}

const KEYS: &str = concat!(
    "select json_build_object('checkout', c.id, 'kind', l.kind, 'key', l.key)::text
    from (select substr(x, 5)::uuid as id
          from json_array_elements_text($1::json->'checkouts') x) c
    cross join lateral (
        select distinct k.kind, k.key::bigint as key
        from assessments a cross join lateral ",
    keys_of!("a.body"),
    "
        where a.checkout_id = c.id and a.attempt_id is not null and k.key <> '0'
        order by kind, key limit ($1::json->>'limit')::int) l"
);
const SHARING: &str = "select json_build_object('kind', k.kind, 'key', k.key, 'checkouts',
        coalesce((select json_agg(l.checkout_id order by l.checkout_id desc) from (
            select distinct checkout_id from checkout_links c
            where c.kind = k.kind and c.key = k.key
            order by checkout_id desc limit ($1::json->>'most')::int) l), '[]'))::text
    from json_to_recordset($1::json->'keys') k (kind smallint, key bigint)";
const ORDERS: &str = "select json_build_object('order', o.id, 'placed_at', o.placed_at,
        'total_minor', o.total_minor, 'currency', o.currency,
        'case', (select c.state from review_cases c where c.order_id = o.id),
        'label', (select json_build_object('fraud', l.fraud, 'source', l.source, 'at', l.at)
                  from labels l where l.order_id = o.id order by l.seq desc limit 1))::text
    from orders o where o.id = any(array(
        select substr(x, 5)::uuid from json_array_elements_text($1::json->'checkouts') x))";

/// One page of judgements that began a payment, and which of its keys are noted. A replica that
/// finds another at it does nothing.
macro_rules! note {
    ($which:literal) => {
        concat!(
            "with place as (
                select upto from link_places where name = $1::json->>'place'
                for update skip locked),
            page as (
                select id, checkout_id, attempt_id, body from assessments
                where id > (select upto from place) and id < substr($1::json->>'until', 5)::uuid
                order by id limit ($1::json->>'limit')::int),
            noted as (
                insert into checkout_links (kind, key, checkout_id)
                select k.kind, k.key::bigint, p.checkout_id from page p
                    cross join lateral ",
            keys_of!("p.body"),
            "
                where p.attempt_id is not null and k.key <> '0'",
            $which,
            "),
            moved as (
                update link_places l set upto = (select id from page order by id desc limit 1)
                from place where l.name = $1::json->>'place' and exists (select 1 from page))
            select count(*)::text from page"
        )
    };
}

/// The first reader notes all that it sees: nobody has seen it before.
const NOTE: &str = note!("");
/// The second one finds nearly all of them noted. Each is looked up in the index, however few there
/// were when this was planned.
const NOTE_MISSING: &str = note!(
    " and (select l.kind from checkout_links l where l.kind = k.kind and l.key = k.key::bigint
           and l.checkout_id = p.checkout_id limit 1) is null"
);

pub(super) async fn ask(
    database: &Postgres,
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

pub(super) async fn note(
    database: &Postgres,
    reader: Reader,
    to: String,
) -> Result<u64, LedgerFault> {
    let sql = match reader {
        Reader::First => NOTE,
        Reader::Again => NOTE_MISSING,
    };
    let kept = database.prepares();
    let read: String = database
        .run(move |conn| {
            Box::pin(sqlx::query_scalar(sql).bind(to).persistent(kept).fetch_one(conn))
        })
        .await?;
    Ok(read.parse().unwrap_or(0))
}
