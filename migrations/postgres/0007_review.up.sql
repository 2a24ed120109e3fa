-- For those who review: raw signals go after their time, and orders that share something are found.

-- Whether a person's row may still hold raw signals (network address, device, instrument). The index
-- has the rows whose time is yet to come, and is not touched by their updates.
alter table checkout_people add column raw_signals boolean not null default true;
create index checkout_people_raw on checkout_people (checkout_id) where raw_signals;

-- Which memory of the past replicas share outside of this database, and whether it has everything:
-- one that was lost is built anew, under a name of its own.
create table velocity_memories (
    layout    text        not null,
    epoch     text        not null,
    whole     boolean     not null,
    tended_at timestamptz not null,
    constraint velocity_memories_pkey primary key (layout)
);
