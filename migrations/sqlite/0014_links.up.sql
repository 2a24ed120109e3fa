-- Orders that share a card, an address, a device are found from each other.

-- What took part in a checkout's payments, each under the digest it has in their judgements. A key
-- is looked up with its latest checkouts first: ids begin with their time.
create table checkout_links (
    kind        integer not null,
    key         integer not null,
    checkout_id text    not null,
    constraint checkout_links_pkey primary key (kind, key, checkout_id),
    constraint checkout_links_kind check (kind between 1 and 7)
) strict, without rowid;
create index checkout_links_by_checkout on checkout_links (checkout_id);

-- How far judgements have been read for it. A judgement may become visible after later ones: what
-- was passed over is found by a second reader, long after the first.
create table link_places (
    name text not null,
    upto text not null,
    constraint link_places_pkey primary key (name)
) strict;
insert into link_places (name, upto) values ('first', ''), ('again', '');
