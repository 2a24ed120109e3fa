-- Keys of a checkout are appended as they come: to look first whether each is there costs as much
-- again as writing it, for every order of a peak. One that two payments of a checkout brought
-- stands there twice, and is found once.

create index checkout_links_by_key on checkout_links (kind, key, checkout_id);
alter table checkout_links drop constraint checkout_links_pkey;
