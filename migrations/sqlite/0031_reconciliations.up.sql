-- Days on which a gateway's list of payments was compared with the ledger, and what differed.
create table payment_reconciliations (
    gateway text not null,
    day text not null,
    compared_at text not null,
    compared integer not null,
    foreign_payments integer not null,
    breaks integer not null,
    primary key (gateway, day)
) strict;

create table payment_breaks (
    gateway text not null,
    payment text not null,
    kind text not null,
    day text not null,
    body text not null,
    found_at text not null,
    closed_at text,
    primary key (gateway, payment, kind)
) strict;
create index payment_breaks_day on payment_breaks (gateway, day);
create index payment_breaks_found on payment_breaks (found_at);
create index payment_breaks_open on payment_breaks (found_at) where closed_at is null;
