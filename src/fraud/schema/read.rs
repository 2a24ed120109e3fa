//! Reads events from a CSV file by its schema.

use csv::{ByteRecord, ReaderBuilder, Trim};
use std::io::Read;

use super::{Schema, moment::moment};
use crate::{
    base::Timestamp,
    fraud::event::{Event, Key, Label},
};

/// A row of the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What happened.
    pub event: Event,
    /// What it turned out to be, where known.
    pub label: Option<Label>,
    /// The values of the columns that figures are split by, if any was named, with `/` in between.
    pub group: Option<Box<str>>,
}

/// A file that does not fit its schema.
#[derive(Debug, thiserror::Error)]
pub enum RowFault {
    /// A column is missing.
    #[error("the file has no column `{0}`, which the schema names")]
    NoColumn(String),
    /// A cell does not read.
    #[error("line {line}, column `{column}`: expected {expected}, found `{found}`")]
    Cell {
        /// The line where the row starts, from 1.
        line: u64,
        /// The column's name.
        column: String,
        /// What was expected.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// The file cannot be read on.
    #[error("the file cannot be read: {0}")]
    Csv(#[from] csv::Error),
}

/// Reads all rows, in the order of the file. Several columns to group by have commas in between.
///
/// # Errors
/// At the first cell that does not read: figures over half a file are no figures.
pub fn read_rows(
    schema: &Schema,
    group_by: Option<&str>,
    input: impl Read,
) -> Result<Vec<Row>, RowFault> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(input);
    let places = Places::find(schema, group_by, reader.byte_headers()?)?;
    let (mut record, mut rows) = (ByteRecord::new(), Vec::new());
    while reader.read_byte_record(&mut record)? {
        rows.push(places.row(&record)?);
    }
    Ok(rows)
}

/// Sorts rows by time. Those of one moment stay in the order in which they were given.
pub fn sort(rows: &mut [Row]) {
    rows.sort_by_key(|row| row.event.at);
}

/// A column: where it stands and what it is called.
#[derive(Debug, Clone)]
struct Place {
    at: usize,
    name: String,
}

/// The one column of a flag with the values that mean yes, or the two that may differ.
struct Flag {
    places: Vec<Place>,
    yes: Vec<Box<[u8]>>,
}

struct Places {
    time: Place,
    label: Option<Place>,
    label_at: Option<Place>,
    amount: Option<Place>,
    failed: Option<Place>,
    attempt: Vec<Place>,
    entities: Vec<Vec<Place>>,
    numbers: Vec<Place>,
    flags: Vec<Flag>,
    group: Vec<Place>,
}

impl Places {
    fn find(schema: &Schema, group: Option<&str>, header: &ByteRecord) -> Result<Self, RowFault> {
        let place = |name: &String| {
            // Spreadsheets put a byte order mark before the first name.
            let is = |field: &[u8]| {
                field.strip_prefix(b"\xef\xbb\xbf").unwrap_or(field) == name.as_bytes()
            };
            let at = header.iter().position(is);
            let at = at.ok_or_else(|| RowFault::NoColumn(name.clone()))?;
            Ok::<_, RowFault>(Place { at, name: name.clone() })
        };
        let one = |name: &Option<String>| name.as_ref().map(place).transpose();
        let all = |names: &[String]| names.iter().map(place).collect::<Result<Vec<_>, _>>();
        let columns = &schema.columns;
        let group: Vec<String> =
            group.iter().flat_map(|names| names.split(',')).map(str::to_owned).collect();
        let flags = schema.flags.iter().map(|flag| {
            let own = [flag.column.clone().unwrap_or_else(|| flag.name.clone())];
            let names = if flag.differ.is_empty() { &own[..] } else { &flag.differ };
            let yes = flag.is.iter().map(|value| value.as_bytes().into()).collect();
            Ok::<_, RowFault>(Flag { places: all(names)?, yes })
        });
        Ok(Self {
            time: place(&columns.time)?,
            label: one(&columns.label)?,
            label_at: one(&columns.label_at)?,
            amount: one(&columns.amount)?,
            failed: one(&columns.failed)?,
            attempt: all(&columns.attempt)?,
            entities: schema.entities.iter().map(|e| all(&e.columns)).collect::<Result<_, _>>()?,
            numbers: schema
                .numbers
                .iter()
                .map(|number| place(number.column.as_ref().unwrap_or(&number.name)))
                .collect::<Result<_, _>>()?,
            flags: flags.collect::<Result<_, _>>()?,
            group: all(&group)?,
        })
    }

    fn row(&self, record: &ByteRecord) -> Result<Row, RowFault> {
        let at = required(record, &self.time, "a time", moment)?;
        let amount = optional(record, self.amount.as_ref(), "an amount", hundredths)?;
        let failed = optional(record, self.failed.as_ref(), "yes or no", yes_or_no)?;
        let fraud = optional(record, self.label.as_ref(), "1 or 0", yes_or_no)?;
        let known_at: Option<Timestamp> =
            optional(record, self.label_at.as_ref(), "a time", moment)?;
        let numbers = self.numbers.iter().map(|place| {
            // What is too large for a feature is not made up, and not left out without a word.
            let finite =
                |text: &str| text.parse().ok().filter(|number: &f32| !number.is_infinite());
            let number = optional(record, Some(place), "a number", finite);
            Ok(number?.unwrap_or(f32::NAN))
        });
        let flags = self.flags.iter().map(|of| flag(record, of));
        let numbers = numbers.chain(flags).collect::<Result<_, RowFault>>()?;
        let key = |places: &Vec<Place>| Key::of(places.iter().map(|place| cell(record, place)));
        let attempt = (!self.attempt.is_empty()).then(|| key(&self.attempt)).flatten();
        let keys = self.entities.iter().map(key).collect();
        let event = Event { at, amount, keys, numbers, attempt, failed: failed.unwrap_or(false) };
        let group = self.group.iter().map(|place| String::from_utf8_lossy(cell(record, place)));
        let group = (!self.group.is_empty()).then(|| group.collect::<Vec<_>>().join("/").into());
        Ok(Row { event, label: fraud.map(|fraud| Label { fraud, known_at }), group })
    }
}

fn cell<'a>(record: &'a ByteRecord, place: &Place) -> &'a [u8] {
    record.get(place.at).unwrap_or_default()
}

fn required<T>(
    record: &ByteRecord,
    place: &Place,
    expected: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, RowFault> {
    let raw = cell(record, place);
    std::str::from_utf8(raw).ok().and_then(read).ok_or_else(|| RowFault::Cell {
        line: record.position().map_or(0, csv::Position::line),
        column: place.name.clone(),
        expected,
        found: String::from_utf8_lossy(raw).into_owned(),
    })
}

/// What an empty cell or no column leaves out.
fn optional<T>(
    record: &ByteRecord,
    place: Option<&Place>,
    expected: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, RowFault> {
    match place {
        Some(place) if !cell(record, place).is_empty() => {
            required(record, place, expected, read).map(Some)
        }
        _ => Ok(None),
    }
}

fn flag(record: &ByteRecord, Flag { places, yes }: &Flag) -> Result<f32, RowFault> {
    let values = yes;
    let yes = match &places[..] {
        [one, other] => {
            let (one, other) = (cell(record, one), cell(record, other));
            (!one.is_empty() && !other.is_empty()).then_some(one != other)
        }
        [one] if values.is_empty() => optional(record, Some(one), "yes or no", yes_or_no)?,
        [one] => {
            let cell = cell(record, one);
            (!cell.is_empty()).then(|| values.iter().any(|value| **value == *cell))
        }
        _ => None,
    };
    Ok(yes.map_or(f32::NAN, |yes| f32::from(u8::from(yes))))
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "1" | "1.0" | "true" | "True" | "TRUE" | "yes" | "Yes" => Some(true),
        "0" | "0.0" | "false" | "False" | "FALSE" | "no" | "No" => Some(false),
        _ => None,
    }
}

/// An amount in hundredths, exactly: further digits are rounded half away from zero.
fn hundredths(text: &str) -> Option<i64> {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let padded = format!("{fraction:0<3}");
    let thousandths: i64 = padded.get(..3)?.parse().ok()?;
    let cents = whole.checked_mul(100)?.checked_add((thousandths + 5) / 10)?;
    Some(if negative { -cents } else { cents })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = "
        [columns]
        time = \"at\"
        label = \"fraud\"
        label_at = \"found\"
        amount = \"sum\"
        failed = \"failed\"
        attempt = [\"cart\", \"card\"]
        [[entity]]
        name = \"card\"
        columns = [\"card\"]
        [[entity]]
        name = \"card_ip\"
        columns = [\"card\", \"ip\"]
        [[number]]
        name = \"units\"
        [[flag]]
        name = \"gift\"
        is = [\"gift\", \"voucher\"]
        column = \"kind\"
        [[flag]]
        name = \"abroad\"
        differ = [\"home\", \"ship\"]";

    const HEADER: &str = "at,fraud,found,sum,failed,cart,card,ip,units,kind,home,ship\n";

    fn read(rows: &str) -> Result<Vec<Row>, RowFault> {
        let schema = Schema::parse(SCHEMA).expect("a schema");
        read_rows(&schema, Some("kind"), format!("{HEADER}{rows}").as_bytes())
    }

    #[test]
    fn a_row_is_read_and_what_is_missing_is_missing() {
        let rows = read(
            "2018-04-01 00:00:31,1,2018-05-01,57.165,yes,k1,c1,10.0.0.1,3,voucher,DE,FR\n\
             2018-04-01 00:00:30,,,,,,c1,,,,DE,\n",
        );
        let mut rows = rows.expect("good rows");
        let (full, bare) = (&rows[0], &rows[1]);
        assert_eq!((full.event.amount, full.event.failed), (Some(5717), true));
        assert_eq!(&*full.event.numbers, [3.0, 1.0, 1.0]);
        let found = Timestamp::parse("2018-05-01T00:00:00Z");
        assert_eq!(full.label, Some(Label { fraud: true, known_at: found }));
        assert!(full.event.attempt.is_some() && full.event.keys[1].is_some());
        assert_eq!(full.group.as_deref(), Some("voucher"));
        assert_eq!((bare.event.amount, bare.label, bare.event.attempt), (None, None, None));
        assert!(bare.event.numbers.iter().all(|number| number.is_nan()));
        assert_eq!((bare.event.keys[0], bare.event.keys[1]), (full.event.keys[0], None));
        sort(&mut rows);
        assert_eq!(rows[0].event.amount, None, "the earlier one comes first");
    }

    #[test]
    fn a_bad_cell_is_named() {
        let good = "2018-04-01,1,,5,0,k,c,i,3,x,DE,DE\n";
        for (bad, part) in [
            ("soon,1,,5,0,k,c,i,3,x,DE,DE", "line 3, column `at`: expected a time, found `soon`"),
            ("2018-04-01,maybe,,5,0,k,c,i,3,x,DE,DE", "column `fraud`: expected 1 or 0"),
            ("2018-04-01,1,,\"5,0\",0,k,c,i,3,x,DE,DE", "column `sum`: expected an amount"),
            ("2018-04-01,1,,5,0,k,c,i,few,x,DE,DE", "column `units`: expected a number"),
            ("2018-04-01,1,,5,0,k,c,i,1e39,x,DE,DE", "column `units`: expected a number"),
            ("2018-04-01,1", "found record with 2 fields"),
        ] {
            let error = read(&format!("{good}{bad}\n")).expect_err(bad).to_string();
            assert!(error.contains(part), "{part:?} is missing in {error}");
        }
        let schema = Schema::parse(SCHEMA).expect("a schema");
        let error = read_rows(&schema, None, "at,card\n".as_bytes()).expect_err("columns missing");
        assert!(error.to_string().contains("no column `fraud`"), "{error}");
    }

    #[test]
    fn amounts_are_exact() {
        for (text, cents) in
            [("57.16", 5716), ("146.0", 14600), ("0.005", 1), (".5", 50), ("-3", -300)]
        {
            assert_eq!(hundredths(text), Some(cents), "{text}");
        }
        for text in ["", ".", "1e3", "1,5", "NaN", "--1", "1.-5", "99999999999999999999"] {
            assert_eq!(hundredths(text), None, "{text}");
        }
    }
}
