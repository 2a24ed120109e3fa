-- The schema of every judgement's features, by the hash that the judgement names: what was judged
-- with one schema is remembered and learned from with another.
create table fraud_schemas (
    hash    text not null,
    schema  text not null,
    kept_at text not null,
    constraint fraud_schemas_pkey primary key (hash)
) strict;

-- How far labels have been handed to each memory that replicas share. (`learning` knew of one, and
-- goes with a later release.)
create table learning_places (
    memory       text not null,
    round        integer not null,
    judged_until text not null,
    labels_until integer not null,
    constraint learning_places_pkey primary key (memory)
) strict;

-- A model's files, in base64, so that every replica has them.
create table model_files (
    version text not null,
    name    text not null,
    body    text not null,
    constraint model_files_pkey primary key (version, name)
) strict;

-- Why a model was moved, who agreed, and what was known of it then.
alter table model_changes add column reason text not null default '';
alter table model_changes add column approved_by text;
alter table model_changes add column evidence text;

-- Somebody wants a model to go live, and a second person has to agree.
create table model_requests (
    version  text not null,
    asked_by text not null,
    reason   text not null,
    waived   integer not null,
    asked_at text not null,
    constraint model_requests_pkey primary key (version)
) strict;
