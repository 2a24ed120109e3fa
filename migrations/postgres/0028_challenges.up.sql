-- An attempt whose buyer has to confirm it stays pending, and says where, until when, and under
-- which name the gateway has it.
alter table payment_attempts
    add column gateway_id text,
    add column challenge_url text,
    add column challenged_until timestamptz,
    add constraint payment_attempts_challenge
        check ((challenge_url is null) = (challenged_until is null));

create or replace view attempt_rows as
select a.id, a.checkout_id, a.state, a.deadline, a.watch_until, json_build_object('id', a.id,
    'checkout', a.checkout_id, 'order', a.order_id, 'number', a.number, 'state', a.state,
    'amount_minor', a.amount_minor, 'currency', a.currency, 'gateway', a.gateway,
    'authorization', a.authorization_id, 'deadline', a.deadline, 'watch_until', a.watch_until,
    'waiting', case when a.waiting_key is not null
        then json_build_array(a.waiting_caller, a.waiting_key) end,
    'challenge', case when a.challenge_url is not null
        then json_build_object('id', a.gateway_id, 'url', a.challenge_url,
            'until', a.challenged_until) end) as record
from payment_attempts a;

-- What gateways have told: due until it was looked into.
create table payment_notifications (
    gateway text not null,
    id text not null,
    kind text not null,
    about json not null,
    received_at timestamptz not null,
    tries integer not null default 0,
    outcome text,
    due_at timestamptz,
    constraint payment_notifications_pkey primary key (gateway, id)
);
create index payment_notifications_due on payment_notifications (due_at)
    where due_at is not null;
create index payment_notifications_old on payment_notifications (received_at);
