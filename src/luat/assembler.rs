//! The assembly of records from lines: stamps, and prints that contain line ends.

use std::collections::VecDeque;

use crate::capture::{Clock, stamped, time};
use crate::time::Timestamp;

use super::lines::TextLine;
use super::print::{SHOWN, sending};
use super::record::is_script;
use super::{Origin, Record};

/// Assembles records from lines. A record is returned when the next one begins.
///
/// A payload that a script prints may contain line ends, and the text after them may have the form of a record. There
/// are two ways to distinguish such a line from a record:
///
/// * If the first print of a trace has a stamp, the tool stamps every print: a line without a stamp continues the
///   record before it.
/// * `socket.send` prints the number of bytes that it shows. Lines after it that have exactly this number of bytes are
///   its payload; otherwise only lines without the form of a record are.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    clock: Clock,
    /// True if the first print of a script had a stamp; `None` before it.
    has_stamps: Option<bool>,
    /// Lines to be read again, the oldest first; at most those of one payload.
    waiting: VecDeque<TextLine>,
    /// Lines that may be the rest of the payload of `current`.
    doubtful: Vec<TextLine>,
    /// The least and the most bytes of payload that `current` lacks: a line end counts as one or two.
    missing: Option<(i64, i64)>,
    current: Option<Record>,
}

impl Assembler {
    /// Takes a line. Appends the records that are complete now.
    pub(super) fn push(&mut self, line: TextLine, out: &mut VecDeque<Record>) {
        self.waiting.push_back(line);
        self.work(out);
    }

    /// Appends the remaining records at the end of the trace.
    pub(super) fn finish(&mut self, out: &mut VecDeque<Record>) {
        while self.missing.is_some() {
            self.refute();
            self.work(out);
        }
        out.extend(self.current.take());
    }

    fn work(&mut self, out: &mut VecDeque<Record>) {
        while let Some(line) = self.waiting.pop_front() {
            match self.missing {
                Some((least, most)) => self.doubt(line, least, most),
                None => self.take(line, out),
            }
        }
    }

    /// Takes a line after a send that does not show all its bytes.
    fn doubt(&mut self, line: TextLine, least: i64, most: i64) {
        let length = i64::try_from(after_stamp(&line.text).len()).unwrap_or(i64::MAX);
        let (least, most) =
            (least.saturating_sub(length).saturating_sub(2), most.saturating_sub(length).saturating_sub(1));
        if most < 0 {
            self.waiting.push_front(line);
            self.refute();
        } else {
            self.doubtful.push(line);
            self.missing = Some((least, most));
            if least <= 0 {
                self.confirm();
            }
        }
    }

    /// The doubtful lines have the announced length, so they are payload.
    fn confirm(&mut self) {
        self.missing = None;
        for line in std::mem::take(&mut self.doubtful) {
            self.extend(&line);
        }
    }

    /// The doubtful lines have another length: from the first one with the form of a record on, they are read again as
    /// lines of their own.
    fn refute(&mut self) {
        self.missing = None;
        let mut lines = std::mem::take(&mut self.doubtful);
        let is_own = |line: &TextLine| !matches!(Origin::of(after_stamp(&line.text)).0, Origin::Core);
        let end = lines.iter().position(is_own).unwrap_or(lines.len());
        for line in lines.drain(end..).rev() {
            self.waiting.push_front(line);
        }
        for line in lines {
            self.extend(&line);
        }
    }

    fn extend(&mut self, line: &TextLine) {
        if let Some(record) = &mut self.current {
            record.extend(line.number, after_stamp(&line.text), line.cut);
        }
    }

    /// Takes a line that may begin or continue a record.
    fn take(&mut self, line: TextLine, out: &mut VecDeque<Record>) {
        let (at, text) = self.stamp(&line.text);
        let has_form = is_script(text);
        if has_form && self.has_stamps.is_none() {
            self.has_stamps = Some(is_stamped(&line.text));
        }
        if self.has_stamps == Some(true) && !is_stamped(&line.text) && self.current.is_some() {
            self.extend(&line);
            return;
        }
        let (origin, text) = Origin::of(text);
        self.missing = missing(&origin, text);
        let (lines, text) = (line.number..=line.number, text.to_vec());
        let record = Record { lines, at, origin, text, cut: line.cut, look_alike: false };
        out.extend(self.current.replace(record));
    }

    /// The time of a line, and the text after its stamp.
    fn stamp<'a>(&mut self, line: &'a [u8]) -> (Option<Timestamp>, &'a [u8]) {
        if let Some((millis, text)) = stamped(line) {
            return (Some(self.clock.millis(millis)), text);
        }
        match timed(line) {
            Some((millis, text)) => (Some(self.clock.time_of_day(millis)), text),
            None => (None, line),
        }
    }
}

/// The bytes that a send announces and its first line does not show.
fn missing(origin: &Origin, text: &[u8]) -> Option<(i64, i64)> {
    let Origin::Script { tag, .. } = origin else {
        return None;
    };
    if tag != b"socket.send" {
        return None;
    }
    let (total, shown) = sending(text)?;
    let missing = i64::try_from(total.min(SHOWN)).ok()?.checked_sub(i64::try_from(shown.len()).ok()?)?;
    (missing > 0).then_some((missing, missing))
}

fn is_stamped(line: &[u8]) -> bool {
    stamped(line).is_some()
}

fn after_stamp(line: &[u8]) -> &[u8] {
    stamped(line).or_else(|| timed(line)).map_or(line, |(_, text)| text)
}

/// The time of day in milliseconds and the text after it, in a terminal's log: `[14:42:30.346]`, with SSCOM's mark for
/// received text. Such tools stamp reads, not lines.
fn timed(line: &[u8]) -> Option<(u64, &[u8])> {
    let rest = line.strip_prefix(b"[")?;
    let millis = time(rest.get(..12)?)?;
    let rest = rest[12..].strip_prefix(b"]")?;
    let rest = rest.strip_prefix("收←◆".as_bytes()).or_else(|| rest.strip_prefix(b" ")).unwrap_or(rest);
    Some((millis, rest))
}

#[cfg(test)]
mod tests {
    use crate::luat::{Print, Reader};

    /// The records of a trace as text: line numbers, printer, text.
    fn records(trace: &str) -> Vec<String> {
        Reader::new(trace.as_bytes())
            .map(|record| {
                let record = record.unwrap();
                let origin = match &record.origin {
                    super::Origin::Script { level, tag } => {
                        format!("{level} {}", String::from_utf8_lossy(tag))
                    }
                    super::Origin::Core => "core".to_owned(),
                    super::Origin::Tool => "tool".to_owned(),
                };
                let (first, last) = record.lines.clone().into_inner();
                format!("{first}-{last} {origin}|{}", record.words())
            })
            .collect()
    }

    const STAMP: &str = "[2024-10-22 19:50:33.850] ";

    #[test]
    fn a_line_without_a_stamp_goes_on_with_the_record_before_it() {
        let trace = format!(
            "{STAMP}[I]-[http] <p>\n[I]-[socket.rtos.MSG_SOCK_CLOSE_IND]\n\n{STAMP}OK\n{STAMP}[I]-[a]\n"
        );
        assert_eq!(
            records(&trace),
            ["1-3 I http|<p>\n[I]-[socket.rtos.MSG_SOCK_CLOSE_IND]\n", "4-4 core|OK", "5-5 I a|"]
        );
    }

    #[test]
    fn without_stamps_every_line_stands_for_itself() {
        let trace = format!("RDY\n[I]-[http] <p>\n</p>\n{STAMP}[I]-[b] 1\n[I]-[a] 2\n");
        assert_eq!(
            records(&trace),
            ["1-1 core|RDY", "2-2 I http|<p>", "3-3 core|</p>", "4-4 I b|1", "5-5 I a|2"]
        );
    }

    #[test]
    fn the_times_of_a_terminal_are_read_but_do_not_make_it_stamp_every_line() {
        let trace = "[14:42:30.346]收←◆[I]-[a] 1\n[I]-[b] 2\n[14:42:31.000] [I]-[c] 3\n";
        assert_eq!(records(trace), ["1-1 I a|1", "2-2 I b|2", "3-3 I c|3"]);
        let at: Vec<_> = Reader::new(trace.as_bytes()).map(|record| record.unwrap().at).collect();
        let millis = |millis| Some(crate::time::Timestamp::from_millis(millis));
        assert_eq!(at, [millis(0), None, millis(654)]);
    }

    #[test]
    fn payload_that_fills_what_a_send_announces_is_payload_whatever_it_looks_like() {
        for (total, rest) in [
            (27, "x\n[I]-[socket:sock_close] 0\n"),
            (28, "x\n[I]-[socket:sock_close] 0\n"),
            (29, "x\n\n[I]-[socket:sock_close] 0\n\n"),
            (24, "[D]-[socket.recv] 4 nil\n\n"),
            (4000, "\n[D]-[socket.recv] 48 nil\nabcd\n"),
        ] {
            for stamp in ["", STAMP] {
                let payload = rest.replace('\n', &format!("\n{stamp}"));
                let trace = format!(
                    "{stamp}[D]-[socket.send] total {total} bytes first 30 bytes {payload}[I]-[end]\n"
                );
                let found = records(&trace);
                assert!(found.last().unwrap().contains(" I end|"), "{trace}\n{found:?}");
                assert!(!found[1..].iter().any(|record| record.contains("socket")), "{trace}\n{found:?}");
            }
        }
    }

    #[test]
    fn records_after_a_binary_payload_that_the_tool_dropped_stay_records() {
        let trace = format!(
            "{STAMP}[D]-[socket.send] total 48 bytes first 30 bytes \n{STAMP}[D]-[socket.recv] 48 nil\n\
             {STAMP}[I]-[socket:on_response:] 0 SOCKET_SEND 0\n"
        );
        let found = records(&trace);
        assert_eq!(found.len(), 3, "{found:?}");
        let end = format!("{STAMP}[D]-[socket.send] total 48 bytes first 30 bytes \n{STAMP}[I]-[a]");
        assert_eq!(
            records(&end),
            ["1-1 D socket.send|total 48 bytes first 30 bytes ", "2-2 I a|"],
            "at the end"
        );
    }

    #[test]
    fn sends_within_what_may_be_the_payload_of_a_send_are_looked_at_again() {
        let one = "[D]-[socket.send] total 9 bytes first 30 bytes \n";
        let found: Vec<_> =
            Reader::new(one.repeat(50).as_bytes()).map(|record| record.unwrap().print()).collect();
        assert_eq!(found.len(), 50);
        assert!(found.iter().all(|print| matches!(print, Some(Print::Sending { total: 9, .. }))));
    }
}
