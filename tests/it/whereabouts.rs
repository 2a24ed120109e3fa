//! Where network addresses are, by files of a merchant's own.

use doorbuster::{
    base::{Address, CheckoutId, Clock, Hints, ManualClock, Timestamp},
    fraud::{
        Bench, Fraud,
        policy::Policy,
        serving::Serving,
        signals::Signals,
        velocity::InProcessVelocity,
        whereabouts::{Found, Whereabouts},
    },
};
use std::{path::Path, sync::Arc};

use crate::support::mmdb::{Data, database};

fn country(code: &'static str) -> Data {
    Data::Map(vec![("country", Data::Map(vec![("iso_code", Data::Text(code))]))])
}

fn found(country: &str, asn: Option<u32>) -> Found {
    Found { country: (!country.is_empty()).then(|| country.to_owned()), asn }
}

#[test]
fn what_files_of_any_maker_say_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let keep = |name: &str, bytes: Vec<u8>| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("it is written");
        path
    };
    let places = database(&[
        ("192.0.2.0", 24, country("DE")),
        ("192.0.2.128", 25, country("FR")),
        ("2001:db8::", 32, country("AT")),
        ("198.51.100.0", 24, Data::Map(vec![("country_code", Data::Text("us"))])),
        ("203.0.113.0", 24, Data::Map(vec![("country", Data::Text("Germany"))])),
    ]);
    let networks = database(&[
        ("192.0.2.0", 24, Data::Map(vec![("autonomous_system_number", Data::Number(64_500))])),
        ("198.51.100.0", 24, Data::Map(vec![("asn", Data::Text("AS64501"))])),
    ]);
    let files = [keep("places.mmdb", places), keep("networks.mmdb", networks)];
    let files = files.iter().map(AsRef::<Path>::as_ref);
    let here = Whereabouts::open(files).expect("they read");
    let find = |ip: &str| here.find(ip.parse().expect("an address"));
    assert_eq!(find("192.0.2.7"), found("DE", Some(64_500)));
    assert_eq!(find("192.0.2.200"), found("FR", Some(64_500)), "the closest network");
    assert_eq!(find("2001:db8:1::7"), found("AT", None));
    assert_eq!(find("198.51.100.9"), found("US", Some(64_501)));
    assert_eq!(find("203.0.113.9"), found("", None), "a name is no code");
    assert_eq!(find("10.0.0.1"), Found::default());
}

#[test]
fn a_file_that_is_not_there_is_missing_and_one_that_is_broken_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("places.mmdb");
    let none = Whereabouts::open([&*path]).expect("nothing is known, and that is all");
    assert_eq!(none.find("192.0.2.7".parse().expect("an address")), Found::default());
    let mut bytes = database(&[("192.0.2.0", 24, country("DE"))]);
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&path, bytes).expect("half of it");
    let fault = Whereabouts::open([&*path]).expect_err("it broke off").to_string();
    assert!(fault.contains("places.mmdb") && fault.contains("fetch it again"), "{fault}");
}

/// The storefront says only the address; or it says where that is, and is believed.
#[actix_web::test]
async fn a_payment_is_judged_on_where_its_address_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("places.mmdb");
    std::fs::write(&path, database(&[("192.0.2.0", 24, country("DE"))])).expect("it is written");
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::from_micros(0)));
    let serving = Serving::configured(None).expect("the bundled model");
    let names = serving.layout.names();
    let place = names.iter().position(|name| name == "ip_abroad").expect("a feature");
    let local = InProcessVelocity::new(serving.layout.clone(), 100);
    let bench = Bench::new(serving, local, None, Policy::default(), clock)
        .with_whereabouts(Whereabouts::open([&*path]).expect("it reads"));
    let fraud = Fraud::start(Arc::new(bench), Vec::new());
    let abroad = async |ip: &str, told: Option<&str>, billed: &str| {
        let cart = CheckoutId::from_uuid(uuid::Uuid::nil());
        let mut signals = Signals::unknown(cart, Timestamp::from_micros(0));
        signals.person.ip = Some(ip.to_owned());
        let address_country = Some(billed.to_owned());
        signals.person.billing = Some(Box::new(Address { address_country, ..Address::default() }));
        let ip_country = told.map(str::to_owned);
        signals.person.hints = Some(Box::new(Hints { ip_country, ..Hints::default() }));
        let judged = fraud.assess(signals, &[]).await.expect("it is judged");
        judged.assessment.features[place]
    };
    assert_eq!(abroad("192.0.2.7", None, "DE").await, 0.0);
    assert_eq!(abroad("192.0.2.7", None, "FR").await, 1.0);
    assert_eq!(abroad("192.0.2.7", Some("FR"), "FR").await, 0.0, "the storefront knows better");
    assert_eq!(abroad("198.51.100.7", None, "DE").await, -1.0, "nobody knows");
}
