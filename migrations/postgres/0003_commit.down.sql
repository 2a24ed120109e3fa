-- Takes the functions back.
drop function ledger_apply(jsonb, jsonb), ledger_apply_money(jsonb),
    ledger_apply_records(jsonb, jsonb),
    ledger_expect(text, bigint, bigint), ledger_lock(jsonb), ledger_texts(jsonb),
    ledger_ids(jsonb);
