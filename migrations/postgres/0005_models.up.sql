-- Models that may score, and how far their labels have been learned.

create table models (
    version    text        collate "C" not null,
    state      text        not null,
    folder     text        not null,
    sha256     text        not null,
    features   text        not null,
    metrics    json        not null,
    created_at timestamptz not null,
    changed_at timestamptz not null,
    changed_by text        not null,
    constraint models_pkey primary key (version),
    constraint models_state check (state in ('candidate', 'shadow', 'live', 'retired'))
);
-- One scores, and one is watched beside it.
create unique index models_one_live on models (state) where state = 'live';
create unique index models_one_shadow on models (state) where state = 'shadow';

-- Every change is one row, for ever: its number is the version of the registry, by which replicas
-- see that they have to read again.
create table model_changes (
    number     bigint      not null,
    version    text        not null,
    from_state text,
    to_state   text        not null,
    author     text        not null,
    at         timestamptz not null,
    constraint model_changes_pkey primary key (number, version)
);

-- How far labels have been handed to velocity, where replicas share one. One row.
create table learning (
    id            integer     not null,
    round         bigint      not null,
    judged_until  timestamptz not null,
    labels_until  bigint      not null,
    constraint learning_pkey primary key (id),
    constraint learning_one_row check (id = 1)
);

-- When a label became a row: one that was numbered earlier may become visible later.
alter table labels add column recorded_at timestamptz not null default clock_timestamp();
