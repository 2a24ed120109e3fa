-- An attempt whose buyer has to confirm it stays pending, and says where, until when, and under
-- which name the gateway has it.
alter table payment_attempts add column gateway_id text;
alter table payment_attempts add column challenge_url text;
alter table payment_attempts add column challenged_until text
    constraint payment_attempts_challenge
        check ((challenge_url is null) = (challenged_until is null));

drop view attempt_rows;
create view attempt_rows as
select a.id, a.checkout_id, a.state, a.deadline, a.watch_until, json_object('id', a.id,
    'checkout', a.checkout_id, 'order', a.order_id, 'number', a.number, 'state', a.state,
    'amount_minor', a.amount_minor, 'currency', a.currency, 'gateway', a.gateway,
    'authorization', a.authorization_id, 'deadline', a.deadline, 'watch_until', a.watch_until,
    'waiting', iif(a.waiting_key is null, json('null'),
        json_array(a.waiting_caller, a.waiting_key)),
    'challenge', iif(a.challenge_url is null, json('null'),
        json_object('id', a.gateway_id, 'url', a.challenge_url, 'until', a.challenged_until)))
    as record
from payment_attempts a;

-- What gateways have told: due until it was looked into.
create table payment_notifications (
    gateway text not null,
    id text not null,
    kind text not null,
    about text not null,
    received_at text not null,
    tries integer not null default 0,
    outcome text,
    due_at text,
    constraint payment_notifications_pkey primary key (gateway, id)
) strict;
create index payment_notifications_due on payment_notifications (due_at)
    where due_at is not null;
create index payment_notifications_old on payment_notifications (received_at);
