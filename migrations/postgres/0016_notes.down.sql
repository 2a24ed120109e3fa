-- Takes it back.
delete from checkout_links l using checkout_links other
    where l.kind = other.kind and l.key = other.key and l.checkout_id = other.checkout_id
      and l.ctid > other.ctid;
alter table checkout_links
    add constraint checkout_links_pkey primary key (kind, key, checkout_id);
drop index checkout_links_by_key;
