//! The prompt of sends: its state on the module, and the state that the next send needs.

use std::time::Duration;

use crate::at::{Command, SendPrompt, commandless_len, harmless_len};
use crate::proto::interface::Event;
use crate::proto::session::Failure;
use crate::time::Timestamp;

/// The state of the prompt on the module, and the state that the next send needs.
///
/// Without a prompt the payload is written with its command. A module that refuses the send reads the payload as
/// commands, so only a stream can be sent like this: its pieces are divided so that they contain no command, and the
/// count of `AT+CIPACK` shows whether a piece was accepted.
///
/// | state | on | next |
/// |---|---|---|
/// | any | a send that needs the other state | `Unknown`, and the switch is written |
/// | `Unknown` | `OK` to the switch | `On` or `Off` |
/// | `Unknown` | no `OK` to `AT+CIPSPRT=0` | `Unknown`, and sends need the prompt from then on |
/// | `Unknown` | no `OK` to `AT+CIPSPRT=1` | `On`: a send without a prompt is noticed |
/// | any | a prompt that was switched off, or `SEND OK` | `Unknown`, and sends need the prompt from then on |
/// | any | no prompt, and the send is accepted; bring-up | `Unknown` |
#[derive(Debug)]
pub(super) struct Prompts {
    /// Whether the module prints the prompt. `None` if it is unknown.
    module: Option<bool>,
    /// Whether the switch in flight switches it on.
    switching: bool,
    /// Whether sends may go without a prompt.
    may_be_off: bool,
    /// Whether the result of a send has its length. `SEND OK` has none, so one that comes twice would confirm a piece
    /// that was written without a prompt.
    is_counted: bool,
    /// Sends wait for the prompt until this moment, so that sockets of both kinds don't switch it for each send.
    needed_until: Timestamp,
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
        let mut prompts = Self {
            module: None,
            switching: true,
            may_be_off,
            is_counted: true,
            needed_until: Timestamp::ZERO,
        };
        prompts.begun();
        prompts
    }

    /// Bring-up has switched the prompt on, if the firmware supports that. The state is needed only if the prompt may
    /// be switched off.
    pub(super) fn begun(&mut self) {
        self.module = (!self.may_be_off).then_some(true);
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
        let is_on = wanted == SendPrompt::On;
        if self.module == Some(is_on) {
            return None;
        }
        (self.module, self.switching) = (None, is_on);
        Some(if is_on { Command::send_prompt() } else { Command::no_send_prompt() })
    }

    /// The switch has ended.
    pub(super) fn switched(&mut self, result: &Result<Vec<String>, Failure>) -> Option<Event> {
        match (self.switching, result) {
            (made, Ok(_)) => self.module = Some(made),
            // Firmware without the command prints the prompt. If it does not, the next send shows it.
            (true, Err(_)) => self.module = Some(true),
            (false, Err(_)) => return self.keep(),
        }
        None
    }

    /// The module refused to switch the prompt off, or printed one that was off. Or it echoes: the echo of a command
    /// with its payload has no line end between them.
    pub(super) fn keep(&mut self) -> Option<Event> {
        std::mem::take(&mut self.may_be_off).then(|| {
            self.module = None;
            Event::SendPromptKept
        })
    }

    /// A send was accepted whose prompt did not come.
    pub(super) fn missing(&mut self) {
        self.module = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::Refusal;
    use crate::proto::transition_table;

    const OFF: SendPrompt = SendPrompt::Off { before: 0 };

    fn states() -> Vec<Prompts> {
        let new = || Prompts::new(true);
        let switched = |wanted, result: Option<Result<Vec<String>, Failure>>| {
            let mut prompts = new();
            assert!(prompts.switch(wanted).is_some());
            result.and_then(|result| prompts.switched(&result));
            prompts
        };
        let kept = |mut prompts: Prompts| {
            assert!(prompts.keep().is_some());
            prompts
        };
        let done = || Some(Ok(Vec::new()));
        let mut kept_off = kept(switched(OFF, None));
        kept_off.switched(&Ok(Vec::new()));
        let mut kept_on = kept(new());
        kept_on.switched(&Ok(Vec::new()));
        vec![
            new(),
            switched(OFF, None),
            switched(SendPrompt::On, done()),
            switched(OFF, done()),
            kept(new()),
            kept(switched(OFF, None)),
            kept_off,
            kept_on,
        ]
    }

    fn name(prompts: &Prompts) -> &'static str {
        match (prompts.may_be_off, prompts.module, prompts.switching) {
            (true, None, false) => "unknown, switched off",
            (true, None, true) => "unknown",
            (true, Some(true), _) => "on",
            (true, Some(false), _) => "off",
            (false, None, false) => "kept, switched off",
            (false, None, true) => "kept, unknown",
            (false, Some(true), _) => "kept, on",
            (false, Some(false), _) => "kept, off",
        }
    }

    #[test]
    fn every_transition_is_as_the_table_says() {
        let table = "
            | input | unknown | unknown, switched off | on | off | kept, unknown | kept, switched off | kept, off | kept, on |
            | a send with a prompt | - | unknown | - | unknown | - | kept, unknown | kept, unknown | - |
            | a send without a prompt | unknown, switched off | - | unknown, switched off | - | kept, switched off | - | - | kept, switched off |
            | OK to the switch | on | off | - | - | kept, on | kept, off | - | - |
            | no OK to the switch | on | kept, switched off | - | kept, switched off | kept, on | - | - | - |
            | a prompt, or SEND OK | kept, unknown | kept, switched off | kept, unknown | kept, switched off | - | - | - | - |
            | no prompt, and accepted | - | - | unknown | unknown, switched off | - | - | kept, switched off | kept, unknown |
            | bring-up | - | - | unknown | unknown, switched off | kept, on | kept, on | kept, on | - |";
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
