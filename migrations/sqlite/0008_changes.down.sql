-- Takes it back; movements keep what moved.
drop view order_rows;
create view order_rows as
select o.id, o.placed_at, o.attempt_id, json_object('id', o.id,
    'total_minor', o.total_minor, 'currency', o.currency, 'placed_at', o.placed_at,
    'body', json(o.body), 'attempt', o.attempt_id,
    'personal', (select p.personal from checkout_people p where p.checkout_id = o.checkout_id),
    'lines', json((select json_group_array(json_object('line', l.line, 'sku', l.sku,
            'quantity', l.quantity, 'unit_price_minor', l.unit_price_minor,
            'tracked', json(iif(l.tracked, 'true', 'false')), 'shipped', l.shipped,
            'returned', l.returned, 'restocked', l.restocked)
            order by l.line) from order_lines l where l.order_id = o.id)),
    'operations', json((select json_group_array(json(p.record) order by p.created_at, p.id)
        from operation_rows p where p.attempt_id = o.attempt_id))) as record
from orders o;
drop trigger payment_operations_refunds_within_capture;
drop table order_changes;
