-- Takes it back.
drop table link_places, checkout_links;
