-- One event to one receiver. The body is sent byte for byte as it was signed.
create table deliveries (
    id text not null primary key,
    event_id text not null,
    seq integer not null,
    order_id text not null,
    receiver text not null,
    kind text not null,
    body text not null,
    stamped_at text not null,
    state text not null,
    attempts integer not null default 0,
    next_at text not null,
    settled_at text,
    last_status integer,
    last_fault text,
    constraint deliveries_once unique (event_id, receiver),
    constraint deliveries_state_known check (state in ('due', 'delivered', 'parked', 'disabled')),
    constraint deliveries_settled check ((state = 'due') = (settled_at is null)),
    constraint deliveries_attempts_not_negative check (attempts >= 0)
) strict;
create index deliveries_due on deliveries (receiver, next_at) where state = 'due';
create index deliveries_in_line on deliveries (order_id, receiver, seq);
create index deliveries_settled_at on deliveries (settled_at) where state <> 'due';

-- Who hears of what happens to orders. The body has the secrets, and is sealed.
create table webhook_endpoints (
    id text not null primary key,
    active integer not null,
    body text not null,
    created_at text not null
) strict;
