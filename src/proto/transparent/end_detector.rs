//! The detection of text of the module among transparent data.

use std::time::Duration;

use crate::at::{fits, is_noise};
use crate::error::CloseReason;
use crate::time::Timestamp;

use super::end_lines::{Ending, MAX_WORD, may_begin_word, meaning};

/// Separates payload from text of the module. Transparent data have no frame, so text of the module stands among them:
/// `OK` after an escape, `CLOSED` and similar lines when the connection ends (protocol section 12). Payload may contain
/// the same bytes. The rules are:
///
/// 1. Text of the module is framed by CR LF before and after it. Bytes at the end of the received data that may be such
///    frames, or the beginning of one, are held for a moment ([`LINE_END`], [`REST`], [`SETTLED`]). After that they are
///    payload.
/// 2. A line that ends a connection is in doubt, whatever follows. A module in command mode may send more bytes after
///    it: the echo of bytes on their way to it (after a restart), and answers to bytes that it takes for commands. The
///    line and all bytes after it are held until an escape decides.
/// 3. An answered escape and a question after it prove that the module was in data mode, in which it writes no text of
///    its own: all bytes are payload. Otherwise the connection has ended, and [`end`](EndDetector::end) returns how.
///
/// The number of held bytes is limited: possible text by [`MAX_HELD`], bytes in doubt by [`MAX_DOUBTED`].
#[derive(Debug, Default)]
pub(super) struct EndDetector {
    held: Vec<u8>,
    came_at: Timestamp,
    escape: Escape,
    /// The first position in `held` at which the answer to an escape can begin.
    answer_from: usize,
    doubt: EndDoubt,
    /// The bytes that were given last.
    given: Preceding,
}

/// The progress of an escape.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) enum Escape {
    /// There is no escape.
    #[default]
    None,
    /// It was written. A module in command mode that has restarted may echo it, after text of its own.
    Written,
    /// Its answer may come as well.
    Answerable,
}

/// The doubt whether the held bytes are the end.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum EndDoubt {
    #[default]
    None,
    /// A line that ends a connection is among them.
    Ended,
}

/// The bytes that were given last.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Preceding {
    #[default]
    Anything,
    /// A line end that was given because nothing followed. It may be the beginning of a frame.
    LineEnd,
}

/// The result of matching the held bytes with frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum FrameMatch {
    /// No frames: no module writes these bytes.
    None,
    /// Frames, of which the last one is incomplete. This number of its bytes came.
    Partial(usize),
    /// Complete frames.
    Complete,
}

/// A line that ends a connection, in its frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Frame {
    from: usize,
    to: usize,
    ending: Ending,
}

/// How long a CR LF at the end of the received bytes is held, because it may begin a frame. A module writes a frame
/// without pauses. The span is longer than the time of a frame at 9600 baud, and short enough for lines of text.
const LINE_END: Duration = Duration::from_millis(20);
/// How long the beginning of a line is held (as a partial line).
const REST: Duration = Duration::from_millis(250);
/// After this span without a byte, lines count as the last ones. It is longer than any pause within a frame of the
/// captures.
const SETTLED: Duration = Duration::from_millis(300);
/// The most bytes that are held because they may be text. A start of the module writes fewer.
const MAX_HELD: usize = 4096;
/// The most bytes that are held because they may be the end. A module in command mode writes fewer: the echo of the
/// bytes on their way to it, some 12 KiB, or answers to bytes that it takes for commands. More bytes come from the
/// peer.
const MAX_DOUBTED: usize = 128 * 1024;
/// The answer to an escape.
pub(super) const ESCAPED: &[u8] = b"\r\nOK\r\n";
/// The text of the answer to an escape.
const OK: &str = "OK";

impl EndDetector {
    /// Sets the progress of an escape.
    pub(super) fn escape_is(&mut self, escape: Escape) {
        if escape == Escape::Answerable && self.escape != escape {
            // Earlier bytes are no answer to the escape.
            self.answer_from = self.held.len();
        }
        self.escape = escape;
    }

    /// Processes received bytes. `give` is called with those that can only be payload.
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
        Some(self.came_at + self.quiet_span())
    }

    /// Time has passed. `give` is called with the bytes that are payload now.
    pub(super) fn settle(&mut self, now: Timestamp, give: impl FnOnce(&[u8])) {
        let over = now >= self.came_at + self.quiet_span();
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

    /// The held bytes were payload.
    pub(super) fn give_up(&mut self, give: impl FnOnce(&[u8])) {
        if !self.held.is_empty() {
            give(&self.held);
            self.forget();
        }
    }

    /// The held bytes were text of the module.
    pub(super) fn forget(&mut self) {
        self.held.clear();
        self.answer_from = 0;
        self.doubt = EndDoubt::None;
        self.given = Preceding::Anything;
    }

    /// True if a line that ends the connection is held. Nothing is written until an escape decides.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.doubt == EndDoubt::Ended
    }

    /// The module is in command mode without an escape. Returns how the connection has ended. `give` is called with
    /// bytes that can only be payload. Other bytes are dropped, and an end by the peer is then reported as uncertain.
    ///
    /// The last line that ends a connection comes from the module, because it must have written one. After its first
    /// such line a module without echo sends frames only, so any other byte shows that the bytes before it are payload.
    pub(super) fn end(&mut self, is_silent: bool, give: impl FnOnce(&[u8])) -> Option<Ending> {
        let end = self.judge_end(is_silent);
        give(self.held.get(..end.map_or(0, |(payload, _)| payload)).unwrap_or_default());
        self.forget();
        end.map(|(_, ending)| ending)
    }

    /// True if the held bytes report that the peer has closed the connection, and lack nothing.
    pub(super) fn reports_clean_end(&self, is_silent: bool) -> bool {
        let end = self.is_in_doubt().then(|| self.judge_end(is_silent)).flatten();
        end.is_some_and(|(_, ending)| ending == Ending::Closed(CloseReason::Peer))
    }

    /// How the connection has ended, after the number of held bytes that can only be payload.
    fn judge_end(&self, is_silent: bool) -> Option<(usize, Ending)> {
        let held = self.held.as_slice();
        let found: Vec<Frame> = endings(held, self.given).chain(unfinished_ending(held)).collect();
        let last = *found.last()?;
        let restarts = found.iter().any(|frame| frame.ending == Ending::Restarted);
        let is_first = |frame: &&Frame| {
            !is_silent || restarts || frame.from >= last.from || are_frames(&held[frame.to..last.from])
        };
        let first = found.iter().find(is_first).unwrap_or(&last);
        let payload = payload_len(&held[..first.to], Escape::None).min(first.from);
        let is_framed = self.given == Preceding::Anything || held[last.from..].starts_with(b"\r\n");
        let is_alone = payload == first.from && *first == last && is_framed;
        let is_certain = is_alone && is_silent && are_frames(&held[last.to..]);
        let ending = match last.ending {
            Ending::Closed(CloseReason::Peer) if !is_certain => {
                Ending::Closed(CloseReason::EndUncertain { held: held.len() - payload })
            }
            ending => ending,
        };
        Some((payload, ending))
    }

    /// True if an escape may be answered: the held bytes end with the answer, perhaps followed by unsolicited lines.
    pub(super) fn has_answer(&self) -> bool {
        self.answer_at().is_some()
    }

    /// True if an escape is answered: nothing else followed for [`SETTLED`].
    pub(super) fn is_escaped(&self, now: Timestamp) -> bool {
        self.has_answer() && now >= self.came_at + SETTLED
    }

    /// Removes the answer to an escape and the lines after it, and returns these lines. Earlier bytes stay held.
    pub(super) fn take_answer(&mut self) -> Vec<u8> {
        let at = self.answer_at().unwrap_or(self.held.len());
        let news = self.held.get(at + ESCAPED.len()..).unwrap_or_default().to_vec();
        self.held.truncate(at);
        self.escape = Escape::None;
        news
    }

    /// What was taken as the answer was payload, and so were these lines after it.
    pub(super) fn keep_answer(&mut self, after: &[u8]) {
        self.held.extend_from_slice(ESCAPED);
        self.held.extend_from_slice(after);
        if endings(after, Preceding::Anything).next().is_some() {
            self.doubt = EndDoubt::Ended;
        }
    }

    /// The position of the last answer, if only frames follow it.
    fn answer_at(&self) -> Option<usize> {
        if self.escape != Escape::Answerable {
            return None;
        }
        let from = self.held.get(self.answer_from..)?;
        let at = self.answer_from + from.windows(ESCAPED.len()).rposition(|bytes| bytes == ESCAPED)?;
        let rest = &self.held[at + ESCAPED.len()..];
        (match_frames(rest, self.escape) == FrameMatch::Complete).then_some(at)
    }

    /// True if only an escape can decide about the held bytes: a line that ends the connection, and after an escape all
    /// bytes that may be text. If the answer to the escape was lost, the module is in command mode, and they are its
    /// text.
    fn awaits_escape(&self) -> bool {
        let may_be_words =
            || self.escape != Escape::None && match_frames(&self.held, self.escape) == FrameMatch::Complete;
        !self.has_answer() && (self.is_in_doubt() || may_be_words())
    }

    fn quiet_span(&self) -> Duration {
        if self.is_in_doubt() {
            return SETTLED;
        }
        match match_frames(&self.held, self.escape) {
            FrameMatch::Partial(0..=2) => LINE_END,
            FrameMatch::None | FrameMatch::Partial(_) => REST,
            FrameMatch::Complete => SETTLED,
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
    let frames = |at: &usize| match_frames(&bytes[*at..], escape) != FrameMatch::None;
    (from..bytes.len()).filter(may_begin).find(frames).unwrap_or(bytes.len())
}

/// Matches bytes with a sequence of frames.
fn match_frames(mut bytes: &[u8], escape: Escape) -> FrameMatch {
    let answerable = escape == Escape::Answerable;
    while !bytes.is_empty() {
        let (line, before) = match bytes {
            b"\r" | b"\r\n" => return FrameMatch::Partial(bytes.len()),
            [b'\r', b'\n', line @ ..] => (line, 2),
            line @ [b'^', ..] => (line, 0),
            [b'+', b'+', b'+', rest @ ..] if escape != Escape::None => {
                bytes = rest;
                continue;
            }
            b"+" | b"++" if escape != Escape::None => return FrameMatch::Partial(bytes.len()),
            _ => return FrameMatch::None,
        };
        let Some(len) = line_len(line) else {
            let may_become = may_begin_word(line) || (answerable && fits(line, OK));
            // Only noise of a start has no line end before it.
            let framed = before > 0 || is_noise(line);
            return if may_become && framed { FrameMatch::Partial(bytes.len()) } else { FrameMatch::None };
        };
        let known = meaning(&line[..len]).is_some() || (answerable && &line[..len] == OK.as_bytes());
        if !known || (before == 0 && !is_noise(line)) {
            return FrameMatch::None;
        }
        bytes = match &line[len..] {
            b"\r" => return FrameMatch::Partial(bytes.len()),
            [b'\r', b'\n', rest @ ..] => rest,
            [b'\n', rest @ ..] if is_noise(line) => rest,
            _ => return FrameMatch::None,
        };
    }
    FrameMatch::Complete
}

/// The complete lines that end a connection, in their order.
fn endings(bytes: &[u8], given: Preceding) -> impl Iterator<Item = Frame> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let from = at;
            let at_start = from == 0 && given == Preceding::LineEnd;
            if let Some(frame) = ending_at(bytes, from, at_start) {
                // The line end after it may be the one before the next line.
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
    let after = match &line[len..] {
        [b'\r', b'\n', ..] => 2,
        [b'\n', ..] if noisy => 1,
        _ => return None,
    };
    let ending = meaning(&line[..len]).flatten()?;
    let before = bytes.len() - from - line.len();
    Some(Frame { from, to: from + before + len + after, ending })
}

/// A line at the end of the bytes that ends a connection and has no line end: old firmware omits some.
fn unfinished_ending(bytes: &[u8]) -> Option<Frame> {
    let at = bytes.iter().rposition(|byte| *byte == b'\n')?;
    let from = at.checked_sub(1).filter(|from| bytes[*from] == b'\r')?;
    let ending = meaning(&bytes[at + 1..]).flatten()?;
    Some(Frame { from, to: bytes.len(), ending })
}

/// True if the bytes are lines of any text in frames.
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
    use crate::proto::transition_table;

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
        for after in ["", "x", "\r\nOK\r\n", "\r\n+CSCON: 0\r\n", "+++", "\r\n> "] {
            let bytes = format!("abc\r\nCLOSED\r\n{after}").into_bytes();
            for at in 0..=bytes.len() {
                let (payload, tail) = pushed(&[&bytes[..at], &bytes[at..]], Escape::None);
                assert_eq!((payload.as_slice(), &tail.held[..]), (&b"abc"[..], &bytes[3..]), "split at {at}");
                assert!(tail.is_in_doubt() && tail.deadline().is_none(), "{after:?}");
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
    fn what_a_module_answers_after_the_end_is_never_payload() {
        for after in
            ["\r\nOK\r\n", "\r\nAirM2M_720U_V401881_LTE_AT\r\n\r\nOK\r\n", "\r\n+CSCON: 0\r\n", "\r\n"]
        {
            assert_eq!(
                ended(&[b"data\r\nCLOSED\r\n", after.as_bytes()], true),
                ("data".into(), PEER),
                "{after:?}"
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
    fn the_answer_to_an_escape_is_distinguished_from_payload_before_it() {
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
    fn words_after_an_escape_are_held_until_it_is_settled() {
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
    fn every_transition_is_as_the_table_says() {
        fn holding(bytes: &[u8], escape: Escape) -> EndDetector {
            let mut detector = EndDetector::default();
            detector.escape_is(escape);
            detector.push(Timestamp::ZERO, bytes, |_| {});
            detector
        }
        fn push(it: &mut EndDetector, bytes: &[u8]) {
            it.push(Timestamp::ZERO, bytes, |_| {});
        }
        let given = || {
            let mut detector = holding(b"\r\n", Escape::None);
            detector.settle(Timestamp::ZERO + SETTLED, |_| {});
            detector
        };
        transition_table::check::<EndDetector, _>(
            "
            | input | nothing held | line end given | held | in doubt | nothing held, escape | held, escape | answered, escape |
            | payload | - | nothing held | nothing held | - | - | nothing held, escape | nothing held, escape |
            | a line end | held | held | - | - | held, escape | - | held, escape |
            | a line that ends it | in doubt | in doubt | in doubt | - | in doubt, escape | in doubt, escape | in doubt, escape |
            | the rest of such a line | held | held | in doubt | - | held, escape | - | held, escape |
            | OK | held | held | - | - | answered, escape | answered, escape | - |
            | silence | - | - | nothing held | - | - | - | - |
            | an escape is written | nothing held, written | line end given, written | held, written | in doubt, written | nothing held, written | held, written | held, written |
            | it may be answered | nothing held, escape | line end given, escape | held, escape | in doubt, escape | - | - | - |
            | its answer is taken | - | - | - | - | nothing held | held | nothing held |
            | all was payload | - | - | nothing held | nothing held | - | nothing held, escape | nothing held, escape |
            | all was the module's | - | nothing held | nothing held | nothing held | - | nothing held, escape | nothing held, escape |",
            || {
                vec![
                    holding(b"", Escape::None),
                    given(),
                    holding(b"\r\nCLO", Escape::None),
                    holding(b"\r\nCLOSED\r\n", Escape::None),
                    holding(b"", Escape::Answerable),
                    holding(b"\r\n+CREG: 1\r\n", Escape::Answerable),
                    holding(ESCAPED, Escape::Answerable),
                ]
            },
            &[
                ("payload", |it| push(it, b"x")),
                ("a line end", |it| push(it, b"\r\n")),
                ("a line that ends it", |it| push(it, b"\r\nCLOSED\r\n")),
                ("the rest of such a line", |it| push(it, b"SED\r\n")),
                ("OK", |it| push(it, ESCAPED)),
                ("silence", |it| it.settle(Timestamp::ZERO + SETTLED, |_| {})),
                ("an escape is written", |it| it.escape_is(Escape::Written)),
                ("it may be answered", |it| it.escape_is(Escape::Answerable)),
                ("its answer is taken", |it| drop(it.take_answer())),
                ("all was payload", |it| it.give_up(|_| {})),
                ("all was the module's", EndDetector::forget),
            ],
            |it| {
                let held = match (it.doubt, it.has_answer(), it.held.is_empty()) {
                    (EndDoubt::Ended, _, _) => "in doubt",
                    (EndDoubt::None, true, _) => "answered",
                    (EndDoubt::None, false, false) => "held",
                    (EndDoubt::None, false, true) if it.given == Preceding::LineEnd => "line end given",
                    (EndDoubt::None, false, true) => "nothing held",
                };
                let escape = match it.escape {
                    Escape::None => "",
                    Escape::Written => ", written",
                    Escape::Answerable => ", escape",
                };
                format!("{held}{escape}")
            },
        );
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

    #[test]
    fn every_kind_of_held_bytes_has_its_span() {
        for (bytes, escape, millis) in [
            (&b"\r"[..], Escape::None, 20),
            (b"\r\n", Escape::None, 20),
            (b"\r\nC", Escape::None, 250),
            (b"\r\n+CREG: 1\r", Escape::None, 250),
            (b"\r\n+CREG: 1\r\n", Escape::None, 300),
            (ESCAPED, Escape::Answerable, 300),
            (b"\r\nCLOSED\r\n\r\nOK\r\n", Escape::Answerable, 300),
        ] {
            let mut detector = EndDetector::default();
            detector.escape_is(escape);
            detector.push(Timestamp::from_secs(5), bytes, |_| {});
            let due = Timestamp::from_millis(5_000 + millis);
            let before = Timestamp::from_millis(4_999 + millis);
            let shown = bytes.escape_ascii();
            assert_eq!(detector.deadline(), Some(due), "{shown}");
            detector.settle(before, |_| panic!("{shown}: too early"));
            let is_answer = escape == Escape::Answerable;
            assert_eq!(
                (detector.is_escaped(before), detector.is_escaped(due)),
                (false, is_answer),
                "{shown}"
            );
            let mut given = Vec::new();
            detector.settle(due, |bytes| given.extend_from_slice(bytes));
            assert_eq!(given, if is_answer { &b""[..] } else { bytes }, "{shown}");
        }
    }

    #[test]
    fn the_limits_of_held_bytes_are_exact() {
        let (mut detector, mut given) = (EndDetector::default(), 0);
        detector.push(Timestamp::ZERO, b"\r\nCLOSED\r\n", |bytes| assert!(bytes.is_empty()));
        detector.push(Timestamp::ZERO, &vec![b'x'; 128 * 1024 - 10], |_| panic!("it is in doubt"));
        assert!(detector.is_in_doubt());
        detector.push(Timestamp::ZERO, b"x", |bytes| given += bytes.len());
        assert_eq!((detector.is_in_doubt(), given), (false, 128 * 1024 + 1));
        let (payload, detector) = pushed(&[&b"\r\n+CREG: 1\r\n".repeat(1_000)], Escape::None);
        assert_eq!(
            (payload.len(), detector.held.len()),
            (12_000 - 4_092, 4_092),
            "whole frames in 4096 bytes"
        );
    }

    #[test]
    fn an_escape_that_was_not_written_and_an_ok_without_one_are_payload() {
        for (bytes, escape, payload) in [
            (&b"\r\n+CREG: 1\r\n+++\r\n+CREG: 1\r\n"[..], Escape::None, 15),
            (b"\r\n+CREG: 1\r\n+++\r\n+CREG: 1\r\n", Escape::Written, 0),
            (b"\r\n+CREG: 1\r\n+", Escape::None, 10),
            (b"\r\n+CREG: 1\r\n++", Escape::None, 14),
            (b"\r\n+CREG: 1\r\n++", Escape::Written, 0),
            (b"\r\nOK\r\n", Escape::None, 4),
            (b"\r\nOK\r\n", Escape::Written, 4),
            (b"\r\nOK\r\n", Escape::Answerable, 0),
            (b"\r\nhello\r\n", Escape::Answerable, 7),
        ] {
            assert_eq!(pushed(&[bytes], escape).0.len(), payload, "{}, {escape:?}", bytes.escape_ascii());
        }
    }

    #[test]
    fn the_words_of_the_boot_rom_alone_have_no_line_end_in_front_of_them() {
        for (bytes, payload) in [
            ("data^boot.rom", "data"),
            ("data^boot.rom'v'!\n", "data"),
            ("data^boot.rom'v'!\r\n", "data"),
            ("data^MODE: 17,17\r\n", "data^MODE: 17,17"),
            ("data^MODE: 1", "data^MODE: 1"),
            ("data\r\n^MODE: 17,17\r\n", "data"),
        ] {
            assert_eq!(
                pushed(&[bytes.as_bytes()], Escape::None).0.escape_ascii().to_string(),
                payload,
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn an_answer_is_found_after_everything_was_the_modules() {
        let (_, mut detector) = pushed(&[b"\r\n+CREG: 1\r\n"], Escape::Answerable);
        detector.forget();
        detector.push(Timestamp::ZERO, ESCAPED, |bytes| assert!(bytes.is_empty()));
        assert!(detector.has_answer());
    }

    #[test]
    fn an_answer_that_was_payload_is_in_doubt_with_an_end_after_it() {
        for (after, is_in_doubt) in
            [(&b""[..], false), (b"\r\n+CREG: 1\r\n", false), (b"\r\nCLOSED\r\n", true)]
        {
            let mut detector = EndDetector::default();
            detector.keep_answer(after);
            assert_eq!(detector.is_in_doubt(), is_in_doubt, "{}", after.escape_ascii());
            assert_eq!(detector.held, [ESCAPED, after].concat());
        }
    }

    #[test]
    fn without_a_line_that_ends_it_there_is_no_end_and_no_payload() {
        let (_, mut detector) = pushed(&[b"\r\nCLO"], Escape::None);
        assert_eq!(detector.end(true, |bytes| assert!(bytes.is_empty())), None);
    }

    #[test]
    fn an_uncertain_end_counts_the_bytes_after_those_that_are_payload() {
        assert_eq!(
            ended(&[b"\r\nCLOSED\r\n.\r\nCLOSED\r\n\r\nCLOSED\r\n"], true),
            ("\\r\\nCLOSED\\r\\n.".into(), uncertain(20))
        );
    }

    #[test]
    fn frames_are_lines_between_line_ends() {
        for frames in ["", "\r", "\r\n", "\r\n\r\nOK\r\n", "\r\n\r\n\r\nOK\r\n", "\r\n>\r\n", "\r\nOK\r\n\r"]
        {
            assert!(are_frames(frames.as_bytes()), "{frames:?}");
        }
        for other in ["x", "\r\nOK", "\r\nOK\r", "\r\nOK\n", "\r\nOK\r\nx", "\n"] {
            assert!(!are_frames(other.as_bytes()), "{other:?}");
        }
    }
}
