-- What a completed checkout is stands with its order, once: its session, and the event that tells of
-- the order, say `null` from now on, and are read from there.

drop view session_rows;
create view session_rows as
select s.id, s.body, json_object('checkout', s.id, 'version', s.version, 'state', s.state,
    'expires_at', s.expires_at, 'body', json(s.body),
    'personal', (select p.personal from checkout_people p where p.checkout_id = s.id),
    'holds', json((select json_group_array(json(h.record) order by h.sku) from hold_rows h
                   where h.checkout_id = s.id))) as record
from (select s.id, s.version, s.state, s.expires_at, case when s.state = 'completed'
        then coalesce((select o.body from orders o where o.checkout_id = s.id), s.body)
        else s.body end as body
    from sessions s) s;

drop view event_rows;
create view event_rows as
select e.seq, e.sent_at, json_object('id', e.id, 'order', e.order_id, 'kind', e.kind,
    'body', json(case when e.kind = 'order.placed'
        then coalesce((select o.body from orders o where o.id = e.order_id), e.body)
        else e.body end), 'at', e.at) as record
from events e;
