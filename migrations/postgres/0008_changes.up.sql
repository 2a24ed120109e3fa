-- What happens to orders after the sale: parcels, returns, cancellations, refunds in parts.

-- Written once, never changed. The body says what moved, how it travels, which refund is owed, why.
create table order_changes (
    id       uuid        primary key,
    order_id uuid        not null,
    body     json        not null,
    at       timestamptz not null
);
create index order_changes_by_order on order_changes (order_id, at);

insert into order_changes (id, order_id, body, at)
    select m.id, m.order_id, json_build_object('id', m.id, 'moved', json_build_array(
               json_build_object('line', m.line, 'kind', m.kind, 'quantity', m.quantity)),
               'reason', m.reason, 'at', m.at), m.at
    from stock_movements m where m.order_id is not null;

-- No more is given back than was taken, whoever writes it.
create function payment_operations_check_refund() returns trigger language plpgsql as $$
declare
    taken bigint;
    given bigint;
begin
    select coalesce(sum(amount_minor) filter (where kind = 'capture'), 0),
           coalesce(sum(amount_minor) filter (where kind = 'refund'), 0)
        into taken, given from payment_operations
        where attempt_id = new.attempt_id and state <> 'refused';
    if given + new.amount_minor > taken then
        raise exception 'payment_operations_refunds_within_capture: attempt %', new.attempt_id
            using errcode = '23514';
    end if;
    return new;
end
$$;
create trigger payment_operations_refunds_within_capture before insert on payment_operations
    for each row when (new.kind = 'refund' and new.state <> 'refused')
    execute function payment_operations_check_refund();

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
        from operation_rows p where p.attempt_id = o.attempt_id),
    'changes', (select coalesce(json_agg(c.body order by c.at, c.id), '[]')
        from order_changes c where c.order_id = o.id)) as record
from orders o;
