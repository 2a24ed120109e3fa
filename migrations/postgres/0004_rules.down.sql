-- Takes the rules back.
drop table rule_snoozes, rule_list_entries, rule_lists, rule_versions, rulebook_changes;
