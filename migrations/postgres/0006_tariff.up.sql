-- What the merchant set: discounts, shipping rates, pickup locations, tax rates.

create table tariff_items (
    kind       text        not null,
    id         text        collate "C" not null,
    body       json        not null,
    version    bigint      not null,
    updated_at timestamptz not null,
    constraint tariff_items_pkey primary key (kind, id),
    constraint tariff_items_kind
        check (kind in ('discounts', 'shipping-rates', 'pickup-locations', 'tax-rates'))
);

-- Every change is one row, for ever: its number is the version of the tariff, by which replicas see
-- that they have to read again. Without a body the item went.
create table tariff_changes (
    version bigint      primary key,
    kind    text        not null,
    id      text        not null,
    body    json,
    author  text        not null,
    at      timestamptz not null
);
