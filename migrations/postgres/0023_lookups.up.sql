-- Rows are found by their key, whatever the statistics say. A commit's statements are planned once
-- and kept, and tables that are empty at that moment (holds, each night) made plans that read the
-- whole table for each batch: a full scan of no rows is cheaper than ten look-ups. Nothing forbids
-- such a plan, so the statements leave no choice:
--
-- * each row of a batch is looked up by itself (`lateral … limit 1`), by nothing but its key;
-- * no other index can be used for that. Holds by SKU are found by who says `quantity > 0`, which
--   all of them are; lines of orders have their key compared as a whole, which reads a page of the
--   index: they move after the sale;
-- * what a look-up has seen is judged by what it saw (`seen`), and that version of the row (`ctid`)
--   is written. If it has moved meanwhile it is not found, fewer rows are written than meant, and
--   the batch is judged again.

drop index holds_by_sku;
create index holds_by_sku on holds (sku, expires_at) where quantity > 0;

create or replace view operation_rows as
select p.id, p.attempt_id, p.state, p.created_at, json_build_object('id', p.id,
    'attempt', p.attempt_id, 'kind', p.kind, 'amount_minor', p.amount_minor,
    'authorization', p.authorization_id, 'state', p.state,
    'currency', (select a.currency from payment_attempts a where a.id = p.attempt_id),
    'order', (select a.order_id from payment_attempts a where a.id = p.attempt_id)) as record
from payment_operations p;

create or replace view stock_levels as
select s.sku, json_build_object('sku', s.sku, 'on_hand', s.on_hand,
    'unallocated', s.unallocated,
    'granted', (select coalesce(sum(g.granted - g.consumed), 0) from stock_grants g
                where g.sku = s.sku and g.active),
    'held', (select coalesce(sum(h.quantity), 0) from holds h
             where h.sku = s.sku and h.quantity > 0),
    'sold', (select coalesce(sum(l.quantity - l.shipped - l.restocked), 0) from order_lines l
             where l.sku = s.sku and l.tracked and l.shipped + l.restocked < l.quantity)
    ) as record
from stock s;

create or replace function ledger_lock(
    judged_at timestamptz, entry_ids text[], holders uuid[], attempt_ids uuid[],
    session_ids uuid[],
    wanted_checkouts uuid[], wanted_skus text[], wanted_units integer[], wanted_direct boolean[],
    due_checkouts uuid[], due_skus text[],
    stock_skus text[], grant_ids uuid[], closing uuid[], all_grants_of text[],
    callers text[], key_names text[], line_orders uuid[], line_numbers integer[],
    operation_ids uuid[], case_orders uuid[]
) returns text language plpgsql volatile as $$
declare
    none         constant json := '[]';
    all_sessions uuid[] := session_ids;
    owners       uuid[];
    stale        uuid[];
    stale_skus   text[];
    stock_of     text[] := stock_skus || all_grants_of;
    grants_of    text[] := all_grants_of;
    short        text[] := '{}';
    short_of     bigint[] := '{}';
    more         text[];
    active_grants uuid[];
    waiting      text[];
    waiting_for  text[];
    live json := none; replicas bigint := 0; attempts json := none; sessions json := none;
    held json := none; stock json := none; grants json := none;
    lines json := none; operations json := none; promised json := none; entries json := none;
    keys json := none; cases json := none;
begin
    if cardinality(holders) > 0 then
        select coalesce(json_agg(r.id), none) into live from (
            select id from replicas where id = any(holders) and state = 'live'
            order by id for key share) r;
        select count(*) into replicas from replicas r where r.state = 'live';
    end if;

    if cardinality(attempt_ids) > 0 then
        select coalesce(json_agg(r), none), all_sessions || array_agg(r.checkout),
               array_agg(r.waiting[1]) filter (where r.waiting is not null),
               array_agg(r.waiting[2]) filter (where r.waiting is not null)
            into attempts, all_sessions, waiting, waiting_for from (
            select a.id, a.checkout_id as checkout, a.order_id as "order", a.number, a.state,
                   a.amount_minor, a.currency, a.gateway, a.authorization_id as "authorization",
                   a.deadline, a.watch_until, case when a.waiting_key is not null
                       then array[a.waiting_caller, a.waiting_key] end as waiting
            from payment_attempts a where a.id = any(attempt_ids) order by a.id for update) r;
        callers := callers || waiting;
        key_names := key_names || waiting_for;
    end if;

    if cardinality(all_sessions) > 0 then
        select coalesce(json_agg(json_build_object(
                'checkout', r.id, 'version', r.version, 'state', r.state)), none)
            into sessions from (
            select s.id, s.version, s.state from sessions s where s.id = any(all_sessions)
            order by s.id for update) r;
    end if;

    -- All holds of the sessions, and of the checkouts some of whose holds are to expire.
    owners := all_sessions || due_checkouts;
    if cardinality(owners) > 0 then
        select coalesce(json_agg(r), none) into held from (
            select h.checkout_id as checkout, h.sku, h.quantity, h.expires_at, h.pinned_by
            from holds h where h.checkout_id = any(owners)
            order by h.checkout_id, h.sku for update) r;
        -- Units to take from the stock row, or to give back to it.
        if cardinality(session_ids) > 0 then
            select array_agg(w.sku) into more from (
                select w.sku from unnest(wanted_checkouts, wanted_skus, wanted_units, wanted_direct)
                    as w(checkout, sku, units, direct)
                left join lateral (
                    select i.quantity from holds i
                    where i.checkout_id = w.checkout and i.sku = w.sku limit 1) h on true
                where (w.direct and w.units > coalesce(h.quantity, 0)) or w.units < h.quantity
                union
                select h.sku from holds h
                left join unnest(wanted_checkouts, wanted_skus) as w(checkout, sku)
                    on w.checkout = h.checkout_id and w.sku = h.sku
                where h.checkout_id = any(session_ids) and w.sku is null) w;
            stock_of := stock_of || more;
        end if;
        stock_of := stock_of || due_skus;
    end if;
    if cardinality(line_orders) > 0 then
        select array_agg(l.sku) into more from unnest(line_orders, line_numbers) as x(id, line),
            lateral (
                select i.sku from order_lines i
                where (i.order_id, i.line) >= (x.id, x.line)
                  and (i.order_id, i.line) <= (x.id, x.line)
                order by i.order_id, i.line limit 1) l;
        stock_of := stock_of || more;
    end if;
    if cardinality(closing) > 0 then
        select array_agg(g.sku) into more from stock_grants g where g.id = any(closing);
        stock_of := stock_of || more;
    end if;

    if cardinality(stock_of) > 0 then
        select coalesce(json_agg(r), none) into stock from (
            select s.sku, s.on_hand, s.unallocated from stock s where s.sku = any(stock_of)
            order by s.sku for update) r;
    end if;

    -- Where more is wanted directly than is free, grants and stale holds are looked at as well;
    -- also where the batch moves or grants the SKU at the same time, which the sum does not see.
    if true = any(wanted_direct) then
        select array_agg(n.sku), array_agg(n.units) into more, short_of from (
            select w.sku, sum(w.units - coalesce(h.quantity, 0)) as units
            from unnest(wanted_checkouts, wanted_skus, wanted_units, wanted_direct)
                as w(checkout, sku, units, direct)
            left join lateral (
                select i.quantity from holds i
                where i.checkout_id = w.checkout and i.sku = w.sku limit 1) h on true
            where w.direct and w.units > coalesce(h.quantity, 0)
            group by w.sku) n
        left join lateral (
            select i.unallocated from stock i where i.sku = n.sku limit 1) s on true
        where n.units > coalesce(s.unallocated, 0) or n.sku = any(stock_skus);
        short := short || more;
        grants_of := grants_of || short;
    end if;

    if cardinality(grant_ids) > 0 or cardinality(grants_of) > 0 then
        select array_agg(g.id) into active_grants from stock_grants g
            where g.active and g.sku = any(grants_of);
        select coalesce(json_agg(r), none) into grants from (
            select g.id, g.sku, g.holder, g.granted, g.consumed, g.active from stock_grants g
            where g.id = any(grant_ids || active_grants)
              and (g.id = any(grant_ids) or g.active)
            order by g.id for update) r;
    end if;
    if cardinality(short) > 0 then
        select array_agg(r.checkout_id), array_agg(r.sku) into stale, stale_skus
            from unnest(short, short_of) as n(sku, units) cross join lateral (
            select h.checkout_id, h.sku from holds h
            where h.sku = n.sku and h.quantity > 0 and h.pinned_by is null
              and h.expires_at <= judged_at
              and not h.checkout_id = any(owners)
            order by h.expires_at limit n.units for update skip locked) r;
    end if;
    if stale is not null then
        select coalesce(json_agg(r.record), none) into held from (
            select h.record from hold_rows h where h.checkout_id = any(owners)
            union all
            select h.record from unnest(stale, stale_skus) as x(checkout_id, sku),
            lateral (
                select i.record from hold_rows i
                where i.checkout_id = x.checkout_id and i.sku = x.sku limit 1) h) r;
    end if;
    if cardinality(all_grants_of) > 0 then
        select coalesce(json_agg(json_build_object('sku', s, 'units',
                (select coalesce(sum(h.quantity), 0) from holds h
                 where h.sku = s and h.quantity > 0)
                + (select coalesce(sum(l.quantity - l.shipped - l.restocked), 0)
                   from order_lines l where l.sku = s and l.tracked
                   and l.shipped + l.restocked < l.quantity))), none)
            into promised from unnest(all_grants_of) s;
    end if;

    if cardinality(line_orders) > 0 then
        select coalesce(json_agg(r), none) into lines from (
            select l.order_id as "order", l.line, l.sku, l.quantity, l.tracked, l.shipped,
                   l.returned, l.restocked
            from (select distinct x.id, x.line from unnest(line_orders, line_numbers) as x(id, line)
                  order by x.id, x.line) x,
            lateral (
                select i.* from order_lines i
                where (i.order_id, i.line) >= (x.id, x.line)
                  and (i.order_id, i.line) <= (x.id, x.line)
                order by i.order_id, i.line limit 1
                for update) l) r;
    end if;
    if cardinality(operation_ids) > 0 then
        perform 1 from payment_operations where id = any(operation_ids) order by id for update;
        select coalesce(json_agg(r.record), none) into operations from operation_rows r
            where r.id = any(operation_ids);
    end if;
    if cardinality(case_orders) > 0 then
        select coalesce(json_agg(r), none) into cases from (
            select c.order_id as "order", c.attempt_id as attempt, c.state from review_cases c
            where c.order_id = any(case_orders) order by c.order_id for update) r;
    end if;
    select coalesce(json_agg(json_build_object('id', e.id, 'outcome', e.outcome)), none)
        into entries from entries e where e.id = any(entry_ids);
    if cardinality(callers) > 0 then
        select coalesce(json_agg(k.record), none) into keys
            from (select distinct w.caller, w.key
                  from unnest(callers, key_names) as w(caller, key)) x,
            lateral (
                select i.record from key_rows i
                where i.caller = x.caller and i.key = x.key limit 1) k;
    end if;

    return json_build_object('live', live, 'replicas', replicas, 'attempts', attempts,
        'sessions', sessions, 'holds', held, 'stock', stock,
        'grants', grants, 'lines', lines, 'operations', operations, 'promised', promised,
        'entries', entries, 'keys', keys, 'cases', cases);
end
$$;

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
            from unnest(old_attempts) x, lateral (
                select i.ctid, i.settled_at from payment_attempts i where i.id = x.id limit 1) seen
            where a.ctid = seen.ctid and seen.settled_at is null;
        get diagnostics written = row_count;
        perform ledger_expect('payment_attempts', cardinality(old_attempts), written);
    end if;
    if cardinality(old_sessions) > 0 then
        update sessions s set version = x.version, state = x.state, expires_at = x.expires_at,
               body = x.body::json, updated_at = x.updated_at
            from unnest(old_sessions) x, lateral (
                select i.ctid, i.version from sessions i where i.id = x.id limit 1) seen
            where s.ctid = seen.ctid and seen.version = x.version - 1;
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
            from unnest(heads) x, lateral (
                select i.ctid, i.version from sessions i where i.id = x.id limit 1) seen
            where s.ctid = seen.ctid and seen.version = x.version - 1;
        get diagnostics written = row_count;
        perform ledger_expect('sessions', cardinality(heads), written);
    end if;
    if cardinality(answers) > 0 then
        update idempotency_keys k set answer_status = x.status, answer_body = x.body,
               answer_version = x.version, answered_at = x.at
            from unnest(answers) x, lateral (
                select i.ctid, i.answered_at from idempotency_keys i
                where i.caller = x.caller and i.key = x.key limit 1) seen
            where k.ctid = seen.ctid and seen.answered_at is null;
    end if;
end
$$;

create or replace function ledger_apply(
    new_entries entry_change[], new_sessions session_change[], old_sessions session_change[],
    heads head_change[], put_holds hold_change[], gone_holds hold_end[],
    moved_stock stock_change[], new_grants grant_insert[], old_grants grant_change[],
    new_attempts attempt_insert[], old_attempts attempt_change[],
    new_orders order_insert[], new_lines order_line_insert[], moved_lines order_line_change[],
    put_operations operation_change[], new_events event_insert[],
    new_movements movement_insert[], new_keys key_insert[], answers key_answer[],
    new_assessments assessment_insert[], new_cases case_insert[], old_cases case_change[],
    new_labels label_insert[]
) returns void language plpgsql volatile as $$
declare
    written bigint;
begin
    -- What ends goes before what begins: one live attempt per checkout.
    perform ledger_step(old_attempts, old_sessions, heads, answers);
    if cardinality(put_holds) > 0 then
        insert into holds (checkout_id, sku, quantity, expires_at, pinned_by)
            select x.checkout_id, x.sku, x.quantity, x.expires_at, x.pinned_by
            from unnest(put_holds) x
            on conflict (checkout_id, sku) do update set quantity = excluded.quantity,
                expires_at = excluded.expires_at, pinned_by = excluded.pinned_by;
    end if;
    if cardinality(gone_holds) > 0 then
        delete from holds h using unnest(gone_holds) x, lateral (
                select i.ctid from holds i
                where i.checkout_id = x.checkout_id and i.sku = x.sku limit 1) seen
            where h.ctid = seen.ctid;
        get diagnostics written = row_count;
        perform ledger_expect('holds', cardinality(gone_holds), written);
    end if;

    if cardinality(moved_stock) > 0 then
        update stock s set on_hand = s.on_hand + x.on_hand,
               unallocated = s.unallocated + x.unallocated
            from unnest(moved_stock) x, lateral (
                select i.ctid from stock i where i.sku = x.sku limit 1) seen
            where s.ctid = seen.ctid;
        get diagnostics written = row_count;
        if written < cardinality(moved_stock) then
            insert into stock (sku, on_hand, unallocated)
                select x.sku, x.on_hand, x.unallocated from unnest(moved_stock) x
                left join lateral (
                    select i.sku from stock i where i.sku = x.sku limit 1) seen on true
                where seen.sku is null order by x.sku;
        end if;
    end if;
    if cardinality(new_grants) > 0 then
        insert into stock_grants (id, sku, holder, granted, consumed, active)
            select x.id, x.sku, x.holder, x.granted, x.consumed, x.active
            from unnest(new_grants) x;
    end if;
    if cardinality(old_grants) > 0 then
        update stock_grants g set consumed = g.consumed + x.consumed, active = x.active
            from unnest(old_grants) x, lateral (
                select i.ctid, i.active from stock_grants i where i.id = x.id limit 1) seen
            where g.ctid = seen.ctid and seen.active;
        get diagnostics written = row_count;
        perform ledger_expect('stock_grants', cardinality(old_grants), written);
    end if;

    if cardinality(moved_lines) > 0 then
        update order_lines l set shipped = l.shipped + x.shipped,
               returned = l.returned + x.returned, restocked = l.restocked + x.restocked
            from unnest(moved_lines) x, lateral (
                select i.ctid from order_lines i
                where (i.order_id, i.line) >= (x.order_id, x.line)
                  and (i.order_id, i.line) <= (x.order_id, x.line)
                order by i.order_id, i.line limit 1) seen
            where l.ctid = seen.ctid;
        get diagnostics written = row_count;
        perform ledger_expect('order_lines', cardinality(moved_lines), written);
    end if;
    if cardinality(put_operations) > 0 then
        update payment_operations p set state = x.state, note = x.note, updated_at = x.at
            from unnest(put_operations) x, lateral (
                select i.ctid, i.state from payment_operations i where i.id = x.id limit 1) seen
            where p.ctid = seen.ctid and seen.state = 'due';
        get diagnostics written = row_count;
        if written < cardinality(put_operations) then
            insert into payment_operations (id, attempt_id, kind, amount_minor,
                    authorization_id, state, note, created_at, updated_at)
                select x.id, x.attempt_id, x.kind, x.amount_minor, x.authorization_id, x.state,
                       x.note, x.at, x.at
                from unnest(put_operations) x
                left join lateral (
                    select i.id from payment_operations i where i.id = x.id limit 1) seen on true
                where seen.id is null;
        end if;
    end if;
    if cardinality(new_movements) > 0 then
        insert into stock_movements (id, sku, kind, quantity, reason, order_id, line, at)
            select x.id, x.sku, x.kind, x.quantity, x.reason, x.order_id, x.line, x.at
            from unnest(new_movements) x;
    end if;
    if cardinality(old_cases) > 0 then
        update review_cases c set state = x.state, closed_by = x.closed_by, reason = x.reason,
               closed_at = x.closed_at, claimed_by = null, lease_until = null
            from unnest(old_cases) x, lateral (
                select i.ctid, i.state
                from review_cases i where i.order_id = x.order_id limit 1) seen
            where c.ctid = seen.ctid and seen.state = x.state_before;
        get diagnostics written = row_count;
        perform ledger_expect('review_cases', cardinality(old_cases), written);
        insert into review_events (order_id, at, actor, kind, note)
            select x.order_id, x.closed_at, x.closed_by, x.state, x.reason
            from unnest(old_cases) x;
    end if;
    if cardinality(new_labels) > 0 then
        insert into labels (order_id, fraud, source, at)
            select x.order_id, x.fraud, x.source, x.at from unnest(new_labels) x;
    end if;
    perform ledger_insert(new_entries, new_sessions, new_attempts, new_orders, new_lines,
                          new_events, new_keys, new_assessments, new_cases);
end
$$;

create or replace function ledger_commit(
    new_entries entry_change[], new_sessions session_change[], old_sessions session_change[],
    heads head_change[], assumed session_assumed[],
    new_holds hold_change[], old_holds hold_step[], gone_holds hold_step[],
    moved_stock stock_change[], old_grants grant_change[],
    new_attempts attempt_insert[], old_attempts attempt_change[],
    new_orders order_insert[], new_lines order_line_insert[],
    new_operations operation_change[], old_operations operation_change[],
    new_events event_insert[], new_keys key_insert[], answers key_answer[],
    new_assessments assessment_insert[], new_cases case_insert[]
) returns text language plpgsql volatile as $$
declare
    written bigint;
    stock_left json;
    grants_left json;
begin
    -- Of a session this process did not write last: it is open at that version. A version has one
    -- state, so nothing is locked yet: the step checks that the version still stands.
    if cardinality(assumed) > 0 then
        select count(*) into written from unnest(assumed) x, lateral (
                select i.version, i.state from sessions i where i.id = x.checkout_id limit 1) seen
            where seen.version = x.version and seen.state = 'open';
        perform ledger_expect('sessions', cardinality(assumed), written);
    end if;
    perform ledger_step(old_attempts, old_sessions, heads, answers);
    -- Its holds are those that are pinned and no others. Its row is locked by now: none comes.
    if cardinality(assumed) > 0 then
        select count(*) into written from unnest(assumed) x where x.holds =
            (select count(*) from holds h where h.checkout_id = x.checkout_id);
        perform ledger_expect('holds', cardinality(assumed), written);
    end if;
    if cardinality(old_holds) > 0 then
        update holds h set quantity = x.quantity, pinned_by = x.pinned_by,
               expires_at = greatest(h.expires_at, x.expires_at)
            from unnest(old_holds) x, lateral (
                select i.ctid, i.quantity, i.pinned_by from holds i
                where i.checkout_id = x.checkout_id and i.sku = x.sku limit 1) seen
            where h.ctid = seen.ctid and seen.quantity = x.quantity_before
              and seen.pinned_by is not distinct from x.pinned_before;
        get diagnostics written = row_count;
        perform ledger_expect('holds', cardinality(old_holds), written);
    end if;
    if cardinality(gone_holds) > 0 then
        delete from holds h using unnest(gone_holds) x, lateral (
                select i.ctid, i.quantity, i.pinned_by from holds i
                where i.checkout_id = x.checkout_id and i.sku = x.sku limit 1) seen
            where h.ctid = seen.ctid and seen.quantity = x.quantity_before
              and seen.pinned_by is not distinct from x.pinned_before;
        get diagnostics written = row_count;
        perform ledger_expect('holds', cardinality(gone_holds), written);
    end if;
    if cardinality(new_holds) > 0 then
        insert into holds (checkout_id, sku, quantity, expires_at, pinned_by)
            select x.checkout_id, x.sku, x.quantity, x.expires_at, x.pinned_by
            from unnest(new_holds) x;
    end if;

    if cardinality(moved_stock) > 0 then
        perform from stock s where s.sku = any(array(select x.sku from unnest(moved_stock) x))
            order by s.sku for update;
        with moved as (
            update stock s set unallocated = s.unallocated + x.unallocated
            from unnest(moved_stock) x, lateral (
                select i.ctid, i.unallocated from stock i where i.sku = x.sku limit 1) seen
            where s.ctid = seen.ctid and seen.unallocated + x.unallocated >= 0
            returning s.sku, s.unallocated)
        select count(*), json_agg(m) into written, stock_left from moved m;
        perform ledger_expect('stock', cardinality(moved_stock), written);
    end if;
    if cardinality(old_grants) > 0 then
        with used as (
            update stock_grants g set consumed = g.consumed + x.consumed
            from unnest(old_grants) x, lateral (
                select i.ctid, i.active, i.consumed, i.granted
                from stock_grants i where i.id = x.id limit 1) seen
            where g.ctid = seen.ctid and seen.active
              and seen.consumed + x.consumed <= seen.granted
            returning g.id, g.granted - g.consumed as "left")
        select count(*), json_agg(u) into written, grants_left from used u;
        perform ledger_expect('stock_grants', cardinality(old_grants), written);
    end if;

    if cardinality(old_operations) > 0 then
        update payment_operations p set state = x.state, note = x.note, updated_at = x.at
            from unnest(old_operations) x, lateral (
                select i.ctid, i.state from payment_operations i where i.id = x.id limit 1) seen
            where p.ctid = seen.ctid and seen.state = 'due';
        get diagnostics written = row_count;
        perform ledger_expect('payment_operations', cardinality(old_operations), written);
    end if;
    if cardinality(new_operations) > 0 then
        insert into payment_operations (id, attempt_id, kind, amount_minor,
                authorization_id, state, note, created_at, updated_at)
            select x.id, x.attempt_id, x.kind, x.amount_minor, x.authorization_id, x.state,
                   x.note, x.at, x.at
            from unnest(new_operations) x;
    end if;
    perform ledger_insert(new_entries, new_sessions, new_attempts, new_orders, new_lines,
                          new_events, new_keys, new_assessments, new_cases);
    return json_build_object('stock', coalesce(stock_left, '[]'),
                             'grants', coalesce(grants_left, '[]'));
end
$$;
