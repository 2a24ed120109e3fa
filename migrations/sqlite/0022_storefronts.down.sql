alter table api_keys drop column used_at;
alter table api_keys drop column expires_at;
alter table api_keys drop column storefront;
