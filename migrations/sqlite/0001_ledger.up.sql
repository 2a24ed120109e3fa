-- Tables of the checkout path, the catalogue and the API keys: the same as in ../postgres, in
-- SQLite's types. Ids are the prefixed texts (`chk_…`), times RFC 3339 of one width, so that both
-- sort as text; documents are JSON text; booleans are 0 or 1.
--
-- Constraints restate every rule the types state: memory is for speed, SQL is the judge.

create table replicas (
    id text not null primary key,
    label text not null,
    state text not null default 'live',
    registered_at text not null,
    heartbeat_at text not null,
    constraint replicas_state check (state in ('live', 'dead'))
) strict;

create table stock (
    sku text not null primary key,
    on_hand integer not null,
    unallocated integer not null,
    constraint stock_on_hand_not_negative check (on_hand >= 0),
    constraint stock_unallocated_not_negative check (unallocated >= 0),
    constraint stock_unallocated_within_on_hand check (unallocated <= on_hand)
) strict, without rowid;

create table stock_grants (
    id text not null primary key,
    sku text not null,
    holder text not null,
    granted integer not null,
    consumed integer not null default 0,
    active integer not null default 1,
    constraint stock_grants_active check (active in (0, 1)),
    constraint stock_grants_holder foreign key (holder) references replicas (id),
    constraint stock_grants_granted_positive check (granted > 0),
    constraint stock_grants_consumed_within_granted check (consumed between 0 and granted)
) strict;
create index stock_grants_active_by_sku on stock_grants (sku) where active;
create index stock_grants_active_by_holder on stock_grants (holder) where active;

create table sessions (
    id text not null primary key,
    version integer not null,
    state text not null,
    expires_at text not null,
    body text not null,
    created_at text not null,
    updated_at text not null,
    constraint sessions_version_positive check (version > 0),
    constraint sessions_state
        check (state in ('open', 'completing', 'completed', 'canceled', 'expired'))
) strict;
create index sessions_expiring on sessions (expires_at) where state = 'open';
create index sessions_ended on sessions (updated_at) where state in ('canceled', 'expired');

-- Everything personal about a checkout, sealed, in one place: erasing a person is one statement.
create table checkout_people (
    checkout_id text not null primary key,
    personal text not null,
    updated_at text not null
) strict;

-- One row per SKU of a checkout. It comes and goes; no foreign key, so that a batch of a thousand
-- holds does not look up a thousand sessions it has just locked. The audit counts strays.
create table holds (
    checkout_id text not null,
    sku text not null,
    quantity integer not null,
    expires_at text not null,
    pinned_by text,
    constraint holds_pkey primary key (checkout_id, sku),
    constraint holds_quantity_positive check (quantity > 0)
) strict, without rowid;
create index holds_by_sku on holds (sku, expires_at);
create index holds_expiring on holds (expires_at) where pinned_by is null;

create table payment_attempts (
    id text not null primary key,
    checkout_id text not null,
    order_id text not null,
    number integer not null,
    state text not null,
    amount_minor integer not null,
    currency text not null,
    gateway text not null,
    authorization_id text,
    code text,
    deadline text not null,
    watch_until text,
    waiting_caller text,
    waiting_key text,
    created_at text not null,
    settled_at text,
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
) strict;
create unique index payment_attempts_one_live
    on payment_attempts (checkout_id) where state in ('pending', 'authorized');
create index payment_attempts_overdue on payment_attempts (deadline) where state = 'pending';
create index payment_attempts_watched on payment_attempts (id) where watch_until is not null;

create table payment_operations (
    id text not null primary key,
    attempt_id text not null,
    kind text not null,
    amount_minor integer not null,
    authorization_id text not null,
    state text not null,
    note text not null,
    created_at text not null,
    updated_at text not null,
    constraint payment_operations_attempt
        foreign key (attempt_id) references payment_attempts (id),
    constraint payment_operations_kind check (kind in ('capture', 'void', 'refund')),
    constraint payment_operations_state check (state in ('due', 'done', 'refused')),
    constraint payment_operations_amount_not_negative check (amount_minor >= 0)
) strict;
-- Finds an attempt's operations, and keeps it to one capture: all captures carry the same mark here.
create unique index payment_operations_one_capture
    on payment_operations (attempt_id, (case kind when 'capture' then '' else id end));
create index payment_operations_due on payment_operations (created_at) where state = 'due';

create table orders (
    id text not null primary key,
    checkout_id text not null,
    attempt_id text not null,
    total_minor integer not null,
    currency text not null,
    body text not null,
    placed_at text not null,
    constraint orders_one_per_checkout unique (checkout_id),
    constraint orders_one_per_attempt unique (attempt_id),
    constraint orders_attempt foreign key (attempt_id) references payment_attempts (id),
    constraint orders_total_not_negative check (total_minor >= 0)
) strict;
create index orders_by_time on orders (placed_at);

create table order_lines (
    order_id text not null,
    line integer not null,
    sku text not null,
    quantity integer not null,
    unit_price_minor integer not null,
    tracked integer not null,
    shipped integer not null default 0,
    returned integer not null default 0,
    restocked integer not null default 0,
    constraint order_lines_pkey primary key (order_id, line),
    constraint order_lines_tracked check (tracked in (0, 1)),
    constraint order_lines_order foreign key (order_id) references orders (id),
    constraint order_lines_line_positive check (line > 0),
    constraint order_lines_quantity_positive check (quantity > 0),
    constraint order_lines_price_not_negative check (unit_price_minor >= 0),
    constraint order_lines_counters_not_negative
        check (shipped >= 0 and returned >= 0 and restocked >= 0),
    constraint order_lines_moved_within_quantity check (shipped + restocked <= quantity),
    constraint order_lines_returned_within_shipped check (returned <= shipped)
) strict;
create index order_lines_by_sku on order_lines (sku, order_id);
create index order_lines_sold on order_lines (sku)
    where tracked and shipped + restocked < quantity;

create table events (
    seq integer primary key autoincrement,
    id text not null,
    order_id text not null,
    kind text not null,
    body text not null,
    at text not null,
    sent_at text,
    constraint events_id_unique unique (id)
) strict;
create index events_unsent on events (seq) where sent_at is null;
create index events_sent on events (sent_at) where sent_at is not null;

create table stock_movements (
    id text not null primary key,
    sku text not null,
    kind text not null,
    quantity integer not null,
    reason text not null,
    order_id text,
    line integer,
    at text not null,
    constraint stock_movements_kind
        check (kind in ('receive', 'write_off', 'ship', 'return', 'restock')),
    constraint stock_movements_quantity_positive check (quantity > 0),
    constraint stock_movements_line_pair check ((order_id is null) = (line is null))
) strict;
create index stock_movements_by_sku on stock_movements (sku, id);

create table idempotency_keys (
    caller text not null,
    key text not null,
    fingerprint text not null,
    dialect text not null,
    answer_status integer,
    answer_body text,
    answer_version integer,
    created_at text not null,
    answered_at text,
    constraint idempotency_keys_pkey primary key (caller, key),
    constraint idempotency_keys_answer_whole check (
        (answer_status is null) = (answer_body is null)
        and (answer_status is null) = (answer_version is null)
        and (answer_status is null) = (answered_at is null)
    ),
    constraint idempotency_keys_status check (answer_status between 100 and 599)
) strict;
create index idempotency_keys_answered
    on idempotency_keys (answered_at) where answered_at is not null;

-- What every entry came to. Looked up before anything is judged; purged by age, which its rowid
-- follows, so that times need no index.
create table entries (
    id text not null primary key,
    outcome text not null,
    at text not null
) strict;

create table assessments (
    id text not null primary key,
    checkout_id text not null,
    attempt_id text,
    outcome text not null,
    score integer,
    degraded integer not null,
    body text not null,
    at text not null,
    constraint assessments_outcome
        check (outcome in ('approve', 'challenge', 'review', 'decline')),
    constraint assessments_score check (score between 0 and 1000)
) strict;
create index assessments_by_checkout on assessments (checkout_id);
create index assessments_by_time on assessments (at);

create table review_cases (
    order_id text not null primary key,
    attempt_id text not null,
    state text not null default 'open',
    priority integer not null,
    due_at text not null,
    expires_at text not null,
    opened_at text not null,
    escalated integer not null default 0,
    assignee text,
    claimed_by text,
    lease_until text,
    closed_by text,
    reason text,
    closed_at text,
    constraint review_cases_state
        check (state in ('open', 'approved', 'declined', 'refunded', 'expired')),
    constraint review_cases_ended_by_somebody check (
        (closed_by is null) = (state = 'open') and (reason is null) = (state = 'open')
        and (closed_at is null) = (state = 'open')),
    constraint review_cases_claim_whole check ((claimed_by is null) = (lease_until is null))
) strict;
create index review_cases_open on review_cases (escalated desc, priority desc, opened_at)
    where state = 'open';
create index review_cases_expiring on review_cases (expires_at) where state = 'open';

create table review_events (
    seq integer primary key autoincrement,
    order_id text not null,
    at text not null,
    actor text not null,
    kind text not null,
    note text not null
) strict;
create index review_events_by_order on review_events (order_id, seq);

create table labels (
    seq integer primary key autoincrement,
    order_id text not null,
    fraud integer not null,
    source text not null,
    at text not null,
    constraint labels_source check (source in ('reviewer', 'dispute', 'refund', 'import'))
) strict;
create index labels_by_order on labels (order_id, seq desc);

create table products (
    sku text not null primary key,
    title text not null,
    price_minor integer not null,
    currency text not null,
    tax_category text not null,
    image_url text,
    attributes text not null default '{}',
    stock_policy text not null,
    active integer not null,
    updated_at text not null,
    constraint products_active check (active in (0, 1)),
    constraint products_price_not_negative check (price_minor >= 0),
    constraint products_stock_policy check (stock_policy in ('tracked', 'backorder', 'untracked'))
) strict;

create table api_keys (
    id text not null primary key,
    label text not null,
    hash blob not null,
    scopes text not null,
    created_at text not null,
    revoked_at text,
    constraint api_keys_hash_unique unique (hash)
) strict;
