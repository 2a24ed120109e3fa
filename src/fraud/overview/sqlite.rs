//! Figures in SQLite: the statements of PostgreSQL in its words.

use super::Question;
use crate::ledger::{LedgerFault, sqlite::Sqlite};

const CAME: &str = "select json_object('day', d.value->>'$.day', 'outcome', f.outcome,
        'model', f.model, 'currency', f.currency, 'judgements', count(*),
        'amount_minor', coalesce(sum(f.amount_minor), 0))
    from json_each($1, '$.days') d cross join assessment_facts f
        on f.id >= d.value->>'$.first' and f.id < d.value->>'$.end'
    group by d.value->>'$.day', f.outcome, f.model, f.currency
    order by d.value->>'$.day', f.outcome, f.model, f.currency";

const RULES: &str = "select json_object('rule', r.value,
        'hits', (select count(*) from (
            select 1 from rule_hits h where h.rule = r.value
              and h.assessment_id >= $1->>'$.first' and h.assessment_id < $1->>'$.end'
            limit $1->>'$.most')),
        'in_shadow', coalesce(sum(h.shadow), 0),
        'ripe', coalesce(sum(o.id is not null and (h.fraud is not null
            or h.assessment_id < $1->>'$.ripe')), 0),
        'frauds', coalesce(sum(o.id is not null and h.fraud), 0))
    from json_each($1, '$.rules') r
    left join (
        select h.rule, h.assessment_id, h.shadow, 'ord' || substr(f.checkout_id, 4) as order_id, (
                select l.fraud from labels l
                where l.order_id = 'ord' || substr(f.checkout_id, 4)
                order by l.seq desc limit 1) as fraud,
            row_number() over (partition by h.rule order by h.assessment_id desc) as place
        from json_each($1, '$.rules') n
        cross join rule_hits h on h.rule = n.value
          and h.assessment_id >= $1->>'$.first' and h.assessment_id < $1->>'$.end'
        cross join assessment_facts f on f.id = h.assessment_id) h
        on h.rule = r.value and h.place <= $1->>'$.most'
    left join orders o on o.id = h.order_id
    group by r.value order by r.value";

const REVIEWS: &str = "select json_object('state', c.state, 'opened_at', c.opened_at,
        'closed_at', c.closed_at)
    from review_cases c where c.order_id >= $1->>'$.first' and c.order_id < $1->>'$.end'
    order by c.order_id desc limit $1->>'$.most'";

pub(super) async fn ask(
    database: &Sqlite,
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
