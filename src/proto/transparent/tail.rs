//! What may be the module's own words at the end of transparent data.

use std::time::Duration;

use crate::time::Timestamp;

use super::words::{Ending, fits, is_noise, is_refusal, may_begin_word, may_refuse, meaning};

/// Transparent data have no frame, so the module's own words stand among them: `OK` behind an escape, `CLOSED` and its
/// like when the connection ends (protocol section 12). Payload may say the same. They are told apart like this:
///
/// 1. Words are framed, CR LF before and behind, and nothing follows: whatever is followed by more is payload. So what
///    stands at the very end and may be (the beginning of) such frames is held back, and only that.
/// 2. What is not complete after a moment is payload ([`LINE_END`], [`REST`]).
/// 3. What is complete and would end the connection is believed only if the module then does not answer an escape: it
///    answers `+++` in data mode alone, where its own words can't have been.
///
/// Whatever is held is bounded by [`MAX_HELD`]; what stands before that is payload.
#[derive(Debug, Default)]
pub(super) struct Tail {
    held: Vec<u8>,
    came_at: Timestamp,
    escape: Escape,
}

/// How far an escape is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Escape {
    /// There is none.
    #[default]
    None,
    /// It is written: a module in command mode may echo it, behind its own words, if it has started anew.
    Written,
    /// It may be answered, too.
    Answerable,
}

/// What the bytes held back amount to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reading {
    /// Nothing that a module says.
    Payload,
    /// Frames, the last of which is not complete: so much of it is there.
    Partial(usize),
    /// Frames.
    Whole,
}

/// How long a CR LF at the end of what came is held back, for it may begin a frame. Frames are written in one go; longer
/// than that takes at 9600 baud, and shorter than anybody notices behind a line of text.
const LINE_END: Duration = Duration::from_millis(20);
/// How long the beginning of a word is waited for to become whole (as a partial line).
const REST: Duration = Duration::from_millis(250);
/// How long nothing may follow words before they count as the last (longer than any pause within a frame of the captures).
const SETTLED: Duration = Duration::from_millis(300);
/// The most that is held back: more than a start of the module prints, and than it answers to the payload that an end
/// overtakes (two pieces, if what it takes for commands has some 20 bytes each).
const MAX_HELD: usize = 4096;
/// The answer to an escape.
const ESCAPED: &[u8] = b"\r\nOK\r\n";
/// Its text.
const OK: &str = "OK";

impl Tail {
    /// An escape has come so far.
    pub(super) fn escape_is(&mut self, escape: Escape) {
        self.escape = escape;
    }

    /// Takes what came and gives on what can only be payload.
    pub(super) fn push(&mut self, now: Timestamp, bytes: &[u8], mut give: impl FnMut(&[u8])) {
        self.came_at = now;
        if self.held.is_empty() {
            let payload = payload_len(bytes, self.escape);
            give(&bytes[..payload]);
            self.held.extend_from_slice(&bytes[payload..]);
            return;
        }
        self.held.extend_from_slice(bytes);
        let payload = payload_len(&self.held, self.escape);
        give(&self.held[..payload]);
        self.held.drain(..payload);
    }

    /// When [`settle`](Self::settle) wants to be called.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        if self.held.is_empty() || self.awaits_escape() {
            return None;
        }
        Some(self.came_at + self.patience())
    }

    /// Time has passed: gives on what has turned out to be payload.
    pub(super) fn settle(&mut self, now: Timestamp, give: impl FnOnce(&[u8])) {
        let over = now >= self.came_at + self.patience();
        if over && !self.awaits_escape() && !self.has_answer() {
            self.give_up(give);
        }
    }

    /// It was payload after all.
    pub(super) fn give_up(&mut self, give: impl FnOnce(&[u8])) {
        if !self.held.is_empty() {
            give(&self.held);
            self.forget();
        }
    }

    /// They were the module's words.
    pub(super) fn forget(&mut self) {
        self.held.clear();
    }

    /// How the connection ends if what is held is what it looks like.
    pub(super) fn ending(&self) -> Option<Ending> {
        if matches!(read(&self.held, self.escape), Reading::Payload) {
            return None;
        }
        let endings = lines(&self.held).filter_map(|line| meaning(line).flatten());
        // A start tells more than what came before it.
        endings.reduce(|first, next| if next == Ending::Restarted { next } else { first })
    }

    /// Whether words that end the connection have been the last for long enough.
    pub(super) fn is_suspicious(&self, now: Timestamp) -> bool {
        self.ending().is_some() && now >= self.came_at + SETTLED
    }

    /// When that will be so, if nothing follows.
    pub(super) fn suspicious_at(&self) -> Option<Timestamp> {
        self.ending().map(|_| self.came_at + SETTLED)
    }

    /// Whether an escape may be answered: what stands last is the answer, perhaps with news behind it.
    pub(super) fn has_answer(&self) -> bool {
        self.answer_at().is_some()
    }

    /// Whether an escape is answered: nothing else has followed for long enough.
    pub(super) fn is_escaped(&self, now: Timestamp) -> bool {
        self.has_answer() && now >= self.came_at + SETTLED
    }

    /// Takes the answer to an escape away: what stood before it was payload, for the module answered. What stands behind
    /// it, news of the module's, is given back.
    pub(super) fn take_answer(&mut self, give: impl FnOnce(&[u8])) -> Vec<u8> {
        let at = self.answer_at().unwrap_or(self.held.len());
        let news = self.held.get(at + ESCAPED.len()..).unwrap_or_default().to_vec();
        self.held.truncate(at);
        self.give_up(give);
        news
    }

    /// Where the last answer begins, if frames alone stand behind it.
    fn answer_at(&self) -> Option<usize> {
        let at = self.held.windows(ESCAPED.len()).rposition(|bytes| bytes == ESCAPED)?;
        let ends = read(&self.held[at + ESCAPED.len()..], self.escape) == Reading::Whole;
        (ends && self.escape == Escape::Answerable).then_some(at)
    }

    /// Whether no time settles what is held, but an escape alone: an end, and behind an escape all that may be words. If the
    /// answer was lost, the module is in command mode, and they are.
    fn awaits_escape(&self) -> bool {
        let may_be_words = || self.escape != Escape::None && read(&self.held, self.escape) == Reading::Whole;
        !self.has_answer() && (self.ending().is_some() || may_be_words())
    }

    fn patience(&self) -> Duration {
        match read(&self.held, self.escape) {
            Reading::Partial(0..=2) => LINE_END,
            Reading::Payload | Reading::Partial(_) => REST,
            Reading::Whole => SETTLED,
        }
    }
}

/// How many bytes at the front can only be payload.
fn payload_len(bytes: &[u8], escape: Escape) -> usize {
    let from = bytes.len().saturating_sub(MAX_HELD);
    let may_begin = |at: &usize| matches!(bytes[*at], b'\r' | b'^');
    let frames = |at: &usize| read(&bytes[*at..], escape) != Reading::Payload;
    (from..bytes.len()).filter(may_begin).find(frames).unwrap_or(bytes.len())
}

/// Reads bytes as frames, one behind the other.
fn read(mut bytes: &[u8], escape: Escape) -> Reading {
    let answerable = escape == Escape::Answerable;
    let mut has_ended = false;
    while !bytes.is_empty() {
        let (line, before) = match bytes {
            b"\r" | b"\r\n" => return Reading::Partial(bytes.len()),
            [b'\r', b'\n', line @ ..] => (line, 2),
            line @ [b'^', ..] => (line, 0),
            [b'+', b'+', b'+', rest @ ..] if escape != Escape::None => {
                bytes = rest;
                continue;
            }
            b"+" | b"++" if escape != Escape::None => return Reading::Partial(bytes.len()),
            _ => return Reading::Payload,
        };
        let Some(len) = line.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
            let may_become =
                may_begin_word(line) || (answerable && fits(line, OK)) || (has_ended && may_refuse(line));
            // Noise alone has no line end before it.
            let framed = before > 0 || is_noise(line);
            return if may_become && framed { Reading::Partial(bytes.len()) } else { Reading::Payload };
        };
        let said = meaning(&line[..len]);
        let answers =
            (answerable && &line[..len] == OK.as_bytes()) || (has_ended && is_refusal(&line[..len]));
        let known = said.is_some() || answers;
        has_ended |= said.flatten().is_some();
        if !known || (before == 0 && !is_noise(line)) {
            return Reading::Payload;
        }
        bytes = match &line[len..] {
            b"\r" => return Reading::Partial(bytes.len()),
            [b'\r', b'\n', rest @ ..] => rest,
            [b'\n', rest @ ..] if is_noise(line) => rest,
            _ => return Reading::Payload,
        };
    }
    Reading::Whole
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::error::CloseReason;

    use super::*;

    /// What is payload at once, and what is held.
    fn pushed(chunks: &[&[u8]], escape: Escape) -> (Vec<u8>, Tail) {
        let (mut tail, mut payload) = (Tail::default(), Vec::new());
        tail.escape_is(escape);
        for chunk in chunks {
            tail.push(Timestamp::ZERO, chunk, |bytes| payload.extend_from_slice(bytes));
        }
        (payload, tail)
    }

    #[test]
    fn words_at_the_end_are_held_back_at_every_split_and_in_the_middle_they_are_payload() {
        let closed: &[u8] = b"abc\r\nCLOSED\r\n";
        for at in 0..=closed.len() {
            let (payload, tail) = pushed(&[&closed[..at], &closed[at..]], Escape::None);
            assert_eq!(
                (payload.as_slice(), tail.held.as_slice()),
                (&b"abc"[..], &closed[3..]),
                "split at {at}"
            );
            assert_eq!(tail.ending(), Some(Ending::Closed(CloseReason::Peer)));
        }
        let (payload, tail) = pushed(&[closed, b"x"], Escape::None);
        assert_eq!((payload.as_slice(), tail.held.len()), (&b"abc\r\nCLOSED\r\nx"[..], 0));
    }

    #[test]
    fn text_that_a_module_does_not_say_is_never_held() {
        for text in [
            "OK\r\n",
            "\r\nhello",
            "\r\nCLOSED BY ME\r\n",
            "\r\n CLOSED\r\n",
            "\r\n0, SEND OK\r\n",
            "CLOSED\r\n.",
            "\r\n+RECEIVE,0,5:\r\nx",
            "\r\nCLOSED\n",
            "^b",
            "^boot.romx\r",
        ] {
            let (payload, tail) = pushed(&[text.as_bytes()], Escape::None);
            let line_end = text.len() - payload.len();
            let is_line_end = tail.held == b"\r\n" || tail.held == b"\r" || tail.held.is_empty();
            assert!(is_line_end || text.starts_with('^'), "{text:?}: {line_end} bytes are held");
        }
    }

    #[test]
    fn the_answer_to_an_escape_is_told_from_payload_before_it() {
        let (payload, mut tail) = pushed(&[b"data\r\nCLOSED\r\n\r\nOK\r\n"], Escape::Answerable);
        assert_eq!(payload, b"data");
        assert!(!tail.is_escaped(Timestamp::ZERO), "more may follow");
        assert!(tail.is_escaped(Timestamp::ZERO + SETTLED));
        let mut rest = Vec::new();
        assert_eq!(tail.take_answer(|bytes| rest.extend_from_slice(bytes)), b"");
        assert_eq!(rest, b"\r\nCLOSED\r\n");
        let (payload, mut tail) = pushed(&[b"data\r\nOK\r\n\r\nCLOSED\r\n"], Escape::Answerable);
        assert!(payload == b"data" && tail.is_escaped(Timestamp::ZERO + SETTLED));
        assert_eq!(tail.take_answer(|_| panic!("nothing is payload")), b"\r\nCLOSED\r\n");
        let (payload, tail) = pushed(&[b"\r\nOK\r\nx"], Escape::Answerable);
        assert_eq!(
            (payload.as_slice(), tail.is_escaped(Timestamp::ZERO + SETTLED)),
            (&b"\r\nOK\r\nx"[..], false)
        );
    }

    #[test]
    fn a_module_that_has_started_anew_echoes_the_escape() {
        let start: &[u8] = b"\r\nRDY\r\n+++\r\n+CPIN: READY\r\n";
        let (payload, tail) = pushed(&[start], Escape::Written);
        assert!(payload.is_empty() && tail.ending() == Some(Ending::Restarted));
        let (payload, _) = pushed(&[start], Escape::None);
        assert_eq!(payload, b"\r\nRDY\r\n+++");
    }

    #[test]
    fn every_ending_is_known_and_a_start_tells_most() {
        let closed = |reason| Some(Ending::Closed(reason));
        for (text, ending) in [
            ("\r\nTCP ERROR:12\r\n", closed(CloseReason::Reset)),
            ("\r\nUDP ERROR: 8\r\n", closed(CloseReason::Reset)),
            ("\r\nNO CARRIER\r\n", closed(CloseReason::Reset)),
            ("\r\n+PDP: DEACT\r\n", closed(CloseReason::BearerLost)),
            ("\r\n+PDP DEACT\r\n", closed(CloseReason::BearerLost)),
            ("\r\n+NITZ: 24/07/23,08:35:01+32,0\r\n\r\nCLOSED\r\n\r\n", closed(CloseReason::Peer)),
            ("\r\nCLOSED\r\n\r\n+PDP: DEACT\r\n", closed(CloseReason::Peer)),
            ("\r\nCLOSED\r\n^boot.rom'v'!\n\r\nRDY\r\n\r\n+CPIN: READY\r\n", Some(Ending::Restarted)),
            ("\r\n+CREG: 1\r\n", None),
        ] {
            let (payload, tail) = pushed(&[text.as_bytes()], Escape::None);
            assert!(payload.is_empty(), "{text:?}");
            assert_eq!(tail.ending(), ending, "{text:?}");
        }
    }

    #[test]
    fn words_behind_an_escape_are_held_until_it_is_settled() {
        let later = Timestamp::from_secs(60);
        for (escape, is_held) in [(Escape::None, false), (Escape::Written, true), (Escape::Answerable, true)]
        {
            let (_, mut tail) = pushed(&[b"\r\n+CGEV: NW PDN DEACT 1\r\n"], escape);
            assert_eq!(tail.deadline().is_none(), is_held, "{escape:?}");
            let mut given = 0;
            tail.settle(later, |bytes| given += bytes.len());
            assert_eq!(given == 0, is_held, "{escape:?}");
        }
    }

    #[test]
    fn what_is_held_is_bounded() {
        let (mut tail, mut given) = (Tail::default(), 0);
        for _ in 0..1000 {
            tail.push(Timestamp::ZERO, b"\r\nCLOSED\r\n", |bytes| given += bytes.len());
            assert!(tail.held.len() <= MAX_HELD);
        }
        assert_eq!(given + tail.held.len(), 10_000);
    }

    #[test]
    fn a_line_end_is_given_on_soon() {
        let (_, mut tail) = pushed(&[b"hello\r\n"], Escape::None);
        let mut given = Vec::new();
        tail.settle(Timestamp::ZERO + LINE_END, |bytes| given.extend_from_slice(bytes));
        assert_eq!(given, b"\r\n");
        assert_eq!(tail.deadline(), None);
    }
}
