-- The money of orders after the sale: captured in parts, and no more than was authorized; given back
-- by line, and no more than a line was paid. Reviews that end because nothing is left to decide.
-- Orders tell the state of their review, and one status for people.

alter table review_cases drop constraint review_cases_state, add constraint review_cases_state
    check (state in ('open', 'approved', 'declined', 'refunded', 'expired', 'canceled'));

-- Finds an attempt's operations. That there is one capture was a rule of this index before.
create index payment_operations_by_attempt on payment_operations (attempt_id);
drop index payment_operations_one_capture;

-- No more is captured than was authorized, whoever writes it, and nothing after the rest was let
-- go. The first capture of an attempt is judged alone: it has a name of its own (the attempt's id
-- with 1 in its last byte), and so it is written once.
create function payment_operations_check_capture() returns trigger language plpgsql as $$
declare
    authorized bigint;
    taken bigint;
    is_void boolean;
begin
    select amount_minor into authorized from payment_attempts where id = new.attempt_id;
    select coalesce(sum(amount_minor) filter (where kind = 'capture'), 0),
           coalesce(bool_or(kind = 'void'), false)
        into taken, is_void from payment_operations
        where attempt_id = new.attempt_id and state <> 'refused' and id <> new.id;
    if is_void or taken + new.amount_minor > authorized then
        raise exception 'payment_operations_captures_within_authorization: attempt %',
            new.attempt_id using errcode = '23514';
    end if;
    return new;
end
$$;
create trigger payment_operations_captures_within_authorization before insert on payment_operations
    for each row when (new.kind = 'capture' and new.state <> 'refused'
        and get_byte(uuid_send(new.id), 15) # get_byte(uuid_send(new.attempt_id), 15) <> 1)
    execute function payment_operations_check_capture();

-- No more is given back for a line than the buyer paid for it, whoever writes it.
create function order_changes_check_given() returns trigger language plpgsql as $$
begin
    if exists (
        select from json_array_elements(new.body->'given') g
        where coalesce((g->>'refunded')::bigint, 0) + coalesce((g->>'released')::bigint, 0) + (
            select coalesce(sum(coalesce((b->>'released')::bigint, 0)
                + case when p.state is distinct from 'refused'
                    then coalesce((b->>'refunded')::bigint, 0) else 0 end), 0)
            from order_changes c
            cross join json_array_elements(c.body->'given') b
            left join payment_operations p on p.id = right(c.body->>'money', 32)::uuid
            where c.order_id = new.order_id and b->>'line' = g->>'line') > (g->>'paid')::bigint)
    then
        raise exception 'order_changes_given_within_paid: order %', new.order_id
            using errcode = '23514';
    end if;
    return new;
end
$$;
create trigger order_changes_given_within_paid before insert on order_changes
    for each row when (new.body->'given' is not null) execute function order_changes_check_given();

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
        from order_changes c where c.order_id = o.id),
    'case', (select r.state from review_cases r where r.order_id = o.id)) as record,
    (select case
        when r.state = 'open' then 'in_review'
        when r.state in ('declined', 'expired') and n.shipped = 0 then 'declined'
        when n.kept = 0 then 'canceled'
        when n.returned > 0 and n.returned = n.kept then 'returned'
        when n.returned > 0 then 'partly_returned'
        when n.shipped = 0 then 'placed'
        when n.shipped < n.kept then 'partly_shipped'
        else 'shipped' end
    from (select coalesce(sum(l.quantity - l.restocked), 0) as kept,
                 coalesce(sum(l.shipped), 0) as shipped, coalesce(sum(l.returned), 0) as returned
          from order_lines l
          where l.order_id = o.id and l.sku not like '~uses/%') n
    left join review_cases r on r.order_id = o.id) as status
from orders o;
