drop index products_sku_folded;
drop view product_rows;
alter table products drop column archived_at;
create view product_rows as
select p.sku, p.listing, json_object('sku', p.sku, 'title', p.title,
    'price', json_object('minor', p.price_minor, 'currency', p.currency),
    'tax_category', p.tax_category, 'image_url', p.image_url,
    'attributes', json(p.attributes), 'stock_policy', p.stock_policy,
    'active', json(iif(p.active, 'true', 'false')), 'updated_at', p.updated_at,
    'group', p.group_id, 'options', json(p.options), 'description', p.description,
    'categories', json(p.categories),
    'max_per_order', p.max_per_order,
    'list_prices', json((select json_group_array(json_object('minor', l.amount_minor,
        'currency', l.currency) order by l.currency) from list_prices l where l.sku = p.sku))
    ) as record
from products p;
