-- What never changes in answers stands once, under a name made of its hash; an answer has U+0001 and
-- the name (12 characters) in its place. Parts are never deleted: an answer may name them for ever.

create table answer_parts (
    name text collate "C" not null,
    body text             not null,
    constraint answer_parts_pkey primary key (name),
    constraint answer_parts_name_length check (length(name) = 12)
);

-- An answer with its parts in their places. One that nobody kept is an error, not a hole.
create function answer_whole(kept text) returns text language plpgsql stable strict as $$
declare
    whole text := '';
    rest  text := kept;
    part  text;
    at    integer := strpos(kept, E'\x01');
begin
    while at > 0 loop
        select p.body into strict part from answer_parts p where p.name = substr(rest, at + 1, 12);
        whole := whole || left(rest, at - 1) || part;
        rest := substr(rest, at + 13);
        at := strpos(rest, E'\x01');
    end loop;
    return whole || rest;
end
$$;

create or replace view key_rows as
select k.caller, k.key, json_build_object('caller', k.caller, 'key', k.key,
    'fingerprint', k.fingerprint, 'dialect', k.dialect, 'answer',
    case when k.answered_at is not null then json_build_object('status', k.answer_status,
        'body', answer_whole(k.answer_body), 'version', k.answer_version) end) as record
from idempotency_keys k;
