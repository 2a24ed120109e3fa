-- When a customer was last seen: addresses of those who do not come back go.

alter table customer_addresses add column used_at text not null default '';
update customer_addresses set used_at = kept_at;
create index customer_addresses_by_use on customer_addresses (used_at);

-- The keys of a checkout stand in its judgements, which are found by it.
drop index checkout_links_by_checkout;
