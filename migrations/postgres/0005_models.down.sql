-- Takes the models back.
alter table labels drop column recorded_at;
drop table learning, model_changes, models;
