-- Tables of the checkout path, the catalogue and the API keys.
--
-- Constraints restate every rule the types state: memory is for speed, SQL is the judge.
-- Codes and SKUs sort by byte (collate "C"), as they do in the program and in SQLite.
-- Tables that are updated all the time leave room on each page, so that most updates stay there.
-- Documents that are only ever read whole are `json`: they are kept as they came, which costs a
-- commit less than taking them apart.

create table replicas (
    id            uuid        primary key,
    label         text        not null,
    state         text        not null default 'live',
    registered_at timestamptz not null,
    heartbeat_at  timestamptz not null,
    constraint replicas_state check (state in ('live', 'dead'))
);

create table stock (
    sku         text   collate "C" primary key,
    on_hand     bigint not null,
    unallocated bigint not null,
    constraint stock_on_hand_not_negative check (on_hand >= 0),
    constraint stock_unallocated_not_negative check (unallocated >= 0),
    constraint stock_unallocated_within_on_hand check (unallocated <= on_hand)
) with (fillfactor = 50);

create table stock_grants (
    id       uuid    primary key,
    sku      text    collate "C" not null,
    holder   uuid    not null,
    granted  bigint  not null,
    consumed bigint  not null default 0,
    active   boolean not null default true,
    constraint stock_grants_holder foreign key (holder) references replicas (id),
    constraint stock_grants_granted_positive check (granted > 0),
    constraint stock_grants_consumed_within_granted check (consumed between 0 and granted)
) with (fillfactor = 50);
create index stock_grants_active_by_sku on stock_grants (sku) where active;
create index stock_grants_active_by_holder on stock_grants (holder) where active;

create table sessions (
    id         uuid        primary key,
    version    integer     not null,
    state      text        not null,
    expires_at timestamptz not null,
    body       json        not null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    live       boolean     generated always as (state in ('open', 'completing')) stored,
    ended_at   timestamptz
        generated always as (case when state in ('canceled', 'expired') then updated_at end) stored,
    constraint sessions_version_positive check (version > 0),
    constraint sessions_state
        check (state in ('open', 'completing', 'completed', 'canceled', 'expired'))
) with (fillfactor = 70);
-- Neither changes when a payment begins, so that write stays on the row's page.
create index sessions_expiring on sessions (expires_at) where live;
create index sessions_ended on sessions (ended_at) where ended_at is not null;

-- Everything personal about a checkout, sealed, in one place: erasing a person is one statement.
create table checkout_people (
    checkout_id uuid        primary key,
    personal    text        not null,
    updated_at  timestamptz not null
);

-- One row per SKU of a checkout. It comes and goes; no foreign key, so that a batch of a thousand
-- holds does not look up a thousand sessions it has just locked. The audit counts strays.
create table holds (
    checkout_id uuid        not null,
    sku         text        collate "C" not null,
    quantity    integer     not null,
    expires_at  timestamptz not null,
    pinned_by   uuid,
    constraint holds_pkey primary key (checkout_id, sku),
    constraint holds_quantity_positive check (quantity > 0)
) with (fillfactor = 70);
create index holds_by_sku on holds (sku, expires_at);
-- Pinned ones stand here as well: pinning is then a write that touches no index, and whoever sweeps
-- passes over the few that are pinned beyond their time.
create index holds_expiring on holds (expires_at);

create table payment_attempts (
    id               uuid        primary key,
    checkout_id      uuid        not null,
    order_id         uuid        not null,
    number           integer     not null,
    state            text        not null,
    amount_minor     bigint      not null,
    currency         char(3)     not null,
    gateway          text        not null,
    authorization_id text,
    code             text,
    deadline         timestamptz not null,
    watch_until      timestamptz,
    waiting_caller   text,
    waiting_key      text,
    created_at       timestamptz not null,
    settled_at       timestamptz,
    constraint payment_attempts_number_unique unique (checkout_id, number),
    constraint payment_attempts_number_positive check (number > 0),
    constraint payment_attempts_amount_not_negative check (amount_minor >= 0),
    constraint payment_attempts_state
        check (state in ('pending', 'authorized', 'declined', 'challenged', 'unheard')),
    constraint payment_attempts_authorized_with_reference
        check (state <> 'authorized' or authorization_id is not null),
    constraint payment_attempts_settled_unless_pending
        check ((state = 'pending') = (settled_at is null)),
    constraint payment_attempts_waiting_pair
        check ((waiting_caller is null) = (waiting_key is null))
) with (fillfactor = 80);
create unique index payment_attempts_one_live
    on payment_attempts (checkout_id) where state in ('pending', 'authorized');
create index payment_attempts_overdue on payment_attempts (deadline) where state = 'pending';
create index payment_attempts_watched on payment_attempts (id) where watch_until is not null;

-- No foreign key: an operation is written with its attempt under lock, or by that attempt's own
-- order. The same holds for an order's attempt and a line's order below.
create table payment_operations (
    id               uuid        primary key,
    attempt_id       uuid        not null,
    kind             text        not null,
    amount_minor     bigint      not null,
    authorization_id text        not null,
    state            text        not null,
    note             text        not null,
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    constraint payment_operations_kind check (kind in ('capture', 'void', 'refund')),
    constraint payment_operations_state check (state in ('due', 'done', 'refused')),
    constraint payment_operations_amount_not_negative check (amount_minor >= 0)
);
-- Finds an attempt's operations, and keeps it to one capture: all captures carry the same mark here.
create unique index payment_operations_one_capture on payment_operations (attempt_id,
    (case kind when 'capture' then '00000000-0000-0000-0000-000000000000'::uuid else id end));
create index payment_operations_due on payment_operations (created_at) where state = 'due';

create table orders (
    id          uuid        not null,
    checkout_id uuid        not null,
    attempt_id  uuid        not null,
    total_minor bigint      not null,
    currency    char(3)     not null,
    body        json        not null,
    placed_at   timestamptz not null,
    constraint orders_one_per_checkout primary key (id),
    constraint orders_of_its_checkout check (id = checkout_id),
    constraint orders_one_per_attempt unique (attempt_id),
    constraint orders_total_not_negative check (total_minor >= 0)
);
create index orders_by_time on orders (placed_at);

create table order_lines (
    order_id         uuid    not null,
    line             integer not null,
    sku              text    collate "C" not null,
    quantity         integer not null,
    unit_price_minor bigint  not null,
    tracked          boolean not null,
    shipped          integer not null default 0,
    returned         integer not null default 0,
    restocked        integer not null default 0,
    constraint order_lines_pkey primary key (order_id, line),
    constraint order_lines_line_positive check (line > 0),
    constraint order_lines_quantity_positive check (quantity > 0),
    constraint order_lines_price_not_negative check (unit_price_minor >= 0),
    constraint order_lines_counters_not_negative
        check (shipped >= 0 and returned >= 0 and restocked >= 0),
    constraint order_lines_moved_within_quantity check (shipped + restocked <= quantity),
    constraint order_lines_returned_within_shipped check (returned <= shipped)
) with (fillfactor = 90);
create index order_lines_by_sku on order_lines (sku, order_id);
create index order_lines_sold on order_lines (sku) include (quantity, shipped, restocked)
    where tracked and shipped + restocked < quantity;

create table events (
    seq      bigint      generated always as identity,
    id       uuid        primary key,
    order_id uuid        not null,
    kind     text        not null,
    body     json        not null,
    at       timestamptz not null,
    sent_at  timestamptz
);
create index events_unsent on events (seq) where sent_at is null;
create index events_sent on events (sent_at) where sent_at is not null;

create table stock_movements (
    id       uuid        primary key,
    sku      text        collate "C" not null,
    kind     text        not null,
    quantity integer     not null,
    reason   text        not null,
    order_id uuid,
    line     integer,
    at       timestamptz not null,
    constraint stock_movements_kind
        check (kind in ('receive', 'write_off', 'ship', 'return', 'restock')),
    constraint stock_movements_quantity_positive check (quantity > 0),
    constraint stock_movements_line_pair check ((order_id is null) = (line is null))
);
create index stock_movements_by_sku on stock_movements (sku, id);

create table idempotency_keys (
    caller         text        not null,
    key            text        not null,
    fingerprint    text        not null,
    dialect        text        not null,
    answer_status  integer,
    answer_body    text,
    answer_version integer,
    created_at     timestamptz not null,
    answered_at    timestamptz,
    constraint idempotency_keys_pkey primary key (caller, key),
    constraint idempotency_keys_answer_whole check (
        num_nonnulls(answer_status, answer_body, answer_version, answered_at) in (0, 4)
    ),
    constraint idempotency_keys_status check (answer_status between 100 and 599)
) with (fillfactor = 80);
-- Rows stand in the order of their time: a coarse index finds the old ones, and an answer does not
-- have to touch it.
create index idempotency_keys_by_time on idempotency_keys using brin (created_at);

-- What every entry came to. Looked up before anything is judged, purged by age.
create table entries (
    id      text        collate "C" primary key,
    outcome json        not null,
    at      timestamptz not null
);
create index entries_by_time on entries using brin (at);

-- What was decided about each attempt to pay, and everything it rested on. Written once. The body is
-- text: it is read by people alone, and a commit need not parse it.
create table assessments (
    id          uuid        primary key,
    checkout_id uuid        not null,
    attempt_id  uuid,
    outcome     text        not null,
    score       smallint,
    degraded    boolean     not null,
    body        text        not null,
    at          timestamptz not null,
    constraint assessments_outcome
        check (outcome in ('approve', 'challenge', 'review', 'decline')),
    constraint assessments_score check (score between 0 and 1000)
);
create index assessments_by_checkout on assessments (checkout_id);
-- Rows stand in the order of their time.
create index assessments_by_time on assessments using brin (at);

-- Orders whose money waits for a person.
create table review_cases (
    order_id    uuid        primary key,
    attempt_id  uuid        not null,
    state       text        not null default 'open',
    priority    bigint      not null,
    due_at      timestamptz not null,
    expires_at  timestamptz not null,
    opened_at   timestamptz not null,
    escalated   boolean     not null default false,
    assignee    text,
    claimed_by  text,
    lease_until timestamptz,
    closed_by   text,
    reason      text,
    closed_at   timestamptz,
    constraint review_cases_state
        check (state in ('open', 'approved', 'declined', 'refunded', 'expired')),
    constraint review_cases_ended_by_somebody check (
        num_nonnulls(closed_by, reason, closed_at) = case when state = 'open' then 0 else 3 end),
    constraint review_cases_claim_whole check ((claimed_by is null) = (lease_until is null))
) with (fillfactor = 80);
create index review_cases_open on review_cases (escalated desc, priority desc, opened_at)
    where state = 'open';
create index review_cases_expiring on review_cases (expires_at) where state = 'open';

-- What happened to a case, in order; never changed.
create table review_events (
    seq      bigint      generated always as identity primary key,
    order_id uuid        not null,
    at       timestamptz not null,
    actor    text        not null,
    kind     text        not null,
    note     text        not null
);
create index review_events_by_order on review_events (order_id, seq);

-- What was found out about orders; the latest of an order is what is believed.
create table labels (
    seq      bigint      generated always as identity primary key,
    order_id uuid        not null,
    fraud    boolean     not null,
    source   text        not null,
    at       timestamptz not null,
    constraint labels_source check (source in ('reviewer', 'dispute', 'refund', 'import'))
);
create index labels_by_order on labels (order_id, seq desc);

create table products (
    sku          text        collate "C" primary key,
    title        text        not null,
    price_minor  bigint      not null,
    currency     char(3)     not null,
    tax_category text        not null,
    image_url    text,
    attributes   jsonb       not null default '{}',
    stock_policy text        not null,
    active       boolean     not null,
    updated_at   timestamptz not null,
    constraint products_price_not_negative check (price_minor >= 0),
    constraint products_stock_policy check (stock_policy in ('tracked', 'backorder', 'untracked'))
);

create table api_keys (
    id         uuid        primary key,
    label      text        not null,
    hash       bytea       not null,
    scopes     jsonb       not null,
    created_at timestamptz not null,
    revoked_at timestamptz,
    constraint api_keys_hash_unique unique (hash)
);
