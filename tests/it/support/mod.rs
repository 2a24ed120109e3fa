//! What tests share: servers of their own, and facts in few words.

mod after_sale;
pub(crate) mod bench;
pub(crate) mod cable;
pub(crate) mod judges;
pub(crate) mod mmdb;
pub(crate) mod models;
pub(crate) mod own_cluster;
pub(crate) mod own_redis;
pub(crate) mod own_servers;
pub(crate) mod pooler;
pub(crate) mod servers;
