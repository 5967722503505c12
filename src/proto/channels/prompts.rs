//! The prompt of sends: its state on the module, and the state that the next send needs.

use std::time::Duration;

use crate::at::{Command, SendPrompt, commandless_len, harmless_len};
use crate::proto::interface::Event;
use crate::proto::session::Failure;
use crate::time::Timestamp;

/// The prompts of sends: whether the module prints them, and whether the next send needs one.
///
/// Without a prompt the payload is written with its command. A module that refuses the send reads the payload as
/// commands, so only a stream can be sent like this: its pieces are divided so that they contain no command, and the
/// count of `AT+CIPACK` shows whether a piece was accepted.
#[derive(Debug)]
pub(super) struct Prompts {
    state: PromptState,
    /// Whether sends may go without a prompt.
    may_be_off: bool,
    /// Whether the result of a send has its length. `SEND OK` has none, so one that comes twice would confirm a piece
    /// that was written without a prompt.
    is_counted: bool,
    /// Sends wait for the prompt until this moment, so that sockets of both kinds don't switch it for each send.
    needed_until: Timestamp,
}

/// The state of the prompt on the module. The transitions are in the table of the tests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum PromptState {
    Unknown,
    /// The command that switches it on is in flight.
    SwitchingOn,
    /// The command that switches it off is in flight.
    SwitchingOff,
    On,
    Off,
}

/// The form of the data of a send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    Stream,
    /// A stream under TLS. The module does not count its bytes.
    SecureStream,
    Datagram,
}

/// How long the prompt stays on after a send that needs it.
const KEEP_ON: Duration = Duration::from_secs(10);

/// If more bytes than this follow a piece, one more piece costs little in comparison.
const MANY: usize = 20 * Command::MAX_CHUNK;

impl Prompts {
    pub(super) fn new(may_be_off: bool) -> Self {
        let mut prompts =
            Self { state: PromptState::Unknown, may_be_off, is_counted: true, needed_until: Timestamp::ZERO };
        prompts.begun();
        prompts
    }

    /// Bring-up has switched the prompt on, if the firmware supports that. The state is needed only if the prompt may
    /// be switched off.
    pub(super) fn begun(&mut self) {
        self.state = if self.may_be_off { PromptState::Unknown } else { PromptState::On };
    }

    /// Sets whether the result of a send has its length.
    pub(super) fn counts(&mut self, is_counted: bool) {
        self.is_counted = is_counted;
    }

    /// The length of the next piece of these data, and the prompt that it needs. `before` is the length of the
    /// channel's last piece. Without a prompt only the length distinguishes the result of this piece from that of the
    /// last piece, which may come twice. Text is divided into short pieces if it goes without a prompt, so the prompt
    /// is quicker for it.
    pub(super) fn piece(
        &mut self,
        now: Timestamp,
        data: &[u8],
        form: Form,
        before: usize,
    ) -> (usize, SendPrompt) {
        let len = match form {
            // A datagram can't be divided. The session decides what happens when its prompt is lost.
            Form::Datagram => data.len().min(Command::MAX_CHUNK),
            Form::Stream | Form::SecureStream => harmless_len(data, Command::MAX_CHUNK),
        };
        if !self.may_be_off || !self.is_counted {
            return (len, SendPrompt::On);
        }
        if form == Form::Stream && self.needed_until <= now {
            let whole = commandless_len(data, len);
            let short = if whole == before { commandless_len(data, whole - 1) } else { whole };
            // The byte that remains is sent with the next piece, unless all following pieces are full.
            let rest = data.len() - whole;
            let is_spared = rest > MANY || !rest.is_multiple_of(Command::MAX_CHUNK);
            if (whole != before || is_spared) && short >= len / 2 {
                return (short, SendPrompt::Off { before });
            }
        }
        if self.needed_until <= now {
            self.needed_until = now + KEEP_ON;
        }
        (len, SendPrompt::On)
    }

    /// The command that has to come before a send with this prompt.
    pub(super) fn switch(&mut self, wanted: SendPrompt) -> Option<Command> {
        let (is_on, state) = match wanted {
            SendPrompt::On => (PromptState::On, PromptState::SwitchingOn),
            SendPrompt::Off { .. } => (PromptState::Off, PromptState::SwitchingOff),
        };
        if self.state == is_on {
            return None;
        }
        self.state = state;
        Some(if wanted == SendPrompt::On { Command::send_prompt() } else { Command::no_send_prompt() })
    }

    /// The switch has ended.
    pub(super) fn switched(&mut self, result: &Result<Vec<String>, Failure>) -> Option<Event> {
        self.state = match (self.state, result) {
            // Firmware without the command prints the prompt. If it does not, the next send shows it.
            (PromptState::SwitchingOn, _) => PromptState::On,
            (PromptState::SwitchingOff, Ok(_)) => PromptState::Off,
            (PromptState::SwitchingOff, Err(_)) => PromptState::Unknown,
            (PromptState::Unknown | PromptState::On | PromptState::Off, _) => return None,
        };
        if self.state == PromptState::Unknown { self.keep() } else { None }
    }

    /// The module refused to switch the prompt off, or printed one that was off. Or it echoes: the echo of a command
    /// with its payload has no line end between them. Sends need the prompt from now on.
    pub(super) fn keep(&mut self) -> Option<Event> {
        std::mem::take(&mut self.may_be_off).then(|| {
            self.missing();
            Event::SendPromptKept
        })
    }

    /// A send was accepted whose prompt did not come.
    pub(super) fn missing(&mut self) {
        self.state = match self.state {
            PromptState::Unknown | PromptState::On | PromptState::Off => PromptState::Unknown,
            switching @ (PromptState::SwitchingOn | PromptState::SwitchingOff) => switching,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::Refusal;
    use crate::proto::transition_table;

    const OFF: SendPrompt = SendPrompt::Off { before: 0 };

    /// Every state, at first with a prompt that may be off and then with one that is kept.
    fn states() -> Vec<Prompts> {
        use PromptState::{Off, On, SwitchingOff, SwitchingOn, Unknown};
        let of = |may_be_off| {
            let states = [Unknown, SwitchingOn, SwitchingOff, On, Off];
            states.map(|state| Prompts { state, may_be_off, ..Prompts::new(true) })
        };
        of(true).into_iter().chain(of(false)).collect()
    }

    fn name(prompts: &Prompts) -> &'static str {
        match (prompts.may_be_off, prompts.state) {
            (true, PromptState::Unknown) => "unknown",
            (true, PromptState::SwitchingOn) => "switching on",
            (true, PromptState::SwitchingOff) => "switching off",
            (true, PromptState::On) => "on",
            (true, PromptState::Off) => "off",
            (false, PromptState::Unknown) => "kept, unknown",
            (false, PromptState::SwitchingOn) => "kept, switching on",
            (false, PromptState::SwitchingOff) => "kept, switching off",
            (false, PromptState::On) => "kept, on",
            (false, PromptState::Off) => "kept, off",
        }
    }

    #[test]
    fn every_transition_is_as_the_table_says() {
        let table = "
            | input | unknown | switching on | switching off | on | off | kept, unknown | kept, switching on | kept, switching off | kept, on | kept, off |
            | a send with a prompt | switching on | - | switching on | - | switching on | kept, switching on | - | kept, switching on | - | kept, switching on |
            | a send without a prompt | switching off | switching off | - | switching off | - | x | x | x | x | x |
            | OK to the switch | x | on | off | x | x | x | kept, on | kept, off | x | x |
            | no OK to the switch | x | on | kept, unknown | x | x | x | kept, on | kept, unknown | x | x |
            | a prompt, or SEND OK | kept, unknown | kept, switching on | kept, switching off | kept, unknown | kept, unknown | - | - | - | - | - |
            | no prompt, and accepted | - | x | x | unknown | unknown | - | x | x | kept, unknown | kept, unknown |
            | bring-up | - | unknown | unknown | unknown | unknown | kept, on | kept, on | kept, on | - | kept, on |";
        transition_table::check(
            table,
            states,
            &[
                ("a send with a prompt", |it| drop(it.switch(SendPrompt::On))),
                ("a send without a prompt", |it| drop(it.switch(OFF))),
                ("OK to the switch", |it| drop(it.switched(&Ok(Vec::new())))),
                ("no OK to the switch", |it| {
                    drop(it.switched(&Err(Failure::Refused(Refusal::Error))));
                }),
                ("a prompt, or SEND OK", |it| drop(it.keep())),
                ("no prompt, and accepted", Prompts::missing),
                ("bring-up", Prompts::begun),
            ],
            name,
        );
    }
}
