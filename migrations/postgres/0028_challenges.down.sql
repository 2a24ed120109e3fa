drop table payment_notifications;

create or replace view attempt_rows as
select a.id, a.checkout_id, a.state, a.deadline, a.watch_until, json_build_object('id', a.id,
    'checkout', a.checkout_id, 'order', a.order_id, 'number', a.number, 'state', a.state,
    'amount_minor', a.amount_minor, 'currency', a.currency, 'gateway', a.gateway,
    'authorization', a.authorization_id, 'deadline', a.deadline, 'watch_until', a.watch_until,
    'waiting', case when a.waiting_key is not null
        then json_build_array(a.waiting_caller, a.waiting_key) end) as record
from payment_attempts a;

alter table payment_attempts
    drop constraint payment_attempts_challenge,
    drop column challenged_until,
    drop column challenge_url,
    drop column gateway_id;
