-- Takes it back.
drop table link_places;
drop table checkout_links;
