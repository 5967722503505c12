//! The bytes that reached the host, and whether an undamaged module could have said them. Nothing here is the driver's.

use std::time::Duration;

use air724ug::time::Timestamp;

/// A frame of data is written in one go.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The module's own library takes this much (docs/protocol.md, section 17), so more than the manual's 1460 are no damage.
const LONGEST_BODY: usize = 2_048;
/// A line within this time behind a message may be more of its text (docs/protocol.md, Q67).
const LONGEST_TEXT: Duration = Duration::from_secs(1);
/// No line that comes unasked is longer.
const LONGEST_LINE: usize = 128;

/// The bytes that reached the host, with their moments.
#[derive(Clone, Default, Debug)]
pub struct Heard {
    bytes: Vec<u8>,
    /// From this byte on they came then.
    moments: Vec<(usize, Timestamp)>,
    /// Up to here nothing was damaged.
    sound: Option<usize>,
}

impl Heard {
    pub fn add(&mut self, now: Timestamp, bytes: &[u8]) {
        self.moments.push((self.bytes.len(), now));
        self.bytes.extend_from_slice(bytes);
    }

    /// From now on something may be damaged.
    pub fn may_be_damaged(&mut self) {
        self.sound.get_or_insert(self.bytes.len());
    }

    /// Whether all that came since then has the form of what an undamaged module pushes and says: data as long as announced,
    /// without a pause in them, a line end in front of each line, and each line short and readable. Then whole frames are
    /// missing, or the bytes that a body lacks were made up by what followed it, and no driver can know.
    pub fn is_sound_push(&self) -> bool {
        let Some(sound) = self.sound else { return false };
        let (mut at, mut is_begun, mut has_data) = (0, false, false);
        let mut text_until = Timestamp::ZERO;
        while at < self.bytes.len() {
            let is_judged = at >= sound;
            let line_end = self.bytes[at..].iter().position(|byte| *byte == b'\n');
            let Some(end) = line_end.map(|len| at + len + 1) else {
                return self.bytes[at..].is_empty() || self.bytes[at..] == *b"> ";
            };
            let line = &self.bytes[at..end];
            at = end;
            if line == b"\r\n" || line == b"> \r\n" {
                is_begun = true;
                continue;
            }
            // The first commands are sent back, without a line end in front.
            is_begun |= !has_data && line.starts_with(b"AT");
            // Behind a message a line may be more of its text, for a moment and up to the next data.
            let is_text = self.moment(at) < text_until;
            if is_judged && !is_text && !(is_begun && is_said(line)) {
                return false;
            }
            // Rows of a status and the text of a message follow without a line end of their own.
            is_begun = line.starts_with(b"C:") || line.starts_with(b"+CMT: ");
            if line.starts_with(b"+CMT: ") {
                text_until = self.moment(at) + LONGEST_TEXT;
            }
            let Some(len) = pushed(line) else { continue };
            text_until = Timestamp::ZERO;
            has_data = true;
            let end = at + len;
            if end > self.bytes.len() || (is_judged && self.pauses(at, end)) {
                return false;
            }
            // What follows begins with its own line end.
            if is_judged && !self.bytes[end..].is_empty() && !self.bytes[end..].starts_with(b"\r\n") {
                return false;
            }
            at = end;
        }
        true
    }

    /// When the byte before this place came.
    fn moment(&self, at: usize) -> Timestamp {
        let past = self.moments.partition_point(|(from, _)| *from < at);
        past.checked_sub(1).map_or(Timestamp::ZERO, |index| self.moments[index].1)
    }

    /// Whether a pause is between these bytes that no module makes there.
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

/// Whether a module may say this: a short line of readable text, or a header.
fn is_said(line: &[u8]) -> bool {
    let Some(line) = line.strip_suffix(b"\r\n") else { return false };
    let Ok(text) = std::str::from_utf8(line) else { return false };
    let is_torn_header = text.contains("ECEIVE") && pushed(line).is_none();
    text.len() <= LONGEST_LINE && !text.chars().any(char::is_control) && !is_torn_header
}

/// How many bytes of pushed data a line announces.
fn pushed(line: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(line).ok()?.trim_end();
    let (channel, len) = text.strip_prefix("+RECEIVE,")?.strip_suffix(':')?.split_once(',')?;
    let is_channel = matches!(channel.as_bytes(), [b'0'..=b'7']);
    len.parse().ok().filter(|len| is_channel && *len <= LONGEST_BODY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(pieces: &[(u64, &str)]) -> Heard {
        let mut heard = Heard::default();
        heard.add(Timestamp::ZERO, b"AT\r\r\nOK\r\n\r\n+RECEIVE,0,4:\r\nabcd");
        heard.may_be_damaged();
        for (at, piece) in pieces {
            heard.add(Timestamp::from_secs(*at), piece.as_bytes());
        }
        heard
    }

    fn is_sound(text: &str) -> bool {
        heard(&[(1, text)]).is_sound_push()
    }

    #[test]
    fn a_body_that_following_lines_fill_up_exactly_looks_sound_and_nothing_like_it() {
        let next = "\r\n+CREG: 1\r\n";
        assert!(is_sound(&format!("\r\n+RECEIVE,0,12:\r\nabcdefgh\r\nOK{next}")));
        assert!(!is_sound(&format!("\r\n+RECEIVE,0,11:\r\nabcdefgh\r\nOK{next}")), "one byte too many");
        assert!(!is_sound(&format!("\r\n+RECEIVE,0,13:\r\nabcdefgh\r\nOK{next}")), "one too few");
        assert!(!is_sound("\r\n+RECEIVE,0,12:\r\nabcdefgh"), "the rest never comes");
        let pieces = [(1, "\r\n+RECEIVE,0,12:\r\nabcdefgh"), (9, "\r\nOK\r\n+CREG: 1\r\n")];
        assert!(!heard(&pieces).is_sound_push(), "a pause");
    }

    #[test]
    fn a_whole_frame_that_is_lost_leaves_nothing_and_a_part_of_one_does() {
        assert!(is_sound("\r\n+CREG: 1\r\n\r\n+RECEIVE,0,4:\r\nefgh"));
        assert!(!is_sound("\r\n+RECEIVE,0,4efgh\r\n"), "a header without its end");
        assert!(!is_sound("RECEIVE,0,4:\r\nefgh"), "without its beginning");
        assert!(!is_sound(&format!("\r\n{}\r\n", "x".repeat(129))), "a body without its header");
        assert!(!is_sound("\r\nab\x01cd\r\n"), "no text");
        assert!(!is_sound("\r\nOK\r\ncd\r\n"), "no line end in front");
        assert!(is_sound("\r\nefgh\r\n"), "it reads like words of a module");
        let message = "\r\n+CMT: \"+86138\",,\"24/07/23,08:35:01+32\"\r\nfirst\r\n";
        let rest = "x".repeat(129) + "\r\n";
        assert!(heard(&[(1, message), (1, &rest)]).is_sound_push(), "it may be more of the text");
        assert!(!heard(&[(1, message), (3, &rest)]).is_sound_push(), "too late");
        let data = "\r\n+RECEIVE,0,4:\r\nabcd";
        assert!(!heard(&[(1, message), (1, data), (1, "\r\n"), (1, &rest)]).is_sound_push(), "behind data");
    }
}
