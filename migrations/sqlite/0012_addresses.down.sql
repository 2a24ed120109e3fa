-- Takes it back.
drop table customer_addresses;
