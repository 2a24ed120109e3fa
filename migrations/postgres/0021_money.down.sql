-- Takes it back. An order that was captured in parts cannot be told to the schema before.
drop view order_rows;
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
        from operation_rows p where p.attempt_id = o.attempt_id),
    'changes', (select coalesce(json_agg(c.body order by c.at, c.id), '[]')
        from order_changes c where c.order_id = o.id)) as record
from orders o;
drop trigger order_changes_given_within_paid on order_changes;
drop function order_changes_check_given;
drop trigger payment_operations_captures_within_authorization on payment_operations;
drop function payment_operations_check_capture;
create unique index payment_operations_one_capture on payment_operations (attempt_id,
    (case kind when 'capture' then '00000000-0000-0000-0000-000000000000'::uuid else id end));
drop index payment_operations_by_attempt;
update review_cases set state = 'declined' where state = 'canceled';
alter table review_cases drop constraint review_cases_state, add constraint review_cases_state
    check (state in ('open', 'approved', 'declined', 'refunded', 'expired'));
