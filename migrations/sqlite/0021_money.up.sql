-- The money of orders after the sale: captured in parts, and no more than was authorized; given back
-- by line, and no more than a line was paid. Reviews that end because nothing is left to decide.
-- Orders tell the state of their review, and one status for people.

drop view order_rows;
drop view case_rows;
-- Made anew under its name: to rename it would rename it in the trigger that applies batches too.
create temp table review_cases_before as select * from review_cases;
drop table review_cases;
create table review_cases (
    order_id text not null primary key,
    attempt_id text not null,
    state text not null default 'open',
    priority integer not null,
    due_at text not null,
    expires_at text not null,
    opened_at text not null,
    escalated integer not null default 0,
    assignee text,
    claimed_by text,
    lease_until text,
    closed_by text,
    reason text,
    closed_at text,
    constraint review_cases_state
        check (state in ('open', 'approved', 'declined', 'refunded', 'expired',
            'canceled')),
    constraint review_cases_ended_by_somebody check (
        (closed_by is null) = (state = 'open') and (reason is null) = (state = 'open')
        and (closed_at is null) = (state = 'open')),
    constraint review_cases_claim_whole check ((claimed_by is null) = (lease_until is null))
) strict;
create index review_cases_open on review_cases (escalated desc, priority desc, opened_at)
    where state = 'open';
create index review_cases_expiring on review_cases (expires_at) where state = 'open';
insert into review_cases select * from review_cases_before;
drop table review_cases_before;
create view case_rows as
select c.order_id, c.state, c.escalated, c.priority, c.opened_at, c.expires_at,
    c.claimed_by, c.lease_until, json_object('order', c.order_id, 'attempt', c.attempt_id,
    'state', c.state, 'priority', c.priority, 'due_at', c.due_at, 'expires_at', c.expires_at,
    'opened_at', c.opened_at, 'escalated', json(iif(c.escalated, 'true', 'false')),
    'assignee', c.assignee, 'claimed_by', c.claimed_by, 'lease_until', c.lease_until,
    'closed_by', c.closed_by, 'reason', c.reason, 'closed_at', c.closed_at) as record
from review_cases c;

-- Finds an attempt's operations. That there is one capture was a rule of this index before.
create index payment_operations_by_attempt on payment_operations (attempt_id);
drop index payment_operations_one_capture;

-- No more is captured than was authorized, whoever writes it, and nothing after the rest was let go.
create trigger payment_operations_captures_within_authorization before insert on payment_operations
    -- What stands is settled by an insert that meets it.
    when new.kind = 'capture' and new.state <> 'refused'
        and not exists (select 1 from payment_operations where id = new.id)
begin
    select raise(abort, 'payment_operations_captures_within_authorization')
    where (select coalesce(sum(amount_minor), 0) from payment_operations
           where attempt_id = new.attempt_id and kind = 'capture' and state <> 'refused')
        + new.amount_minor
        > (select amount_minor from payment_attempts where id = new.attempt_id)
        or exists (select 1 from payment_operations
           where attempt_id = new.attempt_id and kind = 'void' and state <> 'refused');
end;

-- No more is given back for a line than the buyer paid for it, whoever writes it.
create trigger order_changes_given_within_paid before insert on order_changes
    when new.body->'$.given' is not null
begin
    select raise(abort, 'order_changes_given_within_paid')
    from json_each(new.body, '$.given') g
    where coalesce(g.value->>'$.refunded', 0) + coalesce(g.value->>'$.released', 0) + (
        select coalesce(sum(coalesce(b.value->>'$.released', 0)
            + iif(p.state is 'refused', 0, coalesce(b.value->>'$.refunded', 0))), 0)
        from order_changes c
        join json_each(c.body, '$.given') b
        left join payment_operations p on p.id = c.body->>'$.money'
        where c.order_id = new.order_id and b.value->>'$.line' = g.value->>'$.line')
        > g.value->>'$.paid';
end;

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
        from order_changes c where c.order_id = o.id)),
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
