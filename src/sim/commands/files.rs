//! Commands for the file system.

use std::time::Duration;

use super::super::data::FileWrite;
use super::super::files::WRITE_LIMIT;
use super::super::line::{Arg, Form};
use super::super::machine::Machine;
use super::super::output_kind::OutputKind;
use super::super::result::{Cme, Outcome};
use super::forms::{Table, number, text};

pub(super) const TABLE: Table = &[
    ("+FSCREATE", |machine, form| with_name(form, |name, _| done(machine.files.create(name)))),
    ("+FSWRITE", |machine, form| with_name(form, |name, args| write(machine, name, args))),
    ("+FSREAD", |machine, form| with_name(form, |name, args| read(machine, name, args))),
    ("+FSDEL", |machine, form| with_name(form, |name, _| done(machine.files.remove(name)))),
    ("+FSFLSIZE", |machine, form| with_name(form, |name, _| size(machine, name))),
    ("+FSMKDIR", |machine, form| with_name(form, |name, _| done(machine.files.make_directory(name)))),
    ("+FSRMDIR", |machine, form| with_name(form, |name, _| done(machine.files.remove_directory(name)))),
    ("+FSLS", list),
    ("+FSMEM", memory),
];

/// The longest name (manual).
const MAX_NAME: usize = 64;

/// The most bytes of one read (manual, FSREAD).
const MAX_READ: u64 = 10_240;

fn with_name(form: &Form, act: impl FnOnce(&str, &[Arg]) -> Outcome) -> Outcome {
    match form {
        Form::Set(args) => match text(args, 0) {
            "" => Outcome::cme(Cme::Invalid),
            name if name.len() > MAX_NAME => Outcome::cme(Cme::Invalid),
            name => act(name, &args[1..]),
        },
        Form::Test => Outcome::Ok,
        Form::Read | Form::Execute => Outcome::ERROR,
    }
}

fn done(well: bool) -> Outcome {
    if well { Outcome::Ok } else { Outcome::ERROR }
}

/// `AT+FSWRITE="name",<0 replace|1 append>,<size>,<seconds>`: a prompt, then the bytes.
fn write(machine: &mut Machine, name: &str, args: &[Arg]) -> Outcome {
    let (mode, length, seconds) = (number(args, 0), number(args, 1), number(args, 2));
    let (Some(mode @ 0..=1), Some(length @ 1..), Some(seconds @ 1..=3600)) = (mode, length, seconds) else {
        return Outcome::cme(Cme::Invalid);
    };
    if machine.files.read(name).is_none() {
        return Outcome::cme(Cme::NoFile);
    }
    if length > WRITE_LIMIT as u64 {
        return Outcome::cme(Cme::FileTooLarge);
    }
    let prompt = machine.settings.profile.file_prompt.as_bytes().to_vec();
    machine.print(OutputKind::Prompt, prompt);
    machine.editor.clear();
    Outcome::File(FileWrite {
        name: name.to_owned(),
        append: mode == 1,
        length: length as usize,
        bytes: Vec::new(),
        until: machine.now + Duration::from_secs(seconds),
    })
}

/// `AT+FSREAD="name",<mode>,<size>,<position>`: the bytes, then `OK` (capture a21). Mode 0 reads from the beginning, 1
/// from the position.
fn read(machine: &mut Machine, name: &str, args: &[Arg]) -> Outcome {
    let Some(content) = machine.files.read(name) else {
        return Outcome::cme(Cme::NoFile);
    };
    let (Some(mode @ 0..=1), Some(size @ 0..=MAX_READ)) = (number(args, 0), number(args, 1)) else {
        return Outcome::cme(Cme::Invalid);
    };
    let start = if mode == 1 { number(args, 2).unwrap_or(0) } else { 0 };
    let start = usize::try_from(start).unwrap_or(usize::MAX).min(content.len());
    let count = usize::try_from(size).unwrap_or(usize::MAX).min(content.len() - start).min(WRITE_LIMIT);
    let mut frame = b"\r\n".to_vec();
    frame.extend_from_slice(&content[start..start + count]);
    machine.print(OutputKind::Data, frame);
    Outcome::Ok
}

fn size(machine: &mut Machine, name: &str) -> Outcome {
    let Some(size) = machine.files.read(name).map(<[u8]>::len) else {
        return Outcome::cme(Cme::NoFile);
    };
    machine.keyed("+FSFLSIZE", &size.to_string());
    Outcome::Ok
}

fn list(machine: &mut Machine, form: &Form) -> Outcome {
    let directory = match form {
        Form::Set(args) => text(args, 0).to_owned(),
        Form::Test => return Outcome::Ok,
        Form::Execute | Form::Read => return Outcome::ERROR,
    };
    let Some(names) = machine.files.list(&directory) else {
        return Outcome::ERROR;
    };
    if !names.is_empty() {
        let names = names.join("\r\n");
        machine.info(&names);
    }
    Outcome::Ok
}

/// `+FSMEM: 64100 bytes`, without `OK` (capture a21).
fn memory(machine: &mut Machine, form: &Form) -> Outcome {
    match form {
        Form::Execute => {}
        Form::Test => return Outcome::Ok,
        Form::Read | Form::Set(_) => return Outcome::ERROR,
    }
    let free = machine.files.free();
    machine.keyed("+FSMEM", &format!("{free} bytes"));
    Outcome::Bare
}
