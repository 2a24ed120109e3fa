-- Models that may score, and how far their labels have been learned.

create table models (
    version    text        not null,
    state      text        not null,
    folder     text        not null,
    sha256     text        not null,
    features   text        not null,
    metrics    text        not null,
    created_at text not null,
    changed_at text not null,
    changed_by text        not null,
    constraint models_pkey primary key (version),
    constraint models_state check (state in ('candidate', 'shadow', 'live', 'retired'))
) strict;
-- One scores, and one is watched beside it.
create unique index models_one_live on models (state) where state = 'live';
create unique index models_one_shadow on models (state) where state = 'shadow';

-- Every change is one row, for ever: its number is the version of the registry, by which replicas
-- see that they have to read again.
create table model_changes (
    number     integer      not null,
    version    text        not null,
    from_state text,
    to_state   text        not null,
    author     text        not null,
    at         text not null,
    constraint model_changes_pkey primary key (number, version)
) strict;

-- How far labels have been handed to velocity, where replicas share one. One row.
create table learning (
    id            integer     not null,
    round         integer      not null,
    judged_until  text not null,
    labels_until  integer      not null,
    constraint learning_pkey primary key (id),
    constraint learning_one_row check (id = 1)
) strict;
