-- Days on which a gateway's list of payments was compared with the ledger, and what differed.
create table payment_reconciliations (
    gateway text not null,
    day date not null,
    compared_at timestamptz not null,
    compared bigint not null,
    foreign_payments bigint not null,
    breaks bigint not null,
    constraint payment_reconciliations_pkey primary key (gateway, day)
);

create table payment_breaks (
    gateway text not null,
    payment text not null,
    kind text not null,
    day date not null,
    body json not null,
    found_at timestamptz not null,
    closed_at timestamptz,
    constraint payment_breaks_pkey primary key (gateway, payment, kind)
);
create index payment_breaks_day on payment_breaks (gateway, day);
create index payment_breaks_found on payment_breaks (found_at);
create index payment_breaks_open on payment_breaks (found_at) where closed_at is null;
