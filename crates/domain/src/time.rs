//! Time on the wire: milliseconds since 1970 inside, ISO 8601 in UTC with milliseconds outside.

use jiff::Timestamp;

/// Renders milliseconds UTC as the wire's `2021-07-18T13:28:38.962Z`. Values outside of the years -9999 to 9999 are cut to them.
pub fn iso(milliseconds: i64) -> String {
    let nearest = if milliseconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    format!("{:.3}", Timestamp::from_millisecond(milliseconds).unwrap_or(nearest))
}

/// The month of a moment, as `2021-07` (UTC).
pub fn month(milliseconds: i64) -> String {
    iso(milliseconds).chars().take(7).collect()
}

/// A moment as headers have it, `Sun, 18 Jul 2021 13:28:38 GMT`. What has no such moment is the beginning of 1970.
pub fn http_date(milliseconds: i64) -> String {
    let moment = Timestamp::from_millisecond(milliseconds).unwrap_or_default();
    moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Reads an ISO 8601 instant (with `Z` or an offset) or a bare date (`2021-07-18`, its midnight in UTC). `None` if it is neither.
pub fn parse_iso(text: &str) -> Option<i64> {
    let instant = text.parse::<Timestamp>().ok().map(|timestamp| timestamp.as_millisecond());
    instant.or_else(|| {
        let date = text.parse::<jiff::civil::Date>().ok()?;
        let midnight = jiff::tz::TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
        Some(midnight.as_millisecond())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_milliseconds_and_z() {
        assert_eq!(iso(1_626_614_918_962), "2021-07-18T13:28:38.962Z");
        assert_eq!(iso(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(1_706_702_400_000), "2024-01-31T12:00:00.000Z");
        assert_eq!(&iso(i64::MAX)[..5], "9999-");
        assert_eq!(month(1_706_702_400_000), "2024-01");
        assert_eq!(http_date(1_626_614_918_962), "Sun, 18 Jul 2021 13:28:38 GMT");
    }

    #[test]
    fn instants_and_dates_are_read() {
        assert_eq!(parse_iso("2021-07-18T13:28:38.962Z"), Some(1_626_614_918_962));
        assert_eq!(parse_iso("2021-07-18T15:28:38.962+02:00"), Some(1_626_614_918_962));
        assert_eq!(parse_iso("1970-01-02"), Some(86_400_000));
        assert_eq!(parse_iso("yesterday"), None);
        assert_eq!(parse_iso(""), None);
    }
}
