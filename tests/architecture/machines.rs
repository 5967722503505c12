//! The core is made of machines, and the engine alone is where they meet.
//!
//! A machine has private fields, and all that is done to them is in its folder. It names no other machine. Types that
//! belong to one return what is to be done; only machines that put it out name the outbox.

use crate::Finding;
use crate::habits::words;
use crate::paths::{Path, paths};
use crate::source::Source;

/// The machines, each with its folder or file below `src/proto`.
const MACHINES: &[(&str, &str)] = &[
    ("Engine", "engine"),
    ("BringUp", "bring_up"),
    ("Channels", "channels"),
    ("Requests", "requests"),
    ("Session", "session"),
    ("Transparent", "transparent"),
];

/// The one that owns the others.
const OWNER: &str = "Engine";

/// The machines that put out themselves what is to be done.
const PUT_OUT: &[&str] = &["Engine", "Channels", "Session"];

/// The files with the messages between machines: facts, commands, results. Their fields may be read everywhere.
const MESSAGES: &[&str] = &[
    "src/proto/channels/stream.rs",
    "src/proto/channels/turn.rs",
    "src/proto/session/exchange.rs",
    "src/proto/transparent/face.rs",
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
        let names = |path: &&Path| path.segments.ends_with(&[(*home).to_owned(), (*machine).to_owned()]);
        for path in paths.iter().filter(names).filter(|_| !may_name && own != "mod") {
            findings.push(Finding::new(source, path.line, format!("only the engine may name `{machine}`")));
        }
    }
    findings.extend(outbox(source, own));
    findings.extend(fields(source, inside));
    findings
}

/// Files of no machine that puts something out, and still name the outbox.
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
    // What `pub(super)` opens is the folder; from the top of it, that is the whole core.
    let is_top = !inside.contains('/') || inside.ends_with("/mod.rs");
    let mut findings = Vec::new();
    for (index, line) in source.production.lines().enumerate() {
        let Some((visibility, rest)) = line.trim_start().split_once(") ") else { continue };
        let is_field = rest.split_once(':').is_some_and(|(name, _)| name.chars().all(is_of_name));
        let is_open = match visibility {
            "pub(super" => is_top,
            _ => visibility.starts_with("pub(in ") && !MESSAGES.contains(&source.path.as_str()),
        };
        if is_field && is_open {
            findings.push(Finding::new(source, index + 1, "a field that other machines can change".into()));
        }
    }
    findings
}

fn is_of_name(letter: char) -> bool {
    letter == '_' || letter.is_ascii_lowercase() || letter.is_ascii_digit()
}

/// Where an `impl` of a type begins.
fn impls(code: &str, name: &str) -> Vec<usize> {
    words(code, "impl")
        .into_iter()
        .filter(|offset| {
            let head = code[*offset..].split('{').next().unwrap_or_default();
            let of = head.rsplit(" for ").next().unwrap_or_default();
            of.split_whitespace().last() == Some(name)
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
        let found = findings("src/proto/transparent/drive.rs", "\nimpl Engine {\n}\n");
        let impl_ = "src/proto/transparent/drive.rs:2: an `impl` of `Engine` belongs to src/proto/engine";
        assert_eq!(found, [impl_]);
        assert_eq!(findings("src/proto/engine/urcs.rs", "impl Engine {\n}\n"), [] as [&str; 0]);
        assert_eq!(findings("src/proto/engine/urcs.rs", "impl fmt::Debug for Session {\n}\n").len(), 1);
    }

    #[test]
    fn a_machine_that_names_another_is_found() {
        let found = findings("src/proto/channels/open.rs", "use crate::proto::session::Session;\n");
        assert_eq!(found, ["src/proto/channels/open.rs:1: only the engine may name `Session`"]);
        assert_eq!(findings("src/proto/engine/mod.rs", "use super::session::Session;\n"), [] as [&str; 0]);
    }

    #[test]
    fn a_leaf_that_names_the_outbox_is_found() {
        let leaf = "impl Delivery {\n    fn fail(&mut self, out: &mut Outbox) {}\n}\n";
        assert_eq!(findings("src/proto/channels/acknowledgements.rs", leaf).len(), 1);
        let owner = "impl Channels {\n    fn fail(&mut self, out: &mut Outbox) {}\n}\n";
        assert_eq!(findings("src/proto/channels/close.rs", owner), [] as [&str; 0]);
    }

    #[test]
    fn a_field_that_another_machine_can_change_is_found() {
        let open = "struct A {\n    pub(in crate::proto) mode: u8,\n}\n";
        let found = findings("src/proto/channels/frame.rs", open);
        assert_eq!(found, ["src/proto/channels/frame.rs:2: a field that other machines can change"]);
        let inside = "struct A {\n    pub(super) mode: u8,\n}\nimpl A {\n    pub(super) fn f(a: u8) {}\n}\n";
        assert_eq!(findings("src/proto/channels/frame.rs", inside), [] as [&str; 0]);
        assert_eq!(findings("src/proto/requests.rs", inside).len(), 1);
    }
}
