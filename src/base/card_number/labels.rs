//! What people write before a number that is no card's.

/// What a number is called: of a parcel, an order, goods, a phone. In the languages of the carriers
/// that give out numbers as long as a card's.
const LABELS: &[&str] = &[
    "tracking",
    "trackingnumber",
    "track",
    "parcel",
    "package",
    "shipment",
    "consignment",
    "waybill",
    "awb",
    "sendung",
    "sendungsnummer",
    "paket",
    "paketnummer",
    "suivi",
    "colis",
    "envio",
    "spedizione",
    "usps",
    "ups",
    "fedex",
    "dhl",
    "dpd",
    "gls",
    "hermes",
    "evri",
    "post",
    "mail",
    "order",
    "ordernumber",
    "bestellung",
    "bestellnummer",
    "auftrag",
    "auftragsnummer",
    "commande",
    "pedido",
    "ordine",
    "invoice",
    "rechnung",
    "rechnungsnummer",
    "facture",
    "rma",
    "ean",
    "gtin",
    "upc",
    "isbn",
    "sku",
    "barcode",
    "phone",
    "telephone",
    "tel",
    "telefon",
    "mobile",
    "mobil",
    "handy",
    "fax",
    "imei",
    "iccid",
    "serial",
];

/// What may stand between a label and its number.
const FILLERS: &[&str] = &[
    "no", "nr", "num", "number", "nummer", "numero", "número", "numéro", "id", "code", "is", "was",
    "ist",
];

/// Words that are looked at: a label with "number is" behind it.
const WORDS: usize = 3;

/// The longest word that is looked at, in bytes; longer ones are no label.
const WORD_BYTES_MAX: usize = 20;

/// The most signs between a word and what follows it: `: #`.
const SIGNS_MAX: usize = 4;

/// Whether a label stands at the end of this text, right before a number.
pub(super) fn stand_before(text: &str) -> bool {
    let mut rest = text;
    for _ in 0..WORDS {
        let end = rest.trim_end_matches(|char: char| !char.is_alphanumeric());
        if rest.chars().count() - end.chars().count() > SIGNS_MAX {
            return false;
        }
        let start = end.trim_end_matches(char::is_alphabetic);
        let word = &end[start.len()..];
        if word.is_empty() || word.len() > WORD_BYTES_MAX {
            return false;
        }
        let word = word.to_lowercase();
        if LABELS.contains(&word.as_str()) {
            return true;
        }
        if !FILLERS.contains(&word.as_str()) {
            return false;
        }
        rest = start;
    }
    false
}
