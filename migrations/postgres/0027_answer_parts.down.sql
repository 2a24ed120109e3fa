update idempotency_keys set answer_body = answer_whole(answer_body)
    where strpos(answer_body, E'\x01') > 0;

create or replace view key_rows as
select k.caller, k.key, json_build_object('caller', k.caller, 'key', k.key,
    'fingerprint', k.fingerprint, 'dialect', k.dialect, 'answer',
    case when k.answered_at is not null then json_build_object('status', k.answer_status,
        'body', k.answer_body, 'version', k.answer_version) end) as record
from idempotency_keys k;

drop function answer_whole(text);
drop table answer_parts;
