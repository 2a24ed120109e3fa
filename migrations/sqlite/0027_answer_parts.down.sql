update idempotency_keys set answer_body = (
        select r.record->>'$.answer.body' from key_rows r
        where r.caller = idempotency_keys.caller and r.key = idempotency_keys.key)
    where instr(answer_body, char(1)) > 0;

drop view key_rows;
create view key_rows as
select k.caller, k.key, json_object('caller', k.caller, 'key', k.key,
    'fingerprint', k.fingerprint, 'dialect', k.dialect, 'answer',
    iif(k.answered_at is null, json('null'), json_object('status', k.answer_status,
        'body', k.answer_body, 'version', k.answer_version))) as record
from idempotency_keys k;

drop table answer_parts;
