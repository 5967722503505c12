//! Stamps: the times that tools print in front of a line.

use super::clock::{DAY, days_before, number};

/// A moment as a tool prints it, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp {
    /// The time since midnight.
    TimeOfDay(u64),
    /// The time since an unknown moment.
    Count(u64),
    /// The time since the line before.
    Since,
}

/// The stamp at the start of a text, and the text after it without the blanks in between.
///
/// A time of day includes seconds. A date may stand in front; a fraction and a zone may follow; brackets or quotes may
/// enclose it. A count needs brackets, or a fraction of at least three digits.
pub(super) fn stamp(text: &[u8]) -> Option<(Stamp, &[u8])> {
    let (stamp, rest) = bracketed(text).or_else(|| bare(text))?;
    // `12:00:01.000, AT`, `12:00:01 | AT`.
    let rest = match rest {
        [b':' | b',' | b'|' | b';', more @ ..] => more,
        [b' ', b'|' | b'-' | b':', b' ', more @ ..] => more,
        _ => rest,
    };
    Some((stamp, rest.strip_prefix(b" ").or_else(|| rest.strip_prefix(b"\t")).unwrap_or(rest)))
}

/// A time or a count between `[...]`, `(...)` or `"..."`.
fn bracketed(text: &[u8]) -> Option<(Stamp, &[u8])> {
    let close = match text.first()? {
        b'[' => b']',
        b'(' => b')',
        b'"' => b'"',
        b'{' => b'}',
        b'<' => b'>',
        _ => return None,
    };
    let end = text.iter().take(48).skip(1).position(|byte| *byte == close)?.checked_add(1)?;
    let (inside, rest) = (text.get(1..end)?.trim_ascii(), text.get(end.checked_add(1)?..)?);
    // The day of the week and the year may stand around the time.
    let stamp = (0..inside.len())
        .filter(|at| *at == 0 || !inside[at.saturating_sub(1)].is_ascii_alphanumeric())
        .find_map(|at| Some(bare(inside.get(at..)?)?.0))
        .or_else(|| whole(inside))
        // The time since the line before. It says nothing about the whole.
        .or_else(|| decimal(inside.strip_prefix(b"+")?).map(|_| Stamp::Since))
        .or_else(|| decimal(inside).filter(|(_, rest)| rest.is_empty()).map(|(stamp, _)| stamp))?;
    Some((stamp, rest))
}

fn whole(text: &[u8]) -> Option<Stamp> {
    Some(Stamp::Count(number(text)?))
}

fn bare(text: &[u8]) -> Option<(Stamp, &[u8])> {
    let dated = date(text).and_then(|(days, rest)| {
        let rest = rest.trim_ascii_start();
        let rest = rest.strip_prefix(b"T").or_else(|| rest.strip_prefix(b"_")).unwrap_or(rest);
        let (millis, rest) = time_of_day(rest)?;
        Some((Stamp::Count(days.checked_mul(DAY)?.checked_add(millis)?), rest))
    });
    dated
        .or_else(|| syslog(text))
        .or_else(|| time_of_day(text).map(|(millis, rest)| (Stamp::TimeOfDay(millis), rest)))
        .or_else(|| {
            decimal(text).filter(|(_, rest)| matches!(rest.first(), Some(b' ' | b':' | b'\t' | b',')))
        })
}

/// Two or three numbers with a separator between: year, month and day, or month, day and year.
fn date(text: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = digits(text, 1, 4)?;
    let (separator, rest) = rest.split_first().filter(|(byte, _)| b"/-.".contains(byte))?;
    let (second, rest) = digits(rest, 1, 2)?;
    let rest = rest.strip_prefix(&[*separator])?;
    let (third, rest) = digits(rest, 1, 4)?;
    let (year, month, day) = if first > 31 { (first, second, third) } else { (third, first, second) };
    // The day may come first.
    let (month, day) = if month > 12 { (day, month) } else { (month, day) };
    Some((days_before(year, month)?.checked_add(day)?, rest))
}

/// `Oct 10 15:53:37 host program[123]:`, as syslog and journalctl print it.
fn syslog(text: &[u8]) -> Option<(Stamp, &[u8])> {
    const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let month = MONTHS.chunks(3).position(|month| text.starts_with(month))?;
    let rest = text.get(3..)?.strip_prefix(b" ")?.trim_ascii_start();
    let (day, rest) = digits(rest, 1, 2)?;
    let (millis, rest) = time_of_day(rest.strip_prefix(b" ")?)?;
    let days = u64::try_from(month).ok()?.checked_mul(31)?.checked_add(day)?;
    let stamp = Stamp::Count(days.checked_mul(DAY)?.checked_add(millis)?);
    let program = rest.strip_prefix(b" ").and_then(|rest| {
        let (_, rest) = split_blank(rest)?;
        let end = rest.windows(2).take(64).position(|two| two == b"]:")?.checked_add(2)?;
        rest.get(end..).filter(|_| !rest[..end].contains(&b' '))
    });
    Some((stamp, program.unwrap_or(rest)))
}

fn split_blank(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().take(64).position(|byte| *byte == b' ')?;
    Some((text.get(..at)?, text.get(at.checked_add(1)?..)?))
}

/// A time of day, `15:53:37`, with a fraction after `.`, `,` or `:`, with `AM` or `PM`, and with a zone.
fn time_of_day(text: &[u8]) -> Option<(u64, &[u8])> {
    let (hours, rest) = digits(text, 1, 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(b":")?, 2, 2)?;
    let (seconds, mut rest) = digits(rest.strip_prefix(b":")?, 2, 2)?;
    if hours > 24 || minutes > 59 || seconds > 60 {
        return None;
    }
    let mut millis = 0;
    if let [b'.' | b',' | b':', more @ ..] = rest
        && let Some((fraction, more)) = fraction(more)
    {
        (millis, rest) = (fraction, more);
    }
    let mut hours = hours;
    for (half, noon) in [(&b" PM"[..], 12), (b" AM", 0), (b"PM", 12), (b"AM", 0)] {
        if let Some(more) = rest.strip_prefix(half) {
            hours = hours.checked_rem(12)?.saturating_add(noon);
            rest = more;
        }
    }
    rest = rest.strip_prefix(b"Z").unwrap_or(rest);
    if let [b'+' | b'-', h1, h0, b':', m1, m0, more @ ..] | [b'+' | b'-', h1, h0, m1, m0, more @ ..] = rest
        && [h1, h0, m1, m0].iter().all(|digit| digit.is_ascii_digit())
    {
        rest = more;
    }
    let parts = [(hours, 3_600_000), (minutes, 60_000), (seconds, 1_000), (millis, 1)];
    let sum = |sum: u64, (count, unit): (u64, u64)| sum.saturating_add(count.saturating_mul(unit));
    Some((parts.into_iter().fold(0, sum), rest))
}

/// A number of seconds with at least three decimals.
fn decimal(text: &[u8]) -> Option<(Stamp, &[u8])> {
    let (seconds, rest) = digits(text, 1, 12)?;
    let after = rest.strip_prefix(b".")?;
    let count = after.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (millis, rest) = fraction(after).filter(|_| count >= 3)?;
    Some((Stamp::Count(seconds.checked_mul(1000)?.checked_add(millis)?), rest))
}

/// The milliseconds of the digits after a decimal point.
fn fraction(text: &[u8]) -> Option<(u64, &[u8])> {
    let (_, rest) = digits(text, 1, 9)?;
    let length = text.len().saturating_sub(rest.len());
    let padded: Vec<u8> = text[..length].iter().copied().chain([b'0'; 3]).take(3).collect();
    Some((number(&padded)?, rest))
}

fn digits(text: &[u8], least: usize, most: usize) -> Option<(u64, &[u8])> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(count).filter(|_| (least..=most).contains(&count))?;
    Some((number(digits)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stamps_of_many_tools_are_read() {
        let noon = 12 * 3_600_000;
        for (text, millis) in [
            ("[12:00:00.250] AT", noon + 250),
            ("12:00:00.250 -> AT", noon + 250),
            ("[12:00:00:250]AT", noon + 250),
            ("12:00:00 AT", noon),
            ("12:00:00 PM: AT", noon),
            ("(12:00:00,25) AT", noon + 250),
        ] {
            let (stamp, _) = stamp(text.as_bytes()).unwrap();
            assert_eq!(stamp, Stamp::TimeOfDay(millis), "{text}");
        }
        for text in [
            "[2024/10/16 21:14:40.669] AT",
            "[2024-10-16 21:14:40.669] AT",
            "[2024-10-16_21:14:40:669]AT",
            "2024-10-16 21:14:40,669 AT",
            "2024-10-16T21:14:40.669Z AT",
            "2024-10-16T21:14:40.669+08:00 AT",
            "2024-10-16T21:14:40.669000+0800: AT",
            "\"10/16/2024 9:14:40 PM\",AT",
            "[Wed Oct 16 21:14:40.669 2024] AT",
            "Oct 16 21:14:40 pi modem[312]: AT",
            "1728575617.317 AT",
            "[   12.345678] AT",
            "[634248] AT",
            "(12507) AT",
        ] {
            let (stamp, rest) = stamp(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
            assert!(matches!(stamp, Stamp::Count(_)), "{text}");
            assert_eq!(rest, b"AT", "{text}");
        }
    }

    #[test]
    fn lines_of_a_modem_have_no_stamp() {
        for text in [
            "10.74.100.63",
            "860000000000092",
            "0, CONNECT OK",
            "+CCLK: \"24/10/22,19:50:34+32\"",
            "",
            "[OK]",
            "3,OK",
            "C: 0,0",
            "1.5 AT",
            "99:00:00",
        ] {
            assert_eq!(stamp(text.as_bytes()), None, "{text}");
        }
    }
}
