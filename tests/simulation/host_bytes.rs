//! The bytes that reached the host, and a test whether an undamaged module could have sent them. The module uses no
//! code of the driver.

use std::time::Duration;

use air724ug::time::Timestamp;

/// The longest pause within a frame of data, which the module writes at once.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The longest body. The module's own library accepts this length (docs/protocol.md, section 17), so more than the
/// manual's 1460 bytes are no damage.
const LONGEST_BODY: usize = 2_048;
/// The time after a message in which a line may belong to its text (docs/protocol.md, Q67).
const LONGEST_TEXT: Duration = Duration::from_secs(1);
/// The garbage that the simulated modem prints as a fault. It is no sign of damage to data.
const NOISE: &[u8] = b"\xf0\x0f\r\n";
/// The longest unsolicited line.
const LONGEST_LINE: usize = 128;

/// The bytes that reached the host, with their times.
#[derive(Clone, Default, Debug)]
pub struct HostBytes {
    bytes: Vec<u8>,
    /// The time of the bytes from each place on.
    moments: Vec<(usize, Timestamp)>,
    /// Whether a command of the application waited for its answer, for the bytes from each place on.
    asked: Vec<(usize, bool)>,
    /// The place before which no byte was damaged.
    sound: Option<usize>,
}

impl HostBytes {
    /// Adds bytes. `is_asked` is whether a command of the application waits for its answer.
    pub fn add(&mut self, now: Timestamp, bytes: &[u8], is_asked: bool) {
        self.asked.push((self.bytes.len(), is_asked));
        self.moments.push((self.bytes.len(), now));
        self.bytes.extend_from_slice(bytes);
    }

    /// Notes that later bytes may be damaged.
    pub fn may_be_damaged(&mut self) {
        self.sound.get_or_insert(self.bytes.len());
    }

    /// Whether all bytes since the first possible damage have the form of an undamaged module's output. Data have the
    /// announced length and no pause in them; a line end is in front of each line; each line is short and readable. In
    /// that case whole frames are missing, or the bytes that a body lacks were replaced by the bytes after it, and no
    /// driver can detect it.
    ///
    /// Some firmware writes no line end before or after a header; the first header shows the form. Between fetched data
    /// and their `OK` there are one or two line ends, always the same number. Either every prompt has a blank, or none
    /// has.
    ///
    /// Bytes before the place `since` and after `until` are not judged: the socket did not exist yet, or it had ended.
    pub fn is_sound(&self, since: usize, until: Option<usize>) -> bool {
        let until = until.unwrap_or(usize::MAX).min(self.bytes.len());
        let mut form = Form::default();
        let Some(sound) = self.sound.map(|sound| sound.max(since)) else { return false };
        let (mut at, mut is_begun, mut has_data, mut is_answer) = (0, false, false, false);
        let mut text_until = Timestamp::ZERO;
        while at < until {
            let is_judged = at >= sound;
            let line_end = self.bytes[at..].iter().position(|byte| *byte == b'\n');
            let Some(end) = line_end.map(|len| at + len + 1) else {
                return self.bytes[at..].is_empty() || self.bytes[at..] == *b"> ";
            };
            let (from, line) = (at, &self.bytes[at..end]);
            at = end;
            let line = line.strip_prefix(b"> ").filter(|rest| *rest == NOISE).unwrap_or(line);
            // The line of the boot ROM has other line ends.
            if line == NOISE || line.starts_with(b"^boot.rom") {
                continue;
            }
            let prompt = line.strip_suffix(b"\r\n").filter(|line| matches!(*line, b">" | b"> "));
            if prompt.is_some_and(|prompt| !form.fits_prompt(prompt, is_judged)) {
                return false;
            }
            if line == b"\r\n" || prompt.is_some() {
                is_begun = true;
                continue;
            }
            // The first commands are echoed without a line end in front, and so are those after a restart.
            has_data &= line != b"RDY\r\n";
            is_begun |= !has_data && line.starts_with(b"AT");
            if let Some(header) = announced(line) {
                let (len, after) = (header.len, from + header.end);
                if !form.fits(&header, is_begun, is_judged) {
                    return false;
                }
                text_until = Timestamp::ZERO;
                has_data = true;
                at = after + len;
                if at > self.bytes.len() || (is_judged && self.pauses(after, at)) {
                    return false;
                }
                // The bytes after the data begin with their own line end.
                let rest = &self.bytes[at..];
                if header.is_fetched && !form.ends_fetch(rest, len) {
                    return false;
                }
                let is_free = form.starts == Some(false);
                if is_judged && !rest.is_empty() && !rest.starts_with(b"\r\n") && !is_free {
                    return false;
                }
                (is_begun, is_answer) = (false, false);
                continue;
            }
            // The data that a connection has left end with it.
            if let [digit @ b'0'..=b'7', b',', b' ', b'C', ..] = line {
                form.left[usize::from(digit - b'0')] = 0;
            }
            // For a moment after a message, and up to the next data, a line may belong to its text.
            let is_text = self.moment(at) < text_until;
            // The answer to a command of the application may have any length.
            let longest = if self.is_asked(at) { usize::MAX } else { LONGEST_LINE };
            // The lines of such an answer have no line end of their own in front, but for its first one.
            let is_begun_line = is_begun || (is_answer && self.is_asked(at));
            if is_judged && !is_text && !(is_begun_line && is_said(line, longest)) {
                return false;
            }
            is_answer = self.is_asked(at);
            // Neither have the rows of a status and the text of a message.
            is_begun = line.starts_with(b"C:") || line.starts_with(b"+CMT: ");
            if line.starts_with(b"+CMT: ") {
                text_until = self.moment(at) + LONGEST_TEXT;
            }
        }
        true
    }

    /// The place of the last line that reports this channel as connected.
    pub fn connected(&self, channel: usize) -> usize {
        let line = format!("{channel}, CONNECT OK");
        self.bytes.windows(line.len()).rposition(|part| part == line.as_bytes()).unwrap_or_default()
    }

    /// The place after the line that reports the end of this channel, if the newest bytes complete one. The bytes after
    /// it come too late for the judgement of the end, for any sizes of reads.
    pub fn closed(&self, channel: usize) -> Option<usize> {
        let line = format!("\r\n{channel}, CLOSED\r\n");
        let (newest, _) = *self.moments.last()?;
        let from = (newest + 1).saturating_sub(line.len());
        let at = self.bytes[from..].windows(line.len()).position(|part| part == line.as_bytes())?;
        Some(from + at + line.len())
    }

    /// Whether these bytes have come in a row after this place.
    pub fn contains(&self, since: usize, bytes: &[u8]) -> bool {
        self.bytes.get(since..).unwrap_or_default().windows(bytes.len()).any(|window| window == bytes)
    }

    /// Whether the modem has echoed the command of a send. It then also echoes the payload, which is among text if the
    /// connection ends during the echo.
    pub fn echoes_sends(&self) -> bool {
        const SEND: &[u8] = b"AT+CIPSEND=";
        let is_echo = |window: &[u8]| window.starts_with(SEND) && window[SEND.len()].is_ascii_digit();
        self.bytes.windows(SEND.len() + 1).any(is_echo)
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether the modem has answered a fetch since the first possible damage. The driver notices the loss of a whole
    /// answer, because it has asked for it.
    pub fn has_fetched(&self) -> bool {
        let since = self.bytes.get(self.sound.unwrap_or_default()..).unwrap_or_default();
        since
            .split(|byte| *byte == b'\n')
            .any(|line| line.starts_with(b"+CIPRXGET: 2,") || line.starts_with(b"+CIPRXGET:2,"))
    }

    /// Whether a command of the application was waiting for its answer when the byte before this place came.
    fn is_asked(&self, at: usize) -> bool {
        let past = self.asked.partition_point(|(from, _)| *from < at);
        past.checked_sub(1).is_some_and(|index| self.asked[index].1)
    }

    /// The time at which the byte before this place came.
    fn moment(&self, at: usize) -> Timestamp {
        let past = self.moments.partition_point(|(from, _)| *from < at);
        past.checked_sub(1).map_or(Timestamp::ZERO, |index| self.moments[index].1)
    }

    /// Whether there is a pause between these places that no module makes there.
    fn pauses(&self, from: usize, to: usize) -> bool {
        let mut last = None;
        for (at, moment) in &self.moments {
            if *at <= from {
                last = Some(*moment);
            } else if *at < to {
                if last.is_some_and(|last| *moment > last + LONGEST_PAUSE) {
                    return true;
                }
                last = Some(*moment);
            }
        }
        false
    }
}

/// The form of a firmware's output, as far as the bytes have shown it.
#[derive(Clone, Copy, Default, Debug)]
struct Form {
    /// Whether a line end comes before the headers of pushed data.
    starts: Option<bool>,
    /// Whether a line end comes after these headers.
    ends: Option<bool>,
    /// The number of line ends between fetched data and their `OK`.
    fetch_ends: usize,
    /// The number of bytes that each channel had left at its last fetch.
    left: [usize; 8],
    /// Whether a blank comes after a prompt.
    blank: Option<bool>,
}

impl Form {
    /// Whether a header with or without a line end in front has the form of this firmware.
    fn fits(&mut self, header: &Announced, is_begun: bool, is_judged: bool) -> bool {
        if header.is_fetched {
            let left = std::mem::replace(&mut self.left[header.channel], header.left);
            return (is_begun && header.len + header.left >= left) || !is_judged;
        }
        let starts = *self.starts.get_or_insert(is_begun);
        let ends = *self.ends.get_or_insert(header.has_end);
        // A header with a line end in front shows that the module writes them.
        self.starts = Some(starts || is_begun);
        !is_judged || ((is_begun || !starts) && (header.has_end || !ends))
    }

    /// Whether a prompt has the form of this firmware.
    fn fits_prompt(&mut self, prompt: &[u8], is_judged: bool) -> bool {
        let has_blank = prompt.ends_with(b" ");
        *self.blank.get_or_insert(has_blank) == has_blank || !is_judged
    }

    /// Whether an `OK` follows fetched data of this length, with the usual number of line ends in front.
    fn ends_fetch(&mut self, rest: &[u8], len: usize) -> bool {
        let ends = rest.chunks(2).take_while(|end| end == b"\r\n").count();
        let is_end = (1..=2).contains(&ends) && rest[2 * ends..].starts_with(b"OK\r\n");
        let is_always = len == 0 || ends >= self.fetch_ends;
        self.fetch_ends = self.fetch_ends.max(if len == 0 { 0 } else { ends });
        is_end && is_always
    }
}

/// A header of data.
struct Announced {
    channel: usize,
    len: usize,
    /// The number of bytes that are left after fetched data.
    left: usize,
    /// The length of the header with its line end.
    end: usize,
    has_end: bool,
    is_fetched: bool,
}

/// Whether a module may send this line: it is short and readable, and no part of a header.
fn is_said(line: &[u8], longest: usize) -> bool {
    let Some(line) = line.strip_suffix(b"\r\n") else { return false };
    let Ok(text) = std::str::from_utf8(line) else { return false };
    let is_blank = !text.is_empty() && text.trim().is_empty();
    let is_torn_header =
        text.contains("ECEIVE") || text.contains("CIPRXGET: 2,") || text.contains("CIPRXGET:2,");
    text.len() <= longest && !is_blank && !text.chars().any(char::is_control) && !is_torn_header
}

/// The header at the beginning of a line.
fn announced(line: &[u8]) -> Option<Announced> {
    // The first bytes may be lost when the host's port wakes.
    let names: [&[u8]; 3] = [b"+RECEIVE,", b"RECEIVE,", b"ECEIVE,"];
    let (rest, is_fetched) = match names.iter().find_map(|name| line.strip_prefix(*name)) {
        Some(rest) => (rest, false),
        None => {
            let rest = line.strip_prefix(b"+CIPRXGET: 2,").or_else(|| line.strip_prefix(b"+CIPRXGET:2,"))?;
            (rest, true)
        }
    };
    let stops = |byte: &u8| !matches!(byte, b'0'..=b'9' | b',');
    let list = &rest[..rest.iter().position(stops)?];
    let text = std::str::from_utf8(list).ok()?;
    let numbers: Vec<usize> = text.split(',').map(|field| field.parse().ok()).collect::<Option<_>>()?;
    let begin = line.len() - rest.len() + list.len();
    let (channel, len, left, end) = match (numbers.as_slice(), is_fetched) {
        ([channel, len], false) if *channel < 8 => {
            (*channel, *len, 0, begin + usize::from(line[begin] == b':'))
        }
        ([channel, len, left], true) if *channel < 8 => (*channel, *len, *left, begin),
        _ => return None,
    };
    let has_end = line[end..].starts_with(b"\r\n");
    let is_whole = len <= LONGEST_BODY && (has_end || !is_fetched) && (is_fetched || end > begin);
    is_whole.then_some(Announced {
        channel,
        len,
        left,
        end: end + if has_end { 2 } else { 0 },
        has_end,
        is_fetched,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(pieces: &[(u64, &str)]) -> HostBytes {
        let mut received = HostBytes::default();
        received.add(Timestamp::ZERO, b"AT\r\r\nOK\r\n\r\n+RECEIVE,0,4:\r\nabcd", false);
        received.may_be_damaged();
        for (at, piece) in pieces {
            received.add(Timestamp::from_secs(*at), piece.as_bytes(), false);
        }
        received
    }

    fn is_sound(text: &str) -> bool {
        received(&[(1, text)]).is_sound(0, None)
    }

    #[test]
    fn a_body_completed_exactly_by_the_next_lines_looks_sound_and_similar_bodies_do_not() {
        let next = "\r\n+CREG: 1\r\n";
        assert!(is_sound(&format!("\r\n+RECEIVE,0,12:\r\nabcdefgh\r\nOK{next}")));
        assert!(!is_sound(&format!("\r\n+RECEIVE,0,11:\r\nabcdefgh\r\nOK{next}")), "one byte too many");
        assert!(!is_sound(&format!("\r\n+RECEIVE,0,13:\r\nabcdefgh\r\nOK{next}")), "one byte too few");
        assert!(!is_sound("\r\n+RECEIVE,0,12:\r\nabcdefgh"), "the rest of the body is missing");
        let pieces = [(1, "\r\n+RECEIVE,0,12:\r\nabcdefgh"), (9, "\r\nOK\r\n+CREG: 1\r\n")];
        assert!(!received(&pieces).is_sound(0, None), "a pause");
    }

    #[test]
    fn the_end_of_a_channel_is_the_first_line_of_the_newest_bytes_that_reports_it() {
        let mut bytes =
            received(&[(1, "\r\n0, CLOSED\r\n"), (2, "\r\n0, CLO"), (3, "SED\r\nxyz\r\n0, CLOSED\r\n")]);
        assert_eq!(bytes.closed(0), Some(bytes.len() - "xyz\r\n0, CLOSED\r\n".len()));
        assert_eq!(bytes.closed(1), None);
        bytes.add(Timestamp::from_secs(4), b"\r\nOK\r\n", false);
        assert_eq!(bytes.closed(0), None);
    }

    #[test]
    fn a_lost_frame_leaves_no_sign_and_a_partly_lost_frame_does() {
        assert!(is_sound("\r\n+CREG: 1\r\n\r\n+RECEIVE,0,4:\r\nefgh"));
        let mut ended = received(&[(1, "\r\n0, CLOSED\r\n")]);
        let until = ended.len();
        ended.add(Timestamp::from_secs(2), b"AT\r\r\nOK\r\n", false);
        assert!(ended.is_sound(0, Some(until)) && !ended.is_sound(0, None), "after the end");
        assert!(!is_sound("\r\n+RECEIVE,0,4efgh\r\n"), "a header without its end");
        assert!(!is_sound("RECEIVE,0,4:\r\nefgh"), "a header without its beginning");
        assert!(!is_sound(&format!("\r\n{}\r\n", "x".repeat(129))), "a body without its header");
        assert!(!is_sound("\r\nab\x01cd\r\n"), "no text");
        assert!(is_sound("\r\n>\r\nERROR\r\n\r\n>\r\nOK\r\n"), "a prompt without a blank");
        assert!(
            !is_sound("\r\n> \r\nERROR\r\n\r\n>\r\nOK\r\n"),
            "a prompt without a blank after one with a blank"
        );
        assert!(
            !is_sound("\r\n>\r\nERROR\r\n\r\n> \r\nOK\r\n"),
            "a prompt without a blank before one with a blank"
        );
        assert!(!is_sound("\r\n \r\nOK\r\n"), "a blank alone");
        assert!(!is_sound("\r\nOK\r\ncd\r\n"), "no line end in front");
        let mut asked = received(&[]);
        asked.add(Timestamp::from_secs(1), b"\r\n+X: 1\r\ncd\r\n", true);
        assert!(asked.is_sound(0, None), "a second line of an answer to the application");
        asked.add(Timestamp::from_secs(1), b"+RECEIVE,0,4:\r\nefgh", true);
        assert!(!asked.is_sound(0, None), "a header without its line end among the lines of an answer");
        let mut asked = received(&[]);
        asked.add(Timestamp::from_secs(1), b"\r\n+X: 1\r\n\r\n+RECEIVE,0,4:\r\nefghcd\r\n", true);
        assert!(!asked.is_sound(0, None), "more bytes than the header has, among the lines of an answer");
        assert!(is_sound("\r\nefgh\r\n"), "the text looks like a line of a module");
        assert!(is_sound("\r\nRDY\r\nAT\r\n\r\nOK\r\n"), "the echo is on again");
        assert!(is_sound("^boot.rom'v!\n\r\nRDY\r\n"), "the boot ROM's line end");
        assert!(!is_sound("\r\nOK\r\nAT\r\n\r\nOK\r\n"), "the echo is off");
        let message = "\r\n+CMT: \"+86138\",,\"24/07/23,08:35:01+32\"\r\nfirst\r\n";
        let rest = "x".repeat(129) + "\r\n";
        let mut begun = received(&[(1, "no text\r\n\r\n2, CONNECT OK\r\n")]);
        let since = begun.connected(2);
        begun.add(Timestamp::from_secs(2), b"\r\n+RECEIVE,2,12:\r\nabcdefgh\r\nOK\r\n+CREG: 1\r\n", false);
        assert!(begun.is_sound(since, None) && !begun.is_sound(0, None), "before the connection");
        assert!(received(&[(1, message), (1, &rest)]).is_sound(0, None), "the line may belong to the text");
        assert!(!received(&[(1, message), (3, &rest)]).is_sound(0, None), "too late");
        let data = "\r\n+RECEIVE,0,4:\r\nabcd";
        assert!(
            !received(&[(1, message), (1, data), (1, "\r\n"), (1, &rest)]).is_sound(0, None),
            "after data"
        );
    }
}
