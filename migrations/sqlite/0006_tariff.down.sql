-- Takes the tariff back.
drop table tariff_changes;
drop table tariff_items;
