//! The protection of payload from being taken for an escape.

use std::time::Duration;

use crate::time::Timestamp;

/// The module takes `+++` for an escape under three conditions: the pluses come within 0.5 s, at least 1 s of silence
/// is before them, and at least 0.5 s of silence follows (protocol section 12). Payload can fulfil them. Without adding
/// bytes the driver can prevent only the first condition: it delays the third plus until more than 0.5 s after the
/// first. If other data follow meanwhile, all bytes are written at once, because no silence follows the pluses then.
///
/// The module measures from the arrival of bytes, the driver from their writing; the difference depends on the buffers
/// of the port. So a pause counts as silence from [`SILENCE`] on, and the third plus waits for [`APART`]. If a port
/// takes longer than [`DOUBT`], the moment at which the bytes left is unknown. The next data are then delayed as if
/// there were silence before them.
#[derive(Debug, Default)]
pub(super) struct EscapeGuard {
    run: Run,
    written_at: Option<Timestamp>,
    /// Until this moment more pluses may complete those that were written last.
    doubtful_until: Timestamp,
}

/// The bytes written since the last silence.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Run {
    /// Bytes that can't become an escape any more.
    #[default]
    Other,
    /// This number of pluses and nothing else, and the moment of the first.
    Pluses(usize, Timestamp),
}

/// The bytes that can be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Allowed {
    /// This number of bytes, at least one.
    Now(usize),
    /// No bytes before this moment.
    Wait(Timestamp),
}

/// The span that counts as silence. It is less than the module's 1 s, because a pause may be longer at the module.
const SILENCE: Duration = Duration::from_millis(700);
/// The span between the first plus and the third. It is more than the module's 0.5 s, because it may be shorter at the
/// module.
const APART: Duration = Duration::from_millis(750);
/// The longest delay of a byte in the port that the margins above allow.
const DOUBT: Duration = Duration::from_millis(250);
/// The number of pluses of an escape.
const ESCAPE: usize = 3;

impl EscapeGuard {
    /// The number of bytes of `data` that can be written now. `data` must not be empty. `more` is true if other data
    /// follow at once.
    pub(super) fn allow(&mut self, now: Timestamp, data: &[u8], more: bool) -> Allowed {
        if now < self.doubtful_until {
            return Allowed::Wait(self.doubtful_until);
        }
        if self.written_at.is_none_or(|at| now - at >= SILENCE) {
            self.run = Run::Pluses(0, now);
        }
        let Run::Pluses(count, first_at) = self.run else { return Allowed::Now(data.len()) };
        let first_at = if count == 0 { now } else { first_at };
        let alone = data.iter().all(|byte| *byte == b'+') && !more;
        if !alone || count + data.len() != ESCAPE || now >= first_at + APART {
            return Allowed::Now(data.len());
        }
        match data.len() - 1 {
            0 => Allowed::Wait(first_at + APART),
            before => Allowed::Now(before),
        }
    }

    /// These bytes were written.
    pub(super) fn wrote(&mut self, now: Timestamp, data: &[u8]) {
        self.run = match self.run {
            Run::Pluses(count, first_at) if data.iter().all(|byte| *byte == b'+') => {
                let first_at = if count == 0 { now } else { first_at };
                if count + data.len() < ESCAPE {
                    Run::Pluses(count + data.len(), first_at)
                } else {
                    Run::Other
                }
            }
            Run::Pluses(..) | Run::Other => Run::Other,
        };
        self.written_at = Some(now);
    }

    /// The port has accepted the bytes. They may have left it at any moment since they were written.
    pub(super) fn taken(&mut self, now: Timestamp) {
        if self.written_at.is_some_and(|at| now - at >= DOUBT) {
            match self.run {
                Run::Pluses(1.., _) => self.doubtful_until = now + APART,
                Run::Pluses(0, _) | Run::Other => self.run = Run::Pluses(0, now),
            }
        }
        self.written_at = self.written_at.map(|_| now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::transition_table;

    /// The moments at which the bytes go out, if the data are there at these moments.
    fn written(asked: &[(u64, &str)]) -> Vec<(u64, u8)> {
        let (mut plus, mut out) = (EscapeGuard::default(), Vec::new());
        let mut waiting: Vec<u8> = Vec::new();
        let mut asked = asked.iter().peekable();
        for millis in 0..10_000 {
            let now = Timestamp::from_millis(millis);
            while let Some((_, data)) = asked.next_if(|(at, _)| *at == millis) {
                waiting.extend_from_slice(data.as_bytes());
            }
            while !waiting.is_empty() {
                let Allowed::Now(count) = plus.allow(now, &waiting, false) else { break };
                plus.wrote(now, &waiting[..count]);
                out.extend(waiting.drain(..count).map(|byte| (millis, byte)));
            }
        }
        assert!(waiting.is_empty(), "held back for ever");
        out
    }

    /// Whether the module leaves data mode, by the rule of the manual.
    fn escapes(out: &[(u64, u8)]) -> bool {
        (0..out.len()).any(|at| {
            let Some(three) = out.get(at..at + 3) else { return false };
            let silent_before = at == 0 || three[0].0 - out[at - 1].0 >= 1000;
            let silent_after = out.get(at + 3).is_none_or(|next| next.0 - three[2].0 >= 500);
            let pluses = three.iter().all(|(_, byte)| *byte == b'+');
            pluses && silent_before && silent_after && three[2].0 - three[0].0 <= 500
        })
    }

    #[test]
    fn no_payload_is_an_escape_and_all_of_it_goes_out_in_order() {
        let cases: [&[(u64, &str)]; 12] = [
            &[(2000, "+++")],
            &[(0, "abc"), (2000, "+++")],
            &[(2000, "+"), (2100, "+"), (2200, "+")],
            &[(2000, "+"), (2400, "+"), (2500, "+")],
            &[(2000, "++"), (2490, "+")],
            &[(2000, "+++"), (4000, "+++"), (6000, "+++")],
            &[(2000, "+++"), (2100, "+++")],
            &[(2000, "++++")],
            &[(2000, "+++x")],
            &[(0, "x"), (900, "+++")],
            &[(2000, "+++"), (2760, "++"), (3000, "+")],
            &[(2000, "++"), (2700, "+"), (2800, "++")],
        ];
        for asked in cases {
            let out = written(asked);
            let text: String = asked.iter().map(|(_, text)| *text).collect();
            assert_eq!(out.iter().map(|(_, byte)| *byte).collect::<Vec<_>>(), text.as_bytes());
            assert!(!escapes(&out), "{asked:?} became {out:?}");
        }
        assert!(escapes(&[(2000, b'+'), (2000, b'+'), (2000, b'+')]), "the check can fail");
    }

    #[test]
    fn a_port_that_takes_bytes_late_makes_no_escape_of_what_follows() {
        let at = Timestamp::from_millis;
        let mut plus = EscapeGuard::default();
        plus.wrote(at(0), b"data");
        plus.taken(at(5_000));
        assert_eq!(plus.allow(at(5_000), b"+++", false), Allowed::Now(2), "the data may have gone at 0 s");
        let mut plus = EscapeGuard::default();
        plus.wrote(at(0), b"data");
        plus.taken(at(10));
        assert_eq!(plus.allow(at(10), b"+++", false), Allowed::Now(3), "they are just before");
        let mut plus = EscapeGuard::default();
        assert_eq!(plus.allow(at(0), b"+", false), Allowed::Now(1));
        plus.wrote(at(0), b"+");
        plus.taken(at(5_000));
        assert_eq!(
            plus.allow(at(5_000), b"++", false),
            Allowed::Wait(at(5_000) + APART),
            "it may have gone now"
        );
        assert_eq!(plus.allow(at(5_000) + APART, b"+++", false), Allowed::Now(2), "it may have gone at 0 s");
    }

    #[test]
    fn every_transition_is_as_the_table_says() {
        const START: Timestamp = Timestamp::from_secs(5);
        let of = |run| EscapeGuard { run, written_at: Some(START), ..EscapeGuard::default() };
        let pluses = |count| of(Run::Pluses(count, START));
        transition_table::check::<EscapeGuard, _>(
            "
            | input | other | 0 pluses | 1 pluses | 2 pluses |
            | a plus is written | - | 1 pluses | 2 pluses | other |
            | two pluses are written | - | 2 pluses | other | other |
            | other data are written | - | other | other | other |
            | silence, and the question for data | 0 pluses | - | 0 pluses | 0 pluses |
            | a pause, and the question for data | - | - | - | - |
            | the port was quick | - | - | - | - |
            | the port was slow | 0 pluses | - | 1 pluses, held | 2 pluses, held |",
            || vec![of(Run::Other), pluses(0), pluses(1), pluses(2)],
            &[
                ("a plus is written", |it| it.wrote(START, b"+")),
                ("two pluses are written", |it| it.wrote(START, b"++")),
                ("other data are written", |it| it.wrote(START, b"+x")),
                ("silence, and the question for data", |it| {
                    let _ = it.allow(START + SILENCE, b"x", false);
                }),
                ("a pause, and the question for data", |it| {
                    let _ = it.allow(START + DOUBT, b"x", false);
                }),
                ("the port was quick", |it| it.taken(START)),
                ("the port was slow", |it| it.taken(START + DOUBT)),
            ],
            |it| {
                let run = match it.run {
                    Run::Other => "other".to_owned(),
                    Run::Pluses(count, _) => format!("{count} pluses"),
                };
                if it.doubtful_until > Timestamp::ZERO { run + ", held" } else { run }
            },
        );
    }

    #[test]
    fn three_pluses_with_something_after_them_are_not_held() {
        assert_eq!(EscapeGuard::default().allow(Timestamp::from_secs(5), b"+++ATH", false), Allowed::Now(6));
        assert_eq!(EscapeGuard::default().allow(Timestamp::from_secs(5), b"+++", true), Allowed::Now(3));
        assert_eq!(EscapeGuard::default().allow(Timestamp::from_secs(5), b"+++", false), Allowed::Now(2));
    }

    #[test]
    fn the_third_plus_waits_until_750_ms_after_the_first() {
        let at = Timestamp::from_millis;
        let mut guard = EscapeGuard::default();
        for millis in [1_000, 1_200] {
            assert_eq!(guard.allow(at(millis), b"+", false), Allowed::Now(1));
            guard.wrote(at(millis), b"+");
        }
        for millis in [1_300, 1_749] {
            assert_eq!(guard.allow(at(millis), b"+", false), Allowed::Wait(at(1_750)));
        }
        assert_eq!(guard.allow(at(1_750), b"+", false), Allowed::Now(1));
        // The first plus of a run decides, and not the silence in front of it.
        let mut guard = EscapeGuard::default();
        guard.wrote(at(0), b"data");
        guard.taken(at(5_000));
        assert_eq!(guard.allow(at(5_690), b"+++", false), Allowed::Now(2));
        guard.wrote(at(5_690), b"++");
        assert_eq!(guard.allow(at(5_700), b"+", false), Allowed::Wait(at(6_440)));
        // The port has taken the first plus a moment later.
        let mut guard = EscapeGuard::default();
        guard.wrote(at(1_000), b"data");
        assert_eq!(guard.allow(at(2_000), b"+", false), Allowed::Now(1));
        guard.wrote(at(2_000), b"+");
        guard.taken(at(2_200));
        assert_eq!(guard.allow(at(2_700), b"++", false), Allowed::Now(1));
        assert_eq!(guard.allow(at(2_800), b"++", false), Allowed::Now(2));
    }

    #[test]
    fn a_plus_in_a_port_for_250_ms_or_more_delays_the_next_data_by_750_ms() {
        let at = Timestamp::from_millis;
        for (taken_at, allowed) in [(1_249, Allowed::Now(1)), (1_250, Allowed::Wait(at(2_000)))] {
            let mut guard = EscapeGuard::default();
            assert_eq!(guard.allow(at(1_000), b"+", false), Allowed::Now(1));
            guard.wrote(at(1_000), b"+");
            guard.taken(at(taken_at));
            assert_eq!(guard.allow(at(taken_at), b"x", false), allowed, "taken after {taken_at} ms");
        }
    }

    #[test]
    fn three_pluses_in_one_piece_are_no_escape_that_has_begun() {
        let mut guard = EscapeGuard::default();
        assert_eq!(guard.allow(Timestamp::from_secs(5), b"+++", true), Allowed::Now(3));
        guard.wrote(Timestamp::from_secs(5), b"+++");
        assert_eq!(guard.run, Run::Other);
    }
}
