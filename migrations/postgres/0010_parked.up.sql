-- Given up deliveries are counted every second, among many that arrived.
create index deliveries_parked on deliveries (id) where state = 'parked';
