//! One TLS provider for the whole process.

use rustls::crypto::{CryptoProvider, ring};

/// Installs ring as the process's TLS provider. Safe to call again: the first one stays. Two
/// providers linked into one binary and none installed is a panic at the first connection.
pub fn install_tls_provider() {
    if CryptoProvider::get_default().is_none() {
        // Another thread may have been quicker, with the same provider.
        let _ = ring::default_provider().install_default();
    }
}
