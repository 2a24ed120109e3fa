-- Takes the views back.
drop view case_rows, assessment_rows, event_rows, movement_rows, stock_levels, order_rows,
    session_rows, key_rows, operation_rows, attempt_rows, grant_rows, hold_rows;
