-- Takes it back.
alter table customer_addresses drop column used_at;
create index checkout_links_by_checkout on checkout_links (checkout_id);
create or replace function ledger_step(
    old_attempts attempt_change[], old_sessions session_change[], heads head_change[],
    answers key_answer[]
) returns void language plpgsql volatile as $$
declare
    written bigint;
begin
    if cardinality(old_attempts) > 0 then
        update payment_attempts a set state = x.state, authorization_id = x.authorization_id,
               code = x.code, watch_until = x.watch_until, settled_at = x.settled_at
            from unnest(old_attempts) x where a.id = x.id and a.state = 'pending';
        get diagnostics written = row_count;
        perform ledger_expect('payment_attempts', cardinality(old_attempts), written);
    end if;
    if cardinality(old_sessions) > 0 then
        update sessions s set version = x.version, state = x.state, expires_at = x.expires_at,
               body = x.body::json, updated_at = x.updated_at
            from unnest(old_sessions) x where s.id = x.id and s.version = x.version - 1;
        get diagnostics written = row_count;
        perform ledger_expect('sessions', cardinality(old_sessions), written);
        insert into checkout_people (checkout_id, personal, updated_at)
            select x.id, x.personal, x.updated_at from unnest(old_sessions) x
            where x.personal is not null
            on conflict (checkout_id) do update
                set personal = excluded.personal, updated_at = excluded.updated_at;
    end if;
    if cardinality(heads) > 0 then
        update sessions s set version = x.version, state = x.state, body = x.body::json,
               updated_at = x.updated_at
            from unnest(heads) x where s.id = x.id and s.version = x.version - 1;
        get diagnostics written = row_count;
        perform ledger_expect('sessions', cardinality(heads), written);
    end if;
    if cardinality(answers) > 0 then
        update idempotency_keys k set answer_status = x.status, answer_body = x.body,
               answer_version = x.version, answered_at = x.at
            from unnest(answers) x
            where k.caller = x.caller and k.key = x.key and k.answered_at is null;
    end if;
end
$$;
