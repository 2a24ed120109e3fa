-- The schema of every judgement's features, by the hash that the judgement names: what was judged
-- with one schema is remembered and learned from with another.
create table fraud_schemas (
    hash    text        collate "C" not null,
    schema  text        not null,
    kept_at timestamptz not null,
    constraint fraud_schemas_pkey primary key (hash)
);

-- How far labels have been handed to each memory that replicas share. (`learning` knew of one, and
-- goes with a later release.)
create table learning_places (
    memory       text        collate "C" not null,
    round        bigint      not null,
    judged_until timestamptz not null,
    labels_until bigint      not null,
    constraint learning_places_pkey primary key (memory)
);

-- A model's files, in base64, so that every replica has them.
create table model_files (
    version text collate "C" not null,
    name    text collate "C" not null,
    body    text not null,
    constraint model_files_pkey primary key (version, name)
);

-- Why a model was moved, who agreed, and what was known of it then.
alter table model_changes add column reason text not null default '';
alter table model_changes add column approved_by text;
alter table model_changes add column evidence json;

-- Somebody wants a model to go live, and a second person has to agree.
create table model_requests (
    version  text        collate "C" not null,
    asked_by text        not null,
    reason   text        not null,
    waived   boolean     not null,
    asked_at timestamptz not null,
    constraint model_requests_pkey primary key (version)
);
