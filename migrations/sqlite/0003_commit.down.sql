-- Nothing to take back: see the other direction.
select 1;
