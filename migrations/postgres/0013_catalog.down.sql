-- Takes groups, the index and further prices back.
drop trigger product_groups_listed on product_groups;
drop trigger product_groups_listed_anew on product_groups;
drop trigger product_groups_delisted on product_groups;
drop trigger products_listed on products;
drop trigger products_listed_anew on products;
drop trigger products_delisted on products;
drop function list_groups();
drop function list_products();
drop function refresh_listings(text[]);
drop table listing_categories, listings;
drop function catalog_query(text);
drop function catalog_words(text);
drop view product_group_rows, product_rows;
drop table list_prices, product_groups;
drop index products_by_listing;
alter table products
    drop column listing,
    drop column categories,
    drop column description,
    drop column options,
    drop column group_id;
