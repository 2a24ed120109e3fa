-- Takes the tariff back.
drop table tariff_changes, tariff_items;
