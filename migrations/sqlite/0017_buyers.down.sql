drop index checkout_people_by_name;
drop index checkout_people_by_email;
