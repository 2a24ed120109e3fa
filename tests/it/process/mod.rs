//! The compiled binary as a process of its own: killed, starved of its servers, told to stop.
//!
//! Every child is ended by its pid when its test ends. Nothing here waits for a fixed time where a
//! condition can be asked; only the moments of the kills are drawn (from a seed that is printed).

mod cards;
mod chaos;
mod clients;
mod commands;
mod connect;
mod documents;
mod house;
mod kills;
mod learning;
mod logs;
mod outages;
mod pooled;
mod reckoning;
mod shoppers;
mod starts;
mod stops;
mod till;
mod verdicts;
mod watching;
mod webhooks;
