-- Takes it back; events that were handed on stay marked sent.
drop table deliveries;
drop table webhook_endpoints;
