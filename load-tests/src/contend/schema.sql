-- What a lean checkout service keeps: the rows that Doorbuster keeps of an order, without those
-- that only its own way of committing needs (entries, grants, a place for personal data).
-- Keys and the indexes that its jobs need: expiring holds and sessions, overdue attempts, unsent
-- events. `json` is checked and not taken apart, which is the cheapest a document can be.
create table stock (
    sku       text   collate "C" primary key,
    available bigint not null check (available >= 0)
) with (fillfactor = 50);

create table sessions (
    id         uuid        primary key,
    version    integer     not null,
    state      text        not null,
    expires_at timestamptz not null,
    body       json        not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
) with (fillfactor = 70);
create index sessions_expiring on sessions (expires_at) where state = 'open';

create table holds (
    checkout_id uuid        not null,
    sku         text        collate "C" not null,
    quantity    integer     not null check (quantity > 0),
    expires_at  timestamptz not null,
    pinned_by   uuid,
    primary key (checkout_id, sku)
) with (fillfactor = 70);
create index holds_expiring on holds (expires_at) where pinned_by is null;

create table payment_attempts (
    id               uuid        primary key,
    checkout_id      uuid        not null,
    number           integer     not null,
    state            text        not null,
    amount_minor     bigint      not null,
    currency         char(3)     not null,
    authorization_id text,
    deadline         timestamptz not null,
    created_at       timestamptz not null,
    settled_at       timestamptz,
    unique (checkout_id, number)
) with (fillfactor = 80);
create index payment_attempts_overdue on payment_attempts (deadline) where state = 'pending';

create table orders (
    id          uuid        primary key,
    attempt_id  uuid        not null unique,
    total_minor bigint      not null,
    currency    char(3)     not null,
    body        json        not null,
    placed_at   timestamptz not null
);

create table order_lines (
    order_id         uuid    not null,
    line             integer not null,
    sku              text    collate "C" not null,
    quantity         integer not null check (quantity > 0),
    unit_price_minor bigint  not null,
    primary key (order_id, line)
);

create table events (
    seq      bigint      generated always as identity primary key,
    id       uuid        not null,
    order_id uuid        not null,
    kind     text        not null,
    body     json        not null,
    at       timestamptz not null,
    sent_at  timestamptz
);
create index events_unsent on events (seq) where sent_at is null;

create table idempotency_keys (
    caller        text        not null,
    key           text        not null,
    fingerprint   text        not null,
    answer_status integer,
    answer_body   text,
    created_at    timestamptz not null,
    answered_at   timestamptz,
    primary key (caller, key)
) with (fillfactor = 80);
