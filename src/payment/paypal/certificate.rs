//! The certificates that PayPal signs its notifications with: fetched from PayPal alone, checked up
//! to a root that this machine trusts, and kept.

use moka::sync::Cache;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime, pem::PemObject};
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use crate::{
    base::Timestamp,
    outbound::{GuardedClient, OutboundFault, OutboundSettings, Reach},
    payment::NotificationRefused,
};

/// Bytes of a chain: three certificates have some 6 kB.
const CHAIN_BYTES: usize = 64 * 1024;

/// Certificates kept. PayPal has one or two in use at once.
const KEPT: u64 = 16;

/// How long one is kept before it is fetched again.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// Certificates fetched in a minute: a real one is new a few times in a year, and whoever makes up
/// addresses is not to make us ask PayPal without end.
const FETCHES_PER_MINUTE: u32 = 20;

/// How long PayPal may take to serve one.
const DEADLINE: Duration = Duration::from_secs(5);

/// The path that PayPal serves them under.
const PATH: &str = "/v1/notifications/certs/";

/// Where certificates come from, and whom they are issued to.
pub(super) struct Certificates {
    client: GuardedClient,
    /// Where they are served: `https://` and a host, and nothing else.
    base: String,
    /// Whom they are issued to.
    name: &'static str,
    roots: Vec<TrustAnchor<'static>>,
    kept: Cache<String, Arc<Chain>>,
    fetches: Mutex<Fetches>,
}

/// A leaf and what leads from it to a root.
pub(super) struct Chain {
    leaf: CertificateDer<'static>,
    between: Vec<CertificateDer<'static>>,
}

/// How often was fetched in the minute that has begun.
#[derive(Default)]
struct Fetches {
    minute: i64,
    count: u32,
}

impl Certificates {
    /// Those that are served here, to this name, under these roots.
    pub(super) fn new(
        base: &str,
        name: &'static str,
        roots: &[CertificateDer<'static>],
    ) -> Result<Self, OutboundFault> {
        let reach = match base.starts_with("https://") {
            true => Reach::Public,
            // A fake on this machine.
            false => Reach::PublicAndLoopback,
        };
        let settings = OutboundSettings { body_bytes: CHAIN_BYTES, ..OutboundSettings::default() };
        let roots = roots
            .iter()
            .filter_map(|root| anchor_from_trusted_cert(root).ok().map(|anchor| anchor.to_owned()));
        Ok(Self {
            client: GuardedClient::new(&settings, reach)?,
            base: base.trim_end_matches('/').to_owned(),
            name,
            roots: roots.collect(),
            kept: Cache::builder().max_capacity(KEPT).time_to_live(KEPT_FOR).build(),
            fetches: Mutex::default(),
        })
    }

    /// The chain at an address that a notification names.
    pub(super) async fn at(
        &self,
        url: &str,
        now: Timestamp,
    ) -> Result<Arc<Chain>, NotificationRefused> {
        let forged = |why: &str| NotificationRefused::Forged(why.to_owned());
        let name = url.strip_prefix(&self.base).and_then(|path| path.strip_prefix(PATH));
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !name.is_some_and(|name| !name.is_empty() && name.bytes().all(is_plain)) {
            return Err(NotificationRefused::Forged(format!(
                "`PayPal-Cert-Url` is not under {}{PATH}: `sandbox` of this gateway says which of \
                 PayPal's hosts it is",
                self.base
            )));
        }
        if let Some(chain) = self.kept.get(url) {
            return Ok(chain);
        }
        // One is fetched at a time; whoever waited finds it.
        let mut fetches = self.fetches.lock().await;
        if let Some(chain) = self.kept.get(url) {
            return Ok(chain);
        }
        if !fetches.may_fetch(now) {
            let why = "too many certificates were asked for in this minute".to_owned();
            return Err(NotificationRefused::NotNow(why));
        }
        let target = self.client.target(url).map_err(|refused| forged(&refused.to_string()))?;
        let answer = self.client.get(&target, DEADLINE).await;
        let answer = answer.map_err(|fault| NotificationRefused::NotNow(fault.told()))?;
        match answer.status {
            200 => {}
            400..500 => return Err(forged("PayPal has no certificate at `PayPal-Cert-Url`")),
            status => {
                let why = format!("PayPal's certificate cannot be had ({status})");
                return Err(NotificationRefused::NotNow(why));
            }
        }
        let chain = Arc::new(Chain::read(&answer.body).ok_or_else(|| forged("no certificate"))?);
        self.check(&chain, now)?;
        self.kept.insert(url.to_owned(), chain.clone());
        Ok(chain)
    }

    /// Refuses a signature that was not made by the chain's key, and a chain that leads to no root,
    /// is not in force now, or is issued to somebody else.
    pub(super) fn verify(
        &self,
        chain: &Chain,
        (message, signature): (&[u8], &[u8]),
        now: Timestamp,
    ) -> Result<(), NotificationRefused> {
        let leaf = self.check(chain, now)?;
        leaf.verify_signature(webpki::ring::RSA_PKCS1_2048_8192_SHA256, message, signature).map_err(
            |_| {
                NotificationRefused::Forged(
                    "the signature fits neither the body nor the `webhook_id` of this gateway: \
                     compare it with PayPal's dashboard under the app, Webhooks"
                        .to_owned(),
                )
            },
        )
    }

    fn check<'a>(
        &self,
        chain: &'a Chain,
        now: Timestamp,
    ) -> Result<EndEntityCert<'a>, NotificationRefused> {
        let forged = |why: webpki::Error| {
            NotificationRefused::Forged(format!("PayPal's certificate is not to be trusted: {why}"))
        };
        let leaf = EndEntityCert::try_from(&chain.leaf).map_err(forged)?;
        let seconds = u64::try_from(now.micros().div_euclid(1_000_000)).unwrap_or(0);
        leaf.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            &self.roots,
            &chain.between,
            UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
            KeyUsage::server_auth(),
            None,
            None,
        )
        .map_err(forged)?;
        let name = ServerName::try_from(self.name).expect("invariant: our own names are names");
        leaf.verify_is_valid_for_subject_name(&name).map_err(forged)?;
        Ok(leaf)
    }
}

impl Chain {
    fn read(pem: &[u8]) -> Option<Self> {
        let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let mut all = all.ok()?.into_iter();
        Some(Self { leaf: all.next()?, between: all.collect() })
    }
}

impl Fetches {
    fn may_fetch(&mut self, now: Timestamp) -> bool {
        let minute = now.micros().div_euclid(60_000_000);
        if self.minute != minute {
            *self = Self { minute, count: 0 };
        }
        self.count += 1;
        self.count <= FETCHES_PER_MINUTE
    }
}
