//! What the addresses of a request are called: pure.

use super::Customer;
use crate::base::{Address, Destination};

/// An address as a platform sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The platform's name for it.
    pub id: Option<String>,
    /// Where it is.
    pub address: Address,
}

/// Addresses with their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// All of them, in their order.
    pub destinations: Vec<Destination>,
    /// Those that nothing is kept of yet.
    pub fresh: Vec<Destination>,
    /// Ids that were sent, each with the one that its address has here.
    renamed: Vec<(String, String)>,
}

impl Named {
    /// What an id that was sent is called here.
    pub fn id<'a>(&'a self, sent: &'a str) -> &'a str {
        let renamed = self.renamed.iter().find(|(old, _)| old == sent);
        renamed.map_or(sent, |(_, new)| new)
    }
}

/// Names addresses. One at a place that is kept has the id of that; another keeps the id it was
/// sent with, unless that is some other place's; and one without gets an id.
pub fn name(sent: Vec<Sent>, kept: &[Destination], customer: Option<&Customer>) -> Named {
    let mut named = Named::default();
    for (number, Sent { id, address }) in (1..).zip(sent) {
        let known = kept.iter().chain(&named.fresh);
        let same = known.clone().find(|one| is_same_place(&one.address, &address));
        let is_taken = |id: &str| known.clone().any(|one| one.id == id);
        let own = match same {
            Some(one) => one.id.clone(),
            None => match (id.as_ref().filter(|id| !is_taken(id)), customer) {
                (Some(id), _) => id.clone(),
                (None, Some(customer)) => customer.id_of(&address),
                (None, None) => format!("dest_{number}"),
            },
        };
        let is_new = same.is_none();
        named.renamed.extend(id.map(|id| (id, own.clone())));
        if named.destinations.iter().any(|one| one.id == own) {
            continue;
        }
        let one = Destination { id: own, address };
        if is_new {
            named.fresh.push(one.clone());
        }
        named.destinations.push(one);
    }
    named
}

/// Whether goods sent to both arrive at one place. Who receives them there may differ.
fn is_same_place(one: &Address, other: &Address) -> bool {
    let same = |one: &Option<String>, other: &Option<String>| {
        let text =
            |field: &Option<String>| field.as_deref().unwrap_or_default().trim().to_lowercase();
        text(one) == text(other)
    };
    same(&one.street_address, &other.street_address)
        && same(&one.extended_address, &other.extended_address)
        && same(&one.address_locality, &other.address_locality)
        && same(&one.address_region, &other.address_region)
        && same(&one.postal_code, &other.postal_code)
        && same(&one.address_country, &other.address_country)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Email;

    fn at(street: &str) -> Address {
        Address { street_address: Some(street.to_owned()), ..Address::default() }
    }

    fn sent(id: Option<&str>, street: &str) -> Sent {
        Sent { id: id.map(str::to_owned), address: at(street) }
    }

    fn ids(named: &Named) -> Vec<&str> {
        named.destinations.iter().map(|one| &*one.id).collect()
    }

    #[test]
    fn a_place_that_is_kept_has_its_id_whatever_it_is_sent_as() {
        let kept = [Destination { id: "home".into(), address: at("1 Main St") }];
        let named = name(vec![sent(Some("x"), " 1 MAIN st"), sent(None, "1 Main St")], &kept, None);
        assert_eq!((ids(&named), named.id("x"), named.id("y")), (vec!["home"], "home", "y"));
        assert!(named.fresh.is_empty());
    }

    #[test]
    fn a_new_place_keeps_its_id_unless_that_is_another_ones() {
        let kept = [Destination { id: "home".into(), address: at("1 Main St") }];
        let ada = Email::parse("ada@example.com").expect("well formed");
        let ada = Customer::of("key_1", &ada);
        let all = vec![sent(Some("home"), "2 Main St"), sent(Some("work"), "3"), sent(None, "4")];
        let named = name(all, &kept, Some(&ada));
        let (own, fourth) = (ada.id_of(&at("2 Main St")), ada.id_of(&at("4")));
        assert_eq!(ids(&named), [own.as_str(), "work", fourth.as_str()]);
        assert_eq!(named.id("home"), own);
        assert_eq!(named.fresh.len(), 3);
    }

    #[test]
    fn nobodys_addresses_are_numbered() {
        let named = name(vec![sent(None, "1"), sent(None, "2")], &[], None);
        assert_eq!(ids(&named), ["dest_1", "dest_2"]);
    }
}
