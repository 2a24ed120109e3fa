-- What the shop signs with. The body has the secret, and is sealed.
create table signing_keys (
    kid        text        collate "C" primary key,
    body       text        not null,
    created_at timestamptz not null
);

-- Addresses of platforms that want no more webhooks.
create table webhooks_gone (
    url text        collate "C" primary key,
    at  timestamptz not null
);
