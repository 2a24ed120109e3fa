-- Bodies are put back first: what comes before this reads them where they were.
update sessions set body = coalesce(
        (select o.body from orders o where o.checkout_id = sessions.id), body)
    where state = 'completed' and body = 'null';
update events set body = coalesce(
        (select o.body from orders o where o.id = events.order_id), body)
    where kind = 'order.placed' and body = 'null';

drop view session_rows;
create view session_rows as
select s.id, json_object('checkout', s.id, 'version', s.version, 'state', s.state,
    'expires_at', s.expires_at, 'body', json(s.body),
    'personal', (select p.personal from checkout_people p where p.checkout_id = s.id),
    'holds', json((select json_group_array(json(h.record) order by h.sku) from hold_rows h
                   where h.checkout_id = s.id))) as record
from sessions s;

drop view event_rows;
create view event_rows as
select e.seq, e.sent_at, json_object('id', e.id, 'order', e.order_id, 'kind', e.kind,
    'body', json(e.body), 'at', e.at) as record
from events e;
