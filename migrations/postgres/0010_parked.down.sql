-- Takes it back.
drop index deliveries_parked;
