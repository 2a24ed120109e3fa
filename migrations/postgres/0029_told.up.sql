-- What a gateway has told is looked up by our name of the payment: where a gateway has no look-up,
-- this is what is known of it.
alter table payment_notifications add column reference text;
create index payment_notifications_reference on payment_notifications (reference, gateway)
    where reference is not null;
