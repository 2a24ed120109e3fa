-- The two halves of a commit: lock and read what a batch concerns, and write what it changes.
-- Between them the program judges. Both run in one read-committed transaction.

-- The ids of a JSON array of prefixed texts (`chk_…`): the last 32 characters are the bits.
create function ledger_ids(list jsonb) returns uuid[] language sql immutable parallel safe as $$
    select coalesce(array_agg(right(x, 32)::uuid), '{}') from jsonb_array_elements_text(list) x
$$;

create function ledger_texts(list jsonb) returns text[] language sql immutable parallel safe as $$
    select coalesce(array_agg(x), '{}') from jsonb_array_elements_text(list) x
$$;

-- Locks and reads. Each step is a statement of its own, because each needs a fresh snapshot: one
-- that waited for another transaction must see what that one wrote. Every batch locks in this
-- order: replicas, attempts, sessions, holds, stock, grants, lines, operations; each by key.
create function ledger_lock(ask jsonb) returns text language plpgsql volatile as $$
declare
    none         constant json := '[]';
    judged_at    constant timestamptz := ask->>'now';
    asked        constant uuid[] := ledger_ids(ask->'sessions');
    all_sessions uuid[] := asked;
    owners       uuid[];
    stale        uuid[];
    stale_skus   text[];
    stock_of     text[] := ledger_texts(ask->'stock') || ledger_texts(ask->'grants_of');
    grants_of    text[] := ledger_texts(ask->'grants_of');
    short        text[] := '{}';
    waiting      jsonb := ask->'keys';
    live json := none; replicas bigint := 0; attempts json := none; sessions json := none;
    held json := none; stock json := none; grants json := none;
    lines json := none; operations json := none; promised json := none; entries json := none;
    keys json := none;
begin
    if ask->'holders' <> '[]' then
        select coalesce(json_agg(r.id), none) into live from (
            select id from replicas where id = any(ledger_ids(ask->'holders')) and state = 'live'
            order by id for key share) r;
        select count(*) into replicas from replicas r where r.state = 'live';
    end if;

    if ask->'attempts' <> '[]' then
        perform 1 from payment_attempts where id = any(ledger_ids(ask->'attempts'))
            order by id for update;
        select coalesce(json_agg(r.record), none),
               all_sessions || coalesce(array_agg(r.checkout_id), '{}')
            into attempts, all_sessions
            from attempt_rows r where r.id = any(ledger_ids(ask->'attempts'));
        select waiting || coalesce(
                   jsonb_agg(jsonb_build_array(a.waiting_caller, a.waiting_key)), '[]')
            into waiting from payment_attempts a
            where a.id = any(ledger_ids(ask->'attempts')) and a.waiting_key is not null;
    end if;

    if cardinality(all_sessions) > 0 then
        select coalesce(json_agg(json_build_object(
                'checkout', r.id, 'version', r.version, 'state', r.state)), none)
            into sessions from (
            select s.id, s.version, s.state from sessions s where s.id = any(all_sessions)
            order by s.id for update) r;
    end if;

    -- All holds of the sessions, and of the checkouts some of whose holds are to expire.
    select all_sessions || coalesce(array_agg(distinct right(x->>0, 32)::uuid), '{}')
        into owners from jsonb_array_elements(ask->'holds') x;
    if cardinality(owners) > 0 then
        perform 1 from holds h where h.checkout_id = any(owners)
            order by h.checkout_id, h.sku for update;
        select stock_of || coalesce(array_agg(w.sku), '{}') into stock_of from (
            -- Units to take from the stock row, or to give back to it.
            select w.sku from jsonb_to_recordset(ask->'wanted')
                as w(checkout text, sku text, quantity integer, direct boolean)
            left join holds h on h.checkout_id = right(w.checkout, 32)::uuid and h.sku = w.sku
            where (w.direct and w.quantity > coalesce(h.quantity, 0)) or w.quantity < h.quantity
            union
            select h.sku from holds h
            left join jsonb_to_recordset(ask->'wanted') as w(checkout text, sku text)
                on right(w.checkout, 32)::uuid = h.checkout_id and w.sku = h.sku
            where h.checkout_id = any(asked) and w.sku is null
            union
            select x->>1 from jsonb_array_elements(ask->'holds') x) w;
    end if;
    if ask->'lines' <> '[]' then
        select stock_of || coalesce(array_agg(l.sku), '{}') into stock_of from order_lines l
            where (l.order_id, l.line) in (
                select right(x->>0, 32)::uuid, (x->>1)::integer
                from jsonb_array_elements(ask->'lines') x);
    end if;
    if ask->'closing' <> '[]' then
        select stock_of || coalesce(array_agg(g.sku), '{}') into stock_of from stock_grants g
            where g.id = any(ledger_ids(ask->'closing'));
    end if;

    if cardinality(stock_of) > 0 then
        select coalesce(json_agg(r), none) into stock from (
            select s.sku, s.on_hand, s.unallocated from stock s where s.sku = any(stock_of)
            order by s.sku for update) r;
    end if;

    -- Where more is wanted directly than is free, grants and stale holds are looked at as well;
    -- also where the batch moves or grants the SKU at the same time, which the sum does not see.
    if cardinality(stock_of) > 0 and ask->'wanted' <> '[]' then
        select coalesce(array_agg(n.sku), '{}') into short from (
            select w.sku, sum(w.quantity - coalesce(h.quantity, 0)) as units
            from jsonb_to_recordset(ask->'wanted')
                as w(checkout text, sku text, quantity integer, direct boolean)
            left join holds h on h.checkout_id = right(w.checkout, 32)::uuid and h.sku = w.sku
            where w.direct and w.quantity > coalesce(h.quantity, 0)
            group by w.sku) n
        left join stock s on s.sku = n.sku
        where n.units > coalesce(s.unallocated, 0) or ask->'stock' ? n.sku;
        grants_of := grants_of || short;
    end if;

    if ask->'grants' <> '[]' or cardinality(grants_of) > 0 then
        select coalesce(json_agg(r), none) into grants from (
            select g.id, g.sku, g.holder, g.granted, g.consumed, g.active from stock_grants g
            where g.id = any(ledger_ids(ask->'grants')) or (g.active and g.sku = any(grants_of))
            order by g.id for update) r;
    end if;
    if cardinality(short) > 0 then
        select array_agg(r.checkout_id), array_agg(r.sku) into stale, stale_skus from (
            select h.checkout_id, h.sku from holds h
            where h.sku = any(short) and h.pinned_by is null and h.expires_at <= judged_at
              and not h.checkout_id = any(owners)
            order by h.checkout_id, h.sku for update skip locked) r;
    end if;
    if cardinality(owners) > 0 or stale is not null then
        select coalesce(json_agg(r.record), none) into held from (
            select h.record from hold_rows h where h.checkout_id = any(owners)
            union all
            select h.record from unnest(stale, stale_skus) as x(checkout_id, sku)
            join hold_rows h on h.checkout_id = x.checkout_id and h.sku = x.sku) r;
    end if;
    if ask->'grants_of' <> '[]' then
        select coalesce(json_agg(json_build_object('sku', s, 'units',
                (select coalesce(sum(h.quantity), 0) from holds h where h.sku = s)
                + (select coalesce(sum(l.quantity - l.shipped - l.restocked), 0)
                   from order_lines l where l.sku = s and l.tracked
                   and l.shipped + l.restocked < l.quantity))), none)
            into promised from jsonb_array_elements_text(ask->'grants_of') s;
    end if;

    if ask->'lines' <> '[]' then
        select coalesce(json_agg(r), none) into lines from (
            select l.order_id as "order", l.line, l.sku, l.quantity, l.tracked, l.shipped,
                   l.returned, l.restocked
            from order_lines l where (l.order_id, l.line) in (
                select right(x->>0, 32)::uuid, (x->>1)::integer
                from jsonb_array_elements(ask->'lines') x)
            order by l.order_id, l.line for update) r;
    end if;
    if ask->'operations' <> '[]' then
        perform 1 from payment_operations where id = any(ledger_ids(ask->'operations'))
            order by id for update;
        select coalesce(json_agg(r.record), none) into operations from operation_rows r
            where r.id = any(ledger_ids(ask->'operations'));
    end if;
    select coalesce(json_agg(json_build_object('id', e.id, 'outcome', e.outcome)), none)
        into entries from entries e where e.id = any(ledger_texts(ask->'entries'));
    if waiting <> '[]' then
        select coalesce(json_agg(k.record), none) into keys from key_rows k
            where (k.caller, k.key) in (
                select x->>0, x->>1 from jsonb_array_elements(waiting) x);
    end if;

    return json_build_object('live', live, 'replicas', replicas, 'attempts', attempts,
        'sessions', sessions, 'holds', held, 'stock', stock,
        'grants', grants, 'lines', lines, 'operations', operations, 'promised', promised,
        'entries', entries, 'keys', keys);
end
$$;

-- Writes what a judged batch changes. `seen_keys` are the idempotency keys that stood under lock:
-- only those are answered, so that a key claimed meanwhile is a conflict and not somebody's answer.
create function ledger_apply(changes jsonb, seen_keys jsonb) returns void
language plpgsql volatile as $$
declare
    wanted  bigint;
    written bigint;
begin
    insert into entries (id, outcome, at)
        select x.id, x.outcome, x.at
        from jsonb_to_recordset(changes->'entries') as x(id text, outcome jsonb, at timestamptz)
        order by x.id;

    if changes->'sessions' <> '[]' then
        insert into sessions (id, version, state, expires_at, body, created_at, updated_at)
            select right(x.checkout, 32)::uuid, x.version, x.state, x.expires_at, x.body,
                   x.updated_at, x.updated_at
            from jsonb_to_recordset(changes->'sessions') as x(checkout text, version integer,
                state text, expires_at timestamptz, body jsonb, updated_at timestamptz)
            where x.version = 1;
        get diagnostics written = row_count;
        wanted := jsonb_array_length(changes->'sessions') - written;
        if wanted > 0 then
            update sessions s set version = x.version, state = x.state, expires_at = x.expires_at,
                   body = x.body, updated_at = x.updated_at
                from jsonb_to_recordset(changes->'sessions') as x(checkout text, version integer,
                    state text, expires_at timestamptz, body jsonb, updated_at timestamptz)
                where s.id = right(x.checkout, 32)::uuid and s.version = x.version - 1
                  and x.version > 1;
            get diagnostics written = row_count;
            perform ledger_expect('sessions', wanted, written);
        end if;
        insert into checkout_people (checkout_id, personal, updated_at)
            select right(x.checkout, 32)::uuid, x.personal, x.updated_at
            from jsonb_to_recordset(changes->'sessions')
                as x(checkout text, personal text, updated_at timestamptz)
            where x.personal is not null
            on conflict (checkout_id) do update
                set personal = excluded.personal, updated_at = excluded.updated_at;
    end if;
    if changes->'heads' <> '[]' then
        update sessions s set version = x.version, state = x.state, body = x.body,
               updated_at = x.updated_at
            from jsonb_to_recordset(changes->'heads') as x(checkout text, version integer,
                state text, body jsonb, updated_at timestamptz)
            where s.id = right(x.checkout, 32)::uuid and s.version = x.version - 1;
        get diagnostics written = row_count;
        perform ledger_expect('sessions', jsonb_array_length(changes->'heads'), written);
    end if;

    if changes->'holds' <> '[]' then
        insert into holds (checkout_id, sku, quantity, expires_at, pinned_by)
            select right(x.checkout, 32)::uuid, x.sku, x.quantity, x.expires_at,
                   right(x.pinned_by, 32)::uuid
            from jsonb_to_recordset(changes->'holds') as x(checkout text, sku text,
                quantity integer, expires_at timestamptz, pinned_by text)
            on conflict (checkout_id, sku) do update set quantity = excluded.quantity,
                expires_at = excluded.expires_at, pinned_by = excluded.pinned_by;
    end if;
    if changes->'gone_holds' <> '[]' then
        delete from holds h using jsonb_array_elements(changes->'gone_holds') x
            where h.checkout_id = right(x->>0, 32)::uuid and h.sku = x->>1;
        get diagnostics written = row_count;
        perform ledger_expect('holds', jsonb_array_length(changes->'gone_holds'), written);
    end if;

    if changes->'stock' <> '[]' then
        update stock s set on_hand = s.on_hand + x.on_hand,
               unallocated = s.unallocated + x.unallocated
            from jsonb_to_recordset(changes->'stock')
                as x(sku text, on_hand bigint, unallocated bigint)
            where s.sku = x.sku;
        get diagnostics written = row_count;
        if written < jsonb_array_length(changes->'stock') then
            insert into stock (sku, on_hand, unallocated)
                select x.sku, x.on_hand, x.unallocated
                from jsonb_to_recordset(changes->'stock')
                    as x(sku text, on_hand bigint, unallocated bigint)
                where not exists (select from stock s where s.sku = x.sku)
                order by x.sku;
        end if;
    end if;
    if changes->'new_grants' <> '[]' then
        insert into stock_grants (id, sku, holder, granted, consumed, active)
            select right(x.id, 32)::uuid, x.sku, right(x.holder, 32)::uuid, x.granted,
                   x.consumed, x.active
            from jsonb_to_recordset(changes->'new_grants') as x(id text, sku text, holder text,
                granted bigint, consumed bigint, active boolean);
    end if;
    if changes->'grants' <> '[]' then
        update stock_grants g set consumed = g.consumed + x.consumed, active = x.active
            from jsonb_to_recordset(changes->'grants')
                as x(id text, consumed bigint, active boolean)
            where g.id = right(x.id, 32)::uuid and g.active;
        get diagnostics written = row_count;
        perform ledger_expect('stock_grants', jsonb_array_length(changes->'grants'), written);
    end if;
    perform ledger_apply_money(changes);
    perform ledger_apply_records(changes, seen_keys);
end
$$;

-- Attempts, orders, operations. What ends goes first: one pending attempt per checkout.
create function ledger_apply_money(changes jsonb) returns void language plpgsql volatile as $$
declare
    written bigint;
begin
    if changes->'attempts' <> '[]' then
        update payment_attempts a set state = x.state, authorization_id = x."authorization",
               code = x.code, watch_until = x.watch_until, settled_at = x.settled_at
            from jsonb_to_recordset(changes->'attempts') as x(id text, state text,
                "authorization" text, code text, watch_until timestamptz, settled_at timestamptz)
            where a.id = right(x.id, 32)::uuid and a.state = 'pending';
        get diagnostics written = row_count;
        perform ledger_expect('payment_attempts', jsonb_array_length(changes->'attempts'), written);
    end if;
    if changes->'new_attempts' <> '[]' then
        insert into payment_attempts (id, checkout_id, order_id, number, state, amount_minor,
                currency, gateway, deadline, watch_until, waiting_caller, waiting_key, created_at)
            select right(x.id, 32)::uuid, right(x.checkout, 32)::uuid, right(x."order", 32)::uuid,
                   x.number, x.state, x.amount_minor, x.currency, x.gateway, x.deadline,
                   x.watch_until, x.waiting->>0, x.waiting->>1, x.created_at
            from jsonb_to_recordset(changes->'new_attempts') as x(id text, checkout text,
                "order" text, number integer, state text, amount_minor bigint, currency text,
                gateway text, deadline timestamptz, watch_until timestamptz, waiting jsonb,
                created_at timestamptz);
    end if;
    if changes->'orders' <> '[]' then
        insert into orders (id, checkout_id, attempt_id, total_minor, currency, body, placed_at)
            select right(x.id, 32)::uuid, right(x.checkout, 32)::uuid, right(x.attempt, 32)::uuid,
                   x.total_minor, x.currency, x.body, x.placed_at
            from jsonb_to_recordset(changes->'orders') as x(id text, checkout text, attempt text,
                total_minor bigint, currency text, body jsonb, placed_at timestamptz);
        insert into order_lines (order_id, line, sku, quantity, unit_price_minor, tracked)
            select right(o->>'id', 32)::uuid, l.line, l.sku, l.quantity, l.unit_price_minor,
                   l.tracked
            from jsonb_array_elements(changes->'orders') o,
                 jsonb_to_recordset(o->'lines') as l(line integer, sku text, quantity integer,
                     unit_price_minor bigint, tracked boolean);
    end if;
    if changes->'lines' <> '[]' then
        update order_lines l set shipped = l.shipped + x.shipped,
               returned = l.returned + x.returned, restocked = l.restocked + x.restocked
            from jsonb_to_recordset(changes->'lines') as x("order" text, line integer,
                shipped integer, returned integer, restocked integer)
            where l.order_id = right(x."order", 32)::uuid and l.line = x.line;
        get diagnostics written = row_count;
        perform ledger_expect('order_lines', jsonb_array_length(changes->'lines'), written);
    end if;
    if changes->'operations' <> '[]' then
        insert into payment_operations (id, attempt_id, kind, amount_minor, authorization_id,
                state, note, created_at, updated_at)
            select right(x.id, 32)::uuid, right(x.attempt, 32)::uuid, x.kind, x.amount_minor,
                   x."authorization", x.state, x.note, x.at, x.at
            from jsonb_to_recordset(changes->'operations') as x(id text, attempt text, kind text,
                amount_minor bigint, "authorization" text, state text, note text, at timestamptz)
            on conflict (id) do update set state = excluded.state, note = excluded.note,
                updated_at = excluded.updated_at
                where payment_operations.state = 'due';
    end if;
end
$$;

-- Events, movements, idempotency keys.
create function ledger_apply_records(changes jsonb, seen_keys jsonb) returns void
language plpgsql volatile as $$
begin
    if changes->'events' <> '[]' then
        insert into events (id, order_id, kind, body, at)
            select right(x.value->>'id', 32)::uuid, right(x.value->>'order', 32)::uuid,
                   x.value->>'kind', x.value->'body', (x.value->>'at')::timestamptz
            from jsonb_array_elements(changes->'events') with ordinality as x(value, place)
            order by x.place;
    end if;
    if changes->'movements' <> '[]' then
        insert into stock_movements (id, sku, kind, quantity, reason, order_id, line, at)
            select right(x.id, 32)::uuid, x.sku, x.kind, x.quantity, x.reason,
                   right(x."order", 32)::uuid, x.line, x.at
            from jsonb_to_recordset(changes->'movements') as x(id text, sku text, kind text,
                quantity integer, reason text, "order" text, line integer, at timestamptz);
    end if;
    if changes->'keys' <> '[]' then
        if seen_keys <> '[]' then
            update idempotency_keys k set answer_status = (x.answer->>'status')::integer,
                   answer_body = x.answer->>'body',
                   answer_version = (x.answer->>'version')::integer, answered_at = x.now
                from jsonb_to_recordset(changes->'keys')
                    as x(caller text, key text, answer jsonb, now timestamptz)
                where k.caller = x.caller and k.key = x.key and k.answered_at is null
                  and jsonb_typeof(x.answer) = 'object'
                  and (x.caller, x.key) in (
                      select y->>0, y->>1 from jsonb_array_elements(seen_keys) y);
        end if;
        insert into idempotency_keys (caller, key, fingerprint, dialect, answer_status,
                answer_body, answer_version, created_at, answered_at)
            select x.caller, x.key, x.fingerprint, x.dialect, (x.answer->>'status')::integer,
                   x.answer->>'body', (x.answer->>'version')::integer, x.now,
                   case when jsonb_typeof(x.answer) = 'object' then x.now end
            from jsonb_to_recordset(changes->'keys') as x(caller text, key text,
                fingerprint text, dialect text, answer jsonb, now timestamptz)
            where (x.caller, x.key) not in (
                select y->>0, y->>1 from jsonb_array_elements(seen_keys) y)
            order by x.caller, x.key;
    end if;
end
$$;

-- A row that was locked and judged must be there to be written; else the batch is judged again.
create function ledger_expect(what text, wanted bigint, written bigint) returns void
language plpgsql immutable as $$
begin
    if wanted <> written then
        raise exception 'wrote % of % rows of %', written, wanted, what using errcode = '40001';
    end if;
end
$$;
