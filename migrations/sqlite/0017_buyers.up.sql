-- Orders are found by who bought: by their e-mail address, and by their family name. What another
-- scheme has sealed is in no index.
create index checkout_people_by_email on checkout_people
    (lower(json_extract(substr(personal, 7), '$.buyer.email')))
    where substr(personal, 1, 7) = 'plain:{';
create index checkout_people_by_name on checkout_people
    (lower(coalesce(json_extract(substr(personal, 7), '$.buyer.last_name'),
        json_extract(substr(personal, 7), '$.buyer.first_name'))))
    where substr(personal, 1, 7) = 'plain:{';
