drop index products_sku_folded;
drop view product_rows;
create view product_rows as
select p.sku, p.listing, json_build_object('sku', p.sku, 'title', p.title,
    'price', json_build_object('minor', p.price_minor, 'currency', p.currency::text),
    'tax_category', p.tax_category, 'image_url', p.image_url,
    'attributes', p.attributes, 'stock_policy', p.stock_policy, 'active', p.active,
    'updated_at', to_char(p.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'group', p.group_id, 'options', p.options, 'description', p.description,
    'categories', p.categories,
    'max_per_order', p.max_per_order,
    'list_prices', (select coalesce(json_agg(json_build_object('minor', l.amount_minor,
        'currency', l.currency) order by l.currency), '[]') from list_prices l where l.sku = p.sku)
    ) as record
from products p;
alter table products drop column archived_at;
