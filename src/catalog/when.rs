//! A moment as tariffs see it: day, day of the week, minute of the day, all in UTC. The clock is the caller's.

use super::date::Date;

/// Seconds in a day.
const DAY: u64 = 86_400;

/// A moment that a price may depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct When {
    unix: u64,
}

impl When {
    /// The moment of so many seconds since 1970.
    #[must_use]
    pub const fn unix(seconds: u64) -> Self {
        Self { unix: seconds }
    }

    /// Seconds since 1970.
    #[must_use]
    pub const fn as_unix(self) -> u64 {
        self.unix
    }

    /// Its day.
    #[must_use]
    pub fn date(self) -> Date {
        Date::of_unix(self.unix)
    }

    /// Its day of the week; Monday is 1 and Sunday 7.
    #[must_use]
    pub fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        let since_monday = (self.unix / DAY).saturating_add(3) % 7;
        u8::try_from(since_monday).unwrap_or(0).saturating_add(1)
    }

    /// Its minute of the day, 0 to 1439.
    #[must_use]
    pub fn minute(self) -> u16 {
        u16::try_from(self.unix % DAY / 60).unwrap_or(0)
    }

    /// So many seconds later.
    #[must_use]
    pub const fn later(self, seconds: u64) -> Self {
        Self::unix(self.unix.saturating_add(seconds))
    }

    /// So many seconds earlier.
    #[must_use]
    pub const fn earlier(self, seconds: u64) -> Self {
        Self::unix(self.unix.saturating_sub(seconds))
    }

    /// Midnight of its day.
    #[must_use]
    pub const fn midnight(self) -> Self {
        Self::unix(self.unix / DAY * DAY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_days_weekdays_and_minutes() {
        for (unix, date, weekday, minute) in [
            (0, "1970-01-01", 4, 0),
            (86_399, "1970-01-01", 4, 1439),
            (86_400, "1970-01-02", 5, 0),
            // 2000-02-29 was a Tuesday.
            (951_782_400, "2000-02-29", 2, 0),
            // 2026-11-25 12:34:56 was a Wednesday.
            (1_795_610_096, "2026-11-25", 3, 754),
            // 2026-11-30 is a Monday.
            (1_795_996_800, "2026-11-30", 1, 0),
            (4_107_542_399, "2100-02-28", 7, 1439),
            (4_107_542_400, "2100-03-01", 1, 0),
        ] {
            let when = When::unix(unix);
            let day = Date::parse(date).unwrap();
            assert_eq!(
                (when.date(), when.weekday(), when.minute()),
                (day, weekday, minute),
                "{date}"
            );
        }
    }
}
