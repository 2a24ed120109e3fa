//! The gateways, as the configuration names them.

use std::{sync::Arc, time::Duration};

use crate::{
    base::Clock,
    config::{Config, GatewayChoice},
    outbound::{Client, OutboundSettings},
    payment::{
        Gateway, Gateways,
        remote::RemoteSandbox,
        sandbox::{BOOK, Sandbox, SandboxSettings},
    },
};

/// Opens every gateway that is configured.
pub(super) fn open(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Gateways> {
    let lost = Duration::from_millis(config.payment.sandbox_lost_ms);
    let gateway: Arc<dyn Gateway> = match &config.payment.gateway {
        GatewayChoice::Sandbox => {
            let settings = SandboxSettings {
                slow_ms: config.payment.sandbox_slow_ms,
                client_timeout_ms: config.payment.sandbox_lost_ms,
            };
            std::fs::create_dir_all(&config.storage.data)?;
            let book = config.storage.data.join(BOOK);
            Arc::new(Sandbox::open(book, settings, clock.clone())?)
        }
        GatewayChoice::Remote(url) => {
            let client = Client::new(&OutboundSettings::default())?;
            Arc::new(RemoteSandbox::new(url, client, lost))
        }
    };
    Ok(Gateways::only(gateway))
}
