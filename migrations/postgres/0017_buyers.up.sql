-- Orders are found by who bought: by their e-mail address, and by their family name. What another
-- scheme has sealed is in no index.
create index checkout_people_by_email on checkout_people
    (lower((substr(personal, 7)::json #>> '{buyer,email}') collate "C"))
    where substr(personal, 1, 7) = 'plain:{';
create index checkout_people_by_name on checkout_people
    (lower(coalesce(substr(personal, 7)::json #>> '{buyer,last_name}',
        substr(personal, 7)::json #>> '{buyer,first_name}') collate "C"))
    where substr(personal, 1, 7) = 'plain:{';
