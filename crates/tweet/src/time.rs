//! The two ways in which sources write a time.

/// Microseconds since 1970, UTC, of `2020-12-24T23:31:18.000Z` or `Wed Oct 10 20:19:24 +0000 2018`; any
/// offset, never none. A leap second counts as the second after it.
pub(crate) fn read(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.first()?.is_ascii_digit() { iso(bytes) } else { archive(bytes) }
}

fn iso(text: &[u8]) -> Option<i64> {
    let year = number(text.get(..4)?)?;
    let month = number(text.get(5..7)?)?;
    let day = number(text.get(8..10)?)?;
    if text[4] != b'-' || text[7] != b'-' || !matches!(text.get(10)?, b'T' | b't' | b' ') {
        return None;
    }
    let seconds = clock(text.get(11..19)?)?;
    let mut rest = &text[19..];
    let mut micros = 0;
    if let Some(after) = rest.strip_prefix(b".") {
        let digits = after.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            return None;
        }
        for place in 0..6 {
            let digit = after[..digits].get(place).map_or(0, |b| b - b'0');
            micros = micros * 10 + i64::from(digit);
        }
        rest = &after[digits..];
    }
    Some((days(year, month, day)? * 86_400 + seconds - offset(rest)?) * 1_000_000 + micros)
}

fn archive(text: &[u8]) -> Option<i64> {
    const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let [_, _, _, b' ', m0, m1, m2, b' ', d0, d1, b' ', rest @ ..] = text else { return None };
    let month = MONTHS.chunks(3).zip(1..).find(|(name, _)| *name == [*m0, *m1, *m2])?.1;
    let day = number(&[*d0, *d1])?;
    let seconds = clock(rest.get(..8)?)?;
    let year = number(rest.get(15..19)?)?;
    if rest.len() != 19 || rest[8] != b' ' || rest[14] != b' ' {
        return None;
    }
    Some((days(year, month, day)? * 86_400 + seconds - offset(&rest[9..14])?) * 1_000_000)
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i64::from(b - b'0')))
}

/// Seconds since midnight of `20:19:24`.
fn clock(text: &[u8]) -> Option<i64> {
    let &[h0, h1, b':', m0, m1, b':', s0, s1] = text else { return None };
    let (hour, minute, second) = (number(&[h0, h1])?, number(&[m0, m1])?, number(&[s0, s1])?);
    (hour < 24 && minute < 60 && second <= 60).then_some(hour * 3_600 + minute * 60 + second)
}

/// Seconds east of Greenwich of `Z`, `+0000` or `+00:00`.
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, hour, minute) = match *text {
        [b'Z' | b'z'] => return Some(0),
        [sign, h0, h1, b':', m0, m1] | [sign, h0, h1, m0, m1] => (sign, [h0, h1], [m0, m1]),
        _ => return None,
    };
    let (hour, minute) = (number(&hour)?, number(&minute)?);
    let seconds = (hour < 24 && minute < 60).then_some(hour * 3_600 + minute * 60)?;
    match sign {
        b'+' => Some(seconds),
        b'-' => Some(-seconds),
        _ => None,
    }
}

/// Days since 1970-01-01 of a date in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years begin in March here, so that the leap day is a year's last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before_year = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let before_month = (month * 153 + 2) / 5;
    Some(before_year + before_month + day - 1 - 719_468)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn both_forms_are_read() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59Z", -1),
            ("2018-10-10T20:19:24.000Z", 1_539_202_764),
            ("2018-10-10 22:19:24+02:00", 1_539_202_764),
            ("2018-10-10T15:19:24-0500", 1_539_202_764),
            ("Wed Oct 10 20:19:24 +0000 2018", 1_539_202_764),
            ("Wed Oct 10 22:19:24 +0200 2018", 1_539_202_764),
            ("Thu Feb 29 00:00:00 +0000 2024", 1_709_164_800),
            ("2016-12-31T23:59:60Z", 1_483_228_800),
            ("2000-03-01T00:00:00Z", 951_868_800),
            ("0000-01-01T00:00:00Z", -62_167_219_200),
        ] {
            assert_eq!(read(text), Some(seconds * 1_000_000), "{text}");
        }
        assert_eq!(read("1970-01-01T00:00:00.1234567Z"), Some(123_456));
        assert_eq!(read("1970-01-01T00:00:00.5Z"), Some(500_000));
    }

    #[test]
    fn all_else_is_not() {
        for text in [
            "",
            "x",
            "2018-10-10",
            "2018-10-10T20:19:24",
            "2018-10-10T20:19:24.Z",
            "2018-13-10T20:19:24Z",
            "2018-02-29T00:00:00Z",
            "2018-10-10T24:00:00Z",
            "2018-10-10T20:19:24+0",
            "2018-10-10T20:19:24Zx",
            "Wed Okt 10 20:19:24 +0000 2018",
            "Wed Oct 10 20:19:24 +0000 2018 ",
            "Wed Oct 10 20:19:24 2018",
            "Wed ctN 10 20:19:24 +0000 2018",
            "2018-10-10T20:19:24é",
            "１２３４",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
