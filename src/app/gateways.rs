//! The gateways, as the configuration names them.

use std::{sync::Arc, time::Duration};

use crate::{
    base::Clock,
    config::{
        Account, AdyenAccount, Config, GatewayChoice, GatewaySettings, PayPalAccount, StripeAccount,
    },
    outbound::{Client, OutboundSettings},
    payment::{
        Gateway, Gateways, Takes,
        adyen::{self, Adyen, AdyenSettings},
        inbox::Inbox,
        paypal::{PayPal, PayPalSettings},
        remote::RemoteSandbox,
        sandbox::{BOOK, Sandbox, SandboxSettings},
        stripe::{API_BASE, Stripe, StripeSettings},
    },
};

/// Opens every gateway that is configured; the sandbox, where none is.
pub(crate) fn open(
    config: &Config,
    clock: &Arc<dyn Clock>,
    inbox: Inbox,
) -> anyhow::Result<Gateways> {
    if config.payment.gateways.is_empty() {
        return Ok(Gateways::only(sandbox(config, clock)?));
    }
    let client = Client::new(&OutboundSettings::default())?;
    let gateways = config.payment.gateways.iter().map(|settings| {
        let opening = Opening { config, settings, client: &client, clock, inbox: &inbox };
        let takes = Takes {
            currencies: settings.currencies.clone(),
            countries: settings.countries.clone(),
            instruments: settings.instruments.clone(),
        };
        let gateway: Arc<dyn Gateway> = match &settings.account {
            Account::Stripe(account) => Arc::new(opening.stripe(account)),
            Account::PayPal(account) => Arc::new(opening.paypal(account)?),
            Account::Adyen(account) => Arc::new(opening.adyen(account)),
        };
        Ok((gateway, takes))
    });
    Ok(Gateways::new(gateways.collect::<anyhow::Result<_>>()?))
}

/// What every account is opened with.
#[derive(Clone, Copy)]
struct Opening<'a> {
    config: &'a Config,
    settings: &'a GatewaySettings,
    client: &'a Client,
    clock: &'a Arc<dyn Clock>,
    inbox: &'a Inbox,
}

impl Opening<'_> {
    /// The address that is configured, else where it always is.
    fn base(&self, always: &str) -> String {
        self.settings.url.clone().unwrap_or_else(|| always.to_owned())
    }

    fn stripe(&self, account: &StripeAccount) -> Stripe {
        let settings = StripeSettings {
            name: self.settings.name.clone(),
            base: self.base(API_BASE),
            secret_key: account.secret_key.expose().to_owned(),
            webhook_secrets: account.webhook_secrets(),
            timeout: self.config.gateway_deadline(),
        };
        Stripe::new(settings, self.client.clone(), self.clock.clone())
    }

    fn paypal(&self, account: &PayPalAccount) -> anyhow::Result<PayPal> {
        let settings = PayPalSettings {
            name: self.settings.name.clone(),
            url: self.settings.url.clone(),
            public_url: self.config.public_url(),
            client_id: account.client_id.clone(),
            client_secret: account.client_secret.expose().to_owned(),
            webhook_id: account.webhook_id.clone(),
            sandbox: account.sandbox,
            timeout: self.config.gateway_deadline(),
            roots: rustls_native_certs::load_native_certs().certs,
        };
        Ok(PayPal::new(settings, self.client.clone(), self.clock.clone())?)
    }

    fn adyen(&self, account: &AdyenAccount) -> Adyen {
        let settings = AdyenSettings {
            name: self.settings.name.clone(),
            base: self.base(&adyen::base(account.live_prefix.as_deref())),
            api_key: account.api_key.expose().to_owned(),
            merchant_account: account.merchant_account.clone(),
            hmac_keys: account.hmac_keys(),
            is_live: account.live_prefix.is_some(),
            timeout: self.config.gateway_deadline(),
        };
        let (client, clock, inbox) = (self.client, self.clock, self.inbox);
        Adyen::new(settings, client.clone(), clock.clone(), inbox.clone())
    }
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
