//! The machines of the core, which meet only in the engine.
//!
//! A machine has private fields, and all code that changes them is in its folder. It names no other machine. Types that
//! belong to a machine return actions; only machines that emit outputs name the outbox. The session alone stores which
//! part has issued the command in flight.

use crate::Finding;
use crate::habits::words;
use crate::paths::{Path, paths};
use crate::source::{Source, after_closing};

/// The machines, each with its folder or file below `src/proto`.
const MACHINES: &[(&str, &str)] = &[
    ("Engine", "engine"),
    ("BringUp", "bring_up"),
    ("Channels", "channels"),
    ("Requests", "requests"),
    ("Session", "session"),
    ("Transparent", "transparent"),
];

/// The machine that owns the others.
const OWNER: &str = "Engine";

/// The machines that emit outputs.
const PUT_OUT: &[&str] = &["Engine", "Channels", "Session"];

/// The files with messages between machines: facts, commands, results. Their fields may be read everywhere.
const MESSAGES: &[&str] = &[
    "src/proto/socket_id.rs",
    "src/proto/channels/stream.rs",
    "src/proto/channels/channel_command.rs",
    "src/proto/session/exchange.rs",
    "src/proto/transparent/interface.rs",
];

pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let Some(inside) = source.path.strip_prefix("src/proto/") else {
        return Vec::new();
    };
    let own = inside.trim_end_matches(".rs").split('/').next().unwrap_or_default();
    let (paths, mut findings) = (paths(&source.production), Vec::new());
    for (machine, home) in MACHINES {
        for offset in impls(&source.production, machine).into_iter().filter(|_| own != *home) {
            let message = format!("an `impl` of `{machine}` belongs to src/proto/{home}");
            findings.push(Finding::at(source, offset, message));
        }
        let may_name = own == *home || MACHINES.iter().any(|(name, home)| *name == OWNER && own == *home);
        let names = |path: &&Path| {
            let ends =
                |names: &[&str]| path.segments.iter().rev().zip(names.iter().rev()).all(|(a, b)| a == b);
            path.segments.len() > 1
                && [[*home, machine], [*home, "self"], [*home, "*"]].iter().any(|names| ends(names))
        };
        for path in paths.iter().filter(names).filter(|_| !may_name && own != "mod") {
            findings.push(Finding::new(source, path.line, format!("only the engine may name `{machine}`")));
        }
    }
    findings.extend(outbox(source, own));
    findings.extend(fields(source, inside));
    findings.extend(issuers(source, own));
    findings
}

/// Files that name the outbox without belonging to a machine that emits outputs.
fn outbox(source: &Source, own: &str) -> Vec<Finding> {
    let puts_out = PUT_OUT.iter().any(|machine| {
        let is_home = MACHINES.iter().any(|(name, home)| name == machine && *home == own);
        is_home && (!impls(&source.production, machine).is_empty())
    });
    if puts_out || own == "outbox" {
        return Vec::new();
    }
    let message = "what belongs to a machine returns what is to be done, and names no `Outbox`";
    words(&source.production, "Outbox")
        .into_iter()
        .map(|offset| Finding::at(source, offset, message.into()))
        .collect()
}

/// Fields that other machines could change.
fn fields(source: &Source, inside: &str) -> Vec<Finding> {
    let code = &source.production;
    // `pub(super)` opens a field to the folder. At the top of a folder, that is the whole core.
    let is_top = !inside.contains('/') || inside.ends_with("/mod.rs");
    let is_message = MESSAGES.contains(&source.path.as_str());
    let is_open = |visibility: &str| match visibility.split_whitespace().collect::<String>().as_str() {
        "(super)" => is_top,
        "(self)" => false,
        _ => !is_message,
    };
    let mut findings = Vec::new();
    for offset in words(code, "struct") {
        // Plain data for an application are not the state of a machine.
        let is_public = code[..offset].trim_end().ends_with("pub");
        let Some(open) = code[offset..].find(['{', '(', ';']).map(|at| offset + at) else { continue };
        let body = &code[open..after_closing(code, open).max(open)];
        for at in words(body, "pub") {
            let rest = body[at + "pub".len()..].trim_start();
            let end = if rest.starts_with('(') { after_closing(rest, 0) } else { 0 };
            if is_open(&rest[..end]) && !(is_public && end == 0) {
                findings.push(Finding::at(
                    source,
                    open + at,
                    "a field that other machines can change".into(),
                ));
            }
        }
    }
    findings
}

/// Fields outside the session that store the part that has issued a command, or its exchange.
fn issuers(source: &Source, own: &str) -> Vec<Finding> {
    let code = &source.production;
    let structs = words(code, "struct").into_iter().filter(|_| own != "session");
    let bodies = structs.filter_map(|offset| {
        let open = offset + code[offset..].find(['{', '(', ';'])?;
        Some((open, &code[open..after_closing(code, open).max(open)]))
    });
    let stored = bodies.flat_map(|(open, body)| {
        let names = ["Issuer", "Exchange", "InFlight"].into_iter();
        names.flat_map(move |name| words(body, name)).map(move |at| open + at)
    });
    let message = "the session alone stores the command in flight and its issuer";
    stored.map(|offset| Finding::at(source, offset, message.into())).collect()
}

/// The places at which an `impl` of a type begins.
fn impls(code: &str, name: &str) -> Vec<usize> {
    words(code, "impl")
        .into_iter()
        .filter(|offset| {
            let head = code[*offset..].split('{').next().unwrap_or_default();
            let of = head.rsplit(" for ").next().unwrap_or_default();
            let of = of.split(" where").next().unwrap_or_default().split_whitespace().last();
            of.and_then(|path| path.rsplit("::").next()) == Some(name)
        })
        .collect()
}

mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        check(&Source::parse(path, text)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_impl_of_a_machine_outside_its_folder_is_found() {
        let found = findings("src/proto/transparent/next_action.rs", "\nimpl Engine {\n}\n");
        let impl_ =
            "src/proto/transparent/next_action.rs:2: an `impl` of `Engine` belongs to src/proto/engine";
        assert_eq!(found, [impl_]);
        assert_eq!(findings("src/proto/engine/urcs.rs", "impl Engine {\n}\n"), [] as [&str; 0]);
        assert_eq!(findings("src/proto/engine/urcs.rs", "impl fmt::Debug for Session {\n}\n").len(), 1);
        for head in ["crate::proto::channels::Channels", "super::Channels where u8: Copy"] {
            assert_eq!(
                findings("src/proto/engine/port.rs", &format!("impl {head} {{\n}}\n")).len(),
                1,
                "{head}"
            );
        }
    }

    #[test]
    fn an_issuer_outside_of_the_session_is_found() {
        for stored in ["struct A {\n    a: u8,\n    by: Option<Issuer>,\n}", "struct A(Exchange);"] {
            assert_eq!(findings("src/proto/transparent/data.rs", stored).len(), 1, "{stored}");
            assert_eq!(findings("src/proto/session/data.rs", stored), [] as [&str; 0], "{stored}");
        }
        let passed = "fn f(by: Issuer) {}\nstruct A;\nfn g() -> Exchange {}\n";
        assert_eq!(findings("src/proto/transparent/data.rs", passed), [] as [&str; 0]);
    }

    #[test]
    fn a_machine_that_names_another_is_found() {
        let found = findings("src/proto/channels/open.rs", "use crate::proto::session::Session;\n");
        assert_eq!(found, ["src/proto/channels/open.rs:1: only the engine may name `Session`"]);
        assert_eq!(findings("src/proto/engine/mod.rs", "use super::session::Session;\n"), [] as [&str; 0]);
        for named in ["use super::super::session::{self as other};", "use crate::proto::session::*;"] {
            assert_eq!(findings("src/proto/channels/open.rs", named).len(), 1, "{named}");
        }
    }

    #[test]
    fn a_type_that_names_the_outbox_is_found() {
        let leaf = "impl Delivery {\n    fn fail(&mut self, out: &mut Outbox) {}\n}\n";
        assert_eq!(findings("src/proto/channels/acknowledgements.rs", leaf).len(), 1);
        let owner = "impl Channels {\n    fn fail(&mut self, out: &mut Outbox) {}\n}\n";
        assert_eq!(findings("src/proto/channels/close.rs", owner), [] as [&str; 0]);
    }

    #[test]
    fn a_field_open_to_other_machines_is_found() {
        let open = "struct A {\n    pub(in crate::proto) mode: u8,\n}\n";
        let found = findings("src/proto/channels/frame.rs", open);
        assert_eq!(found, ["src/proto/channels/frame.rs:2: a field that other machines can change"]);
        let inside = "struct A {\n    pub(super) mode: u8,\n}\nimpl A {\n    pub(super) fn f(a: u8) {}\n}\n";
        assert_eq!(findings("src/proto/channels/frame.rs", inside), [] as [&str; 0]);
        assert_eq!(findings("src/proto/requests.rs", inside).len(), 1);
        for open in ["struct A { pub(super) a: u8 }", "struct A(u8, pub(super) u8);"] {
            assert_eq!(findings("src/proto/requests.rs", open).len(), 1, "{open}");
            assert_eq!(findings("src/proto/channels/frame.rs", open), [] as [&str; 0], "{open}");
        }
        for open in [
            "struct A {\n pub(crate) a: u8 }",
            "pub(super) struct A { pub a: u8 }",
            "struct A(pub(in a) u8);",
        ] {
            assert_eq!(findings("src/proto/channels/frame.rs", open).len(), 1, "{open}");
        }
        assert_eq!(findings("src/proto/statistics.rs", "pub struct A { pub a: u8 }"), [] as [&str; 0]);
    }
}
