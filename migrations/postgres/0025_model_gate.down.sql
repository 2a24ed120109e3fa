drop table model_requests;
alter table model_changes drop column evidence;
alter table model_changes drop column approved_by;
alter table model_changes drop column reason;
drop table model_files, learning_places, fraud_schemas;
