//! The gateways, as the configuration names them.

use std::{sync::Arc, time::Duration};

use crate::{
    base::Clock,
    config::{Config, GatewayChoice, GatewayKind, GatewaySettings},
    outbound::{Client, OutboundSettings},
    payment::{
        Gateway, Gateways, Takes,
        remote::RemoteSandbox,
        sandbox::{BOOK, Sandbox, SandboxSettings},
        stripe::{API_BASE, Stripe, StripeSettings},
    },
};

/// Opens every gateway that is configured; the sandbox, where none is.
pub(super) fn open(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Gateways> {
    if config.payment.gateways.is_empty() {
        return Ok(Gateways::only(sandbox(config, clock)?));
    }
    let client = Client::new(&OutboundSettings::default())?;
    let gateways = config.payment.gateways.iter().map(|settings| {
        let takes = Takes {
            currencies: settings.currencies.clone(),
            countries: settings.countries.clone(),
            instruments: settings.instruments.clone(),
        };
        let gateway = match settings.kind {
            GatewayKind::Stripe => stripe(config, settings, &client, clock),
        };
        (gateway, takes)
    });
    Ok(Gateways::new(gateways.collect()))
}

fn stripe(
    config: &Config,
    settings: &GatewaySettings,
    client: &Client,
    clock: &Arc<dyn Clock>,
) -> Arc<dyn Gateway> {
    let settings = StripeSettings {
        name: settings.name.clone(),
        base: settings.url.clone().unwrap_or_else(|| API_BASE.to_owned()),
        secret_key: settings.secret_key.expose().to_owned(),
        webhook_secrets: settings.webhook_secrets(),
        timeout: config.gateway_deadline(),
    };
    Arc::new(Stripe::new(settings, client.clone(), clock.clone()))
}

fn sandbox(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<Arc<dyn Gateway>> {
    let lost = Duration::from_millis(config.payment.sandbox_lost_ms);
    Ok(match &config.payment.gateway {
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
    })
}
