-- Addresses that a storefront's customers had goods sent to, under a digest of who they are.

create table customer_addresses (
    customer text        collate "C" not null,
    id       text        collate "C" not null,
    address  text        not null,
    kept_at  timestamptz not null,
    constraint customer_addresses_pkey primary key (customer, id)
);
