-- Takes it back; what was signed with these keys can no longer be checked.
drop table webhooks_gone;
drop table signing_keys;
