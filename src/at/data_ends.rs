//! The number of line ends between data and the next line, as the decoder learns it. Fewer than usual show that the
//! data were shorter than announced.

use super::ChannelId;
use super::header::RawHeader;
use super::token::Fault;

/// The line ends after data of both kinds.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct DataEnds {
    fetched: FetchEnds,
    pushed: PushEnds,
}

impl DataEnds {
    /// A header has come, with this number of line ends before it.
    pub(super) fn header(&mut self, header: &RawHeader, ends: u8) {
        if header.is_pushed() {
            self.pushed.header(header.channel.is_none(), header.len > 0, ends);
        }
        self.fetched.header(header.fetched_channel().filter(|_| header.len > 0));
    }

    /// A line that is no header has come, with this number of line ends before it. Returns the damage of fetched data
    /// that it shows.
    pub(super) fn line(&mut self, line: &[u8], ends: u8) -> Option<Fault> {
        self.pushed.line(line, ends);
        self.fetched.misfit(line, ends)
    }

    /// A line, or a token that can't be one, is taken.
    pub(super) fn line_begins(&mut self) {
        self.pushed.line_begins();
    }

    /// The announced data do not come.
    pub(super) fn abandon(&mut self) {
        self.fetched.abandon();
        self.pushed.abandon();
    }

    /// Sets whether a late answer may come.
    pub(super) fn may_be_late(&mut self, may_be: bool) {
        self.fetched.may_be_late(may_be);
    }

    /// Takes the damage of pushed data that the last token has shown.
    pub(super) fn take_fault(&mut self) -> Option<Fault> {
        std::mem::take(&mut self.pushed.has_damage).then_some(Fault::NoLineEnd)
    }
}

/// The number of line ends that the firmware writes between fetched data and their `OK`: one or two. If it falls from
/// two to one, the data were shorter than announced, and line ends took the place of the missing bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct FetchEnds {
    /// Data of this channel were fetched, and no line has come since.
    after: Option<ChannelId>,
    known: KnownEnds,
    /// True if the `OK` after data may be late. Its line ends show nothing.
    may_be_late: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
enum KnownEnds {
    /// No fetched data have come.
    #[default]
    Nothing,
    /// At most one, after the first fetched data, which were of this channel.
    First(ChannelId),
    /// At most one each time.
    One,
    Two,
    /// At most one the last time, and two before.
    OneForTwo,
    /// The number varies, so it shows nothing.
    Differ,
}

impl FetchEnds {
    /// A header has come, with the channel of the fetched data that it announces.
    fn header(&mut self, fetched: Option<ChannelId>) {
        self.after = fetched;
    }

    /// Sets whether a late answer may come.
    fn may_be_late(&mut self, may_be: bool) {
        self.may_be_late = may_be;
    }

    /// The announced data do not come.
    fn abandon(&mut self) {
        self.after = None;
    }

    /// A line with this number of line ends before it has come. Returns the damage that it shows.
    fn misfit(&mut self, line: &[u8], ends: u8) -> Option<Fault> {
        let channel = self.after.take().filter(|_| line == b"OK")?;
        let (known, fault) = match (self.known, ends) {
            (known, 3..) => (known, Some(Fault::BeforeResult)),
            (KnownEnds::Nothing, 0 | 1) if self.may_be_late => (KnownEnds::Nothing, None),
            (KnownEnds::Nothing, 0 | 1) => (KnownEnds::First(channel), None),
            (KnownEnds::First(_) | KnownEnds::One, 0 | 1) => (KnownEnds::One, None),
            (KnownEnds::First(first), 2) => (KnownEnds::Two, Some(Fault::CutShortBefore { channel: first })),
            (KnownEnds::Nothing | KnownEnds::One | KnownEnds::Two | KnownEnds::OneForTwo, 2) => {
                (KnownEnds::Two, None)
            }
            (KnownEnds::Two, 0 | 1) => (KnownEnds::OneForTwo, Some(Fault::BeforeResult)),
            (KnownEnds::OneForTwo | KnownEnds::Differ, _) => (KnownEnds::Differ, None),
        };
        self.known = known;
        fault
    }
}

/// The number of line ends that the firmware writes between pushed data and the next line. Firmware that ends data with
/// a line end writes two. If there are fewer, the data were shorter than announced, and line ends took the place of the
/// missing bytes. More than usual show nothing: some firmware writes empty lines.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct PushEnds {
    /// True if pushed data came last.
    is_after: bool,
    /// True if the line that begins is the first one after them.
    is_first: bool,
    /// True if the last line shows damage that is not reported yet.
    has_damage: bool,
    habits: [EndsHabit; AfterPushed::COUNT],
}

/// A line that may follow pushed data. Lines of one kind are written by one function of a firmware, with the same line
/// ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum AfterPushed {
    Header,
    HeaderOfSingle,
    Ok,
    SendResult,
}

impl AfterPushed {
    const COUNT: usize = 4;

    fn of_line(line: &[u8]) -> Option<Self> {
        match line {
            b"OK" => Some(Self::Ok),
            line if line.ends_with(b"SEND OK") || line.starts_with(b"DATA ACCEPT") => Some(Self::SendResult),
            _ => None,
        }
    }
}

impl PushEnds {
    /// A header has come, with this number of line ends before it. `is_followed` is true if pushed data follow it.
    fn header(&mut self, is_single: bool, is_followed: bool, ends: u8) {
        self.judge(if is_single { AfterPushed::HeaderOfSingle } else { AfterPushed::Header }, ends);
        self.is_after = is_followed;
    }

    /// A line that is no header has come, with this number of line ends before it.
    fn line(&mut self, line: &[u8], ends: u8) {
        if let Some(kind) = AfterPushed::of_line(line) {
            self.judge(kind, ends);
        }
    }

    fn judge(&mut self, kind: AfterPushed, ends: u8) {
        if std::mem::take(&mut self.is_first) {
            self.has_damage |= self.habits[kind as usize].lacks_one(ends);
        }
    }

    /// A line, or a token that can't be one, is taken.
    fn line_begins(&mut self) {
        self.is_first = std::mem::take(&mut self.is_after);
    }

    /// The announced data do not come.
    fn abandon(&mut self) {
        *self = Self { habits: self.habits, ..Self::default() };
    }
}

/// The knowledge that there are always at least two line ends.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct EndsHabit {
    /// The number of times that there were two, without an exception.
    in_a_row: u8,
    /// The number of exceptions.
    exceptions: u8,
}

impl EndsHabit {
    /// The number of times from which it counts as a habit. Each exception doubles it, so that firmware without a habit
    /// is soon not judged any more.
    const FEWEST: u8 = 4;

    /// True if there are fewer line ends than always.
    fn lacks_one(&mut self, ends: u8) -> bool {
        if ends >= 2 {
            self.in_a_row = self.in_a_row.saturating_add(1);
            return false;
        }
        let fewest = Self::FEWEST.checked_shl(self.exceptions.into()).filter(|fewest| *fewest > 0);
        let is_habit = fewest.is_some_and(|fewest| std::mem::take(&mut self.in_a_row) >= fewest);
        self.exceptions = self.exceptions.saturating_add(is_habit.into());
        is_habit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn misfit(ends: &mut FetchEnds, count: u8) -> Option<Fault> {
        ends.header(ChannelId::new(3));
        ends.misfit(b"OK", count)
    }

    #[test]
    fn one_line_end_after_fetched_data_is_doubted_where_there_were_two() {
        let mut ends = FetchEnds::default();
        let two_in_a_row = [(1, false), (1, true), (2, true), (1, true)];
        let counts = [(1, true), (1, true), (2, true), (1, false), (2, true), (3, false)];
        for (count, fits) in counts.into_iter().chain(two_in_a_row) {
            let expected = if fits { None } else { Some(Fault::BeforeResult) };
            assert_eq!(misfit(&mut ends, count), expected, "{count}, {ends:?}");
        }
        let mut ends = FetchEnds::default();
        assert_eq!(misfit(&mut ends, 2), None);
        assert_eq!(ends.misfit(b"OK", 1), None, "only directly after data");
        ends.header(ChannelId::new(3));
        ends.abandon();
        assert_eq!(ends.misfit(b"OK", 1), None, "the data did not come");
    }

    #[test]
    fn one_line_end_after_the_first_fetched_data_is_doubted_where_there_are_two_later() {
        let mut ends = FetchEnds::default();
        ends.header(ChannelId::new(5));
        assert_eq!(ends.misfit(b"OK", 1), None);
        assert_eq!(misfit(&mut ends, 2), Some(Fault::CutShortBefore { channel: ChannelId::new(5).unwrap() }));
        assert_eq!(misfit(&mut ends, 2), None, "reported once");
        let mut ends = FetchEnds::default();
        ends.may_be_late(true);
        assert_eq!(misfit(&mut ends, 1), None);
        assert_eq!(misfit(&mut ends, 2), None, "the first one was a late answer's");
    }

    #[test]
    fn one_line_end_after_pushed_data_is_doubted_where_there_were_always_two() {
        let lacks = |ends: &mut PushEnds, count: u8| {
            ends.line_begins();
            ends.header(false, true, count);
            std::mem::take(&mut ends.has_damage)
        };
        let mut ends = PushEnds::default();
        assert!(!lacks(&mut ends, 1), "after nothing");
        let counts = [1, 2, 2, 2, 1, 2, 2, 2, 2];
        for count in counts {
            assert!(!lacks(&mut ends, count), "{count}, {ends:?}");
        }
        assert!(lacks(&mut ends, 1));
        for count in [2, 2, 2, 2, 1, 3, 2, 2, 2, 2, 2, 2, 2] {
            assert!(!lacks(&mut ends, count), "{count}, {ends:?}");
        }
        assert!(lacks(&mut ends, 0), "{ends:?}");
        for _ in 0..255 {
            lacks(&mut ends, 2);
        }
        ends.line(b"OK", 1);
        ends.line_begins();
        ends.line(b"+CREG: 1", 1);
        assert!(!std::mem::take(&mut ends.has_damage), "a line of another kind");
    }

    /// A line directly after pushed data. Returns whether it shows damage.
    fn after(ends: &mut PushEnds, line: &[u8], count: u8) -> bool {
        ends.header(false, true, 2);
        ends.line_begins();
        ends.line(line, count);
        std::mem::take(&mut ends.has_damage)
    }

    #[test]
    fn each_kind_of_line_after_pushed_data_has_a_habit_of_its_own() {
        for (line, others) in [
            (&b"OK"[..], [&b"DATA ACCEPT:0,5"[..], b"0, SEND OK"]),
            (b"DATA ACCEPT:0,5", [b"OK", b"OK"]),
            (b"0, SEND OK", [b"OK", b"OK"]),
        ] {
            let mut ends = PushEnds::default();
            assert!(!(0..4).any(|_| after(&mut ends, line, 2)));
            assert!(!others.iter().any(|other| after(&mut ends, other, 1)), "{}", line.escape_ascii());
            assert!(after(&mut ends, line, 1), "{}", line.escape_ascii());
        }
        let mut ends = PushEnds::default();
        let mut header = |is_single, count| {
            ends.header(is_single, true, count);
            ends.line_begins();
            std::mem::take(&mut ends.has_damage)
        };
        assert!(!(0..5).any(|_| header(true, 2)));
        assert!(!header(false, 1), "the other form of headers");
        assert!(header(true, 1));
    }

    #[test]
    fn a_line_that_is_not_directly_after_pushed_data_shows_nothing() {
        let mut ends = PushEnds::default();
        assert!(!(0..4).any(|_| after(&mut ends, b"OK", 2)));
        ends.header(false, false, 2);
        ends.line_begins();
        ends.line(b"OK", 1);
        assert!(!ends.has_damage, "no data came");
        ends.header(false, true, 2);
        ends.abandon();
        ends.line_begins();
        ends.line(b"OK", 1);
        assert!(!ends.has_damage, "the data did not come");
        assert!(after(&mut ends, b"OK", 1), "the habit is kept");
    }
}
