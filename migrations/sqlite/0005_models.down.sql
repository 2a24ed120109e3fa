-- Takes the models back.
drop table learning;
drop table model_changes;
drop table models;
