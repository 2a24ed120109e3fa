-- What the merchant set: discounts, shipping rates, pickup locations, tax rates.

create table tariff_items (
    kind       text        not null,
    id         text        not null,
    body       text        not null,
    version    integer     not null,
    updated_at text        not null,
    constraint tariff_items_pkey primary key (kind, id),
    constraint tariff_items_kind
        check (kind in ('discounts', 'shipping-rates', 'pickup-locations', 'tax-rates'))
) strict;

-- Every change is one row, for ever: its number is the version of the tariff, by which replicas see
-- that they have to read again. Without a body the item went.
create table tariff_changes (
    version integer     primary key,
    kind    text        not null,
    id      text        not null,
    body    text,
    author  text        not null,
    at      text        not null
) strict;
