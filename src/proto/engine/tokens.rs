//! The way of bytes to tokens, and of tokens to the part of the engine that handles them.

use crate::at::{
    ChannelId, Expect, Fault, Header, HeaderKind, ImpossibleTokens, Token, Urc, is_piece_of_fetched,
};
use crate::proto::Event;
use crate::proto::channels::LateFetch;
use crate::proto::issuer::Job;
use crate::proto::session::{Step, begins_connection};
use crate::time::Timestamp;

use super::Engine;
use super::damage::AfterFetched;
use super::line_state::LastByte;
use super::port::Port;

impl Engine {
    /// Processes received bytes. Returns false if they were a piece of a line or of a payload and completed nothing.
    pub(super) fn received(&mut self, now: Timestamp, bytes: &[u8]) -> bool {
        if matches!(self.port, Port::Lost(..)) {
            return false;
        }
        self.out.count().read += bytes.len() as u64;
        self.history.goes_on(now - self.last_byte.at(), self.decoder.has_begun_line());
        self.last_byte = LastByte::At(now);
        let mut decoder = std::mem::take(&mut self.decoder);
        decoder.echo_is_off(self.bring_up.knows_echo_off());
        decoder.answers_may_be_late(self.session.awaits_late_answer(now));
        let mut is_whole = self.session.is_online();
        is_whole |= self.session.is_idle() && self.stream_bytes(now, bytes);
        let mut reopened = self.out.echo().reopen();
        let mut bytes = match reopened.is_empty() {
            true => bytes,
            false => {
                reopened.extend_from_slice(bytes);
                &reopened
            }
        };
        loop {
            let is_echoed = self.may_be_echoed();
            if let Some(first) = bytes.first() {
                let ends_prompt = is_echoed && self.history.blanks.has(*first);
                if !self.history.blanks.fits(*first, self.bring_up.knows_echo_off()) {
                    self.damaged(now, Fault::NoLineEnd, self.session.fetching());
                }
                bytes = &bytes[usize::from(ends_prompt)..];
            }
            if is_echoed && decoder.is_between_frames() {
                let count = self.out.echo().take(bytes);
                bytes = &bytes[count..];
                if count > 0 {
                    decoder.echo_came();
                }
                if self.out.echo().has_come() && !self.bring_up.knows_echo_stays() {
                    self.step(now, Step::Echoed);
                }
            }
            if self.session.is_distrusting() {
                is_whole = true;
                decoder.start_over();
                let count = self.distrusted(now, bytes);
                bytes = &bytes[count..];
                if self.session.is_distrusting() {
                    break;
                }
            }
            decoder.can_not_come(self.impossible_tokens(now));
            let Some(token) = decoder.next(&mut bytes, self.expect()) else { break };
            if token == Token::OddLineEnd {
                self.judge_line_end(now);
                continue;
            }
            is_whole |= !matches!(token, Token::Data { last: false, .. });
            let ends_data = matches!(token, Token::Data { last: true, .. });
            self.token(now, token);
            if ends_data && self.end_like_result(&decoder) {
                self.history.has_result = true;
            }
            self.judge_noticed(now, decoder.was_loose());
            self.history.begins();
        }
        self.history.pauses(now, decoder.has_begun_line());
        self.decoder = decoder;
        self.channels.prove_unless_suspect(now, &mut self.out);
        is_whole
    }

    /// True if the module echoes what was written, and neither a text of people nor unknown bytes are read.
    fn may_be_echoed(&self) -> bool {
        self.bring_up.may_be_echoed()
            && !self.session.is_online()
            && !self.session.is_distrusting()
            && !self.session.reads_text()
            && !self.bodies.is_open()
    }

    /// True if the unfinished line may be a prompt. The module may take the next bytes for payload.
    pub(super) fn may_be_prompted(&self) -> bool {
        self.decoder.partial_line() == b">"
    }

    /// The headers and prompts that can't come now.
    pub(super) fn impossible_tokens(&self, now: Timestamp) -> ImpossibleTokens {
        let may_be_text = self.session.reads_text() || self.bodies.is_doubtful(now);
        let awaits_prompt = self.expect() != Expect::Line || self.session.awaits_late_answer(now);
        let may_be_data = self.channels.is_pushed() && self.channels.may_receive();
        ImpossibleTokens {
            pushed: may_be_text && self.channels.fetches_all(),
            fetched: may_be_text && !self.session.may_fetch(now),
            prompt_without_blank: may_be_data
                && self.history.blanks.are_certain()
                && !may_be_text
                && !awaits_prompt,
            prompt_after_data: self.session.is_sent_without_prompt(),
        }
    }

    pub(super) fn token(&mut self, now: Timestamp, token: Token<'_>) {
        // The data before it lack bytes, and have taken the header of the next frame in their place.
        let is_payload = token == Token::Line(b">") && self.channels.holds_header_at_end();
        if !is_payload && !matches!(token, Token::Data { .. } | Token::Fault(Fault::NoLineEnd)) {
            self.channels.prove(now, &mut self.out);
        }
        if matches!(token, Token::Line(_) | Token::Header(_) | Token::Prompt) {
            self.history.line(now);
        }
        if self.history.holds_news() {
            match token {
                Token::Line(line) if self.is_strange(now, line) => {}
                // A header is judged when the line end before it is known.
                Token::Fault(_) | Token::Header(_) | Token::OddLineEnd => {}
                Token::Line(_) | Token::Prompt | Token::Data { .. } => self.believe_news(now),
            }
        }
        match token {
            Token::Line(_) if is_payload => self.damaged(now, Fault::NoLineEnd, None),
            Token::Line(line) if self.session.fetching().is_some() && is_piece_of_fetched(line) => {
                self.damaged(now, Fault::UnreadableHeader, self.session.fetching());
            }
            Token::Line(line) => match self.after_fetched(now, line) {
                AfterFetched::Sound => {
                    self.line(now, line);
                    self.judge_odd_ok(now);
                    self.history.line_taken(begins_connection(line));
                }
                AfterFetched::LateFinal => self.late_final(),
                AfterFetched::Damage => self.damaged(now, Fault::BeforeResult, self.session.fetching()),
            },
            Token::Prompt => {
                if self.session.awaits_prompt_of_send() {
                    self.history.blanks.prompt();
                }
                let step = self.session.prompt(now, &mut self.out);
                self.step(now, step);
            }
            Token::Header(header) => self.header(now, &header),
            Token::Data { bytes, .. } if self.session.is_online() => self.stream_received(now, bytes),
            Token::Data { bytes, last } => {
                self.history.data(now);
                self.channels.piece(bytes, last, &mut self.out);
            }
            // The `OK` may be that of an earlier command. Then the one of the fetch follows.
            Token::Fault(Fault::BeforeResult) if self.session.awaits_late_answer(now) => self.late_final(),
            Token::OddLineEnd => {}
            Token::Fault(fault) => self.fault(now, fault),
        }
    }

    /// An `OK` after fetched data is not accepted as their result. It stays unknown whether it was a late answer.
    fn late_final(&mut self) {
        self.out.event(Event::Dropped("OK".into()));
    }

    fn header(&mut self, now: Timestamp, header: &Header) {
        // The single connection of a stream has no headers: these bytes are data of the peer.
        self.stream_fault(now);
        let (mut late, mut is_asked) = (LateFetch::Impossible, false);
        if let HeaderKind::Fetched { channel, .. } = header.kind {
            is_asked = self.session.is_in_flight(channel, Job::Fetch);
            if self.session.may_still_fetch(now, channel) {
                late = LateFetch::Possible;
            } else if !is_asked && self.session.fetching() != Some(channel) {
                return self.damaged(now, Fault::NotAskedFor, Some(channel));
            }
        }
        self.session.header(&header.kind);
        if let Some(fault) = self.channels.begin_frame(now, header, late, is_asked, &mut self.out) {
            let named = match (fault, &header.kind) {
                (Fault::NotAskedFor, HeaderKind::Pushed { channel, .. }) => Some(*channel),
                (Fault::NotAskedFor, _) => self.session.fetching(),
                _ => None::<ChannelId>,
            };
            return self.damaged(now, fault, named);
        }
        if is_asked && late == LateFetch::Impossible && self.session.is_busy() {
            self.channels.fetch_settled();
        }
        if let HeaderKind::Pushed { channel, .. } = header.kind {
            self.notice_header();
            self.out.event(Event::Urc(Urc::Received { channel, len: header.len }));
        }
    }
}
