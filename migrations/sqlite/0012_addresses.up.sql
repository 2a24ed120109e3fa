-- Addresses that a storefront's customers had goods sent to, under a digest of who they are.

create table customer_addresses (
    customer text not null,
    id       text not null,
    address  text not null,
    kept_at  text not null,
    constraint customer_addresses_pkey primary key (customer, id)
) strict, without rowid;
