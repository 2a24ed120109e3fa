drop table payment_breaks;
drop table payment_reconciliations;
