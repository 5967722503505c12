//! Damage on the line between module and host: what shows it, which sockets it may have hurt, and what follows.
//!
//! Payload and text share one line, and nothing protects either. So a lost or changed byte can make text of payload, or
//! payload of text. Much of that shows, because an undamaged module could not have written it: then every socket that may
//! lack bytes ends with [`CloseReason::Damaged`], and nothing is believed until the module has answered questions again
//! ([`Resync`](crate::proto::session::Resync)).

use crate::at::{ChannelId, ChannelNews, Fault, Final, Line, Urc, is_torn_news};
use crate::error::CloseReason;
use crate::proto::Event;
use crate::proto::session::{ChannelSet, ProbeEcho};
use crate::time::Timestamp;

use super::Engine;
use super::line_state::{AMONG_DATA, Text, Unknown};
use crate::proto::self_check::SelfCheck;

/// The longest line that comes unasked and is taken for words of the module's, if it brings no text of people. A sentence of NMEA 0183
/// has 82 bytes, the longest line in the captures 110.
const LONGEST_WORDS: usize = 128;

/// A line behind fetched data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum BehindFetched {
    /// It may stand there.
    Sound,
    /// The final of a late answer, of which a line came before.
    LateFinal,
    /// No module writes it there.
    Damage,
}

impl Engine {
    /// The decoder has met something that no module writes.
    pub(super) fn fault(&mut self, now: Timestamp, fault: Fault) {
        let named = match fault {
            // The application may have asked for a long line.
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

    /// The line was damaged. That may have hurt `channel` and the channels whose data are involved; without `channel`, every
    /// channel that was receiving.
    pub(super) fn damaged(&mut self, now: Timestamp, fault: Fault, named: Option<ChannelId>) {
        self.stream_fault(now);
        self.out.event(Event::Fault(fault));
        if self.history.holds_news() {
            self.out.event(Event::Dropped(String::from_utf8_lossy(&self.history.held).into_owned()));
        }
        self.history.forget();
        let mut hurt: ChannelSet = named.into_iter().collect();
        hurt = hurt.with(self.channels.disprove(&mut self.out));
        if let Some((channel, _, swallowed)) = self.channels.cut_short(&mut self.out) {
            hurt.insert(channel);
            hurt = hurt.with(swallowed);
        }
        // The missing part may be longer than the data, and may have contained a whole frame of any channel.
        let hurt = match named {
            Some(_) => self.channels.hurt_by_name(now, hurt),
            None => self.channels.hurt_by_loss(now, hurt),
        };
        if named.is_none() {
            self.channels.lost_while_connecting(now);
        }
        self.distrust(now, hurt);
    }

    /// Announced data do not come.
    pub(super) fn cut_short(&mut self, now: Timestamp) {
        let missing = self.decoder.data_left();
        self.decoder.abandon_data();
        let Some((channel, lost, swallowed)) = self.channels.cut_short(&mut self.out) else { return };
        self.out.event(Event::Fault(Fault::CutShort { missing }));
        self.channels.end_stream_of_bytes(channel, CloseReason::Truncated { lost }, &mut self.out);
        let mut hurt = swallowed;
        hurt.insert(channel);
        self.channels.lost_while_connecting(now);
        self.distrust(now, self.channels.hurt_by_loss(now, hurt));
    }

    /// Ends these sockets, and believes nothing more, if there may be payload where text is expected.
    fn distrust(&mut self, now: Timestamp, hurt: ChannelSet) {
        for channel in hurt.iter() {
            self.channels.end_stream_of_bytes(channel, CloseReason::Damaged, &mut self.out);
        }
        if !self.channels.may_receive() {
            return;
        }
        // A socket of datagrams is not closed: it lacks one datagram.
        let closed = self.channels.released(hurt);
        if let Some(finished) = self.session.distrust(now, self.heard.at(), closed, &mut self.out) {
            self.finished(now, finished);
        }
    }

    /// Takes bytes that are not believed, and returns their number.
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

    /// The line is believed again. The module is asked for the news that may have been dropped.
    pub(super) fn trusted(&mut self, now: Timestamp, dropped: u64, echo: ProbeEcho) {
        self.out.event(Event::Dropped(format!("{dropped} bytes behind damage on the line")));
        if echo == ProbeEcho::Seen && self.bring_up.knows_echo_off() {
            return self.restarted(now);
        }
        if self.bring_up.is_waiting_for_module() {
            // The answered question was the one that searches for the module.
            return self.bring_up.begin(now);
        }
        self.channels.doubt_all();
        self.requests.check(SelfCheck::Bearer);
    }

    /// A line that answers nothing. Among data, and behind words that may be their end, it may be payload in a place where text is
    /// expected. Then the next bytes decide.
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
            // How it began is not known yet.
            self.history.text = Text::End;
            self.history.held.extend_from_slice(line);
        } else {
            self.unclaimed(now, line);
        }
    }

    /// A line that is not known, and has no name.
    pub(super) fn strange(&mut self, now: Timestamp, line: &[u8]) {
        self.history.text = strange_text(line);
        self.unclaimed(now, line);
    }

    /// The bytes behind the news are sound, so the news are believed.
    pub(super) fn believe_news(&mut self, now: Timestamp) {
        if self.history.holds_news() {
            let mut line = std::mem::take(&mut self.history.held);
            self.unclaimed(now, &line);
            line.clear();
            self.history.held = line;
        }
    }

    /// Whether a line is not known, and has no name in front as a new kind of news would.
    pub(super) fn is_strange(&self, now: Timestamp, line: &[u8]) -> bool {
        has_no_name(line) && !self.session.explains(now, line)
    }

    fn is_among_data(&self, now: Timestamp) -> bool {
        let begun_at = self.history.begun_at.unwrap_or(now);
        self.history.data_at.is_some_and(|at| begun_at < at + AMONG_DATA)
    }

    /// Whether a line without a name is no answer to the command in flight, because it began before that was written.
    pub(super) fn began_before_the_command(&self, now: Timestamp, line: &[u8]) -> bool {
        // A late answer in two pieces may be there as well, but no line of one is as long as that.
        let is_strange =
            self.is_strange(now, line) || (has_no_name(line) && strange_text(line) == Text::Overlong);
        self.history.precedes_command && self.may_be_data() && !self.session.reads_text() && is_strange
    }

    /// Drops a result that answers nothing that is in flight; whether it was one.
    pub(super) fn drops_old_result(&mut self, now: Timestamp, line: &[u8]) -> bool {
        if self.session.reads_text() {
            return false;
        }
        let result = Line::parse(line);
        // The second final of an `AT+CIPSTART`, for which the command in flight, if any, has waited.
        let is_second = result == Line::Final(Final::NoResponse) && !self.answers_while_connecting;
        if is_second && self.channels.gave_up_first(now, &mut self.out) {
            self.out.event(Event::Dropped(String::from_utf8_lossy(line).into_owned()));
            return true;
        }
        // One that began before the command in flight was written is another command's, or one that comes twice.
        let is_older = self.history.precedes_command && self.session.is_busy();
        let is_old = is_older && matches!(result, Line::Final(_) | Line::ShutOk);
        if is_old {
            let _ = self.session.stray(now, line, &mut self.out);
        }
        is_old
    }

    /// Whether a line is the first one since a command was written, so that it begins with a line end of its own: the answer, or
    /// news. Rows, and lines of late answers, have none.
    pub(super) fn begins_answer(&self, now: Timestamp, line: &[u8]) -> bool {
        let is_row = matches!(Line::parse(line), Line::Row(_));
        let may_be = self.history.is_first && !self.history.lacks_end && !self.session.reads_text();
        may_be && !is_row && !self.session.explains(now, line)
    }

    /// A header has come, which shows something of the news before it.
    pub(super) fn notice_header(&mut self) {
        self.history.text = Text::Header;
    }

    /// Judges the line of the last token, when it is known how it began.
    pub(super) fn judge_noticed(&mut self, now: Timestamp, is_loose: bool) {
        let text = std::mem::replace(&mut self.history.text, Text::Sound);
        if self.history.unknown == Unknown::Followed {
            self.history.unknown = Unknown::None;
            // The words had no line end of their own: the one behind them began this line. So they were the end of data. An echo begins
            // without a line end.
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
            // More of a text of people has no line end of its own in front. Payload since then has ended the text.
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
        // No line that comes unasked has that length, or half of that form, wherever it stands: bytes of payload are in it, or behind it.
        let is_odd_here = matches!(text, Text::Overlong | Text::Torn)
            || is_loose
            || self.is_among_data(now)
            || self.session.fetching().is_some();
        // A refusal may have been part of the damage: then data stand behind it.
        if (self.may_be_data() || self.channels.has_refused_fetch(now)) && is_odd_here {
            self.damaged(now, Fault::Garbage, self.session.fetching());
        }
    }

    /// Judges a line end that is another than CR LF. A firmware that writes such ones shows it before there are connections.
    pub(super) fn judge_line_end(&mut self, now: Timestamp) {
        if !self.channels.is_pushed() || !self.bring_up.knows_echo_off() {
            return;
        }
        if !self.channels.may_receive() {
            self.history.writes_odd_line_ends = true;
            return;
        }
        let is_text = self.bodies.is_open() || self.bodies.is_doubtful(now);
        // What began before the command is no part of its answer.
        let is_answer = (self.session.is_asked_by_caller() || self.session.reads_text())
            && !self.history.precedes_command;
        let is_free = self.session.is_online() || is_answer || is_text;
        if !self.history.writes_odd_line_ends && !is_free {
            self.damaged(now, Fault::Garbage, None);
        }
    }

    /// Whether the prompt that has not come stands at the end of the last data, which are not as long as announced then.
    pub(super) fn has_swallowed_prompt(&self) -> bool {
        self.channels.is_pushed() && self.may_be_data() && self.decoder.ends_like_prompt()
    }

    /// Whether the result of a send that has not come stands at the end of data that have come since: these are not as long as
    /// announced.
    pub(super) fn has_swallowed_result(&self) -> bool {
        self.history.has_result && self.channels.is_pushed() && self.may_be_data()
    }

    /// Whether the line under way is none that a module begins, or none that it leaves without an end.
    pub(super) fn has_strange_start(&self) -> bool {
        // A fetch has a time-out of its own.
        let has_begun = !self.decoder.partial_line().is_empty()
            || ((self.decoder.awaits_line_feed() || self.history.owes_end)
                && !self.history.writes_odd_line_ends);
        has_begun && self.channels.is_pushed() && self.may_be_data() && !self.session.is_asked_by_caller()
    }

    /// Judges a line that stands behind fetched data, where their `OK` has to be next. A late answer may stand there, with a
    /// final of its own.
    pub(super) fn behind_fetched(&mut self, now: Timestamp, line: &[u8]) -> BehindFetched {
        if !self.channels.awaits_confirmation() {
            return BehindFetched::Sound;
        }
        let parsed = Line::parse(line);
        if parsed == Line::Final(Final::Ok) {
            return if self.channels.fetch_confirmed() {
                BehindFetched::Sound
            } else {
                BehindFetched::LateFinal
            };
        }
        if !self.session.explains(now, line) {
            return BehindFetched::Damage;
        }
        if self.session.owes_final_behind(&parsed) {
            self.channels.fetch_interrupted();
        }
        BehindFetched::Sound
    }

    /// Whether bytes that are no text of the module may be payload.
    fn may_be_data(&self) -> bool {
        if self.channels.is_pushed() {
            self.channels.may_receive()
        } else {
            self.session.fetching().is_some()
        }
    }
}

/// Whether a line is not known, and has no name in front.
fn has_no_name(line: &[u8]) -> bool {
    matches!(Line::parse(line), Line::Text(text) if text != b">") && !Urc::parse(line).is_known()
}

/// Whether a line is longer than what a module says unasked.
fn is_overlong(line: &[u8]) -> bool {
    line.len() > LONGEST_WORDS && !matches!(Urc::parse(line), Urc::Message { .. })
}

/// The class of an unknown line without a name. Words of a module are short, and without control characters.
fn strange_text(line: &[u8]) -> Text {
    match std::str::from_utf8(line) {
        _ if line.len() > LONGEST_WORDS => Text::Overlong,
        _ if is_torn_news(line) => Text::Torn,
        Ok(text) if !text.chars().any(char::is_control) => Text::Words,
        Ok(_) | Err(_) => Text::Strange,
    }
}

/// Whether a line says that a connection has ended.
fn ends_connection(line: &[u8]) -> bool {
    matches!(Line::parse(line), Line::Channel { channel: Some(_), news: ChannelNews::Closed })
}

/// Old firmware writes no line end behind these news, so that the next frame lacks its own.
pub(super) fn begins_connection(line: &[u8]) -> bool {
    matches!(Line::parse(line), Line::Channel { news: ChannelNews::ConnectOk, .. })
}
