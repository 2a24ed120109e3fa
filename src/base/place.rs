//! Countries and their parts, however people spell them: ISO 3166-1 alpha-2 and ISO 3166-2.

use rust_iso3166::{ALL, from_alpha2, from_alpha3, from_numeric_str, iso3166_2};
use std::{collections::HashMap, sync::LazyLock};

/// Names that people and shops use beside those of the standard.
const ALSO: &[(&str, &[&str])] = &[
    ("AE", &["uae", "emirates"]),
    ("AT", &["osterreich"]),
    ("BE", &["belgie", "belgique", "belgien"]),
    ("BN", &["brunei"]),
    ("BR", &["brasil"]),
    ("CD", &["democratic republic of the congo", "dr congo", "congo kinshasa"]),
    ("CG", &["republic of the congo", "congo brazzaville"]),
    ("CH", &["schweiz", "suisse", "svizzera"]),
    ("CI", &["ivory coast"]),
    ("CV", &["cape verde"]),
    ("CZ", &["czech republic", "cesko"]),
    ("DE", &["deutschland", "allemagne", "alemania"]),
    ("DK", &["danmark"]),
    ("ES", &["espana"]),
    ("FI", &["suomi"]),
    ("GB", &["uk", "united kingdom", "great britain", "england", "scotland", "wales"]),
    ("GR", &["el", "hellas"]),
    ("HU", &["magyarorszag"]),
    ("IT", &["italia", "italien"]),
    ("KP", &["north korea"]),
    ("KR", &["south korea", "korea", "republic of korea"]),
    ("LA", &["laos"]),
    ("MK", &["macedonia"]),
    ("MM", &["burma"]),
    ("NL", &["nederland", "holland"]),
    ("NO", &["norge"]),
    ("PL", &["polska"]),
    ("PT", &["portugal"]),
    ("RU", &["russia"]),
    ("SE", &["sverige"]),
    ("SY", &["syria"]),
    ("SZ", &["swaziland"]),
    ("TR", &["turkey"]),
    ("US", &["united states", "america", "u s a", "u s"]),
    ("VA", &["vatican", "vatican city"]),
    ("VG", &["british virgin islands"]),
    ("VI", &["us virgin islands", "u s virgin islands"]),
    ("VN", &["vietnam"]),
];

/// Kosovo: no part of the standard, and the code that carriers and banks write.
const KOSOVO: (&str, [&str; 3]) = ("XK", ["xk", "xkx", "kosovo"]);

/// Where every address names a part of the country by one of a closed list, and taxes go by it.
/// Elsewhere people write parts that no standard has (`Middlesex`), and nothing hangs on them.
const NAMED_PARTS: [&str; 4] = ["AU", "BR", "CA", "US"];

/// Addresses of armed forces abroad, which the United States' post counts among the states.
const ARMED_FORCES: [&str; 3] = ["AA", "AE", "AP"];

/// The longest text that is looked up, in bytes: the longest name is shorter.
const NAME_BYTES_MAX: usize = 128;

/// Words beside a name that are none of it.
const KINDS: [&str; 12] = [
    "state of ",
    "province of ",
    "county of ",
    "county ",
    "co ",
    "region of ",
    "land ",
    "comunidad de ",
    " state",
    " province",
    " county",
    " prefecture",
];

static COUNTRIES: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    // A name before its bracket, where no other country has it: `Bolivia (Plurinational State of)`.
    for country in ALL {
        if let Some((short, _)) = country.name.split_once(" (") {
            let is_other = |other: &&rust_iso3166::CountryCode| {
                other.alpha2 != country.alpha2 && other.name.starts_with(short)
            };
            if !ALL.iter().any(|other| is_other(&other)) {
                names.insert(plain(short), country.alpha2);
            }
        }
        names.insert(plain(country.name), country.alpha2);
    }
    let also = ALSO.iter().flat_map(|(code, all)| all.iter().map(|name| (*name, *code)));
    names.extend(also.map(|(name, code)| (name.to_owned(), code)));
    names.extend(KOSOVO.1.map(|name| (name.to_owned(), KOSOVO.0)));
    names
});

/// The alpha-2 code of a country by that code, its alpha-3 or numeric code, or its name.
pub fn country(raw: &str) -> Option<&'static str> {
    let raw = raw.trim();
    if raw.len() > NAME_BYTES_MAX {
        return None;
    }
    let by_code = match raw.len() {
        2 => from_alpha2(&raw.to_ascii_uppercase()),
        3 => from_alpha3(&raw.to_ascii_uppercase()).or_else(|| from_numeric_str(raw)),
        _ => None,
    };
    let by_name = || {
        let name = plain(raw);
        COUNTRIES.get(name.strip_prefix("the ").unwrap_or(&name)).copied()
    };
    by_code.map(|country| country.alpha2).or_else(by_name)
}

/// The code of a part of this country, without the country's: by that code, with or without the
/// country's before it, or by its name.
pub fn region(country: &str, raw: &str) -> Option<&'static str> {
    let raw = raw.trim();
    if raw.is_empty() || raw.len() > NAME_BYTES_MAX {
        return None;
    }
    let upper = raw.to_uppercase();
    let code = upper.strip_prefix(country).and_then(|rest| rest.strip_prefix('-'));
    let code = code.unwrap_or(&upper);
    if let Some(part) = iso3166_2::from_code(&format!("{country}-{code}")) {
        return Some(part.region_code);
    }
    let forces = || ARMED_FORCES.into_iter().find(|one| country == "US" && *one == code);
    forces().or_else(|| by_name(country, raw))
}

fn by_name(country: &str, raw: &str) -> Option<&'static str> {
    let parts = from_alpha2(country)?;
    let parts = parts.subdivisions()?;
    let wanted = plain(raw);
    // A name may stand in two languages, with a mark, or with another name in brackets.
    let is_named = |name: &str, wanted: &str| {
        name.split(['[', '(', '/', ',']).any(|one| !wanted.is_empty() && plain(one) == wanted)
    };
    let find = |wanted: &str| {
        parts.iter().find(|part| plain(part.name) == wanted || is_named(part.name, wanted))
    };
    let bare = KINDS
        .iter()
        .find_map(|kind| wanted.strip_prefix(kind).or_else(|| wanted.strip_suffix(kind)));
    find(&wanted).or_else(|| find(bare?)).map(|part| part.region_code)
}

/// Whether a part of this country that nobody knows is a mistake: where addresses name parts of a
/// closed list, and wherever somebody writes another country's code.
pub fn must_be_known(country: &str, raw: &str) -> bool {
    let is_code = || iso3166_2::from_code(&raw.trim().to_uppercase()).is_some();
    NAMED_PARTS.contains(&country) || is_code()
}

/// A name without case, accents and signs.
fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for char in name.chars().flat_map(char::to_lowercase) {
        match char {
            'à'..='å' | 'ā' | 'ă' | 'ą' => plain.push('a'),
            'ç' | 'ć' | 'č' => plain.push('c'),
            'ď' | 'đ' => plain.push('d'),
            'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => plain.push('e'),
            'ğ' | 'ģ' => plain.push('g'),
            'ì'..='ï' | 'ī' | 'į' | 'ı' => plain.push('i'),
            'ķ' => plain.push('k'),
            'ļ' | 'ľ' | 'ł' => plain.push('l'),
            'ñ' | 'ń' | 'ņ' | 'ň' => plain.push('n'),
            'ò'..='ö' | 'ø' | 'ō' | 'ő' => plain.push('o'),
            'ŕ' | 'ř' => plain.push('r'),
            'ś' | 'š' | 'ş' | 'ș' => plain.push('s'),
            'ť' | 'ţ' | 'ț' => plain.push('t'),
            'ù'..='ü' | 'ū' | 'ů' | 'ű' | 'ų' => plain.push('u'),
            'ý' | 'ÿ' => plain.push('y'),
            'ź' | 'ż' | 'ž' => plain.push('z'),
            'ß' => plain.push_str("ss"),
            'æ' => plain.push_str("ae"),
            '&' => plain.push_str(" and "),
            // A mark, or what is left of a letter's accent in lower case.
            '*' | '\'' | '’' | '\u{307}' => {}
            letter if letter.is_alphanumeric() => plain.push(letter),
            _ => plain.push(' '),
        }
    }
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    // breaks: each way of finding one: codes alone, names as they stand
    #[test]
    fn countries_are_found_however_they_are_spelt() {
        for (raw, code) in [
            ("DE", "DE"),
            (" de ", "DE"),
            ("DEU", "DE"),
            ("Germany", "DE"),
            ("Deutschland", "DE"),
            ("276", "DE"),
            ("USA", "US"),
            ("United States", "US"),
            ("U.S.A.", "US"),
            ("united states of america", "US"),
            ("UK", "GB"),
            ("Great Britain", "GB"),
            ("South Korea", "KR"),
            ("Korea (Republic of)", "KR"),
            ("Bolivia", "BO"),
            ("Türkiye", "TR"),
            ("Turkey", "TR"),
            ("Côte d’Ivoire", "CI"),
            ("Ivory Coast", "CI"),
            ("Österreich", "AT"),
            ("Czech Republic", "CZ"),
            ("Czechia", "CZ"),
            ("The Netherlands", "NL"),
            ("Trinidad & Tobago", "TT"),
            ("XK", "XK"),
            ("Kosovo", "XK"),
            ("Curaçao", "CW"),
            ("Congo", "CG"),
            ("Russia", "RU"),
            ("Moldova", "MD"),
        ] {
            assert_eq!(country(raw), Some(code), "{raw}");
        }
        for raw in ["", "XX", "Atlantis", "EU", "Germania Inferior", "D", "Virgin Islands"] {
            assert_eq!(country(raw), None, "{raw}");
        }
    }

    // breaks: each way of finding one
    #[test]
    fn parts_are_found_by_code_and_by_name() {
        for (country, raw, code) in [
            ("US", "CA", "CA"),
            ("US", "us-ca", "CA"),
            ("US", "California", "CA"),
            ("US", " california ", "CA"),
            ("US", "State of New York", "NY"),
            ("US", "AE", "AE"),
            ("US", "District of Columbia", "DC"),
            ("CA", "Québec", "QC"),
            ("CA", "Quebec", "QC"),
            ("DE", "Bayern", "BY"),
            ("DE", "DE-BY", "BY"),
            ("IE", "Co. Dublin", "D"),
            ("AU", "New South Wales", "NSW"),
            ("BR", "Sao Paulo", "SP"),
            ("JP", "Tokyo", "13"),
            ("CZ", "Praha", "10"),
            ("CZ", "Praha, hlavní město", "10"),
            ("DO", "Santo Domingo", "01"),
        ] {
            assert_eq!(region(country, raw), Some(code), "{country} {raw}");
        }
        for (country, raw) in [("US", "Bayern"), ("DE", "US-CA"), ("US", ""), ("XK", "Prizren")] {
            assert_eq!(region(country, raw), None, "{country} {raw}");
        }
        assert!(must_be_known("US", "Bayern") && must_be_known("DE", "us-ca"));
        assert!(!must_be_known("GB", "Middlesex"));
    }
}
