-- Takes everything back, data included.
drop table api_keys;
drop table products;
drop table entries;
drop table idempotency_keys;
drop table stock_movements;
drop table events;
drop table order_lines;
drop table orders;
drop table payment_operations;
drop table payment_attempts;
drop table holds;
drop table checkout_people;
drop table sessions;
drop table stock_grants;
drop table stock;
drop table replicas;
