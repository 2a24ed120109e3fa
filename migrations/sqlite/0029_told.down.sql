drop index payment_notifications_reference;
alter table payment_notifications drop column reference;
