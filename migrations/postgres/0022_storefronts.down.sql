alter table api_keys
    drop column used_at,
    drop column expires_at,
    drop column storefront;
