-- Takes it back; movements keep what moved.
create or replace view order_rows as
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
drop trigger payment_operations_refunds_within_capture on payment_operations;
drop function payment_operations_check_refund;
drop table order_changes;
