-- Bodies are put back first: what comes before this reads them where they were.
update sessions s set body = o.body from orders o
    where o.id = s.id and s.state = 'completed' and s.body::text = 'null';
update events e set body = o.body from orders o
    where o.id = e.order_id and e.kind = 'order.placed' and e.body::text = 'null';

drop view session_rows;
create view session_rows as
select s.id, json_build_object('checkout', s.id, 'version', s.version, 'state', s.state,
    'expires_at', s.expires_at, 'body', s.body,
    'personal', (select p.personal from checkout_people p where p.checkout_id = s.id),
    'holds', (select coalesce(json_agg(h.record order by h.sku), '[]') from hold_rows h
              where h.checkout_id = s.id)) as record
from sessions s;

create or replace view event_rows as
select e.seq, e.sent_at, json_build_object('id', e.id, 'order', e.order_id, 'kind', e.kind,
    'body', e.body, 'at', e.at) as record
from events e;
