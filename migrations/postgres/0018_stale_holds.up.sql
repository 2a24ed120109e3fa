-- As in 0003, but that of the stale holds of a SKU only as many are read, the oldest first, as units
-- may be missing: each gives back one at least. Thousands lapse together, and whoever wants one unit
-- neither locks nor reads them all.

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
                left join holds h on h.checkout_id = w.checkout and h.sku = w.sku
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
        select array_agg(l.sku) into more from unnest(line_orders, line_numbers) as x(id, line)
            join order_lines l on l.order_id = x.id and l.line = x.line;
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
            left join holds h on h.checkout_id = w.checkout and h.sku = w.sku
            where w.direct and w.units > coalesce(h.quantity, 0)
            group by w.sku) n
        left join stock s on s.sku = n.sku
        where n.units > coalesce(s.unallocated, 0) or n.sku = any(stock_skus);
        short := short || more;
        grants_of := grants_of || short;
    end if;

    if cardinality(grant_ids) > 0 or cardinality(grants_of) > 0 then
        select coalesce(json_agg(r), none) into grants from (
            select g.id, g.sku, g.holder, g.granted, g.consumed, g.active from stock_grants g
            where g.id = any(grant_ids) or (g.active and g.sku = any(grants_of))
            order by g.id for update) r;
    end if;
    if cardinality(short) > 0 then
        select array_agg(r.checkout_id), array_agg(r.sku) into stale, stale_skus
            from unnest(short, short_of) as n(sku, units) cross join lateral (
            select h.checkout_id, h.sku from holds h
            where h.sku = n.sku and h.pinned_by is null and h.expires_at <= judged_at
              and not h.checkout_id = any(owners)
            order by h.expires_at limit n.units for update skip locked) r;
    end if;
    if stale is not null then
        select coalesce(json_agg(r.record), none) into held from (
            select h.record from hold_rows h where h.checkout_id = any(owners)
            union all
            select h.record from unnest(stale, stale_skus) as x(checkout_id, sku)
            join hold_rows h on h.checkout_id = x.checkout_id and h.sku = x.sku) r;
    end if;
    if cardinality(all_grants_of) > 0 then
        select coalesce(json_agg(json_build_object('sku', s, 'units',
                (select coalesce(sum(h.quantity), 0) from holds h where h.sku = s)
                + (select coalesce(sum(l.quantity - l.shipped - l.restocked), 0)
                   from order_lines l where l.sku = s and l.tracked
                   and l.shipped + l.restocked < l.quantity))), none)
            into promised from unnest(all_grants_of) s;
    end if;

    if cardinality(line_orders) > 0 then
        select coalesce(json_agg(r), none) into lines from (
            select l.order_id as "order", l.line, l.sku, l.quantity, l.tracked, l.shipped,
                   l.returned, l.restocked
            from order_lines l
            where (l.order_id, l.line) in (select * from unnest(line_orders, line_numbers))
            order by l.order_id, l.line for update) r;
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
        select coalesce(json_agg(k.record), none) into keys from key_rows k
            where (k.caller, k.key) in (select * from unnest(callers, key_names));
    end if;

    return json_build_object('live', live, 'replicas', replicas, 'attempts', attempts,
        'sessions', sessions, 'holds', held, 'stock', stock,
        'grants', grants, 'lines', lines, 'operations', operations, 'promised', promised,
        'entries', entries, 'keys', keys, 'cases', cases);
end
$$;
