//! Points in time as people write them: `2027-01-31`, `2027-01-31T12:00:00Z`.

use crate::catalog::Date;

/// Seconds in a day.
const DAY: u64 = 86_400;

/// The Unix seconds of a day's beginning, or of a time of that day, in UTC; `None` where the text is neither.
#[must_use]
pub fn instant(text: &str) -> Option<u64> {
    let (day, time) = match text.split_once('T') {
        Some((day, time)) => (day, Some(time.strip_suffix('Z')?)),
        None => (text, None),
    };
    let begins = begins(Date::parse(day)?)?;
    let Some(time) = time else {
        return Some(begins);
    };
    let mut parts = time.split(':');
    let mut part = |most: u64| {
        let part = parts.next().filter(|part| part.len() == 2)?;
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        let number = part.parse::<u64>().ok().filter(|_| digits)?;
        (number <= most).then_some(number)
    };
    let (hours, minutes, seconds) = (part(23)?, part(59)?, part(59)?);
    parts
        .next()
        .is_none()
        .then_some(begins + hours * 3_600 + minutes * 60 + seconds)
}

/// When a day begins: days are asked for by halves, as they are in the order of time. A day that no calendar has is
/// never found.
fn begins(day: Date) -> Option<u64> {
    let (mut least, mut most) = (0_u64, 3_000_000_u64);
    while least < most {
        let middle = u64::midpoint(least, most);
        if Date::of_unix(middle * DAY) < day {
            least = middle + 1;
        } else {
            most = middle;
        }
    }
    (Date::of_unix(least * DAY) == day).then_some(least * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_of_days_are_read() {
        let table = [
            ("1970-01-01", 0),
            ("2026-11-25T12:00:00Z", 1_795_608_000),
            ("2028-02-29", 1_835_395_200),
            ("2027-01-31T23:59:59Z", 1_801_439_999),
        ];
        for (text, seconds) in table {
            assert_eq!(instant(text), Some(seconds), "{text}");
        }
        for bad in [
            "2027-02-29",
            "2027-13-01",
            "1969-12-31",
            "2027-01-31T12:00:00",
            "2027-01-31T24:00:00Z",
            "2027-01-31T1:00:00Z",
            "2027-01-31T12:00:00:00Z",
            "tomorrow",
            "",
        ] {
            assert_eq!(instant(bad), None, "{bad}");
        }
    }
}
