-- What happens to orders after the sale: parcels, returns, cancellations, refunds in parts.

-- Written once, never changed. The body says what moved, how it travels, which refund is owed, why.
create table order_changes (
    id       text not null primary key,
    order_id text not null,
    body     text not null,
    at       text not null
) strict, without rowid;
create index order_changes_by_order on order_changes (order_id, at);

insert into order_changes (id, order_id, body, at)
    select replace(m.id, 'mov_', 'chg_'), m.order_id, json_object(
               'id', replace(m.id, 'mov_', 'chg_'), 'moved', json_array(
               json_object('line', m.line, 'kind', m.kind, 'quantity', m.quantity)),
               'reason', m.reason, 'at', m.at), m.at
    from stock_movements m where m.order_id is not null;

-- No more is given back than was taken, whoever writes it.
create trigger payment_operations_refunds_within_capture before insert on payment_operations
    -- What stands is settled by an insert that meets it.
    when new.kind = 'refund' and new.state <> 'refused'
        and not exists (select 1 from payment_operations where id = new.id)
begin
    select raise(abort, 'payment_operations_refunds_within_capture')
    where (select coalesce(sum(amount_minor), 0) from payment_operations
           where attempt_id = new.attempt_id and kind = 'refund' and state <> 'refused')
        + new.amount_minor
        > (select coalesce(sum(amount_minor), 0) from payment_operations
           where attempt_id = new.attempt_id and kind = 'capture' and state <> 'refused');
end;

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
        from operation_rows p where p.attempt_id = o.attempt_id)),
    'changes', json((select json_group_array(json(c.body) order by c.at, c.id)
        from order_changes c where c.order_id = o.id))) as record
from orders o;
