//! The form of the answer to a command.

use super::super::line::{ChannelNews, Final, Line, bare_address};
use super::super::reply::ListForm;
use super::super::{ChannelId, CmeError, CmsError, Field, TextFrom, Urc, fields};
use super::reserved::PromptForm;

/// The meaning of a line for a command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It does not belong to the command.
    NotMine,
    /// It is part of the answer; further lines follow.
    Part,
    /// The answer is complete.
    Done(Result<(), Refusal>),
    /// It seems to end the answer. Another final result code of the same command may follow, or this one may belong to
    /// an earlier command. The session asks a question before it accepts it.
    Doubtful(Result<(), Refusal>),
}

/// A refusal by the module.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// `ERROR`.
    #[error("ERROR")]
    Error,
    /// `+CME ERROR: <n>`.
    #[error("+CME ERROR: {0}")]
    Cme(CmeError),
    /// `+CMS ERROR: <n>`.
    #[error("+CMS ERROR: {0}")]
    Cms(CmsError),
    /// `NO CARRIER`.
    #[error("NO CARRIER")]
    NoCarrier,
    /// `CONNECT FAIL`.
    #[error("CONNECT FAIL")]
    ConnectFail,
    /// `ALREADY CONNECT`: the module still uses the channel.
    #[error("ALREADY CONNECT")]
    AlreadyConnect,
    /// `SEND FAIL`.
    #[error("SEND FAIL")]
    SendFail,
    /// The module accepted another number of bytes than it was given.
    #[error("took {accepted} of {given} bytes")]
    WrongCount {
        /// The number of bytes that the module reports.
        accepted: u32,
        /// The number of bytes that were written.
        given: u32,
    },
    /// `>`: the module asks for data instead of answering.
    #[error("it asks for data")]
    Prompt,
    /// `TimeOut`: the content of a file did not arrive within the module's time-out.
    #[error("TimeOut")]
    TimeOut,
    /// The final result code came without the information that belongs to it.
    #[error("the answer has no content")]
    Empty,
    /// The answer is longer than the limit.
    #[error("the answer is too long")]
    TooLong,
    /// Two contradicting final result codes came; one of them is late, from an earlier command.
    #[error("the answer can't be distinguished from a late one")]
    Ambiguous,
}

/// The forms of answers. Each variant is one row of protocol.md's sections 4 to 11.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// `OK`.
    Plain,
    /// Lines with one of these keys that the predicate accepts, then `OK`.
    Info { keys: &'static [&'static str], accepts: fn(&[Field<'_>]) -> bool },
    /// Bare lines that the predicate accepts, or lines with the key, then `OK` (`ATI`, `AT+CGSN`).
    Bare { key: &'static str, accepts: fn(&[u8]) -> bool },
    /// A bare address, usually without `OK` (`AT+CIFSR`).
    Address,
    /// `OK`, `STATE:` and rows in any order, with nothing after the last row (`AT+CIPSTATUS`).
    Status,
    /// `SHUT OK`.
    Shut,
    /// `OK` now. `<n>, CONNECT OK` comes later, as an unsolicited line of the channel and not as part of this answer.
    Start(ChannelId),
    /// `<n>, CLOSE OK`.
    Close(ChannelId),
    /// Prompt, payload, then `DATA ACCEPT:<n>,<len>` or `<n>, SEND OK`.
    Send(ChannelId, usize, SendPrompt),
    /// `+CIPMODE: 1`, then `OK`: asked when the module may not be in command mode.
    Proof,
    /// `CONNECT`, perhaps after an `OK`: data mode begins (`AT+CIPSTART` in transparent mode, `ATO`).
    Dial,
    /// Prompt, payload, then `OK` or `TimeOut` (`AT+FSWRITE`).
    Write,
    /// A header with payload, then `OK` (`AT+CIPRXGET=2`). The header is not among the lines.
    Fetch(ChannelId),
    /// A command of the application: all lines that are no URC, then any final result code.
    Any { key: [u8; 16] },
    /// The same, after a prompt and a payload of the application.
    WithPayload { key: [u8; 16], given: PayloadRules },
    /// The same, with text of people in the answer. From there on every line is part of it, and a final result code
    /// counts only if no line follows it (`AT+CMGR`).
    Text { key: [u8; 16], from: TextFrom },
}

/// The prompt before the payload of `AT+CIPSEND` (`AT+CIPSPRT`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SendPrompt {
    /// It prints one, and the payload is written after it.
    On,
    /// It prints none, and the payload is written with the command.
    Off {
        /// The length of the payload before. A result with this number is that of the send before, once more.
        before: usize,
    },
}

/// The rules for a payload of the application.
#[derive(Clone, Copy, Debug)]
pub(super) struct PayloadRules {
    /// The form of its prompt.
    pub(super) prompt: PromptForm,
    /// True if ESC cancels the command.
    pub(super) cancels: bool,
    /// True if the module waits at most for the time in the command.
    pub(super) waits: bool,
}

impl Shape {
    pub(super) fn judge(self, line: &Line<'_>, answered: bool) -> Verdict {
        let in_text = self.is_text(answered);
        match line {
            Line::Final(Final::Connect | Final::NoCarrier | Final::NoResponse) if in_text => {
                return Verdict::Part;
            }
            Line::Final(code) => {
                return match self.judge_final(*code, answered) {
                    Verdict::Done(end) if in_text => Verdict::Doubtful(end),
                    verdict => verdict,
                };
            }
            _ if in_text => return Verdict::Part,
            _ => {}
        }
        match self {
            Self::Plain => Verdict::NotMine,
            Self::Info { keys, accepts } => {
                part_if(keys.iter().any(|key| line.info(key).is_some_and(|list| accepts(&list))))
            }
            Self::Bare { key, accepts } => part_if(match line {
                Line::Text(text) => accepts(text) && !Urc::parse(text).is_known(),
                other => other.info(key).is_some(),
            }),
            Self::Address => match line {
                Line::Text(text) if bare_address(text).is_some() => Verdict::Doubtful(Ok(())),
                Line::Info { .. } | Line::Text(_) | Line::Channel { .. } | Line::ShutOk => Verdict::NotMine,
                Line::State(_) | Line::Row(_) | Line::Final(_) => Verdict::NotMine,
            },
            Self::Status => match line {
                // Rows may follow the state; their end is only known by a question.
                Line::State(_) if answered => Verdict::Doubtful(Ok(())),
                Line::State(_) | Line::Row(_) => Verdict::Part,
                other => part_if(other.info("+CIPSTATUS").is_some()),
            },
            Self::Shut => match line {
                Line::ShutOk => Verdict::Done(Ok(())),
                _ => Verdict::NotMine,
            },
            Self::Start(mine) => match news_of(line, mine) {
                Some(ChannelNews::ConnectFail) => Verdict::Doubtful(Err(Refusal::ConnectFail)),
                Some(ChannelNews::AlreadyConnect) => Verdict::Doubtful(Err(Refusal::AlreadyConnect)),
                _ => Verdict::NotMine,
            },
            Self::Dial => judge_dial(line),
            Self::Proof => part_if(line.info("+CIPMODE").is_some_and(|list| is_one(&list))),
            Self::Close(mine) => match news_of(line, mine) {
                Some(ChannelNews::CloseOk) => Verdict::Done(Ok(())),
                _ => Verdict::NotMine,
            },
            Self::Send(mine, given, prompt) => judge_send(line, mine, given, prompt),
            Self::Write => match line {
                Line::Text(b"TimeOut") => Verdict::Done(Err(Refusal::TimeOut)),
                _ => Verdict::NotMine,
            },
            Self::Fetch(_) => Verdict::NotMine,
            Self::Any { key } | Self::WithPayload { key, .. } | Self::Text { key, .. } => {
                judge_any(line, &key)
            }
        }
    }

    /// True if the next line is text of people. `answered` is true if a line of the answer has come.
    pub(super) fn is_text(self, answered: bool) -> bool {
        match self {
            Self::Text { from: TextFrom::Start, .. } => true,
            Self::Text { from: TextFrom::Header, .. } => answered,
            _ => false,
        }
    }

    pub(super) fn is_unmistakable(self) -> bool {
        matches!(self, Self::Shut | Self::Dial | Self::Close(_) | Self::Send(..) | Self::Fetch(_))
    }

    pub(super) fn is_rival_of(self, older: Self) -> bool {
        match (self, older) {
            (Self::Close(mine), Self::Close(its))
            | (Self::Send(mine, ..), Self::Send(its, ..))
            | (Self::Fetch(mine), Self::Fetch(its)) => mine == its,
            (Self::Shut, Self::Shut) => true,
            _ => false,
        }
    }

    /// True if an answer has exactly one final result code.
    pub(super) fn has_one_final(self) -> bool {
        matches!(
            self,
            Self::Plain
                | Self::Info { .. }
                | Self::Bare { .. }
                | Self::Write
                | Self::Fetch(_)
                | Self::Proof
                | Self::Any { .. }
                | Self::WithPayload { .. }
        )
    }

    /// True if the answer always has exactly one line.
    pub(super) fn has_one_line(self) -> bool {
        matches!(self, Self::Info { .. } | Self::Proof | Self::Address)
    }

    /// True if the module may print the prompt `>` for the command.
    pub(super) fn may_be_prompted(self) -> bool {
        matches!(self, Self::Send(..) | Self::Write | Self::WithPayload { .. })
    }

    /// True if a line asks for the payload. The prompt `>` is no line and is handled elsewhere.
    pub(super) fn is_prompt(self, line: &Line<'_>) -> bool {
        let Self::WithPayload { key, given } = self else { return false };
        match (given.prompt, line) {
            (PromptForm::Line(wanted), Line::Text(text)) => *text == wanted.as_bytes(),
            (PromptForm::Line(wanted), Line::Final(Final::Connect)) => wanted == "CONNECT",
            (PromptForm::Any, Line::Text(text)) => matches!(*text, b"DOWNLOAD" | b">>"),
            (PromptForm::Echo, Line::Info { key: found, .. }) => *found == trim_key(&key),
            _ => false,
        }
    }

    pub(super) fn has_key(self, wanted: &str) -> bool {
        match self {
            Self::Info { keys, .. } => keys.contains(&wanted),
            Self::Proof => wanted == "+CIPMODE",
            Self::Any { key } | Self::WithPayload { key, .. } | Self::Text { key, .. } => {
                trim_key(&key) == wanted.as_bytes()
            }
            _ => false,
        }
    }

    fn judge_final(self, code: Final, answered: bool) -> Verdict {
        let refusal = match code {
            Final::Ok => return self.judge_ok(answered),
            Final::Connect
                if matches!(
                    self,
                    Self::Any { .. } | Self::WithPayload { .. } | Self::Text { .. } | Self::Dial
                ) =>
            {
                return Verdict::Done(Ok(()));
            }
            Final::Connect => return Verdict::NotMine,
            // The end of a call. It answers no other command.
            Final::NoCarrier if !self.calls() => return Verdict::NotMine,
            Final::Error | Final::NoResponse => Refusal::Error,
            Final::NoCarrier => Refusal::NoCarrier,
            Final::Cme(code) => Refusal::Cme(code),
            Final::Cms(code) => Refusal::Cms(code),
        };
        match (self, code) {
            // The 780EPV prints 65535 first and `ALREADY CONNECT` after it (protocol section 8).
            (Self::Start(_), Final::Cme(CmeError::OTHER)) => Verdict::Doubtful(Err(refusal)),
            // A module in command mode reads an escape as the beginning of a command. The error for that comes first.
            (Self::Proof, Final::Error | Final::Cme(_)) => Verdict::Doubtful(Err(refusal)),
            _ => Verdict::Done(Err(refusal)),
        }
    }

    /// True if `NO CARRIER` can answer the command: it enters data mode, or is one of the basic commands that dial,
    /// answer a call or return to data mode (`D`, `A`, `O`; V.250 section 6.3).
    fn calls(self) -> bool {
        match self {
            Self::Dial | Self::Proof => true,
            Self::Any { key } | Self::WithPayload { key, .. } | Self::Text { key, .. } => {
                let is_basic = key.first().is_some_and(u8::is_ascii_alphanumeric);
                is_basic && key.iter().any(|letter| matches!(letter, b'A' | b'D' | b'O'))
            }
            _ => false,
        }
    }

    fn judge_ok(self, answered: bool) -> Verdict {
        match self {
            Self::Plain
            | Self::Start(_)
            | Self::Write
            | Self::Any { .. }
            | Self::WithPayload { .. }
            | Self::Text { .. } => Verdict::Done(Ok(())),
            Self::Info { .. } | Self::Bare { .. } | Self::Fetch(_) | Self::Proof if answered => {
                Verdict::Done(Ok(()))
            }
            Self::Info { .. } | Self::Bare { .. } | Self::Fetch(_) | Self::Proof | Self::Address => {
                Verdict::Doubtful(Err(Refusal::Empty))
            }
            Self::Status if answered => Verdict::Doubtful(Ok(())),
            Self::Status => Verdict::Part,
            // `SHUT OK` and `CLOSE OK` have no OK of their own, but some pages of the manual show one instead.
            Self::Shut | Self::Close(_) => Verdict::Doubtful(Ok(())),
            Self::Dial => Verdict::Part,
            Self::Send(..) => Verdict::NotMine,
        }
    }
}

fn is_one(list: &[Field<'_>]) -> bool {
    matches!(list, [only] if only.number() == Some(1))
}

fn part_if(is_part: bool) -> Verdict {
    if is_part { Verdict::Part } else { Verdict::NotMine }
}

/// The news of a channel in a line, if it has this channel's number or none.
fn news_of(line: &Line<'_>, mine: ChannelId) -> Option<ChannelNews> {
    match line {
        Line::Channel { channel, news } if channel.is_none_or(|channel| channel == mine) => Some(*news),
        _ => None,
    }
}

fn judge_send(line: &Line<'_>, mine: ChannelId, given: usize, prompt: SendPrompt) -> Verdict {
    match news_of(line, mine) {
        Some(ChannelNews::DataAccept(accepted))
            if accepted != given && prompt == (SendPrompt::Off { before: accepted }) =>
        {
            Verdict::NotMine
        }
        Some(ChannelNews::SendOk) if prompt != SendPrompt::On => Verdict::NotMine,
        Some(ChannelNews::SendOk) => Verdict::Done(Ok(())),
        Some(ChannelNews::SendFail) => Verdict::Done(Err(Refusal::SendFail)),
        Some(ChannelNews::DataAccept(accepted)) if accepted == given => Verdict::Done(Ok(())),
        Some(ChannelNews::DataAccept(accepted)) => {
            let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
            let (accepted, given) = (count(accepted), count(given));
            Verdict::Doubtful(Err(Refusal::WrongCount { accepted, given }))
        }
        _ => Verdict::NotMine,
    }
}

/// Some firmware prints `CONNECT OK` or `ALREADY CONNECT` although data mode has begun (SIM800, issue 94 of
/// LilyGo-T-Call-SIM800).
fn judge_dial(line: &Line<'_>) -> Verdict {
    match line {
        Line::Channel { channel: None, news } => match news {
            ChannelNews::ConnectOk | ChannelNews::AlreadyConnect => Verdict::Done(Ok(())),
            ChannelNews::ConnectFail => Verdict::Done(Err(Refusal::ConnectFail)),
            _ => Verdict::NotMine,
        },
        // A failed connection prints its state first (section 8).
        Line::State(_) => Verdict::Part,
        _ => Verdict::NotMine,
    }
}

fn judge_any(line: &Line<'_>, key: &[u8; 16]) -> Verdict {
    match line {
        Line::ShutOk => Verdict::Done(Ok(())),
        Line::Info { key: found, list } if *found == trim_key(key) => {
            let list = fields(list);
            let unasked = match *found {
                b"+CREG" | b"+CGREG" | b"+CEREG" => {
                    ListForm::of(&list) == ListForm::Unsolicited && list.len() < 2
                }
                b"+CIPRXGET" => list.len() == 2 && list[0].number() == Some(1),
                _ => false,
            };
            part_if(!unasked)
        }
        Line::Channel { .. } => Verdict::NotMine,
        Line::Info { key, list } => {
            let line = [*key, b": ", *list].concat();
            part_if(!Urc::parse(&line).is_known())
        }
        Line::Text(text) => part_if(!Urc::parse(text).is_known() && *text != b">"),
        // They follow the `OK` of an `AT+CIPSTATUS`, so they may belong to an older one. A failed single connection
        // prints its state, too (capture a12).
        Line::State(_) | Line::Row(_) => part_if(matches!(trim_key(key), b"+CIPSTATUS" | b"+CIPSTART")),
        Line::Final(_) => Verdict::NotMine,
    }
}

fn trim_key(key: &[u8; 16]) -> &[u8] {
    let end = key.iter().position(|byte| *byte == 0).unwrap_or(key.len());
    &key[..end]
}
