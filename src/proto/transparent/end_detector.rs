//! The module's own words among transparent data.

use std::time::Duration;

use crate::at::{fits, is_noise};
use crate::error::CloseReason;
use crate::time::Timestamp;

use super::end_lines::{Ending, MAX_WORD, may_begin_word, meaning};

/// Transparent data have no frame, so the module's own words stand among them: `OK` behind an escape, `CLOSED` and similar
/// lines when the connection ends (protocol section 12). Payload may contain the same bytes. They are told apart like this:
///
/// 1. Words are framed, CR LF before and behind. Bytes at the very end that may be (the beginning of) such frames are held
///    back for a moment ([`LINE_END`], [`REST`], [`SETTLED`]); then they are payload.
/// 2. A word that ends a connection is in doubt whatever follows. A module in command mode may send more behind it: the echo
///    of bytes on their way to it (after a restart), and answers to those that it takes for commands. The word and all bytes
///    behind it are held until an escape settles it.
/// 3. An answered escape, and a question behind it, prove that the module was in data mode, in which it says no words of its
///    own: all is payload. Otherwise the connection has ended, and [`end`](EndDetector::end) says how.
///
/// What is held is bounded: words by [`MAX_HELD`], what is in doubt by [`MAX_DOUBTED`].
#[derive(Debug, Default)]
pub(super) struct EndDetector {
    held: Vec<u8>,
    came_at: Timestamp,
    escape: Escape,
    /// Where in `held` the answer to an escape can begin.
    answer_from: usize,
    doubt: EndDoubt,
    /// What was given last.
    given: Preceding,
}

/// The progress of an escape.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Escape {
    /// There is none.
    #[default]
    None,
    /// It is written: a module in command mode may echo it, behind its own words, if it has restarted.
    Written,
    /// It may be answered, too.
    Answerable,
}

/// The doubt whether the bytes that are held are the end.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum EndDoubt {
    #[default]
    None,
    /// A word that ends a connection is among it.
    Ended,
}

/// The bytes that were given last.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Preceding {
    #[default]
    Anything,
    /// A line end, because nothing followed: it may have begun a frame all the same.
    LineEnd,
}

/// The meaning of the bytes that are held back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reading {
    /// Nothing that a module says.
    Payload,
    /// Frames, the last of which is not complete: this number of its bytes is there.
    Partial(usize),
    /// Frames.
    Whole,
}

/// A word that ends a connection, in its frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Frame {
    from: usize,
    to: usize,
    ending: Ending,
}

/// How long a CR LF at the end of what came is held back, because it may begin a frame. Frames are written in one go. The
/// span is longer than that takes at 9600 baud, and short enough not to be noticed behind a line of text.
const LINE_END: Duration = Duration::from_millis(20);
/// How long the beginning of a word is waited for to become whole (as a partial line).
const REST: Duration = Duration::from_millis(250);
/// How long nothing may follow words before they count as the last (longer than any pause within a frame of the captures).
const SETTLED: Duration = Duration::from_millis(300);
/// The most that is held back because it may be words: more than a start of the module prints.
const MAX_HELD: usize = 4096;
/// The most that is held back because it may be the end. A module in command mode says less: the echo of what was under way
/// to it, some 12 KiB, or its answers to what it takes for commands. More bytes are the peer's.
const MAX_DOUBTED: usize = 128 * 1024;
/// The answer to an escape.
const ESCAPED: &[u8] = b"\r\nOK\r\n";
/// Its text.
const OK: &str = "OK";

impl EndDetector {
    /// An escape has come so far.
    pub(super) fn escape_is(&mut self, escape: Escape) {
        if escape == Escape::Answerable && self.escape != escape {
            // Bytes that came before are no answer to it.
            self.answer_from = self.held.len();
        }
        self.escape = escape;
    }

    /// Takes what came and gives on what can only be payload.
    pub(super) fn push(&mut self, now: Timestamp, bytes: &[u8], mut give: impl FnMut(&[u8])) {
        self.came_at = now;
        if self.doubt == EndDoubt::Ended {
            self.held.extend_from_slice(bytes);
            if self.held.len() > MAX_DOUBTED {
                self.give_up(give);
            }
            return;
        }
        let payload = if self.held.is_empty() {
            let payload = self.judge(bytes);
            give(&bytes[..payload]);
            self.held.extend_from_slice(&bytes[payload..]);
            payload
        } else {
            self.held.extend_from_slice(bytes);
            let held = std::mem::take(&mut self.held);
            let payload = self.judge(&held);
            give(&held[..payload]);
            self.held = held;
            self.held.drain(..payload);
            payload
        };
        self.answer_from = self.answer_from.saturating_sub(payload);
        if payload > 0 {
            self.given = Preceding::Anything;
        }
    }

    /// The number of bytes at the front that can only be payload.
    fn judge(&mut self, bytes: &[u8]) -> usize {
        match endings(bytes, self.given).next() {
            Some(ending) => {
                self.doubt = EndDoubt::Ended;
                payload_len(&bytes[..ending.to], self.escape).min(ending.from)
            }
            None => payload_len(bytes, self.escape),
        }
    }

    /// The moment at which [`settle`](Self::settle) is to be called.
    pub(super) fn deadline(&self) -> Option<Timestamp> {
        if self.held.is_empty() || self.awaits_escape() {
            return None;
        }
        Some(self.came_at + self.patience())
    }

    /// Time has passed: gives on what has turned out to be payload.
    pub(super) fn settle(&mut self, now: Timestamp, give: impl FnOnce(&[u8])) {
        let over = now >= self.came_at + self.patience();
        if !over || self.held.is_empty() || self.awaits_escape() || self.has_answer() {
            return;
        }
        if unfinished_ending(&self.held).is_some() {
            self.doubt = EndDoubt::Ended;
            return;
        }
        let given = if self.held.ends_with(b"\r\n") { Preceding::LineEnd } else { Preceding::Anything };
        self.give_up(give);
        self.given = given;
    }

    /// The bytes that are held were payload.
    pub(super) fn give_up(&mut self, give: impl FnOnce(&[u8])) {
        if !self.held.is_empty() {
            give(&self.held);
            self.forget();
        }
    }

    /// The bytes that are held were the module's words.
    pub(super) fn forget(&mut self) {
        self.held.clear();
        self.answer_from = 0;
        self.doubt = EndDoubt::None;
        self.given = Preceding::Anything;
    }

    /// Whether a word that ends the connection is held, so that nothing is written until an escape has settled it.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.doubt == EndDoubt::Ended
    }

    /// The module is in command mode without an escape. Returns how the connection has ended. Bytes that can only be payload
    /// are given. Bytes that may be either are not, and then an end by the peer is reported as uncertain.
    ///
    /// The last word that ends a connection is the module's, because it has said one. Behind its first such word a module
    /// without echo sends frames only, so any other byte shows that the bytes before it are payload.
    pub(super) fn end(&mut self, is_silent: bool, mut give: impl FnMut(&[u8])) -> Option<Ending> {
        let held = std::mem::take(&mut self.held);
        let found: Vec<Frame> = endings(&held, self.given).chain(unfinished_ending(&held)).collect();
        let last = *found.last()?;
        let restarts = found.iter().any(|frame| frame.ending == Ending::Restarted);
        let is_first = |frame: &&Frame| {
            !is_silent || restarts || frame.from >= last.from || are_frames(&held[frame.to..last.from])
        };
        let first = found.iter().find(is_first).unwrap_or(&last);
        let payload = payload_len(&held[..first.to], Escape::None).min(first.from);
        give(&held[..payload]);
        let is_alone = payload == first.from && *first == last && self.given == Preceding::Anything;
        let is_certain = is_alone && is_silent && are_frames(&held[last.to..]);
        self.forget();
        Some(match last.ending {
            Ending::Closed(CloseReason::Peer) if !is_certain => {
                Ending::Closed(CloseReason::EndUncertain { held: held.len() - payload })
            }
            ending => ending,
        })
    }

    /// Whether an escape may be answered: what stands last is the answer, perhaps with news behind it.
    pub(super) fn has_answer(&self) -> bool {
        self.answer_at().is_some()
    }

    /// Whether an escape is answered: nothing else has followed for long enough.
    pub(super) fn is_escaped(&self, now: Timestamp) -> bool {
        self.has_answer() && now >= self.came_at + SETTLED
    }

    /// Takes the answer to an escape away, and the news of the module's behind it, which are given back. What stands before
    /// stays held.
    pub(super) fn take_answer(&mut self) -> Vec<u8> {
        let at = self.answer_at().unwrap_or(self.held.len());
        let news = self.held.get(at + ESCAPED.len()..).unwrap_or_default().to_vec();
        self.held.truncate(at);
        self.escape = Escape::None;
        news
    }

    /// The place where the last answer begins, if frames alone stand behind it.
    fn answer_at(&self) -> Option<usize> {
        if self.escape != Escape::Answerable {
            return None;
        }
        let from = self.held.get(self.answer_from..)?;
        let at = self.answer_from + from.windows(ESCAPED.len()).rposition(|bytes| bytes == ESCAPED)?;
        let rest = &self.held[at + ESCAPED.len()..];
        (read(rest, self.escape) == Reading::Whole).then_some(at)
    }

    /// Whether only an escape settles the bytes that are held: a word that ends the connection, and behind an escape all that
    /// may be words. If the answer to the escape was lost, the module is in command mode, and they are its words.
    fn awaits_escape(&self) -> bool {
        let may_be_words = || self.escape != Escape::None && read(&self.held, self.escape) == Reading::Whole;
        !self.has_answer() && (self.is_in_doubt() || may_be_words())
    }

    fn patience(&self) -> Duration {
        if self.is_in_doubt() {
            return SETTLED;
        }
        match read(&self.held, self.escape) {
            Reading::Partial(0..=2) => LINE_END,
            Reading::Payload | Reading::Partial(_) => REST,
            Reading::Whole => SETTLED,
        }
    }
}

/// The number of bytes at the front that can only be payload.
fn payload_len(bytes: &[u8], escape: Escape) -> usize {
    let from = bytes.len().saturating_sub(MAX_HELD);
    let may_begin = |at: &usize| match bytes[*at] {
        b'\r' | b'^' => true,
        // The echo of an escape.
        b'+' => escape != Escape::None,
        _ => false,
    };
    let frames = |at: &usize| read(&bytes[*at..], escape) != Reading::Payload;
    (from..bytes.len()).filter(may_begin).find(frames).unwrap_or(bytes.len())
}

/// Reads bytes as frames, one behind the other.
fn read(mut bytes: &[u8], escape: Escape) -> Reading {
    let answerable = escape == Escape::Answerable;
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
        let Some(len) = line_len(line) else {
            let may_become = may_begin_word(line) || (answerable && fits(line, OK));
            // Noise alone has no line end before it.
            let framed = before > 0 || is_noise(line);
            return if may_become && framed { Reading::Partial(bytes.len()) } else { Reading::Payload };
        };
        let known = meaning(&line[..len]).is_some() || (answerable && &line[..len] == OK.as_bytes());
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

/// The complete words that end a connection, in their order.
fn endings(bytes: &[u8], given: Preceding) -> impl Iterator<Item = Frame> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let from = at;
            let at_start = from == 0 && given == Preceding::LineEnd;
            if let Some(frame) = ending_at(bytes, from, at_start) {
                // The line end behind it may be the one before the next.
                at = frame.to;
                return Some(frame);
            }
            let next = bytes[from + 1..].iter().position(|byte| matches!(byte, b'\r' | b'^'));
            at = next.map_or(bytes.len(), |next| from + 1 + next);
        }
        None
    })
}

fn ending_at(bytes: &[u8], from: usize, at_start: bool) -> Option<Frame> {
    let (line, noisy) = match &bytes[from..] {
        [b'\r', b'\n', line @ ..] => (line, false),
        line @ [b'^', ..] if is_noise(line) => (line, true),
        line if at_start => (line, false),
        _ => return None,
    };
    let len = line_len(&line[..line.len().min(MAX_WORD + 1)])?;
    let behind = match &line[len..] {
        [b'\r', b'\n', ..] => 2,
        [b'\n', ..] if noisy => 1,
        _ => return None,
    };
    let ending = meaning(&line[..len]).flatten()?;
    let before = bytes.len() - from - line.len();
    Some(Frame { from, to: from + before + len + behind, ending })
}

/// A word that ends a connection and stands last without the line end behind it: old firmware forgets some.
fn unfinished_ending(bytes: &[u8]) -> Option<Frame> {
    let at = bytes.iter().rposition(|byte| *byte == b'\n')?;
    let from = at.checked_sub(1).filter(|from| bytes[*from] == b'\r')?;
    let ending = meaning(&bytes[at + 1..]).flatten()?;
    Some(Frame { from, to: bytes.len(), ending })
}

/// Whether the bytes are lines of text in frames, whatever they say.
fn are_frames(mut bytes: &[u8]) -> bool {
    while let Some(line) = bytes.strip_prefix(b"\r\n") {
        let Some(len) = line_len(line) else { return line.is_empty() };
        if len == 0 {
            // Another line end.
            bytes = line;
            continue;
        }
        match line[len..].strip_prefix(b"\r\n") {
            Some(rest) => bytes = rest,
            None => return false,
        }
    }
    bytes.is_empty() || bytes == b"\r"
}

/// The length of a line, if its end is there.
fn line_len(line: &[u8]) -> Option<usize> {
    line.iter().position(|byte| matches!(byte, b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use crate::error::CloseReason;

    use super::*;

    /// The bytes that are payload at once, and those that are held.
    fn pushed(chunks: &[&[u8]], escape: Escape) -> (Vec<u8>, EndDetector) {
        let (mut tail, mut payload) = (EndDetector::default(), Vec::new());
        tail.escape_is(escape);
        for chunk in chunks {
            tail.push(Timestamp::ZERO, chunk, |bytes| payload.extend_from_slice(bytes));
        }
        (payload, tail)
    }

    /// The end of a connection with these bytes, and the part of them that is payload.
    fn ended(chunks: &[&[u8]], is_silent: bool) -> (String, Option<Ending>) {
        let (mut payload, mut tail) = pushed(chunks, Escape::None);
        let ending = if tail.is_in_doubt() {
            tail.end(is_silent, |bytes| payload.extend_from_slice(bytes))
        } else {
            None
        };
        (payload.escape_ascii().to_string(), ending)
    }

    const PEER: Option<Ending> = Some(Ending::Closed(CloseReason::Peer));

    fn uncertain(held: usize) -> Option<Ending> {
        Some(Ending::Closed(CloseReason::EndUncertain { held }))
    }

    #[test]
    fn a_word_that_ends_a_connection_is_in_doubt_whatever_follows_and_at_every_split() {
        for behind in ["", "x", "\r\nOK\r\n", "\r\n+CSCON: 0\r\n", "+++", "\r\n> "] {
            let bytes = format!("abc\r\nCLOSED\r\n{behind}").into_bytes();
            for at in 0..=bytes.len() {
                let (payload, tail) = pushed(&[&bytes[..at], &bytes[at..]], Escape::None);
                assert_eq!((payload.as_slice(), &tail.held[..]), (&b"abc"[..], &bytes[3..]), "split at {at}");
                assert!(tail.is_in_doubt() && tail.deadline().is_none(), "{behind:?}");
            }
        }
    }

    #[test]
    fn what_may_be_payload_before_an_end_makes_it_uncertain() {
        assert_eq!(ended(&[b"data\r\nCLOSED\r\n"], true), ("data".into(), PEER));
        assert_eq!(ended(&[b"data\r\n+CREG: 1\r\n\r\nCLOSED\r\n"], true), ("data".into(), uncertain(22)));
        assert_eq!(ended(&[b"\r\nCLOSED\r\n\r\nCLOSED\r\n"], true), (String::new(), uncertain(20)));
        assert_eq!(ended(&[b"\r\nRDY\r\n\r\nCLOSED\r\n"], true), (String::new(), uncertain(17)));
        assert_eq!(ended(&[b"\r\nCLOSED\r\n\r\nAT\r\n\r\nCLOSED\r\n"], true).1, uncertain(26));
    }

    #[test]
    fn a_byte_that_is_no_frame_shows_that_what_stands_before_it_is_payload() {
        assert_eq!(ended(&[b"\r\nCLOSED\r\n.\r\nCLOSED\r\n"], true), ("\\r\\nCLOSED\\r\\n.".into(), PEER));
        assert_eq!(
            ended(&[b"\r\nCLOSED\r\n.\r\nCLOSED\r\n"], false),
            (String::new(), uncertain(21)),
            "an echo"
        );
        assert_eq!(
            ended(&[b"\r\nCLOSED\r\n."], true),
            (String::new(), uncertain(11)),
            "not in front of an end"
        );
    }

    #[test]
    fn what_a_module_answers_behind_the_end_is_never_payload() {
        for behind in
            ["\r\nOK\r\n", "\r\nAirM2M_720U_V401881_LTE_AT\r\n\r\nOK\r\n", "\r\n+CSCON: 0\r\n", "\r\n"]
        {
            assert_eq!(
                ended(&[b"data\r\nCLOSED\r\n", behind.as_bytes()], true),
                ("data".into(), PEER),
                "{behind:?}"
            );
        }
        let restart = ended(&[b"data\r\nRDY\r\n", b"what was under way\r\nCLOSED\r\nand more"], true);
        assert_eq!(restart, ("data".into(), uncertain(43)), "its echo is on");
    }

    #[test]
    fn a_line_end_that_was_given_may_have_been_the_modules() {
        let (mut payload, mut tail) = pushed(&[b"data\r\n"], Escape::None);
        tail.settle(Timestamp::from_secs(1), |bytes| payload.extend_from_slice(bytes));
        assert_eq!(payload, b"data\r\n");
        tail.push(Timestamp::from_secs(1), b"CLOSED\r\n", |bytes| assert!(bytes.is_empty()));
        assert!(tail.is_in_doubt());
        assert_eq!(tail.end(true, |_| {}), uncertain(8));
    }

    #[test]
    fn an_end_without_its_line_end_is_in_doubt_after_a_moment() {
        let (payload, mut tail) = pushed(&[b"data\r\nCLOSED"], Escape::None);
        assert!(payload == b"data" && !tail.is_in_doubt());
        tail.settle(Timestamp::ZERO + REST, |_| panic!("it may be the end"));
        assert!(tail.is_in_doubt());
        assert_eq!(tail.end(true, |_| {}), PEER);
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
        assert_eq!(tail.take_answer(), b"");
        tail.give_up(|bytes| rest.extend_from_slice(bytes));
        assert_eq!(rest, b"\r\nCLOSED\r\n");
        let (payload, mut tail) = pushed(&[b"data\r\nOK\r\n\r\nCLOSED\r\n"], Escape::Answerable);
        assert!(payload == b"data" && tail.is_escaped(Timestamp::ZERO + SETTLED));
        assert_eq!(tail.take_answer(), b"\r\nCLOSED\r\n");
        let (payload, tail) = pushed(&[b"\r\nOK\r\nx"], Escape::Answerable);
        assert_eq!(
            (payload.as_slice(), tail.is_escaped(Timestamp::ZERO + SETTLED)),
            (&b"\r\nOK\r\nx"[..], false)
        );
    }

    #[test]
    fn an_ok_that_came_before_an_escape_could_be_answered_does_not_answer_it() {
        let (_, mut tail) = pushed(&[b"\r\nCLOSED\r\n\r\nOK\r\n"], Escape::None);
        tail.escape_is(Escape::Answerable);
        assert!(!tail.has_answer());
        tail.push(Timestamp::ZERO, b"\r\nOK\r\n", |_| panic!("it is in doubt"));
        assert!(tail.has_answer());
    }

    #[test]
    fn every_ending_is_known_and_the_last_is_the_modules() {
        let closed = |reason| Some(Ending::Closed(reason));
        for (text, ending) in [
            ("\r\nTCP ERROR:12\r\n", closed(CloseReason::Reset)),
            ("\r\n0, TCP ERROR\r\n", closed(CloseReason::Reset)),
            ("\r\nUDP ERROR: 8\r\n", closed(CloseReason::Reset)),
            ("\r\nNO CARRIER\r\n", closed(CloseReason::Reset)),
            ("\r\n+PDP: DEACT\r\n", closed(CloseReason::BearerLost)),
            ("\r\n+PDP DEACT\r\n", closed(CloseReason::BearerLost)),
            ("\r\n+SAPBR 1: DEACT\r\n", closed(CloseReason::BearerLost)),
            ("\r\n+NO Service\r\n\r\n+PDP: DEACT\r\n", closed(CloseReason::BearerLost)),
            ("\r\nCLOSED\r\n\r\n+PDP: DEACT\r\n", closed(CloseReason::BearerLost)),
            ("\r\nCLOSED\r\n^boot.rom'v'!\n\r\nRDY\r\n\r\n+CPIN: READY\r\n", Some(Ending::Restarted)),
            ("\r\nRDY\r\n+++\r\n+CPIN: READY\r\n", Some(Ending::Restarted)),
            ("\r\n+CREG: 1\r\n", None),
        ] {
            assert_eq!(ended(&[text.as_bytes()], true).1, ending, "{text:?}");
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
    fn the_echo_of_an_escape_is_nothing_that_came() {
        let (payload, mut tail) = pushed(&[b"data", b"+++"], Escape::Written);
        assert_eq!((payload.as_slice(), tail.deadline()), (&b"data"[..], None));
        tail.settle(Timestamp::from_secs(9), |_| panic!("an escape settles it"));
        assert_eq!(pushed(&[b"data", b"+++"], Escape::None).0, b"data+++");
    }

    #[test]
    fn what_is_held_is_bounded_and_more_than_a_module_says_is_the_peers() {
        let (mut tail, mut given) = (EndDetector::default(), 0);
        for _ in 0..100_000 {
            tail.push(Timestamp::ZERO, b"\r\nCLOSED\r\n", |bytes| given += bytes.len());
            assert!(tail.held.len() <= MAX_DOUBTED);
        }
        assert_eq!(given + tail.held.len(), 1_000_000);
        let (mut tail, mut given) = (EndDetector::default(), 0);
        for _ in 0..1000 {
            tail.push(Timestamp::ZERO, b"\r\n+CREG: 1\r\n", |bytes| given += bytes.len());
            assert!(tail.held.len() <= MAX_HELD);
        }
        assert_eq!(given + tail.held.len(), 12_000);
    }

    #[test]
    fn a_line_end_is_given_on_soon() {
        let (_, mut tail) = pushed(&[b"hello\r\n"], Escape::None);
        let mut given = Vec::new();
        tail.settle(Timestamp::ZERO + LINE_END, |bytes| given.extend_from_slice(bytes));
        assert_eq!(given, b"\r\n");
        assert_eq!(tail.deadline(), None);
    }

    #[test]
    fn the_echo_of_an_escape_is_held_in_every_split() {
        for split in [&[&b"data+"[..], b"++"][..], &[b"data++", b"+"], &[b"data", b"+", b"+", b"+"]] {
            assert_eq!(pushed(split, Escape::Written).0, b"data", "{split:?}");
            assert_eq!(pushed(split, Escape::None).0, b"data+++", "{split:?}");
        }
    }
}
