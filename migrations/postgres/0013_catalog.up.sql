-- Products that group variants, an index to search them by, and prices in further currencies.

alter table products
    add column group_id    text  collate "C",
    add column options     jsonb not null default '[]',
    add column description text,
    add column categories  jsonb not null default '[]',
    -- What a product is listed under: its group, or itself.
    add column listing     text  collate "C" generated always as (coalesce(group_id, sku)) stored;
create index products_by_listing on products (listing, sku);

create table product_groups (
    id          text        collate "C" primary key,
    title       text        not null,
    description text,
    image_url   text,
    categories  jsonb       not null default '[]',
    updated_at  timestamptz not null
);

-- Prices beside the product's own, one for each further currency.
create table list_prices (
    currency     text        collate "C" not null,
    sku          text        collate "C" not null,
    amount_minor bigint      not null,
    updated_at   timestamptz not null,
    constraint list_prices_pkey primary key (currency, sku),
    constraint list_prices_not_negative check (amount_minor >= 0)
);
create index list_prices_by_sku on list_prices (sku);

-- Products and groups as the program reads them.
create view product_rows as
select p.sku, p.listing, json_build_object('sku', p.sku, 'title', p.title,
    'price', json_build_object('minor', p.price_minor, 'currency', p.currency::text),
    'tax_category', p.tax_category, 'image_url', p.image_url,
    'attributes', p.attributes, 'stock_policy', p.stock_policy, 'active', p.active,
    'updated_at', to_char(p.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'group', p.group_id, 'options', p.options, 'description', p.description,
    'categories', p.categories,
    'list_prices', (select coalesce(json_agg(json_build_object('minor', l.amount_minor,
        'currency', l.currency) order by l.currency), '[]') from list_prices l where l.sku = p.sku)
    ) as record
from products p;

create view product_group_rows as
select g.id, json_build_object('id', g.id, 'title', g.title, 'description', g.description,
    'image_url', g.image_url, 'categories', g.categories,
    'updated_at', to_char(g.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    ) as record
from product_groups g;

-- The words of a text, in lower case and without accents, whatever language the server speaks;
-- letters beyond Latin ones are lowered as far as its locale knows them. Nobody searches for a word
-- of more than 64 letters.
create function catalog_words(raw text) returns text[]
immutable parallel safe language sql as $$
    select coalesce(array_agg(distinct left(word, 64)), '{}')
    from regexp_split_to_table(
        translate(lower(raw collate "default"),
            'ÀÁÂÃÄÅàáâãäåÇçÈÉÊËèéêëÌÍÎÏìíîïÑñÒÓÔÕÖØòóôõöøÙÚÛÜùúûüÝýÿŠšŽž',
            'aaaaaaaaaaaacceeeeeeeeiiiiiiiinnoooooooooooouuuuuuuuyyysszz'),
        '[\s!-/:-@\[-`{-~\u00a0-\u00bf\u2000-\u206f]+') word
    where word <> ''
$$;

-- Each of the first sixteen words of a question, as the beginning of a word; a single letter stands
-- for itself. Nothing when there is no word in it.
create function catalog_query(raw text) returns tsquery
immutable parallel safe language sql as $$
    select string_agg(quote_literal(word) || case when length(word) > 1 then ':*' else '' end,
        ' & ')::tsquery
    from (select word from unnest(catalog_words(raw)) word order by length(word) desc limit 16) w
$$;

-- What a search goes through: a group with its products, or a product without a group. Kept by the
-- triggers below, whoever writes. Numbers give a search its order.
create table listings (
    no     bigint   generated always as identity primary key,
    id     text     collate "C" not null,
    active boolean  not null default false,
    titled tsvector not null default '',
    worded tsvector not null default '',
    constraint listings_id unique (id)
);
create index listings_titled on listings using gin (titled);
create index listings_worded on listings using gin (worded);

create table listing_categories (
    category text   collate "C" not null,
    no       bigint not null,
    constraint listing_categories_pkey primary key (category, no)
);
create index listing_categories_by_no on listing_categories (no);

-- Puts the index in order for some listings. Two who write products of one group at once take turns:
-- each reads the products in a statement after it has the listing.
create function refresh_listings(stale text[]) returns void
language plpgsql as $$
begin
    insert into listings (id)
        select distinct s collate "C" from unnest(stale) s order by 1
        on conflict do nothing;
    perform 1 from listings l where l.id = any (stale) order by l.id for update;
    update listings l
    set active = r.active, titled = array_to_tsvector(catalog_words(r.title)),
        worded = array_to_tsvector(catalog_words(r.words))
    from (
        select p.listing, bool_or(p.active) as active,
            coalesce(min(g.title), min(p.title)) as title,
            concat_ws(' ', p.listing, min(g.title), min(g.description), min(g.categories::text),
                string_agg(concat_ws(' ', p.sku, p.title, p.description, p.categories::text,
                    p.attributes::text,
                    (select string_agg(o ->> 'value', ' ')
                     from jsonb_array_elements(p.options) o)), ' ')) as words
        from products p left join product_groups g on g.id = p.listing
        where p.listing = any (stale)
        group by p.listing
    ) r
    where l.id = r.listing;
    delete from listing_categories c using listings l
        where c.no = l.no and l.id = any (stale);
    insert into listing_categories (category, no)
        select c, l.no from listings l join products p on p.listing = l.id,
            jsonb_array_elements_text(p.categories) c where l.id = any (stale)
        union
        select p.attributes ->> 'category', l.no from listings l join products p on p.listing = l.id
            where l.id = any (stale) and p.attributes ->> 'category' is not null
        union
        select c, l.no from listings l join products p on p.listing = l.id
            join product_groups g on g.id = l.id,
            jsonb_array_elements_text(g.categories) c where l.id = any (stale);
    delete from listings l where l.id = any (stale)
        and not exists (select 1 from products p where p.listing = l.id);
end
$$;

create function list_products() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        perform refresh_listings(array(select distinct listing from after));
    elsif tg_op = 'UPDATE' then
        perform refresh_listings(array(
            select listing from after union select listing from before));
    else
        perform refresh_listings(array(select distinct listing from before));
    end if;
    return null;
end
$$;
create trigger products_listed after insert on products
    referencing new table as after for each statement execute function list_products();
create trigger products_listed_anew after update on products
    referencing old table as before new table as after
    for each statement execute function list_products();
create trigger products_delisted after delete on products
    referencing old table as before for each statement execute function list_products();

create function list_groups() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        perform refresh_listings(array(select id from before));
    else
        perform refresh_listings(array(select id from after));
    end if;
    return null;
end
$$;
create trigger product_groups_listed after insert on product_groups
    referencing new table as after for each statement execute function list_groups();
create trigger product_groups_listed_anew after update on product_groups
    referencing new table as after for each statement execute function list_groups();
create trigger product_groups_delisted after delete on product_groups
    referencing old table as before for each statement execute function list_groups();

do $$ begin perform refresh_listings(array(select distinct listing from products)); end $$;
