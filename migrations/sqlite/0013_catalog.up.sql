-- Products that group variants, an index to search them by, and prices in further currencies.

alter table products add column group_id text;
alter table products add column options text not null default '[]';
alter table products add column description text;
alter table products add column categories text not null default '[]';
-- What a product is listed under: its group, or itself.
alter table products add column listing text
    generated always as (coalesce(group_id, sku)) virtual;
create index products_by_listing on products (listing, sku);

create table product_groups (
    id          text    not null primary key,
    title       text    not null,
    description text,
    image_url   text,
    categories  text    not null default '[]',
    updated_at  text    not null
) strict;

-- Prices beside the product's own, one for each further currency.
create table list_prices (
    currency     text    not null,
    sku          text    not null,
    amount_minor integer not null,
    updated_at   text    not null,
    constraint list_prices_pkey primary key (currency, sku),
    constraint list_prices_not_negative check (amount_minor >= 0)
) strict;
create index list_prices_by_sku on list_prices (sku);

-- Products and groups as the program reads them.
create view product_rows as
select p.sku, p.listing, json_object('sku', p.sku, 'title', p.title,
    'price', json_object('minor', p.price_minor, 'currency', p.currency),
    'tax_category', p.tax_category, 'image_url', p.image_url,
    'attributes', json(p.attributes), 'stock_policy', p.stock_policy,
    'active', json(iif(p.active, 'true', 'false')), 'updated_at', p.updated_at,
    'group', p.group_id, 'options', json(p.options), 'description', p.description,
    'categories', json(p.categories),
    'list_prices', json((select json_group_array(json_object('minor', l.amount_minor,
        'currency', l.currency) order by l.currency) from list_prices l where l.sku = p.sku))
    ) as record
from products p;

create view product_group_rows as
select g.id, json_object('id', g.id, 'title', g.title, 'description', g.description,
    'image_url', g.image_url, 'categories', json(g.categories), 'updated_at', g.updated_at
    ) as record
from product_groups g;

-- What a search goes through: a group with its products, or a product without a group. Kept by the
-- triggers below, whoever writes. Numbers give a search its order.
create table listings (
    no     integer not null primary key,
    id     text    not null,
    active integer not null,
    constraint listings_id unique (id)
) strict;

create table listing_categories (
    category text    not null,
    no       integer not null,
    constraint listing_categories_pkey primary key (category, no)
) strict, without rowid;
create index listing_categories_by_no on listing_categories (no);

-- Only the index: the words themselves stand in the products.
create virtual table listing_words using fts5 (
    title, body, content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2'
);

-- Told a listing, it puts the index in order.
create view stale_listings as select '' as id;
create trigger stale_listings_told instead of insert on stale_listings
begin
    delete from listing_words where rowid = (select no from listings where id = new.id);
    delete from listing_categories where no = (select no from listings where id = new.id);
    delete from listings
        where id = new.id and not exists (select 1 from products p where p.listing = new.id);
    insert into listings (id, active)
        select p.listing, max(p.active) from products p
        where p.listing = new.id group by p.listing
        on conflict (id) do update set active = excluded.active;
    insert into listing_words (rowid, title, body)
        select l.no, coalesce(g.title, min(p.title)),
            concat_ws(' ', l.id, g.title, g.description, g.categories,
                group_concat(concat_ws(' ', p.sku, p.title, p.description, p.categories,
                    p.attributes,
                    (select group_concat(o.value ->> '$.value', ' ')
                     from json_each(p.options) o)), ' '))
        from listings l join products p on p.listing = l.id
        left join product_groups g on g.id = l.id
        where l.id = new.id group by l.no;
    insert or ignore into listing_categories (category, no)
        select c.value, l.no from listings l join products p on p.listing = l.id,
            json_each(p.categories) c where l.id = new.id
        union
        select p.attributes ->> '$.category', l.no from listings l
            join products p on p.listing = l.id
            where l.id = new.id and p.attributes ->> '$.category' is not null
        union
        select c.value, l.no from listings l join product_groups g on g.id = l.id,
            json_each(g.categories) c where l.id = new.id;
end;

create trigger products_listed after insert on products
begin
    insert into stale_listings (id) values (coalesce(new.group_id, new.sku));
end;
create trigger products_listed_anew after update on products
begin
    insert into stale_listings (id) values (coalesce(new.group_id, new.sku));
    insert into stale_listings (id) select coalesce(old.group_id, old.sku)
        where coalesce(old.group_id, old.sku) <> coalesce(new.group_id, new.sku);
end;
create trigger products_delisted after delete on products
begin
    insert into stale_listings (id) values (coalesce(old.group_id, old.sku));
end;
create trigger product_groups_listed after insert on product_groups
begin
    insert into stale_listings (id) values (new.id);
end;
create trigger product_groups_listed_anew after update on product_groups
begin
    insert into stale_listings (id) values (new.id);
end;
create trigger product_groups_delisted after delete on product_groups
begin
    insert into stale_listings (id) values (old.id);
end;

insert into stale_listings (id) select distinct listing from products order by listing;
