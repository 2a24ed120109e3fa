-- Takes it back; signals that were purged stay purged.
alter table checkout_people drop column raw_signals;
