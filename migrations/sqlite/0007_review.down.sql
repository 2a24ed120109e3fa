-- Takes it back; signals that were purged stay purged.
drop table velocity_memories;
drop index checkout_people_raw;
alter table checkout_people drop column raw_signals;
