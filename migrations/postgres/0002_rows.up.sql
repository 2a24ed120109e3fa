-- The records as the program reads them: key columns to search by, and the record as JSON.

create view hold_rows as
select h.checkout_id, h.sku, json_build_object('checkout', h.checkout_id, 'sku', h.sku,
    'quantity', h.quantity, 'expires_at', h.expires_at, 'pinned_by', h.pinned_by) as record
from holds h;

create view grant_rows as
select g.id, g.sku, g.active, json_build_object('id', g.id, 'sku', g.sku, 'holder', g.holder,
    'granted', g.granted, 'consumed', g.consumed, 'active', g.active) as record
from stock_grants g;

create view attempt_rows as
select a.id, a.checkout_id, a.state, a.deadline, a.watch_until, json_build_object('id', a.id,
    'checkout', a.checkout_id, 'order', a.order_id, 'number', a.number, 'state', a.state,
    'amount_minor', a.amount_minor, 'currency', a.currency, 'gateway', a.gateway,
    'authorization', a.authorization_id, 'deadline', a.deadline, 'watch_until', a.watch_until,
    'waiting', case when a.waiting_key is not null
        then json_build_array(a.waiting_caller, a.waiting_key) end) as record
from payment_attempts a;

create view operation_rows as
select p.id, p.attempt_id, p.state, p.created_at, json_build_object('id', p.id,
    'attempt', p.attempt_id, 'kind', p.kind, 'amount_minor', p.amount_minor,
    'authorization', p.authorization_id, 'state', p.state, 'currency', a.currency,
    'order', a.order_id) as record
from payment_operations p join payment_attempts a on a.id = p.attempt_id;

create view key_rows as
select k.caller, k.key, json_build_object('caller', k.caller, 'key', k.key,
    'fingerprint', k.fingerprint, 'dialect', k.dialect, 'answer',
    case when k.answered_at is not null then json_build_object('status', k.answer_status,
        'body', k.answer_body, 'version', k.answer_version) end) as record
from idempotency_keys k;

create view session_rows as
select s.id, json_build_object('checkout', s.id, 'version', s.version, 'state', s.state,
    'expires_at', s.expires_at, 'body', s.body,
    'personal', (select p.personal from checkout_people p where p.checkout_id = s.id),
    'holds', (select coalesce(json_agg(h.record order by h.sku), '[]') from hold_rows h
              where h.checkout_id = s.id)) as record
from sessions s;

create view order_rows as
select o.id, o.placed_at, o.attempt_id, json_build_object('id', o.id,
    'total_minor', o.total_minor, 'currency', o.currency, 'placed_at', o.placed_at,
    'body', o.body, 'attempt', o.attempt_id,
    'personal', (select p.personal from checkout_people p where p.checkout_id = o.checkout_id),
    'lines', (select coalesce(json_agg(json_build_object('line', l.line, 'sku', l.sku,
            'quantity', l.quantity, 'unit_price_minor', l.unit_price_minor, 'tracked', l.tracked,
            'shipped', l.shipped, 'returned', l.returned, 'restocked', l.restocked)
            order by l.line), '[]') from order_lines l where l.order_id = o.id),
    'operations', (select coalesce(json_agg(p.record order by p.created_at, p.id), '[]')
        from operation_rows p where p.attempt_id = o.attempt_id)) as record
from orders o;

-- Everything known of one SKU's units, each part counted for itself: the sum is the invariant.
create view stock_levels as
select s.sku, json_build_object('sku', s.sku, 'on_hand', s.on_hand,
    'unallocated', s.unallocated,
    'granted', (select coalesce(sum(g.granted - g.consumed), 0) from stock_grants g
                where g.sku = s.sku and g.active),
    'held', (select coalesce(sum(h.quantity), 0) from holds h where h.sku = s.sku),
    'sold', (select coalesce(sum(l.quantity - l.shipped - l.restocked), 0) from order_lines l
             where l.sku = s.sku and l.tracked and l.shipped + l.restocked < l.quantity)
    ) as record
from stock s;

create view movement_rows as
select m.sku, m.id, json_build_object('id', m.id, 'sku', m.sku, 'kind', m.kind,
    'quantity', m.quantity, 'reason', m.reason, 'order', m.order_id, 'at', m.at) as record
from stock_movements m;

create view event_rows as
select e.seq, e.sent_at, json_build_object('id', e.id, 'order', e.order_id, 'kind', e.kind,
    'body', e.body, 'at', e.at) as record
from events e;

create view assessment_rows as
select a.id, a.checkout_id, json_build_object('id', a.id, 'checkout', a.checkout_id,
    'attempt', a.attempt_id, 'outcome', a.outcome, 'score', a.score, 'degraded', a.degraded,
    'body', a.body::json, 'at', a.at) as record
from assessments a;

create view case_rows as
select c.order_id, c.state, c.escalated, c.priority, c.opened_at, c.expires_at,
    c.claimed_by, c.lease_until, json_build_object('order', c.order_id, 'attempt', c.attempt_id,
    'state', c.state, 'priority', c.priority, 'due_at', c.due_at, 'expires_at', c.expires_at,
    'opened_at', c.opened_at, 'escalated', c.escalated, 'assignee', c.assignee,
    'claimed_by', c.claimed_by, 'lease_until', c.lease_until, 'closed_by', c.closed_by,
    'reason', c.reason, 'closed_at', c.closed_at) as record
from review_cases c;
