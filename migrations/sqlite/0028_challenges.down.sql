drop table payment_notifications;

drop view attempt_rows;
create view attempt_rows as
select a.id, a.checkout_id, a.state, a.deadline, a.watch_until, json_object('id', a.id,
    'checkout', a.checkout_id, 'order', a.order_id, 'number', a.number, 'state', a.state,
    'amount_minor', a.amount_minor, 'currency', a.currency, 'gateway', a.gateway,
    'authorization', a.authorization_id, 'deadline', a.deadline, 'watch_until', a.watch_until,
    'waiting', iif(a.waiting_key is null, json('null'),
        json_array(a.waiting_caller, a.waiting_key))) as record
from payment_attempts a;

alter table payment_attempts drop column challenged_until;
alter table payment_attempts drop column challenge_url;
alter table payment_attempts drop column gateway_id;
