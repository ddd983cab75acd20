//! Lengths of time and sizes as people write them: `595s`, `32MiB`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, de};

/// A length of time; nothing at all is allowed.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_time(&text).map_err(de::Error::custom)
}

/// A length of time that is not nothing.
pub(super) fn positive_time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    let length = time(deserializer)?;
    if length.is_zero() {
        return Err(de::Error::custom("must be longer than nothing"));
    }
    Ok(length)
}

/// A number of days, at least one: `"400d"`.
pub(super) fn days<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let days = text.trim().strip_suffix('d').map(str::trim);
    let days = days.and_then(|days| days.parse::<u16>().ok());
    let days = days.filter(|days| *days > 0).ok_or_else(|| {
        de::Error::custom(format!("'{text}' is not a number of days like \"400d\""))
    })?;
    Ok(Duration::from_hours(u64::from(days) * 24))
}

/// A number of bytes from `LEAST` to `MOST`, as a number or with `KiB` or `MiB`.
pub(super) fn size<'de, const LEAST: usize, const MOST: usize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<usize, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a size like \"32MiB\"")]
    enum Either {
        Bytes(usize),
        Text(String),
    }
    let bytes = match Either::deserialize(deserializer)? {
        Either::Bytes(bytes) => bytes,
        Either::Text(text) => parse_size(&text).map_err(de::Error::custom)?,
    };
    if (LEAST..=MOST).contains(&bytes) {
        return Ok(bytes);
    }
    Err(de::Error::custom(format!(
        "must be from {} to {}",
        show_size(LEAST),
        show_size(MOST)
    )))
}

/// A number from `LEAST` to `MOST`.
pub(super) fn count<'de, const LEAST: usize, const MOST: usize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<usize, D::Error> {
    let count = i64::deserialize(deserializer)?;
    usize::try_from(count)
        .ok()
        .filter(|count| (LEAST..=MOST).contains(count))
        .ok_or_else(|| de::Error::custom(format!("must be a whole number from {LEAST} to {MOST}")))
}

fn split(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim_start())
}

fn parse_time(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text.trim());
    let unit = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "" if number == "0" => 0.0,
        _ => {
            return Err(format!(
                "'{text}' is not a length of time like \"500ms\", \"15s\" or \"2m\""
            ));
        }
    };
    let number: f64 = number
        .parse()
        .map_err(|_| format!("'{text}' does not begin with a number"))?;
    // Whole milliseconds, so that "0.1s" is what it says.
    let length = Duration::try_from_secs_f64((number * unit * 1000.0).round() / 1000.0).ok();
    length
        .filter(|length| *length <= Duration::from_hours(24))
        .ok_or_else(|| format!("'{text}' is longer than a day"))
}

fn parse_size(text: &str) -> Result<usize, String> {
    let (number, unit) = split(text.trim());
    let unit = match unit {
        "" | "B" => Some(1_usize),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        _ => None,
    };
    unit.and_then(|unit| number.parse::<usize>().ok()?.checked_mul(unit))
        .ok_or_else(|| format!("'{text}' is not a size like \"64KiB\" or \"32MiB\""))
}

fn show_size(bytes: usize) -> String {
    match bytes {
        _ if bytes >= 1 << 20 => format!("{}MiB", bytes >> 20),
        _ if bytes >= 1 << 10 => format!("{}KiB", bytes >> 10),
        _ => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read() {
        let table = [
            ("595s", 595_000),
            ("500ms", 500),
            ("2m", 120_000),
            ("0", 0),
            ("0.1s", 100),
            ("1h", 3_600_000),
        ];
        for (text, ms) in table {
            assert_eq!(parse_time(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for bad in ["10", "s", "-1s", "10 parsecs", "25h", "1.2.3s", ""] {
            assert!(parse_time(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_are_read() {
        let table = [
            ("32MiB", 32 << 20),
            ("64KiB", 64 << 10),
            ("100", 100),
            ("1 KiB", 1024),
        ];
        for (text, bytes) in table {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for bad in ["32MB", "1.5MiB", "-1", "99999999999999GiB", ""] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
