//! Figures in PostgreSQL.

use super::Question;
use crate::ledger::{LedgerFault, postgres::Postgres};

/// Each day is a range of the index.
const CAME: &str = "select json_build_object('day', d.day, 'outcome', f.outcome, 'model', f.model,
        'currency', f.currency, 'judgements', f.judgements, 'amount_minor', f.amount_minor)::text
    from json_to_recordset($1::json->'days') d (day text, first text, \"end\" text)
    cross join lateral (
        select f.outcome, f.model, f.currency, count(*) as judgements,
            coalesce(sum(f.amount_minor), 0)::bigint as amount_minor
        from assessment_facts f
        where f.id >= substr(d.first, 5)::uuid and f.id < substr(d.\"end\", 5)::uuid
        group by f.outcome, f.model, f.currency) f
    order by d.day, f.outcome, f.model, f.currency";

/// The latest matches of each rule, each with its order and what was found out about it.
const RULES: &str = "select json_build_object('rule', r.rule, 'hits', s.hits,
        'in_shadow', s.in_shadow, 'ripe', s.ripe, 'frauds', s.frauds)::text
    from json_array_elements_text($1::json->'rules') r (rule)
    cross join lateral (
        select count(*) as hits, count(*) filter (where h.shadow) as in_shadow,
            count(*) filter (where h.placed and (h.fraud is not null
                or h.assessment_id < substr($1::json->>'ripe', 5)::uuid)) as ripe,
            count(*) filter (where h.placed and h.fraud) as frauds
        from (
            select h.assessment_id, h.shadow,
                (select o.id from orders o where o.id = f.checkout_id limit 1)
                    is not null as placed,
                (select l.fraud from labels l where l.order_id = f.checkout_id
                 order by l.seq desc limit 1) as fraud
            from (
                select h.assessment_id, h.shadow from rule_hits h where h.rule = r.rule
                  and h.assessment_id >= substr($1::json->>'first', 5)::uuid
                  and h.assessment_id < substr($1::json->>'end', 5)::uuid
                order by h.assessment_id desc limit ($1::json->>'most')::int) h
            cross join lateral (
                select f.checkout_id from assessment_facts f
                where f.id = h.assessment_id limit 1) f) h) s
    order by r.rule";

const REVIEWS: &str = "select json_build_object('state', c.state, 'opened_at', c.opened_at,
        'closed_at', c.closed_at)::text
    from review_cases c where c.order_id >= substr($1::json->>'first', 5)::uuid
      and c.order_id < substr($1::json->>'end', 5)::uuid
    order by c.order_id desc limit ($1::json->>'most')::int";

pub(super) async fn ask(
    database: &Postgres,
    question: Question,
    about: &str,
) -> Result<Vec<String>, LedgerFault> {
    let sql = match question {
        Question::Came => CAME,
        Question::Rules => RULES,
        Question::Reviews => REVIEWS,
    };
    database.ask(sql, about).await
}
