-- What the shop signs with. The body has the secret, and is sealed.
create table signing_keys (
    kid text not null primary key,
    body text not null,
    created_at text not null
) strict;

-- Addresses of platforms that want no more webhooks.
create table webhooks_gone (
    url text not null primary key,
    at text not null
) strict;
