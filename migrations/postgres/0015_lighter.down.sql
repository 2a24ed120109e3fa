-- Takes it back.
alter table customer_addresses drop column used_at;
create index checkout_links_by_checkout on checkout_links (checkout_id);
