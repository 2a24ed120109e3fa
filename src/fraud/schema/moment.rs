//! Times as exports write them.

use crate::base::Timestamp;

/// Reads RFC 3339, `YYYY-MM-DD[ T]HH:MM[:SS[.ffffff]][Z]`, a date (its midnight), or whole seconds
/// since 1970. Without an offset it is UTC.
pub fn moment(text: &str) -> Option<Timestamp> {
    if text.len() > 4 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return seconds(text.parse().ok()?);
    }
    let (date, rest) = text.split_at_checked(10)?;
    let day = day_of(date)?;
    let time = rest.strip_prefix([' ', 'T', 't']).unwrap_or(rest);
    match time.strip_suffix(['Z', 'z']).unwrap_or(time) {
        _ if rest.len() == 1 => None,
        "" => seconds(day * 86_400),
        // The day was followed by nothing that separates.
        _ if time.len() == rest.len() => None,
        time => match time_of_day(time) {
            Some(micros) => {
                let midnight = day.checked_mul(86_400_000_000)?;
                Some(Timestamp::from_micros(midnight.checked_add(micros)?))
            }
            // An offset, or nothing we know.
            None => Timestamp::parse(text),
        },
    }
}

fn seconds(seconds: i64) -> Option<Timestamp> {
    seconds.checked_mul(1_000_000).map(Timestamp::from_micros)
}

fn number(text: &str, least: i64, most: i64) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits)?;
    (least..=most).contains(&number).then_some(number)
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Hinnant's `days_from_civil`).
fn day_of(date: &str) -> Option<i64> {
    let bytes = date.as_bytes();
    if !date.is_ascii() || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month) = (number(&date[..4], 1, 9999)?, number(&date[5..7], 1, 12)?);
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let longest = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let day = number(&date[8..], 1, longest)?;
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

fn time_of_day(time: &str) -> Option<i64> {
    let (whole, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = whole.split(':');
    let hour = number(parts.next()?, 0, 23)?;
    let minute = number(parts.next()?, 0, 59)?;
    let second = parts.next().map_or(Some(0), |second| number(second, 0, 59))?;
    let padded = format!("{fraction:0<6}");
    let micros = number(padded.get(..6)?, 0, 999_999)?;
    let end = parts.next().is_none() && fraction.len() <= 9;
    end.then_some((hour * 3600 + minute * 60 + second) * 1_000_000 + micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_exports_write_them() {
        for (text, same) in [
            ("2018-04-01 00:00:31", "2018-04-01T00:00:31Z"),
            ("2018-04-01T23:59:59Z", "2018-04-01T23:59:59Z"),
            ("2018-04-01 07:05", "2018-04-01T07:05:00Z"),
            ("2018-04-01", "2018-04-01T00:00:00Z"),
            ("2018-04-01 00:00:31.25", "2018-04-01T00:00:31.25Z"),
            ("2018-04-01T02:00:00+02:00", "2018-04-01T00:00:00Z"),
            ("2000-02-29", "2000-02-29T00:00:00Z"),
            ("1522540831", "2018-04-01T00:00:31Z"),
        ] {
            assert_eq!(moment(text), Timestamp::parse(same), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_not_read() {
        for text in [
            "",
            "yesterday",
            "2018-13-01",
            "2018-02-30",
            "1900-02-29",
            "2018-04-01 24:00:00",
            "2018-04-01 1:2:3:4",
            "2018-04-0100:00:31",
            "2018-04-01 ",
            "2018-04-01 aa:00",
            "18-04",
            "2018-04-01X00:00:00",
            "2018–04–01",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
