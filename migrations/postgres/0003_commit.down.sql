-- Takes the functions and the types of their arguments back.
drop function ledger_commit, ledger_apply, ledger_step, ledger_insert, ledger_lock, ledger_expect,
    ledger_texts;
drop type entry_change, session_change, head_change, hold_change, hold_end, hold_step,
    session_assumed, stock_change,
    grant_insert, grant_change, attempt_insert, attempt_change, order_insert, order_line_insert,
    order_line_change, operation_change, event_insert, movement_insert, key_insert, key_answer,
    assessment_insert, case_insert, case_change, label_insert;
