//! Resynchronisation after damage: all bytes are dropped until the answers to questions prove where text begins.

use std::time::Duration;

use crate::at::{ChannelId, Command, Final, Line, Verdict, announced, resembles};
use crate::time::Timestamp;

/// A set of channels.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(in crate::proto) struct ChannelSet(u8);

/// The search for the beginning of text while all bytes are dropped.
///
/// Payload may stand where text is expected, and payload may contain any text, also the answer to a question. So a
/// question is asked when the line has been silent for a moment and no payload is on its way. Its answer must come
/// without other bytes, and so must the answer to a second question. Meanwhile the channels that the damage may affect
/// are closed on the module, so that no more of their data come.
///
/// | state | on | next |
/// |---|---|---|
/// | `Waiting` | the send in flight is settled ([`begin`](Resync::begin)) | `Silence` |
/// | `Silence` | a byte | `Silence`, from the beginning |
/// | `Silence` | a moment without one, or none for too long, and a affected channel: `AT+CIPCLOSE` is written | `Silence` |
/// | `Silence` | a moment without one, and no affected channel: the question is written | `Asked` |
/// | `Asked` | its answer, alone | `Asked`, another; after that, trust |
/// | `Asked` | anything else, or no answer | `Silence` |
/// | any | no answer for too long, or other ones too often | the module is silent ([`Wake`](super::wake::Wake)) |
#[derive(Debug)]
pub(super) struct Resync {
    state: ResyncState,
    deadline: Timestamp,
    last_byte_at: Timestamp,
    /// Affected channels that are still to be closed.
    to_close: ChannelSet,
    /// Channels with a header among the dropped bytes.
    seen: ChannelSet,
    /// The number of questions without an answer.
    attempt: u32,
    /// The number of questions with another answer, or with other text beside it.
    odd: u32,
    /// The unfinished line, or the end of it if it is long.
    line: Vec<u8>,
    length: LineLength,
    echo: ProbeEcho,
    /// The number of dropped bytes.
    dropped: u64,
}

#[derive(Debug)]
enum ResyncState {
    /// A prompt may come, so only payload may be written.
    Waiting,
    /// The line must be silent for a moment. The wait for this ends at `latest`.
    Silence { latest: Timestamp },
    /// A question is asked.
    Asked { probe: Command, progress: Progress, proof: Proof },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Progress {
    Nothing,
    /// Its information line has come.
    Answered,
}

/// The proof that an answer gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Proof {
    First,
    Second,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum LineLength {
    Short,
    /// The line is too long for an answer. Its beginning is not kept.
    Long,
}

/// The echo of questions by the module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::proto) enum ProbeEcho {
    Unseen,
    Seen,
}

/// The next action.
#[derive(Debug)]
pub(super) enum Action {
    None,
    /// Ask a question that differs from the last one.
    Ask,
    Close(ChannelId),
    /// The module does not answer.
    GiveUp,
}

/// The result of received bytes.
#[derive(Debug)]
pub(super) enum ResyncVerdict {
    /// Nothing can be trusted yet.
    Distrusted,
    /// Another question is to be asked.
    Ask,
    /// Text begins after this number of the bytes.
    Trusted(usize),
}

/// How long the line must be silent before a question. It is longer than any pause within a frame of the captures
/// (protocol assumption A16).
const SILENCE: Duration = Duration::from_millis(250);
/// After this time without silence the next channel is closed nevertheless.
const LONGEST_WAIT: Duration = Duration::from_secs(1);
/// The time-out of the first answer. The following time-outs are longer, as those of the barrier.
const FIRST_TIMEOUT: Duration = Duration::from_secs(1);
/// The number of questions after which the module counts as silent.
const ATTEMPTS: u32 = 6;
/// The number of questions with other answers after which the module is searched for like a silent one.
const ODD_ANSWERS: u32 = 20;
/// The number of bytes that are kept of a line. Answers to questions and headers are shorter.
const MAX_KEPT: usize = 128;

impl Resync {
    /// Begins the search. The last byte came at `last_byte_at`.
    pub(super) fn new(now: Timestamp, last_byte_at: Timestamp, affected: ChannelSet) -> Self {
        // On a silent line the question is asked at once, and affected channels are closed after it.
        let is_silent = now >= last_byte_at + SILENCE;
        let to_close = if is_silent { ChannelSet::default() } else { affected };
        Self {
            state: ResyncState::Silence { latest: now },
            deadline: now,
            last_byte_at,
            to_close,
            seen: ChannelSet::default(),
            attempt: 0,
            odd: 0,
            line: Vec::new(),
            length: LineLength::Short,
            echo: ProbeEcho::Unseen,
            dropped: 0,
        }
        .silence(now)
    }

    /// Begins the search while a prompt may come until `until`.
    pub(super) fn after_a_prompt(now: Timestamp, until: Timestamp, affected: ChannelSet) -> Self {
        Self { state: ResyncState::Waiting, deadline: until, ..Self::new(now, now, affected) }
    }

    /// True while a prompt may come.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.state, ResyncState::Waiting)
    }

    /// The send in flight has ended.
    pub(super) fn begin(&mut self, now: Timestamp) {
        if matches!(self.state, ResyncState::Waiting) {
            self.wait(now);
        }
    }

    pub(super) fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// True while an answer is expected.
    pub(super) fn is_asking(&self) -> bool {
        matches!(self.state, ResyncState::Asked { .. })
    }

    /// Extends the deadline, because the module may not answer until then.
    pub(super) fn extend(&mut self, deadline: Timestamp) {
        self.deadline = self.deadline.max(deadline);
    }

    /// Adds affected channels.
    pub(super) fn close(&mut self, affected: ChannelSet) {
        self.to_close = self.to_close.with(affected);
    }

    /// Takes the channels with headers among the dropped bytes.
    pub(super) fn take_seen(&mut self) -> ChannelSet {
        std::mem::take(&mut self.seen)
    }

    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn echo(&self) -> ProbeEcho {
        self.echo
    }

    /// The question is written.
    pub(super) fn asked(&mut self, now: Timestamp, probe: Command) {
        let proof = match self.state {
            ResyncState::Asked { proof: Proof::First, .. } => Proof::Second,
            ResyncState::Asked { .. } | ResyncState::Waiting | ResyncState::Silence { .. } => Proof::First,
        };
        self.state = ResyncState::Asked { probe, progress: Progress::Nothing, proof };
        self.deadline = now + FIRST_TIMEOUT * (self.attempt + 1);
    }

    /// Bytes came.
    pub(super) fn feed(&mut self, now: Timestamp, bytes: &[u8]) -> ResyncVerdict {
        self.last_byte_at = now;
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let (line, after) = rest.split_at(end + 1);
            rest = after;
            self.dropped += line.len() as u64;
            self.keep(line);
            let fed = self.line(now);
            self.line.clear();
            self.length = LineLength::Short;
            match fed {
                ResyncVerdict::Distrusted => {}
                // Bytes after the first answer can't be the answer to the second question.
                ResyncVerdict::Ask if rest.is_empty() => return ResyncVerdict::Ask,
                ResyncVerdict::Ask => self.not_alone(now),
                ResyncVerdict::Trusted(_) => return ResyncVerdict::Trusted(bytes.len() - rest.len()),
            }
        }
        self.dropped += rest.len() as u64;
        self.keep(rest);
        if let ResyncState::Silence { latest } = self.state {
            self.deadline = (now + SILENCE).min(latest.max(now));
        }
        ResyncVerdict::Distrusted
    }

    /// The deadline has come.
    pub(super) fn expire(&mut self, now: Timestamp) -> Action {
        let latest = match self.state {
            ResyncState::Waiting => return Action::None,
            ResyncState::Asked { .. } => {
                self.attempt += 1;
                self.wait(now);
                return self.unless_exhausted(Action::None);
            }
            ResyncState::Silence { latest } => latest,
        };
        if let Some(channel) = self.to_close.take_first() {
            self.wait(now);
            return Action::Close(channel);
        }
        if now >= self.last_byte_at + SILENCE {
            return self.unless_exhausted(Action::Ask);
        }
        if now >= latest {
            self.attempt += 1;
            self.wait(now);
            return self.unless_exhausted(Action::None);
        }
        self.deadline = (self.last_byte_at + SILENCE).min(latest);
        Action::None
    }

    fn unless_exhausted(&self, action: Action) -> Action {
        if self.attempt >= ATTEMPTS || self.odd >= ODD_ANSWERS { Action::GiveUp } else { action }
    }

    /// Waits for silence.
    fn wait(&mut self, now: Timestamp) {
        self.state = ResyncState::Silence { latest: now + LONGEST_WAIT };
        self.deadline = now + SILENCE;
    }

    fn silence(mut self, now: Timestamp) -> Self {
        self.wait(now);
        if self.to_close != ChannelSet::default() || now >= self.last_byte_at + SILENCE {
            // Data of an affected channel are lost anyway, so the channel is closed as soon as possible.
            self.deadline = now;
        }
        self
    }

    /// Keeps the end of the unfinished line, and searches the rest for headers.
    fn keep(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(MAX_KEPT) {
            if self.line.len() + piece.len() > 2 * MAX_KEPT {
                self.look();
                let forgotten = self.line.len() - MAX_KEPT.min(self.line.len()) / 4;
                self.line.drain(..forgotten);
                self.length = LineLength::Long;
            }
            self.line.extend_from_slice(piece);
        }
    }

    /// Searches for headers.
    fn look(&mut self) {
        for channel in announced(&self.line) {
            self.seen.insert(channel);
        }
    }

    fn line(&mut self, now: Timestamp) -> ResyncVerdict {
        self.look();
        let text = self.line.trim_ascii();
        if resembles(text) && announced(text).next().is_none() {
            self.seen = ChannelSet::all();
        }
        let ResyncState::Asked { probe, progress, proof } = &mut self.state else {
            return ResyncVerdict::Distrusted;
        };
        if text.is_empty() {
            return ResyncVerdict::Distrusted;
        }
        if self.length == LineLength::Short && *progress == Progress::Nothing && probe.is_echo(text) {
            self.echo = ProbeEcho::Seen;
            return ResyncVerdict::Distrusted;
        }
        let line = Line::parse(text);
        match (*progress, *proof) {
            (Progress::Nothing, _) if probe.judge(&line, false) == Verdict::Part => {
                *progress = Progress::Answered;
                ResyncVerdict::Distrusted
            }
            (Progress::Answered, Proof::First) if line == Line::Final(Final::Ok) => ResyncVerdict::Ask,
            (Progress::Answered, Proof::Second) if line == Line::Final(Final::Ok) => {
                ResyncVerdict::Trusted(0)
            }
            _ => {
                self.not_alone(now);
                ResyncVerdict::Distrusted
            }
        }
    }

    /// Something other than the answer came after a question.
    fn not_alone(&mut self, now: Timestamp) {
        self.odd += 1;
        self.wait(now);
    }
}

impl ChannelSet {
    /// Every channel.
    pub(super) fn all() -> Self {
        ChannelId::all().collect()
    }

    pub(in crate::proto) fn insert(&mut self, channel: ChannelId) {
        self.0 |= 1 << channel.index();
    }

    pub(in crate::proto) fn contains(self, channel: ChannelId) -> bool {
        self.0 & (1 << channel.index()) != 0
    }

    pub(in crate::proto) fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub(in crate::proto) fn iter(self) -> impl Iterator<Item = ChannelId> {
        ChannelId::all().filter(move |channel| self.contains(*channel))
    }

    fn take_first(&mut self) -> Option<ChannelId> {
        let first = self.iter().next()?;
        self.0 &= !(1 << first.index());
        Some(first)
    }
}

impl FromIterator<ChannelId> for ChannelSet {
    fn from_iter<I: IntoIterator<Item = ChannelId>>(channels: I) -> Self {
        let mut set = Self::default();
        channels.into_iter().for_each(|channel| set.insert(channel));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::transition_table;

    const HURT: u8 = 0b1;

    /// A machine, the moment, and its last action.
    struct Search {
        resync: Resync,
        now: Timestamp,
        action: &'static str,
    }

    impl Search {
        fn states() -> Vec<Self> {
            let now = Timestamp::from_secs(100);
            let new = |affected| Resync::new(now, now, ChannelSet(affected));
            let asked = |proof| {
                let mut resync = new(0);
                (0..=proof).for_each(|turn| resync.asked(now, Command::probe(turn, &|_| false)));
                resync
            };
            let mut answered = asked(0);
            answered.feed(now, b"\r\n+CIPMUX: 1\r\n");
            let mut exhausted = asked(0);
            exhausted.attempt = ATTEMPTS - 1;
            let waiting = Resync::after_a_prompt(now, now + SILENCE, ChannelSet(HURT));
            let all = [waiting, new(HURT), new(0), asked(0), answered, asked(1), exhausted];
            all.map(|resync| Self { resync, now, action: "" }).into()
        }

        fn name(&self) -> &'static str {
            match (&self.resync.state, self.action) {
                (_, action) if !action.is_empty() => action,
                (ResyncState::Waiting, _) => "waiting",
                (ResyncState::Silence { .. }, _) if self.resync.to_close.0 != 0 => "silence, affected",
                (ResyncState::Silence { .. }, _) => "silence",
                (ResyncState::Asked { proof: Proof::Second, .. }, _) => "asked again",
                (ResyncState::Asked { progress: Progress::Answered, .. }, _) => "answered",
                (ResyncState::Asked { .. }, _) if self.resync.attempt > 0 => "asked, last",
                (ResyncState::Asked { .. }, _) => "asked",
            }
        }

        fn feed(&mut self, bytes: &[u8]) {
            self.action = match self.resync.feed(self.now, bytes) {
                ResyncVerdict::Distrusted => "",
                ResyncVerdict::Ask => "ask",
                ResyncVerdict::Trusted(_) => "trust",
            };
        }

        fn expire(&mut self, span: Duration) {
            self.action = match self.resync.expire(self.now + span) {
                Action::None => "",
                Action::Ask => "ask",
                Action::Close(_) => "close",
                Action::GiveUp => "give up",
            };
        }
    }

    #[test]
    fn every_transition_is_as_the_table_says() {
        let table = "
            | input | waiting | silence, affected | silence | asked | answered | asked again | asked, last |
            | the send is settled | silence, affected | - | - | - | - | - | - |
            | a byte | - | - | - | - | - | - | - |
            | an empty line | - | - | - | - | - | - | - |
            | OK | - | - | - | silence | ask | silence | silence |
            | the first answer | - | - | - | ask | silence | silence | ask |
            | the second answer | - | - | - | silence | silence | trust | silence |
            | another line | - | - | - | silence | silence | silence | silence |
            | silence | - | close | ask | silence | silence | silence | give up |
            | no silence | - | close | - | silence | silence | silence | give up |
            | the question is written | asked | asked | asked | asked again | asked again | asked | asked again |";
        transition_table::check(
            table,
            Search::states,
            &[
                ("the send is settled", |it| it.resync.begin(it.now)),
                ("a byte", |it| it.feed(b"x")),
                ("an empty line", |it| it.feed(b"\r\n")),
                ("OK", |it| it.feed(b"\r\nOK\r\n")),
                ("the first answer", |it| it.feed(b"\r\n+CIPMUX: 1\r\n\r\nOK\r\n")),
                ("the second answer", |it| it.feed(b"\r\n+CIPQSEND: 1\r\n\r\nOK\r\n")),
                ("another line", |it| it.feed(b"\r\nRDY\r\n")),
                ("silence", |it| it.expire(SILENCE)),
                ("no silence", |it| {
                    it.resync.last_byte_at = it.now + LONGEST_WAIT;
                    it.expire(LONGEST_WAIT);
                }),
                ("the question is written", |it| it.resync.asked(it.now, Command::probe(0, &|_| false))),
            ],
            Search::name,
        );
    }

    fn asked(proof: usize) -> Resync {
        let mut resync = Resync::new(Timestamp::ZERO, Timestamp::ZERO, ChannelSet::default());
        for turn in 0..=proof {
            let now = Timestamp::ZERO + SILENCE;
            if turn == 0 {
                assert!(matches!(resync.expire(now), Action::Ask));
            } else {
                assert!(matches!(resync.feed(now, b"\r\n+CIPMUX: 1\r\n\r\nOK\r\n"), ResyncVerdict::Ask));
            }
            resync.asked(now, Command::probe(turn, &|_| false));
        }
        resync
    }

    #[test]
    fn each_further_question_is_given_a_second_more() {
        let mut resync = asked(0);
        for seconds in 1..u64::from(ATTEMPTS) {
            assert!(matches!(resync.expire(resync.deadline()), Action::None));
            let now = resync.deadline();
            assert!(matches!(resync.expire(now), Action::Ask));
            resync.asked(now, Command::probe(0, &|_| false));
            assert_eq!(resync.deadline() - now, Duration::from_secs(seconds + 1));
        }
    }

    #[test]
    fn trust_returns_after_two_answers_that_came_alone() {
        let mut resync = asked(1);
        let answer = b"\r\n+CIPQSEND: 1\r\n\r\nOK\r\n";
        let bytes = [&answer[..], b"\r\nRDY\r\n"].concat();
        assert!(
            matches!(resync.feed(Timestamp::ZERO, &bytes), ResyncVerdict::Trusted(at) if at == answer.len())
        );
        let mut resync = asked(1);
        for byte in &answer[..answer.len() - 1] {
            assert!(matches!(resync.feed(Timestamp::ZERO, &[*byte]), ResyncVerdict::Distrusted));
        }
        assert!(matches!(resync.feed(Timestamp::ZERO, b"\n"), ResyncVerdict::Trusted(1)));
    }

    #[test]
    fn an_answer_among_other_text_proves_nothing() {
        let whole = "\r\n+CIPMUX: 1\r\n\r\nOK\r\n";
        for text in [
            format!("payload\r\n{whole}"),
            format!("payload{whole}"),
            "\r\n+CIPMUX: 1\r\npayload\r\nOK\r\n".to_owned(),
            "\r\n+CIPQSEND: 1\r\n\r\nOK\r\n".to_owned(),
            format!("{whole}\r\n+CIPQSEND: 1\r\n\r\nOK\r\n"),
            "\r\nOK\r\n".to_owned(),
        ] {
            let mut resync = asked(0);
            assert!(
                matches!(resync.feed(Timestamp::ZERO, text.as_bytes()), ResyncVerdict::Distrusted),
                "{text:?}"
            );
            assert!(matches!(resync.state, ResyncState::Silence { .. }), "{text:?}");
        }
    }

    #[test]
    fn a_module_whose_answers_prove_nothing_is_given_up() {
        let mut resync = asked(0);
        let mut now = Timestamp::ZERO;
        for turn in 1..ODD_ANSWERS {
            resync.feed(now, b"\r\nOK\r\n");
            now += SILENCE;
            assert!(matches!(resync.expire(now), Action::Ask), "{turn}");
            resync.asked(now, Command::probe(0, &|_| false));
        }
        resync.feed(now, b"\r\nOK\r\n");
        assert!(matches!(resync.expire(now + SILENCE), Action::GiveUp));
    }

    #[test]
    fn nothing_is_asked_while_bytes_come_and_affected_channels_are_closed_first() {
        let mut resync = Resync::new(Timestamp::ZERO, Timestamp::ZERO, ChannelSet(HURT));
        assert_eq!(resync.deadline(), Timestamp::ZERO);
        assert!(matches!(resync.expire(Timestamp::ZERO), Action::Close(channel) if channel.index() == 0));
        let mut now = Timestamp::ZERO;
        for _ in 0..3 {
            now += SILENCE / 2;
            resync.feed(now, b"more");
            assert!(resync.deadline() > now);
        }
        let silent_at = now + SILENCE;
        assert_eq!(resync.deadline(), silent_at);
        assert!(matches!(resync.expire(silent_at), Action::Ask));
    }

    #[test]
    fn headers_are_seen_wherever_the_bytes_are_cut() {
        let bytes = [&[b'x'; 1000][..], b"\r\n+RECEIVE,3,4:\r\n", &[b'y'; 1000]].concat();
        for chunk in 1..200 {
            let mut resync = Resync::new(Timestamp::ZERO, Timestamp::ZERO, ChannelSet::default());
            bytes.chunks(chunk).for_each(|piece| {
                resync.feed(Timestamp::ZERO, piece);
            });
            assert_eq!(resync.take_seen().iter().map(ChannelId::index).collect::<Vec<_>>(), [3], "{chunk}");
            assert!(resync.line.capacity() <= 1024);
        }
    }

    #[test]
    fn a_module_that_answers_nothing_is_given_up() {
        let mut resync = Resync::new(Timestamp::ZERO, Timestamp::ZERO, ChannelSet::default());
        for turn in 0.. {
            let now = resync.deadline();
            match resync.expire(now) {
                Action::Ask => resync.asked(now, Command::probe(turn, &|_| false)),
                Action::None => {}
                Action::Close(channel) => panic!("{channel:?}"),
                Action::GiveUp => break,
            }
            assert!(turn < 20);
        }
        assert_eq!(resync.attempt, ATTEMPTS);
    }

    #[test]
    fn a_prompt_under_way_is_waited_for_as_long_as_is_said() {
        let until = Timestamp::from_secs(7);
        let mut resync = Resync::after_a_prompt(Timestamp::ZERO, until, ChannelSet::default());
        assert!(resync.is_waiting());
        assert_eq!(resync.deadline(), until);
        resync.begin(Timestamp::from_secs(1));
        assert!(!resync.is_waiting());
        assert_eq!(resync.deadline(), Timestamp::from_secs(1) + SILENCE);
    }

    #[test]
    fn a_module_that_never_stops_talking_is_given_up() {
        let mut resync = Resync::new(Timestamp::ZERO, Timestamp::ZERO, ChannelSet::default());
        let mut now = Timestamp::ZERO;
        let given_up = loop {
            now += SILENCE / 2;
            if now > Timestamp::ZERO + (ATTEMPTS + 1) * LONGEST_WAIT {
                break false;
            }
            resync.feed(now, b"words without end ");
            if resync.deadline() <= now && matches!(resync.expire(now), Action::GiveUp) {
                break true;
            }
        };
        assert!(given_up);
    }
}
