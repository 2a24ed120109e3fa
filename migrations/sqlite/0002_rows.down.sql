-- Takes the views back.
drop view case_rows;
drop view assessment_rows;
drop view event_rows;
drop view movement_rows;
drop view stock_levels;
drop view order_rows;
drop view session_rows;
drop view key_rows;
drop view operation_rows;
drop view attempt_rows;
drop view grant_rows;
drop view hold_rows;
