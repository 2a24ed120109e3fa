-- Takes it back. An order that was captured in parts cannot be told to the schema before.
drop view order_rows;
drop trigger order_changes_given_within_paid;
drop trigger payment_operations_captures_within_authorization;
create unique index payment_operations_one_capture
    on payment_operations (attempt_id, (case kind when 'capture' then '' else id end));
drop index payment_operations_by_attempt;
update review_cases set state = 'declined' where state = 'canceled';
-- That a review may be canceled stays allowed: nothing is, and no table is made anew for it.

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
        from operation_rows p where p.attempt_id = o.attempt_id)),
    'changes', json((select json_group_array(json(c.body) order by c.at, c.id)
        from order_changes c where c.order_id = o.id))) as record
from orders o;
