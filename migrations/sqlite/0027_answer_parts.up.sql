-- What never changes in answers stands once, under a name made of its hash; an answer has U+0001 and
-- the name (12 characters) in its place. Parts are never deleted: an answer may name them for ever.

create table answer_parts (
    name text not null primary key,
    body text not null,
    constraint answer_parts_name_length check (length(name) = 12)
) strict;

-- Answers with their parts in their places. One that nobody kept is an error, not a hole.
drop view key_rows;
create view key_rows as
select k.caller, k.key, json_object('caller', k.caller, 'key', k.key,
    'fingerprint', k.fingerprint, 'dialect', k.dialect, 'answer',
    iif(k.answered_at is null, json('null'), json_object('status', k.answer_status,
        'body', (
            with recursive part (whole, rest) as (
                select '', k.answer_body
                union all
                select p.whole || substr(p.rest, 1, instr(p.rest, char(1)) - 1)
                           || coalesce((select a.body from answer_parts a
                                  where a.name = substr(p.rest, instr(p.rest, char(1)) + 1, 12)),
                               json('a part of the answer is missing')),
                       substr(p.rest, instr(p.rest, char(1)) + 13)
                from part p where instr(p.rest, char(1)) > 0)
            select p.whole || p.rest from part p where instr(p.rest, char(1)) = 0),
        'version', k.answer_version))) as record
from idempotency_keys k;
