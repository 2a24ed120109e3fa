-- What a judged batch writes, as one statement: a row put into this view. SQLite has no procedures
-- but triggers. A column has the rows of one kind as a binary JSON array; none is null. Statements
-- followed by a check write every one of their rows: one that was judged and cannot be found is a
-- bug, for nobody else writes here.

create temp view batch (
    entries, new_sessions, sessions, people, heads, holds, gone_holds, stock, new_grants, grants,
    attempts, new_attempts, orders, lines, operations, events, movements, answers, new_keys,
    assessments, new_cases, cases, labels
) as select null, null, null, null, null, null, null, null, null, null, null, null,
    null, null, null, null, null, null, null, null, null, null, null;

create temp trigger apply instead of insert on batch begin
    insert into entries (id, outcome, at)
        select value->>'$.id', value->'$.outcome', value->>'$.at' from jsonb_each(new.entries);
    select raise(abort, 'entries: not every row was written')
        where changes() <> json_array_length(new.entries);

    insert into sessions (id, version, state, expires_at, body, created_at, updated_at)
        select value->>'$.checkout', value->>'$.version', value->>'$.state', value->>'$.expires_at',
               value->'$.body', value->>'$.updated_at', value->>'$.updated_at'
        from jsonb_each(new.new_sessions);
    select raise(abort, 'new_sessions: not every row was written')
        where changes() <> json_array_length(new.new_sessions);

    update sessions set version = x.value->>'$.version',
            state = x.value->>'$.state', expires_at = x.value->>'$.expires_at',
            body = x.value->'$.body', updated_at = x.value->>'$.updated_at'
        from jsonb_each(new.sessions) x
        where sessions.id = x.value->>'$.checkout' and version = x.value->>'$.version' - 1;
    select raise(abort, 'sessions: not every row was written')
        where changes() <> json_array_length(new.sessions);

    insert into checkout_people (checkout_id, personal, updated_at)
        select value->>'$.checkout', value->>'$.personal', value->>'$.updated_at'
        from jsonb_each(new.people) where true
        on conflict (checkout_id) do update
            set personal = excluded.personal, updated_at = excluded.updated_at;
    select raise(abort, 'people: not every row was written')
        where changes() <> json_array_length(new.people);

    update sessions set version = x.value->>'$.version',
            state = x.value->>'$.state', body = x.value->'$.body',
            updated_at = x.value->>'$.updated_at'
        from jsonb_each(new.heads) x
        where sessions.id = x.value->>'$.checkout' and version = x.value->>'$.version' - 1;
    select raise(abort, 'heads: not every row was written')
        where changes() <> json_array_length(new.heads);

    insert into holds (checkout_id, sku, quantity, expires_at, pinned_by)
        select value->>'$.checkout', value->>'$.sku', value->>'$.quantity', value->>'$.expires_at',
               value->>'$.pinned_by' from jsonb_each(new.holds) where true
        on conflict (checkout_id, sku) do update set quantity = excluded.quantity,
            expires_at = excluded.expires_at, pinned_by = excluded.pinned_by;
    select raise(abort, 'holds: not every row was written')
        where changes() <> json_array_length(new.holds);

    delete from holds where (checkout_id, sku) in (
            select value->>'$[0]', value->>'$[1]' from jsonb_each(new.gone_holds));
    select raise(abort, 'gone_holds: not every row was written')
        where changes() <> json_array_length(new.gone_holds);

    -- A SKU without a row gets one.
    update stock set on_hand = on_hand + x.value->>'$.on_hand',
            unallocated = unallocated + x.value->>'$.unallocated'
        from jsonb_each(new.stock) x where sku = x.value->>'$.sku';
    insert into stock (sku, on_hand, unallocated)
        select value->>'$.sku', value->>'$.on_hand', value->>'$.unallocated'
        from jsonb_each(new.stock)
        where not exists (select 1 from stock where sku = value->>'$.sku');

    insert into stock_grants (id, sku, holder, granted, consumed, active)
        select value->>'$.id', value->>'$.sku', value->>'$.holder', value->>'$.granted',
               value->>'$.consumed', value->>'$.active' from jsonb_each(new.new_grants);
    select raise(abort, 'new_grants: not every row was written')
        where changes() <> json_array_length(new.new_grants);

    update stock_grants set consumed = consumed + x.value->>'$.consumed',
            active = x.value->>'$.active'
        from jsonb_each(new.grants) x where stock_grants.id = x.value->>'$.id' and active;
    select raise(abort, 'grants: not every row was written')
        where changes() <> json_array_length(new.grants);

    -- What ends goes first: one pending attempt per checkout.
    update payment_attempts set state = x.value->>'$.state',
            authorization_id = x.value->>'$.authorization', code = x.value->>'$.code',
            watch_until = x.value->>'$.watch_until', settled_at = x.value->>'$.settled_at'
        from jsonb_each(new.attempts) x
        where payment_attempts.id = x.value->>'$.id' and payment_attempts.state = 'pending';
    select raise(abort, 'attempts: not every row was written')
        where changes() <> json_array_length(new.attempts);

    insert into payment_attempts (id, checkout_id, order_id, number, state, amount_minor, currency,
            gateway, deadline, watch_until, waiting_caller, waiting_key, created_at)
        select value->>'$.id', value->>'$.checkout', value->>'$.order', value->>'$.number',
               value->>'$.state', value->>'$.amount_minor', value->>'$.currency',
               value->>'$.gateway', value->>'$.deadline', value->>'$.watch_until',
               value->>'$.waiting[0]', value->>'$.waiting[1]', value->>'$.created_at'
        from jsonb_each(new.new_attempts);
    select raise(abort, 'new_attempts: not every row was written')
        where changes() <> json_array_length(new.new_attempts);

    insert into orders (id, checkout_id, attempt_id, total_minor, currency, body, placed_at)
        select value->>'$.id', value->>'$.checkout', value->>'$.attempt', value->>'$.total_minor',
               value->>'$.currency', value->'$.body', value->>'$.placed_at'
        from jsonb_each(new.orders);
    select raise(abort, 'orders: not every row was written')
        where changes() <> json_array_length(new.orders);

    insert into order_lines (order_id, line, sku, quantity, unit_price_minor, tracked)
        select o.value->>'$.id', l.value->>'$.line', l.value->>'$.sku', l.value->>'$.quantity',
               l.value->>'$.unit_price_minor', l.value->>'$.tracked'
        from jsonb_each(new.orders) o, jsonb_each(o.value, '$.lines') l;

    update order_lines set shipped = shipped + x.value->>'$.shipped',
            returned = returned + x.value->>'$.returned',
            restocked = restocked + x.value->>'$.restocked'
        from jsonb_each(new.lines) x
        where order_id = x.value->>'$.order' and line = x.value->>'$.line';
    select raise(abort, 'lines: not every row was written')
        where changes() <> json_array_length(new.lines);

    insert into payment_operations (id, attempt_id, kind, amount_minor, authorization_id,
            state, note, created_at, updated_at)
        select value->>'$.id', value->>'$.attempt', value->>'$.kind', value->>'$.amount_minor',
               value->>'$.authorization', value->>'$.state', value->>'$.note', value->>'$.at',
               value->>'$.at' from jsonb_each(new.operations) where true
        on conflict (id) do update set state = excluded.state, note = excluded.note,
            updated_at = excluded.updated_at
            where payment_operations.state = 'due';

    insert into events (id, order_id, kind, body, at)
        select value->>'$.id', value->>'$.order', value->>'$.kind', value->'$.body', value->>'$.at'
        from jsonb_each(new.events) order by key;
    select raise(abort, 'events: not every row was written')
        where changes() <> json_array_length(new.events);

    insert into stock_movements (id, sku, kind, quantity, reason, order_id, line, at)
        select value->>'$.id', value->>'$.sku', value->>'$.kind', value->>'$.quantity',
               value->>'$.reason', value->>'$.order', value->>'$.line', value->>'$.at'
        from jsonb_each(new.movements);
    select raise(abort, 'movements: not every row was written')
        where changes() <> json_array_length(new.movements);

    update idempotency_keys set
            answer_status = x.value->>'$.answer.status', answer_body = x.value->>'$.answer.body',
            answer_version = x.value->>'$.answer.version', answered_at = x.value->>'$.now'
        from jsonb_each(new.answers) x
        where caller = x.value->>'$.caller' and idempotency_keys.key = x.value->>'$.key'
          and answered_at is null
          and x.value->>'$.answer' is not null;

    insert into idempotency_keys (caller, key, fingerprint, dialect, answer_status,
            answer_body, answer_version, created_at, answered_at)
        select value->>'$.caller', value->>'$.key', value->>'$.fingerprint', value->>'$.dialect',
               value->>'$.answer.status', value->>'$.answer.body', value->>'$.answer.version',
               value->>'$.now', iif(value->>'$.answer' is null, null, value->>'$.now')
        from jsonb_each(new.new_keys);
    select raise(abort, 'new_keys: not every row was written')
        where changes() <> json_array_length(new.new_keys);

    insert into assessments (id, checkout_id, attempt_id, outcome, score, degraded, body, at)
        select value->>'$.id', value->>'$.checkout', value->>'$.attempt', value->>'$.outcome',
               value->>'$.score', value->>'$.degraded', value->'$.body', value->>'$.at'
               from jsonb_each(new.assessments);
    select raise(abort, 'assessments: not every row was written')
        where changes() <> json_array_length(new.assessments);

    insert into review_cases (order_id, attempt_id, priority, due_at, expires_at, opened_at)
        select value->>'$.order', value->>'$.attempt', value->>'$.priority', value->>'$.due_at',
               value->>'$.expires_at', value->>'$.opened_at' from jsonb_each(new.new_cases);
    select raise(abort, 'new_cases: not every row was written')
        where changes() <> json_array_length(new.new_cases);
    insert into review_events (order_id, at, actor, kind, note)
        select value->>'$.order', value->>'$.opened_at', 'fraud', 'opened', ''
        from jsonb_each(new.new_cases);

    update review_cases set state = x.value->>'$.state', closed_by = x.value->>'$.by',
            reason = x.value->>'$.reason', closed_at = x.value->>'$.at', claimed_by = null,
            lease_until = null
        from jsonb_each(new.cases) x
        where order_id = x.value->>'$.order' and review_cases.state = x.value->>'$.from';
    select raise(abort, 'cases: not every row was written')
        where changes() <> json_array_length(new.cases);
    insert into review_events (order_id, at, actor, kind, note)
        select value->>'$.order', value->>'$.at', value->>'$.by', value->>'$.state',
               value->>'$.reason' from jsonb_each(new.cases);

    insert into labels (order_id, fraud, source, at, author, reason, note, amount_minor, currency)
        select value->>'$.order', value->>'$.fraud', value->>'$.source', value->>'$.at',
               value->>'$.author', value->>'$.reason', value->>'$.note',
               value->>'$.amount_minor', value->>'$.currency'
        from jsonb_each(new.labels);
    select raise(abort, 'labels: not every row was written')
        where changes() <> json_array_length(new.labels);
end;
