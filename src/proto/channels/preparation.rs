//! The preparation of a connection before it can be started: files, settings, and the TLS switch.

use std::collections::VecDeque;

use crate::at::{ChannelId, Command, Field, Line, Quotable, Refusal, TlsKey};
use crate::error::{TlsFailure, TlsStep};
use crate::proto::session::{Failure, Finished};
use crate::tls::{File, PARTS, Setting, TlsSettings};

use super::security::Security;

/// The progress in the preparation of a connection. All its transitions are in this file.
///
/// | step | done | refused |
/// |---|---|---|
/// | `Create` a file, unless its content is unknown | `Write` it | it is there, perhaps: ask its `Size` |
/// | `Size` is that of the content | next file: the name says that the content is the same | `Remove` it, as if it had another size |
/// | `Remove` | `Recreate` | `Recreate`: there was nothing to remove |
/// | `Recreate` | `Write` | the connection has failed |
/// | `Write` | next file | the connection has failed |
/// | `Set` | next setting | the connection has failed, unless the setting is the module's default anyway |
/// | `Switch` | ask the `SwitchState` | ask the `SwitchState` |
/// | `SwitchState` is what it should be | the connection can be started | TLS: the connection has failed; plain: as the `Switch` was answered |
/// | `SwitchState` is another | the connection has failed | |
///
/// A time-out at any step ends the preparation.
#[derive(Clone, Debug)]
pub(super) struct Preparation {
    tls: Option<TlsSettings>,
    progress: PreparationProgress,
}

#[derive(Clone, Debug)]
enum PreparationProgress {
    /// Nothing was written.
    Waiting,
    /// The remaining steps. The first one is next, or in flight.
    UnderWay(VecDeque<PreparationStep>),
}

#[derive(Clone, Debug)]
enum PreparationStep {
    Create(usize),
    Size(usize),
    Remove(usize),
    Recreate(usize),
    Write(usize),
    Set(Setting),
    Switch(bool),
    /// Ask for the state of the switch, whatever the answer to the command was that changes it.
    SwitchState {
        on: bool,
        refusal: Option<Refusal>,
    },
}

/// A command that is to be written, and its effect.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) command: Command,
    pub(super) payload: Option<Vec<u8>>,
    pub(super) effect: ModuleEffect,
}

/// The effect of a step on the module beyond this connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum ModuleEffect {
    None,
    /// The content of this file is unknown from the moment of the command until it has succeeded.
    Writes(Quotable),
    /// The context has a value for the key from the moment of the command.
    Sets(TlsKey),
    /// The context has no value for the key after the command has succeeded.
    Erases(TlsKey),
    /// TLS is on from the moment of the command, or off after the command has succeeded.
    Switches(bool),
}

impl Preparation {
    pub(super) fn plain() -> Self {
        Self { tls: None, progress: PreparationProgress::Waiting }
    }

    pub(super) fn of(tls: TlsSettings) -> Self {
        Self { tls: Some(tls), progress: PreparationProgress::Waiting }
    }

    /// The security that the connection will have.
    pub(super) fn security(&self) -> Security {
        match &self.tls {
            None => Security::Plain,
            Some(tls) => Security::Tls { plain_beside: tls.plain_beside() },
        }
    }

    /// Begins again with the first step, on another channel or because files were removed.
    pub(super) fn restart(&mut self) {
        self.progress = PreparationProgress::Waiting;
    }

    /// True if it has begun.
    pub(super) fn is_under_way(&self) -> bool {
        matches!(self.progress, PreparationProgress::UnderWay(_))
    }

    /// Begins. `is_set` is true for the settings that the context has from an earlier connection, `is_unsure` for files
    /// with unknown content.
    pub(super) fn begin(&mut self, is_set: impl Fn(TlsKey) -> bool, is_unsure: impl Fn(&Quotable) -> bool) {
        let mut steps = VecDeque::new();
        if let Some(tls) = &self.tls {
            let files = tls.files.iter().enumerate();
            let files = files.filter_map(|(part, file)| Some((part, file.as_ref()?)));
            steps.extend(files.map(|(part, file)| match is_unsure(file.name()) {
                true => PreparationStep::Remove(part),
                false => PreparationStep::Create(part),
            }));
            let settings = tls.settings().into_iter().map(|setting| {
                let required = setting.required || is_set(setting.key);
                Setting { required, ..setting }
            });
            steps.extend(
                settings
                    .filter(|setting| setting.value.is_some() || is_set(setting.key))
                    .map(PreparationStep::Set),
            );
        }
        steps.push_back(PreparationStep::Switch(self.tls.is_some()));
        self.progress = PreparationProgress::UnderWay(steps);
    }

    /// The new state of the switch, if it is changed by the next step.
    pub(super) fn switches_to(&self) -> Option<bool> {
        match self.next()? {
            PreparationStep::Switch(on) => Some(*on),
            PreparationStep::Create(_)
            | PreparationStep::Size(_)
            | PreparationStep::Remove(_)
            | PreparationStep::Recreate(_)
            | PreparationStep::Write(_) => None,
            PreparationStep::Set(_) | PreparationStep::SwitchState { .. } => None,
        }
    }

    /// The command of the next step; `None` when the connection can be started. `seconds` gives the time that the
    /// module may wait for a number of bytes.
    pub(super) fn ask(&self, context: ChannelId, seconds: impl Fn(usize) -> u32) -> Option<Ask> {
        let plain = |command| Some(Ask { command, payload: None, effect: ModuleEffect::None });
        let of_file = |part: usize, command: fn(&Quotable) -> Command| {
            self.file(part).and_then(|file| plain(command(file.name())))
        };
        match self.next()? {
            PreparationStep::Create(part) | PreparationStep::Recreate(part) => {
                of_file(*part, Command::create_file)
            }
            PreparationStep::Size(part) => of_file(*part, Command::file_size),
            PreparationStep::Remove(part) => of_file(*part, Command::remove_file),
            PreparationStep::Write(part) => {
                let file = self.file(*part)?;
                let content = file.content().to_vec();
                let command = Command::write_file(file.name(), content.len(), seconds(content.len()));
                let effect = ModuleEffect::Writes(file.name().clone());
                Some(Ask { command, payload: Some(content), effect })
            }
            PreparationStep::Set(Setting { key, value: Some(value), .. }) => {
                let command = Command::tls_setting(context, *key, value);
                Some(Ask { command, payload: None, effect: ModuleEffect::Sets(*key) })
            }
            PreparationStep::Set(Setting { key, value: None, .. }) => {
                let command = Command::tls_erase(context, *key);
                Some(Ask { command, payload: None, effect: ModuleEffect::Erases(*key) })
            }
            PreparationStep::Switch(on) => {
                let command = Command::tls_switch(*on);
                Some(Ask { command, payload: None, effect: ModuleEffect::Switches(*on) })
            }
            PreparationStep::SwitchState { .. } => plain(Command::tls_switch_state()),
        }
    }

    /// The command of the step has ended. Returns its effect, or the reason why the connection fails.
    pub(super) fn finished(&mut self, finished: &Finished) -> Result<ModuleEffect, (TlsStep, TlsFailure)> {
        let at = self.step();
        let PreparationProgress::UnderWay(steps) = &mut self.progress else { return Ok(ModuleEffect::None) };
        let Some(step) = steps.pop_front() else { return Ok(ModuleEffect::None) };
        let lines = match &finished.result {
            Ok(lines) => Ok(lines.as_slice()),
            Err(Failure::Refused(refusal) | Failure::NoPrompt(refusal)) => Err(*refusal),
            Err(Failure::Timeout) => {
                return Err((at, TlsFailure::Timeout(finished.command.timeout())));
            }
        };
        let refused = |refusal| Err((at, TlsFailure::Refused(refusal)));
        let next = match (step, lines) {
            (PreparationStep::Create(part) | PreparationStep::Recreate(part), Ok(_)) => {
                PreparationStep::Write(part)
            }
            (PreparationStep::Create(part), Err(_)) => PreparationStep::Size(part),
            (PreparationStep::Size(part), Ok(lines)) if self.is_size_of(part, lines) => {
                return Ok(ModuleEffect::None);
            }
            (PreparationStep::Size(part), _) => PreparationStep::Remove(part),
            (PreparationStep::Remove(part), _) => PreparationStep::Recreate(part),
            (PreparationStep::Recreate(_) | PreparationStep::Write(_), Err(refusal)) => {
                return refused(refusal);
            }
            (PreparationStep::Write(part), Ok(_)) => {
                let file = self.file(part).map(|file| file.name().clone());
                return Ok(file.map_or(ModuleEffect::None, ModuleEffect::Writes));
            }
            (PreparationStep::Set(Setting { key, value: None, .. }), Ok(_)) => {
                return Ok(ModuleEffect::Erases(key));
            }
            (PreparationStep::Set(_), Ok(_)) => return Ok(ModuleEffect::None),
            (PreparationStep::Set(setting), Err(refusal)) if setting.required => return refused(refusal),
            (PreparationStep::Set(_), Err(_)) => return Ok(ModuleEffect::None),
            (PreparationStep::Switch(on), answer) => {
                PreparationStep::SwitchState { on, refusal: answer.err() }
            }
            (PreparationStep::SwitchState { on, refusal }, answer) => {
                return switched(on, refusal, answer).map_err(|why| (at, why));
            }
        };
        if let PreparationProgress::UnderWay(steps) = &mut self.progress {
            steps.push_front(next);
        }
        Ok(ModuleEffect::None)
    }

    /// The current step, for the error of the application.
    pub(super) fn step(&self) -> TlsStep {
        let PreparationProgress::UnderWay(steps) = &self.progress else { return TlsStep::Turn };
        match steps.front() {
            Some(
                PreparationStep::Create(part)
                | PreparationStep::Size(part)
                | PreparationStep::Remove(part)
                | PreparationStep::Recreate(part)
                | PreparationStep::Write(part),
            ) => TlsStep::Upload(PARTS[*part]),
            Some(PreparationStep::Set(setting)) => TlsStep::Configure(setting.key),
            Some(PreparationStep::Switch(_) | PreparationStep::SwitchState { .. }) => TlsStep::Switch,
            None => TlsStep::Connect,
        }
    }

    fn next(&self) -> Option<&PreparationStep> {
        match &self.progress {
            PreparationProgress::Waiting => None,
            PreparationProgress::UnderWay(steps) => steps.front(),
        }
    }

    fn file(&self, part: usize) -> Option<&File> {
        self.tls.as_ref().and_then(|tls| tls.files[part].as_ref())
    }

    fn is_size_of(&self, part: usize, lines: &[String]) -> bool {
        let len = self.file(part).and_then(|file| u32::try_from(file.content().len()).ok());
        len.is_some() && value_of("+FSFLSIZE", lines) == len
    }
}

/// The state of the switch as the module reports it. The `OK` of the command that changes it is no proof, and a TLS
/// connection must not be in the clear. If the question is refused, TLS is refused as well. A plain connection needs no
/// proof: without it, at worst, the connection fails.
fn switched(
    on: bool,
    refusal: Option<Refusal>,
    answer: Result<&[String], Refusal>,
) -> Result<ModuleEffect, TlsFailure> {
    match (answer.map(|lines| value_of("+CIPSSL", lines)), refusal) {
        (Ok(Some(says)), _) if says == u32::from(on) => Ok(ModuleEffect::Switches(on)),
        (Ok(Some(_)), None) => Err(TlsFailure::NotSwitched),
        (Ok(Some(_) | None) | Err(_), Some(refusal)) => Err(TlsFailure::Refused(refusal)),
        (Ok(None) | Err(_), None) if !on => Ok(ModuleEffect::Switches(on)),
        (Ok(None), None) => Err(TlsFailure::Refused(Refusal::Empty)),
        (Err(refusal), None) => Err(TlsFailure::Refused(refusal)),
    }
}

/// The number after a key.
fn value_of(key: &str, lines: &[String]) -> Option<u32> {
    let list = lines.iter().find_map(|line| Line::parse(line.as_bytes()).info(key))?;
    list.first().and_then(Field::number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::at::{Command, TlsValue};
    use crate::proto::Ticket;
    use crate::proto::issuer::Issuer;
    use crate::proto::transition_table;
    use crate::tls::{Certificate, TlsConfig};

    /// A preparation, and the reason why it has failed.
    struct Walk {
        preparation: Preparation,
        failed: Option<TlsFailure>,
    }

    fn settings() -> TlsSettings {
        let ca = include_bytes!("../../../fixtures/certificates/ca.crt");
        TlsConfig::verified(Certificate::from_bytes(ca).unwrap()).settings("a.test").unwrap()
    }

    fn states() -> Vec<Walk> {
        let setting = |required| {
            let (key, value) = (TlsKey::Version, Some(TlsValue::Number(0)));
            PreparationStep::Set(Setting { key, value, required })
        };
        let switch_state = |on, refusal| PreparationStep::SwitchState { on, refusal };
        [
            PreparationStep::Create(0),
            PreparationStep::Size(0),
            PreparationStep::Remove(0),
            PreparationStep::Recreate(0),
            PreparationStep::Write(0),
            setting(true),
            setting(false),
            PreparationStep::Switch(true),
            switch_state(true, None),
            switch_state(true, Some(Refusal::Error)),
            switch_state(false, None),
            switch_state(false, Some(Refusal::Error)),
        ]
        .map(|step| {
            let progress = PreparationProgress::UnderWay(VecDeque::from([step]));
            Walk { preparation: Preparation { tls: Some(settings()), progress }, failed: None }
        })
        .into()
    }

    fn name(walk: &Walk) -> &'static str {
        if walk.failed.is_some() {
            return "failed";
        }
        match walk.preparation.next() {
            None => "over",
            Some(PreparationStep::Create(_)) => "create",
            Some(PreparationStep::Size(_)) => "size",
            Some(PreparationStep::Remove(_)) => "remove",
            Some(PreparationStep::Recreate(_)) => "recreate",
            Some(PreparationStep::Write(_)) => "write",
            Some(PreparationStep::Set(Setting { required: true, .. })) => "set",
            Some(PreparationStep::Set(_)) => "set the default",
            Some(PreparationStep::Switch(_)) => "switch",
            Some(PreparationStep::SwitchState { on: true, refusal: None }) => "is it on?",
            Some(PreparationStep::SwitchState { on: true, refusal: Some(_) }) => "is it on? refused",
            Some(PreparationStep::SwitchState { on: false, refusal: None }) => "is it off?",
            Some(PreparationStep::SwitchState { on: false, refusal: Some(_) }) => "is it off? refused",
        }
    }

    impl Walk {
        fn answer(&mut self, result: Result<String, Failure>) {
            let finished = Finished {
                command: Command::attention(),
                issuer: Issuer::Caller(Ticket(1)),
                result: result.map(|line| vec![line]),
                latency: None,
                is_given: true,
                is_prompted: false,
                extra_finals: 0,
                extra_oks: 0,
            };
            self.failed = self.preparation.finished(&finished).err().map(|(_, why)| why);
        }
    }

    #[test]
    fn every_transition_is_as_the_table_says() {
        let table = "
            | input | create | size | remove | recreate | write | set | set the default | switch | is it on? | is it on? refused | is it off? | is it off? refused |
            | OK | write | remove | recreate | write | over | over | over | is it on? | failed | failed | over | failed |
            | the size of the content | write | over | recreate | write | over | over | over | is it on? | failed | failed | over | failed |
            | another size | write | remove | recreate | write | over | over | over | is it on? | failed | failed | over | failed |
            | TLS is on | write | remove | recreate | write | over | over | over | is it on? | over | over | failed | failed |
            | TLS is off | write | remove | recreate | write | over | over | over | is it on? | failed | failed | over | over |
            | a refusal | size | remove | recreate | failed | failed | failed | over | is it on? refused | failed | failed | over | failed |
            | no answer | failed | failed | failed | failed | failed | failed | failed | failed | failed | failed | failed | failed |";
        transition_table::check(
            table,
            states,
            &[
                ("OK", |it| it.answer(Ok(String::new()))),
                ("the size of the content", |it| {
                    let len = it.preparation.file(0).map_or(0, |file| file.content().len());
                    it.answer(Ok(format!("+FSFLSIZE: {len}")));
                }),
                ("another size", |it| it.answer(Ok("+FSFLSIZE: 1".to_owned()))),
                ("TLS is on", |it| it.answer(Ok("+CIPSSL: 1".to_owned()))),
                ("TLS is off", |it| it.answer(Ok("+CIPSSL: 0".to_owned()))),
                ("a refusal", |it| it.answer(Err(Failure::Refused(Refusal::Error)))),
                ("no answer", |it| it.answer(Err(Failure::Timeout))),
            ],
            name,
        );
    }
}
