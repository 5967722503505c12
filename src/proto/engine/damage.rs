//! Damage on the serial line: its signs, the sockets that may be affected, and the recovery.
//!
//! Payload and text share one line that has no checksum. A lost or changed byte can turn payload into text, or text
//! into payload. Most damage is detected, because the result is something that an undamaged module does not write. Then
//! every socket that may lack bytes ends with [`CloseReason::Damaged`]. All further bytes are dropped until the module
//! has answered questions ([`Resync`](crate::proto::session::Resync)).

use crate::at::{ChannelId, ChannelNews, Decoder, Fault, Final, Line, Urc, is_torn_news};
use crate::error::CloseReason;
use crate::proto::Event;
use crate::proto::session::{ChannelSet, ProbeEcho, begins_connection, begins_result, may_lack_end};
use crate::time::Timestamp;

use super::Engine;
use super::line_state::{AMONG_DATA, PARTIAL_LINE, Text, Unknown};
use crate::proto::self_check::SelfCheck;

/// The longest unsolicited line that is accepted as text of the module, unless it is followed by text of people. A
/// sentence of NMEA 0183 has 82 bytes; the longest line in the captures has 110.
const LONGEST_WORDS: usize = 128;

/// A line after fetched data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum AfterFetched {
    /// A line that is valid there.
    Sound,
    /// The final result code of a late answer; another line of that answer came before.
    LateFinal,
    /// A line that no module writes there.
    Damage,
}

impl Engine {
    /// The decoder found something that no module writes.
    pub(super) fn fault(&mut self, now: Timestamp, fault: Fault) {
        let named = match fault {
            // A command of the application may have a long line as its answer.
            Fault::LineTooLong if self.session.is_asked_by_caller() || !self.may_be_data() => {
                self.session.line_too_long();
                self.stream_fault(now);
                self.out.event(Event::Fault(fault));
                return;
            }
            Fault::ImpossibleLength { channel, .. } => channel,
            Fault::CutShortBefore { channel } => Some(channel),
            _ => self.session.fetching(),
        };
        self.damaged(now, fault, named);
    }

    /// The line was damaged. The damage may affect the channel `named` and the channels whose data are involved. If
    /// `named` is `None`, it may affect every channel that was receiving.
    pub(super) fn damaged(&mut self, now: Timestamp, fault: Fault, named: Option<ChannelId>) {
        // Changes caused by earlier bytes are reported first. Otherwise the order would depend on the sizes of reads.
        self.announce();
        self.stream_fault(now);
        self.out.event(Event::Fault(fault));
        if self.history.holds_news() {
            self.out.event(Event::Dropped(String::from_utf8_lossy(&self.history.held).into_owned()));
        }
        self.history.forget();
        let mut affected: ChannelSet = named.into_iter().collect();
        affected = affected.with(self.channels.disprove(&mut self.out));
        if let Some((channel, _, contained)) = self.channels.cut_short(&mut self.out) {
            affected.insert(channel);
            affected = affected.with(contained);
        }
        // The missing part may be longer than the data. It may have contained a whole frame of any channel.
        let affected = match named {
            Some(_) => self.channels.affected_by_name(now, affected),
            None => self.channels.affected_by_loss(now, affected),
        };
        if named.is_none() {
            self.channels.lost_while_connecting(now);
        }
        self.distrust(now, affected);
    }

    /// Announced data did not arrive.
    pub(super) fn cut_short(&mut self, now: Timestamp) {
        let missing = self.decoder.data_left();
        self.decoder.abandon_data();
        let Some((channel, lost, contained)) = self.channels.cut_short(&mut self.out) else { return };
        self.out.event(Event::Fault(Fault::CutShort { missing }));
        self.channels.end_stream_of_bytes(channel, CloseReason::Truncated { lost }, &mut self.out);
        let mut affected = contained;
        affected.insert(channel);
        self.channels.lost_while_connecting(now);
        self.distrust(now, self.channels.affected_by_loss(now, affected));
    }

    /// Ends these sockets. If payload may stand where text is expected, all bytes are dropped from now on.
    fn distrust(&mut self, now: Timestamp, affected: ChannelSet) {
        for channel in affected.iter() {
            self.channels.end_stream_of_bytes(channel, CloseReason::Damaged, &mut self.out);
        }
        if !self.channels.may_receive() {
            return;
        }
        // A UDP socket stays open: it lacks one datagram.
        let closed = self.channels.released(affected);
        if let Some(finished) = self.session.distrust(now, self.last_byte.at(), closed, &mut self.out) {
            self.finished(now, finished);
        }
    }

    /// Consumes bytes while nothing is trusted. Returns the number of consumed bytes.
    pub(super) fn distrusted(&mut self, now: Timestamp, bytes: &[u8]) -> usize {
        let (count, step, seen) = self.session.distrusted(now, bytes, &mut self.out);
        if self.channels.is_pushed() {
            for channel in seen.iter() {
                self.channels.came_early(now, channel);
            }
            let open = self.channels.open();
            let lost: ChannelSet = seen.iter().filter(|channel| open.contains(*channel)).collect();
            if lost != ChannelSet::default() {
                self.distrust(now, lost);
            }
        }
        self.step(now, step);
        count
    }

    /// The line is trusted again. The module is asked about the state that the dropped bytes may have reported.
    pub(super) fn trusted(&mut self, now: Timestamp, dropped: u64, echo: ProbeEcho) {
        self.out.event(Event::Dropped(format!("{dropped} bytes after damage on the line")));
        if echo == ProbeEcho::Seen && self.bring_up.knows_echo_off() {
            return self.restarted(now);
        }
        if self.bring_up.is_waiting_for_module() {
            // The answered question was part of the search for the module.
            return self.bring_up.begin(now);
        }
        self.channels.doubt_all();
        self.requests.check(SelfCheck::Bearer);
    }

    /// A line that answers no command. Between data, and after words that may be the end of data, it may be payload.
    /// Then the following bytes decide.
    pub(super) fn news(&mut self, now: Timestamp, line: &[u8]) {
        if self.is_strange(now, line) {
            self.strange(now, line);
        } else if is_overlong(line) && self.may_be_data() && !self.session.explains(now, line) {
            self.history.text = Text::Overlong;
            self.unclaimed(now, line);
        } else if (self.is_among_data(now) || self.history.unknown == Unknown::Followed)
            && self.may_be_data()
            && !begins_connection(line)
        {
            self.believe_news(now);
            self.history.held.extend_from_slice(line);
        } else if self.channels.is_pushed()
            && ends_connection(line)
            && !self.history.lacks_end
            && !self.bodies.is_doubtful(now)
        {
            // It is not known yet whether a line end stands before it.
            self.history.text = Text::End;
            self.history.held.extend_from_slice(line);
        } else {
            self.unclaimed(now, line);
        }
    }

    /// An unknown line without a name.
    pub(super) fn strange(&mut self, now: Timestamp, line: &[u8]) {
        self.history.text = strange_text(line);
        self.unclaimed(now, line);
    }

    /// The bytes after the held lines are valid, so the held lines are processed.
    pub(super) fn believe_news(&mut self, now: Timestamp) {
        if self.history.holds_news() {
            let mut line = std::mem::take(&mut self.history.held);
            self.unclaimed(now, &line);
            line.clear();
            self.history.held = line;
        }
    }

    /// True if a line is unknown and does not begin with a name, as an unsolicited line of newer firmware would.
    pub(super) fn is_strange(&self, now: Timestamp, line: &[u8]) -> bool {
        has_no_name(line) && !self.session.explains(now, line)
    }

    fn is_among_data(&self, now: Timestamp) -> bool {
        let begun_at = self.history.begun_at.unwrap_or(now);
        self.history.data_at.is_some_and(|at| begun_at < at + AMONG_DATA)
    }

    /// True if a line without a name began before the command in flight was written, so that it can't be its answer.
    pub(super) fn began_before_the_command(&self, now: Timestamp, line: &[u8]) -> bool {
        // A late answer in two pieces is possible as well, but its lines are shorter than that.
        let is_strange =
            self.is_strange(now, line) || (has_no_name(line) && strange_text(line) == Text::Overlong);
        self.history.precedes_command && self.may_be_data() && !self.session.reads_text() && is_strange
    }

    /// Drops a final result code that belongs to no command in flight. Returns true if the line was one.
    pub(super) fn drops_old_result(&mut self, now: Timestamp, line: &[u8]) -> bool {
        if self.session.reads_text() {
            return false;
        }
        let result = Line::parse(line);
        // The second final result code of an `AT+CIPSTART`. A command in flight has waited for it.
        let is_second = result == Line::Final(Final::NoResponse) && !self.answers_while_connecting;
        if is_second && self.channels.gave_up_first(now, &mut self.out) {
            self.out.event(Event::Dropped(String::from_utf8_lossy(line).into_owned()));
            return true;
        }
        // A result code that began before the command in flight was written belongs to another command, or came twice.
        let is_older = self.history.precedes_command && self.session.is_busy();
        let is_old = is_older && matches!(result, Line::Final(_) | Line::ShutOk);
        if is_old {
            let _ = self.session.stray(now, line, &mut self.out);
        }
        is_old
    }

    /// True if a line is the first one since a command was written. Such a line has a line end of its own before it: it
    /// is the answer, or an unsolicited line. Rows and lines of late answers have none.
    pub(super) fn begins_answer(&self, now: Timestamp, line: &[u8]) -> bool {
        let is_row = matches!(Line::parse(line), Line::Row(_));
        let may_be = self.history.is_first && !self.history.lacks_end && !self.session.reads_text();
        may_be && !is_row && !self.session.explains(now, line)
    }

    /// A header came. It shows whether the line before it was valid.
    pub(super) fn notice_header(&mut self) {
        self.history.text = Text::Header;
    }

    /// Judges the last line, once the line end before it is known.
    pub(super) fn judge_noticed(&mut self, now: Timestamp, is_loose: bool) {
        let is_loose = is_loose && !self.history.follows_echo;
        self.history.line_judged(is_loose);
        let text = std::mem::replace(&mut self.history.text, Text::Sound);
        if self.history.unknown == Unknown::Followed {
            self.history.unknown = Unknown::None;
            // The unknown words had no line end of their own, because the one after them belongs to this line. So the
            // words were the end of data. An echo has no line end before it, so the rule needs a module whose echo is
            // off.
            if is_loose && self.may_be_data() && self.bring_up.knows_echo_off() {
                return self.damaged(now, Fault::Garbage, self.session.fetching());
            }
        }
        match text {
            Text::Sound => return,
            Text::End if !is_loose || !self.may_be_data() || !self.bring_up.knows_echo_off() => {
                return self.believe_news(now);
            }
            Text::First if !is_loose || !self.bring_up.knows_echo_off() => return,
            Text::Header if !self.history.holds_news() && (!is_loose || self.history.lacks_end) => return,
            Text::Header if is_loose => return self.damaged(now, Fault::NoLineEnd, None),
            Text::Header => return self.believe_news(now),
            // The continuation of a text of people has no line end of its own before it. Payload in between ends the
            // text.
            Text::Strange | Text::Words | Text::Overlong | Text::Torn
                if self.history.data_at.is_none() && self.bodies.is_doubtful(now) =>
            {
                return;
            }
            Text::Words if !is_loose => {
                self.history.unknown = Unknown::Last(now);
                return;
            }
            Text::End | Text::First | Text::Strange | Text::Words | Text::Overlong | Text::Torn => {}
        }
        // No unsolicited line has that length or that torn form. Bytes of payload are in it or after it.
        let is_odd_here = matches!(text, Text::Overlong | Text::Torn)
            || is_loose
            || self.is_among_data(now)
            || self.session.fetching().is_some();
        // The refusal may be part of the damage; then data stand after it.
        if (self.may_be_data() || self.channels.has_refused_fetch(now)) && is_odd_here {
            self.damaged(now, Fault::Garbage, self.session.fetching());
        }
    }

    /// Judges a line end other than CR LF. Firmware with such line ends writes them before there are connections, too.
    pub(super) fn judge_line_end(&mut self, now: Timestamp) {
        if !self.channels.is_pushed() || !self.bring_up.knows_echo_off() {
            return;
        }
        if !self.channels.may_receive() {
            self.history.writes_odd_line_ends = true;
            return;
        }
        let is_text = self.bodies.is_open() || self.bodies.is_doubtful(now);
        // A line that began or ended before the command is no part of its answer.
        let is_answer = (self.session.is_asked_for_any_lines() || self.session.reads_text())
            && !self.history.precedes_command
            && !self.history.end_precedes_command;
        // In a late answer with text of people, as in one in time, lines may end in any way.
        let is_free = self.session.is_online() || is_answer || is_text || self.session.awaits_late_text(now);
        if !self.history.writes_odd_line_ends && !is_free {
            self.damaged(now, Fault::Garbage, None);
        }
    }

    /// True if the missing prompt stands at the end of the last data. Those data then lack a byte.
    pub(super) fn ends_with_prompt(&self) -> bool {
        self.channels.is_pushed() && self.may_be_data() && self.decoder.ends_like_prompt()
    }

    /// True if the data that came last end like the result of the command in flight.
    pub(super) fn end_like_result(&self, decoder: &Decoder) -> bool {
        if self.session.fetching().is_some() {
            return decoder.ends_like_answer();
        }
        decoder.last_line_of_data().is_some_and(|line| self.session.would_end_send(line))
    }

    /// True if the missing result of a command came in part, or stands at the end of data that came since. Those data
    /// then lack bytes.
    pub(super) fn ends_with_result(&self) -> bool {
        self.history.has_result && self.channels.is_pushed() && self.may_be_data()
    }

    /// A line of an answer came. `is_named` is true if every line of the answer must have its name. Such an answer
    /// contains text only.
    pub(super) fn answer_line(&mut self, begins: bool, is_named: bool, line: &[u8]) {
        let is_nameless = is_named && matches!(Line::parse(line), Line::Text(text) if text != b">");
        self.history.answer_line(begins, is_nameless);
        self.history.has_result |= begins_result(line) && !self.session.reads_text();
        if is_nameless && !is_readable(line) {
            self.history.text = Text::Torn;
        }
    }

    /// Judges the result of an answer. Returns true if the answer has lines of a damaged frame in it.
    pub(super) fn ends_mixed_answer(&mut self, now: Timestamp, line: &[u8]) -> bool {
        let is_mixed = self.has_nameless_answer() && matches!(Line::parse(line), Line::Final(_));
        if is_mixed {
            self.damaged(now, Fault::Garbage, None);
        }
        is_mixed
    }

    /// True if the answer has a line with neither name nor line end, which may be data without a header.
    pub(super) fn has_nameless_answer(&self) -> bool {
        self.history.nameless.is_unended && self.channels.is_pushed() && self.may_be_data()
    }

    /// True if there is an unfinished line that a module ends. Its end may be lost with the data after it.
    pub(super) fn ends_torn(&self) -> bool {
        let partial = self.decoder.partial_line();
        !partial.is_empty() && !may_lack_end(partial) && self.channels.is_pushed() && self.may_be_data()
    }

    /// True if no module begins a line like the unfinished one, or leaves such a line unfinished.
    pub(super) fn has_strange_start(&self) -> bool {
        // A fetch has its own time-out.
        let has_begun = !self.decoder.partial_line().is_empty()
            || ((self.decoder.awaits_line_feed() || self.history.awaits_end)
                && !self.history.writes_odd_line_ends);
        let may_be_answer = self.session.is_asked_for_any_lines()
            && !self.history.precedes_command
            && !self.history.end_precedes_command;
        // The first data of a connection that is being made may be lost, too.
        let may_be_data = self.may_be_data() || self.channels.pending().next().is_some();
        let is_torn = begins_result(self.decoder.partial_line()) && !self.session.reads_text();
        has_begun && self.channels.is_pushed() && may_be_data && (is_torn || !may_be_answer)
    }

    /// Judges a line after fetched data, where their `OK` is expected. A late answer with its own final result code
    /// may stand there.
    pub(super) fn after_fetched(&mut self, now: Timestamp, line: &[u8]) -> AfterFetched {
        if !self.channels.awaits_confirmation() {
            return AfterFetched::Sound;
        }
        let parsed = Line::parse(line);
        if parsed == Line::Final(Final::Ok) {
            // A module writes an answer in one piece. After a pause the `OK` is that of another command, and that of
            // the fetch stands at the end of data that lack bytes.
            let is_late = self.history.data_at.is_some_and(|at| now >= at + PARTIAL_LINE);
            if is_late && self.history.has_result && self.session.awaits_late_answer(now) {
                return AfterFetched::Damage;
            }
            return if self.channels.fetch_confirmed() {
                AfterFetched::Sound
            } else {
                AfterFetched::LateFinal
            };
        }
        if !self.session.explains(now, line) {
            return AfterFetched::Damage;
        }
        if self.session.awaits_final_after(&parsed) {
            self.channels.fetch_interrupted();
        }
        AfterFetched::Sound
    }

    /// True if bytes that are no text of the module may be payload.
    fn may_be_data(&self) -> bool {
        if self.channels.is_pushed() {
            self.channels.may_receive()
        } else {
            self.session.fetching().is_some()
        }
    }
}

/// True if a line is unknown and does not begin with a name.
fn has_no_name(line: &[u8]) -> bool {
    matches!(Line::parse(line), Line::Text(text) if text != b">") && !Urc::parse(line).is_known()
}

/// True if a line is longer than any unsolicited line.
fn is_overlong(line: &[u8]) -> bool {
    line.len() > LONGEST_WORDS && !matches!(Urc::parse(line), Urc::Message { .. })
}

/// The class of an unknown line without a name. Text of a module is short and has no control characters.
fn strange_text(line: &[u8]) -> Text {
    match std::str::from_utf8(line) {
        _ if line.len() > LONGEST_WORDS => Text::Overlong,
        _ if is_torn_news(line) => Text::Torn,
        Ok(text) if !text.chars().any(char::is_control) => Text::Words,
        Ok(_) | Err(_) => Text::Strange,
    }
}

/// True if a line has characters only.
fn is_readable(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok_and(|text| !text.chars().any(|c| c.is_control() && c != '\t'))
}

/// True if a line reports the end of a connection.
fn ends_connection(line: &[u8]) -> bool {
    matches!(Line::parse(line), Line::Channel { channel: Some(_), news: ChannelNews::Closed })
}
