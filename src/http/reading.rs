//! Reads a JSON document field by field and says exactly which field is wrong.
//!
//! `null` is absence. Platforms send more than we know, and that is passed over; in bodies of
//! merchants it was refused before (see [`contract`](super::contract)).

use serde_json::Value;

use super::{kinds::Kind, problem::Problem};
use crate::{
    base::{Address, Buyer, Consent, Currency, Email, Limits, place},
    checkout::DraftLine,
};

/// Discount codes of one checkout: each is looked up and told about.
pub const CODES_MAX: usize = 20;

/// Bytes of a payment token: encrypted wallet payloads reach a few kilobytes.
pub const TOKEN_BYTES: usize = 8 * 1024;

/// The longest address of a page, in bytes: as long as every browser takes.
const URL_BYTES: usize = 2048;

/// The longest RFC 3339 time: nanoseconds and an offset.
pub const TIME_BYTES: usize = 40;

/// A value and the way to it; the way becomes a JSON Pointer (RFC 6901) only when it is needed.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    value: &'a Value,
    parent: Option<&'a At<'a>>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Item(usize),
}

impl<'a> At<'a> {
    /// The whole document.
    pub const fn root(value: &'a Value) -> Self {
        Self { value, parent: None, step: Step::Item(0) }
    }

    /// A field, unless it is absent or null.
    pub fn find(&'a self, name: &'a str) -> Option<Self> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(Self { value, parent: Some(self), step: Step::Field(name) })
    }

    /// A field that must be there.
    pub fn get(&'a self, name: &'a str) -> Result<Self, Problem> {
        self.find(name).ok_or_else(|| {
            let absent = Self { value: &Value::Null, parent: Some(self), step: Step::Field(name) };
            Problem::new(Kind::Invalid, format!("The field `{name}` is missing."))
                .at(absent.pointer())
        })
    }

    /// The items of a list with at most so many.
    pub fn items(&'a self, most: usize) -> Result<impl Iterator<Item = At<'a>>, Problem> {
        let items = self.value.as_array().ok_or_else(|| self.expected("a list"))?;
        if items.len() > most {
            let text = format!("At most {most} items may stand here; {} do.", items.len());
            return Err(self.problem(Kind::LimitExceeded, text).limit(most as u64));
        }
        Ok(items.iter().enumerate().map(move |(index, value)| At {
            value,
            parent: Some(self),
            step: Step::Item(index),
        }))
    }

    /// Refuses what is no object.
    pub fn object(&'a self) -> Result<&'a Self, Problem> {
        if self.value.is_object() { Ok(self) } else { Err(self.expected("an object")) }
    }

    /// A text of at most so many bytes.
    pub fn text(&self, most: usize) -> Result<&'a str, Problem> {
        let text = self.value.as_str().ok_or_else(|| self.expected("a text"))?;
        if text.len() > most {
            let long = format!("At most {most} bytes may stand here; {} do.", text.len());
            return Err(self.problem(Kind::LimitExceeded, long).limit(most as u64));
        }
        Ok(text)
    }

    /// A text of at most so many bytes in a field that may be absent.
    pub fn text_in(&self, name: &str, most: usize) -> Result<Option<String>, Problem> {
        self.find(name).map(|field| field.text(most).map(str::to_owned)).transpose()
    }

    /// A whole number from 1 to `most`.
    pub fn quantity(&self, most: u32) -> Result<u32, Problem> {
        let number = self.integer()?;
        match u32::try_from(number) {
            Ok(quantity) if (1..=most).contains(&quantity) => Ok(quantity),
            _ if number > i64::from(most) => {
                let text = format!("At most {most} may stand here.");
                Err(self.problem(Kind::LimitExceeded, text).limit(u64::from(most)))
            }
            _ => Err(self.expected("a whole number of at least 1")),
        }
    }

    /// A whole number; `2.0` is one (JSON Schema says so).
    pub fn integer(&self) -> Result<i64, Problem> {
        let exact = |float: f64| float.fract() == 0.0 && float.abs() < 9e15;
        #[expect(clippy::cast_possible_truncation, reason = "whole and within ±9·10¹⁵")]
        let from_float = |float: f64| exact(float).then_some(float as i64);
        self.value
            .as_i64()
            .or_else(|| self.value.as_f64().and_then(from_float))
            .ok_or_else(|| self.expected("a whole number"))
    }

    /// Yes or no; anything else is no.
    pub fn is_true(&self) -> bool {
        self.value.as_bool().unwrap_or(false)
    }

    /// Yes or no, and nothing else.
    pub fn truth(&self) -> Result<bool, Problem> {
        self.value.as_bool().ok_or_else(|| self.expected("`true` or `false`"))
    }

    /// The value itself.
    pub const fn value(&self) -> &'a Value {
        self.value
    }

    /// Reads a text by a rule of its own.
    pub fn parse<T, E: std::fmt::Display>(
        &self,
        most: usize,
        rule: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, Problem> {
        let text = self.text(most)?;
        rule(text).map_err(|error| self.problem(Kind::Invalid, format!("Refused: {error}.")))
    }

    /// A problem with this field.
    pub fn problem(&self, kind: Kind, detail: String) -> Problem {
        Problem::new(kind, detail).at(self.pointer())
    }

    fn expected(&self, what: &str) -> Problem {
        let is = match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "a truth value",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.problem(Kind::Invalid, format!("Expected {what}, found {is}."))
    }

    fn pointer(&self) -> String {
        let Some(parent) = self.parent else { return String::new() };
        let mut pointer = parent.pointer();
        pointer.push('/');
        match self.step {
            Step::Item(index) => pointer.push_str(&index.to_string()),
            Step::Field(name) => {
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
            }
        }
        pointer
    }
}

/// Who buys.
pub fn buyer(at: &At<'_>, limits: &Limits) -> Result<Buyer, Problem> {
    at.object()?;
    let text = |name| at.text_in(name, limits.text_bytes);
    let email = match at.find("email") {
        // Platforms send an empty text for "not known yet".
        Some(field) if field.value().as_str() == Some("") => None,
        Some(field) => Some(field.parse(limits.text_bytes, Email::parse)?),
        None => None,
    };
    Ok(Buyer {
        first_name: text("first_name")?,
        last_name: text("last_name")?,
        email,
        phone_number: text("phone_number")?,
        consent: at.find("consent").map(|at| consent(&at)).transpose()?,
    })
}

/// Who buys, where a protocol may say the name in one text.
pub fn buyer_by_name(at: &At<'_>, limits: &Limits) -> Result<Buyer, Problem> {
    let mut buyer = buyer(at, limits)?;
    if let Some(full) = at.text_in("full_name", limits.text_bytes)?
        && buyer.first_name.is_none()
        && buyer.last_name.is_none()
    {
        (buyer.first_name, buyer.last_name) = name_parts(&full);
    }
    Ok(buyer)
}

fn consent(at: &At<'_>) -> Result<Consent, Problem> {
    at.object()?;
    let said = |name| at.find(name).map(|field| field.truth()).transpose();
    Ok(Consent {
        analytics: said("analytics")?,
        preferences: said("preferences")?,
        marketing: said("marketing")?,
        sale_of_data: said("sale_of_data")?,
    })
}

/// A line that UCP platforms want.
pub fn wanted_line(line: &At<'_>, limits: &Limits) -> Result<DraftLine, Problem> {
    let item = line.get("item")?;
    Ok(DraftLine {
        id: line.text_in("id", limits.text_bytes)?,
        item: item.get("id")?.text(limits.text_bytes)?.to_owned(),
        quantity: line.get("quantity")?.quantity(limits.quantity_per_line)?,
    })
}

/// Discount codes: what is no text is refused, what is no code is told later.
pub fn codes(at: &At<'_>, limits: &Limits) -> Result<Vec<String>, Problem> {
    let code = |code: At<'_>| code.text(limits.text_bytes).map(str::to_owned);
    at.items(CODES_MAX)?.map(code).collect()
}

/// A postal address.
pub fn address(at: &At<'_>, limits: &Limits) -> Result<Box<Address>, Problem> {
    at.object()?;
    let text = |name| at.text_in(name, limits.text_bytes);
    let (address_country, address_region) =
        places(at, "address_country", "address_region", limits)?;
    Ok(Box::new(Address {
        first_name: text("first_name")?,
        last_name: text("last_name")?,
        street_address: text("street_address")?,
        extended_address: text("extended_address")?,
        address_locality: text("address_locality")?,
        address_region,
        address_country,
        postal_code: text("postal_code")?,
        phone_number: text("phone_number")?,
    }))
}

/// The country of an address and the part of it, as codes (ISO 3166-1 alpha-2, ISO 3166-2 without
/// the country): taxes and rates go by them. An empty text is none.
pub fn places(
    at: &At<'_>,
    country: &str,
    region: &str,
    limits: &Limits,
) -> Result<(Option<String>, Option<String>), Problem> {
    let text = |name| {
        let text = at.text_in(name, limits.text_bytes)?;
        Ok::<_, Problem>(text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
    };
    let unknown = |name, text: String| {
        at.get(name).map_or_else(|missing| missing, |field| field.problem(Kind::Invalid, text))
    };
    let code = match text(country)? {
        Some(said) => Some(place::country(&said).ok_or_else(|| {
            unknown(country, format!("No country is called `{said}`."))
                .suggest("Send its code, such as `DE` (ISO 3166-1 alpha-2).")
        })?),
        None => None,
    };
    let part = match (code, text(region)?) {
        (Some(code), Some(said)) => match place::region(code, &said) {
            Some(part) => Some(part.to_owned()),
            None if place::must_be_known(code, &said) => {
                let text = format!("No part of {code} is called `{said}`.");
                let hint = "Send its code, such as `CA` for California (ISO 3166-2).";
                return Err(unknown(region, text).suggest(hint));
            }
            None => Some(said),
        },
        (None, said) | (_, said @ None) => said,
    };
    Ok((code.map(str::to_owned), part))
}

/// The address of a page.
pub fn url(field: &At<'_>) -> Result<String, Problem> {
    let url = field.text(URL_BYTES)?;
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    if is_web && url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(url.to_owned());
    }
    let text = "An address starts with `https://` and has no spaces.";
    Err(field.problem(Kind::Invalid, text.to_owned()))
}

/// A name in one text, taken apart at its last space.
pub fn name_parts(name: &str) -> (Option<String>, Option<String>) {
    match name.rsplit_once(' ') {
        Some((first, last)) => (Some(first.to_owned()), Some(last.to_owned())),
        None => ((!name.is_empty()).then(|| name.to_owned()), None),
    }
}

/// A currency in a field that may be absent.
pub fn currency(at: &At<'_>) -> Result<Option<Currency>, Problem> {
    at.find("currency").map(|field| field.parse(16, str::parse::<Currency>)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pointer_of(problem: &Problem) -> Value {
        serde_json::from_str::<Value>(&problem.body(crate::http::problem::Scene::default()))
            .expect("JSON")["pointer"]
            .clone()
    }

    #[test]
    fn a_wrong_field_is_named_by_its_pointer() {
        let body = json!({"lines": [{"q": 1}, {"q": "two", "a/b~c": 0}]});
        let root = At::root(&body);
        let lines = root.get("lines").expect("there");
        let second = lines.items(5).expect("a list").nth(1).expect("two items");
        let q = second.get("q").expect("there");
        assert_eq!(pointer_of(&q.quantity(9).expect_err("a text")), "/lines/1/q");
        let odd = second.get("a/b~c").expect("there");
        assert_eq!(pointer_of(&odd.text(9).expect_err("a number")), "/lines/1/a~1b~0c");
        assert_eq!(pointer_of(&second.get("z").expect_err("absent")), "/lines/1/z");
    }

    #[test]
    fn limits_are_named() {
        let body = json!({"list": [1, 2, 3], "text": "abcdef", "many": 1000, "none": 0});
        let root = At::root(&body);
        let kind = |problem: Problem| problem.kind();
        let field = |name| root.get(name).expect("there");
        assert_eq!(kind(field("text").text(3).expect_err("long")), Kind::LimitExceeded);
        assert_eq!(kind(field("many").quantity(9).expect_err("many")), Kind::LimitExceeded);
        assert_eq!(kind(field("none").quantity(9).expect_err("none")), Kind::Invalid);
        let list = field("list");
        assert_eq!(kind(list.items(2).err().expect("long")), Kind::LimitExceeded);
    }

    #[test]
    fn an_e_mail_must_be_one_and_an_empty_one_is_none() {
        let limits = Limits::default();
        let read = |email: &str| {
            let body = json!({"email": email});
            buyer(&At::root(&body), &limits).map(|buyer| buyer.email.is_some())
        };
        assert!(matches!(read("ada@example.com"), Ok(true)));
        assert!(matches!(read(""), Ok(false)));
        assert_eq!(pointer_of(&read("ada").expect_err("no at")), "/email");
    }
}
