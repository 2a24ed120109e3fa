-- Keys can be rotated: a storefront owns what its keys did. A key without one is the first, and
-- speaks for a storefront of its own id: everything it opened before stays its storefront's.
alter table api_keys add column storefront text;
alter table api_keys add column expires_at text;
alter table api_keys add column used_at text;
