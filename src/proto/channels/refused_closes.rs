//! Closes that the module has refused.
//!
//! The module refuses the close of a channel without a connection (protocol section 10). It also refuses a command that
//! was damaged on its way, and then the connection is still there. The status of the channel decides.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

use crate::at::{ChannelId, Command, Refusal};
use crate::error::Error;
use crate::proto::outbox::Outbox;
use crate::time::Timestamp;

use super::Channels;
use super::channel::{CLOSE_PAUSE, Channel, Doubt};
use super::link::{Link, ModuleSide};

/// The number of refused closes of a channel in use after which the close has failed. A damaged command is refused
/// once.
const MOST_REFUSALS: u32 = 2;
/// The pause after further refusals doubles as often as this.
const MOST_DOUBLINGS: u32 = 5;

impl Channels {
    /// The module has refused a close.
    pub(super) fn close_refused(&mut self, now: Timestamp, id: ChannelId, refusal: Refusal) {
        let channel = self.channel(id);
        if channel.has_reported_end {
            // The refusal agrees with what the module has said before.
            self.channel_released(now, id);
            return;
        }
        channel.link.closed(ModuleSide::Unknown);
        channel.close_refusals = channel.close_refusals.saturating_add(1);
        channel.doubt = Some(Doubt::RefusedClose(refusal));
    }

    /// The module has no connection on the channel, as it has said.
    pub(super) fn channel_released(&mut self, now: Timestamp, id: ChannelId) {
        self.making_settled(now, id);
        let channel = self.channel(id);
        channel.link.closed(ModuleSide::Released);
        channel.forget_refused_close();
    }

    /// The state of a channel whose close was refused; `None` if the question failed.
    pub(super) fn refused_close_checked(
        &mut self,
        now: Timestamp,
        id: ChannelId,
        refusal: Refusal,
        state: Option<&str>,
        out: &mut Outbox,
    ) {
        let channel = self.channel(id);
        if !matches!(channel.link, Link::Used) {
            return;
        }
        match state {
            Some("INITIAL" | "CLOSED" | "CLOSING" | "REMOTE CLOSING") => {
                self.channel_released(now, id);
                self.settle(id, out);
            }
            // The close is written once more.
            Some(_) if channel.close_refusals < MOST_REFUSALS => {}
            Some(_) => {
                channel.close_at = now + channel.pause_after_refusals();
                let closers = channel.socket.as_mut().map(|socket| std::mem::take(&mut socket.closers));
                for closer in closers.into_iter().flatten() {
                    let command = Command::close(id).text().into();
                    out.answer(closer.ticket, Err(Error::Refused { command, code: refusal }));
                }
            }
            // As if the close had not been answered: it is repeated, and its requests wait.
            None => channel.close_at = now + channel.pause_after_refusals(),
        }
    }
}

impl Channel {
    /// True if the status of the channel decides what a refused close means.
    pub(super) fn has_refused_close(&self) -> bool {
        [self.doubt, self.asked].iter().any(|doubt| matches!(doubt, Some(Doubt::RefusedClose(_))))
    }

    /// The module may have a connection that no close was written for.
    pub(super) fn may_have_connection(&mut self) {
        self.forget_refused_close();
        self.has_reported_end = false;
        self.close_at = Timestamp::ZERO;
    }

    /// The module has reported a connection without a request. It is closed at once, and further ones at a
    /// bounded pace, because a module can report them without end.
    pub(super) fn has_unasked_connection(&mut self, now: Timestamp) {
        self.may_have_connection();
        self.close_at = now.max(self.unasked_close_at);
        self.unasked_close_at = self.close_at + CLOSE_PAUSE;
    }

    /// What becomes of the connection is known, or the refusals count no more.
    pub(super) fn forget_refused_close(&mut self) {
        if self.has_refused_close() {
            self.doubt = None;
            self.asked = None;
        }
        self.close_refusals = 0;
    }

    /// The application asks for the close again: it does not wait for the next repetition.
    pub(super) fn close_is_asked_again(&mut self) {
        if self.close_refusals >= MOST_REFUSALS && !self.has_refused_close() {
            self.close_refusals = 0;
            self.close_at = Timestamp::ZERO;
        }
    }

    fn pause_after_refusals(&self) -> std::time::Duration {
        let doublings = self.close_refusals.saturating_sub(MOST_REFUSALS).min(MOST_DOUBLINGS);
        CLOSE_PAUSE.saturating_mul(1 << doublings)
    }
}
