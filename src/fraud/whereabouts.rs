//! Where a network address is and whose network it belongs to, by database files in the MaxMind
//! format that a merchant keeps on disk. Nothing is asked over the network.
//!
//! What the storefront says comes first: it may know more. A file that is not there is a signal
//! that is missing; one that is there and does not read stops the start.

use maxminddb::{PathElement, Reader};
use std::{
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
};

use super::signals::Signals;

/// Letters of a country's code, ISO 3166-1 alpha-2.
const COUNTRY_LETTERS: usize = 2;

/// Where files have the country: MaxMind and DB-IP, then IPinfo and others.
const COUNTRIES: [&[PathElement<'_>]; 3] = [
    &[PathElement::Key("country"), PathElement::Key("iso_code")],
    &[PathElement::Key("country_code")],
    &[PathElement::Key("country")],
];

/// A file that is there and cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} is no database of network addresses that reads ({why}); fetch it again (MaxMind DB \
     format, `.mmdb`), or leave the setting out", .path.display()
)]
pub struct WhereaboutsFault {
    path: PathBuf,
    why: String,
}

/// What the files say.
#[derive(Default)]
pub struct Whereabouts {
    files: Vec<Reader<Vec<u8>>>,
}

impl fmt::Debug for Whereabouts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Whereabouts").field("files", &self.files.len()).finish()
    }
}

/// What was found of an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Its country.
    pub country: Option<String>,
    /// The number of its network.
    pub asn: Option<u32>,
}

impl Whereabouts {
    /// Reads the files whole: a look takes a microsecond, and none waits for a disk.
    ///
    /// # Errors
    /// When one is there and does not read.
    pub fn open<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Result<Self, WhereaboutsFault> {
        let mut files = Vec::new();
        for path in paths {
            let broken = |why: String| WhereaboutsFault { path: path.to_owned(), why };
            let bytes = match std::fs::read(path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    tracing::warn!(
                        path = %path.display(),
                        "there is no such database of network addresses; where buyers are is known \
                         only where the storefront says so"
                    );
                    continue;
                }
                Err(error) => return Err(broken(error.to_string())),
            };
            let reader = Reader::from_source(bytes).map_err(|error| broken(error.to_string()))?;
            files.push(reader);
        }
        Ok(Self { files })
    }

    /// What the files say of an address; the first that knows is believed.
    pub fn find(&self, ip: IpAddr) -> Found {
        let mut found = Found::default();
        for file in &self.files {
            // A file of IPv4 alone knows nothing of others; a record that is damaged says nothing.
            let Ok(record) = file.lookup(ip) else { continue };
            let text = |path: &[PathElement<'_>]| record.decode_path::<String>(path).ok().flatten();
            let number = |name| record.decode_path::<u32>(&[PathElement::Key(name)]).ok().flatten();
            found.country = found.country.or_else(|| {
                let codes = COUNTRIES.iter().filter_map(|path| text(path));
                codes.map(|code| code.to_uppercase()).find(|code| is_country(code))
            });
            found.asn = found.asn.or_else(|| {
                let written = || text(&[PathElement::Key("asn")]);
                number("autonomous_system_number").or_else(|| asn(&written()?))
            });
        }
        found
    }

    /// Fills in what the storefront did not say.
    pub fn locate(&self, signals: &mut Signals) {
        let hints = signals.hints();
        if self.files.is_empty() || (hints.ip_country.is_some() && hints.ip_asn.is_some()) {
            return;
        }
        let Some(ip) = signals.ip() else { return };
        let Found { country, asn } = self.find(ip);
        let hints = signals.person.hints.get_or_insert_default();
        hints.ip_country = hints.ip_country.take().or(country);
        hints.ip_asn = hints.ip_asn.or(asn);
    }
}

fn is_country(code: &str) -> bool {
    code.len() == COUNTRY_LETTERS && code.bytes().all(|letter| letter.is_ascii_uppercase())
}

fn asn(written: &str) -> Option<u32> {
    written.trim_start_matches("AS").parse().ok()
}
