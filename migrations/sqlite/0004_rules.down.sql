-- Takes the rules back.
drop table rule_snoozes;
drop table rule_list_entries;
drop table rule_lists;
drop table rule_versions;
drop table rulebook_changes;
