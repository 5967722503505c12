//! The check that each part imports only what the table allows.

use crate::Finding;
use crate::paths::{Path, paths};
use crate::source::Source;
use crate::table::{CRATES, PARTS, PROTOCOL_TEXT, Part};
use std::collections::BTreeMap;

/// The names that `src/lib.rs` exports at its root, each with its part: `use crate::Modem` is a use of `modem`.
pub(crate) fn exports(lib: &Source) -> BTreeMap<String, String> {
    paths(&lib.production)
        .into_iter()
        .filter(|path| path.is_public() && path.segments.len() > 1)
        .filter_map(|path| Some((path.segments.last()?.clone(), part_of_export(&path)?)))
        .collect()
}

fn part_of_export(path: &Path) -> Option<String> {
    path.segments.iter().find(|&segment| segment != "crate" && segment != "self").cloned()
}

/// The names in `source` that its row of the table does not allow.
pub(crate) fn check(source: &Source, exports: &BTreeMap<String, String>) -> Vec<Finding> {
    let module = source.module();
    let Some(&top) = module.first() else {
        // `lib.rs` is the index of the parts.
        return Vec::new();
    };
    let Some(part) = part(&module) else {
        let message = format!("`{top}` is in no row of the table in tests/architecture/table.rs");
        return vec![Finding::new(source, 1, message)];
    };
    let mut findings: Vec<Finding> = paths(&source.production)
        .iter()
        .filter_map(|path| Some(Finding::new(source, path.line, objection(part, &module, path, exports)?)))
        .collect();
    if !part.speaks {
        findings.extend(protocol_text(source, part));
    }
    findings
}

fn part(module: &[&str]) -> Option<&'static Part> {
    let name = match module {
        ["sim", below, ..] if below.starts_with("serve") => "sim/serve",
        ["sim", "host", ..] => "sim/host",
        [top, ..] => top,
        [] => return None,
    };
    PARTS.iter().find(|part| part.name == name)
}

/// The reason why `part` may not name `path`; `None` if it may.
fn objection(
    part: &Part,
    module: &[&str],
    path: &Path,
    exports: &BTreeMap<String, String>,
) -> Option<String> {
    let segments: Vec<&str> = path.segments.iter().map(String::as_str).collect();
    let own = module[0];
    if let Some(inside) = inside_this_crate(&segments, module) {
        let name = inside.first()?;
        let other = exports.get(*name).map_or(*name, String::as_str);
        let is_part = PARTS.iter().any(|part| part.name == other);
        let allowed = other == own || part.parts.contains(&other);
        return (is_part && !allowed).then(|| format!("`{}` must not import `{other}`", part.name));
    }
    let first = *segments.first()?;
    if CRATES.contains(&first) {
        return (!part.crates.contains(&first))
            .then(|| format!("`{}` must not use the crate `{first}`", part.name));
    }
    let never = part.never.iter().find(|never| reaches(&segments, never))?;
    Some(format!("`{}` must not name `{never}`", part.name))
}

/// The path from the root of this crate; `None` for a path of another crate.
fn inside_this_crate<'a>(segments: &[&'a str], module: &[&'a str]) -> Option<Vec<&'a str>> {
    match segments {
        ["crate" | "air724ug", rest @ ..] => Some(rest.to_vec()),
        ["self", rest @ ..] => Some([module, rest].concat()),
        ["super", ..] => {
            let ups = segments.iter().take_while(|&&segment| segment == "super").count();
            let parent = &module[..module.len().saturating_sub(ups)];
            Some([parent, &segments[ups..]].concat())
        }
        _ => None,
    }
}

/// Whether `segments` names `never` or leads to it: `std::io::Read`, `std::{time}`, `std::time::*`.
fn reaches(segments: &[&str], never: &str) -> bool {
    let segments: Vec<&str> = match segments {
        [module @ .., "self" | "*"] => module.to_vec(),
        _ => segments.to_vec(),
    };
    let never: Vec<&str> = never.split("::").collect();
    segments.starts_with(&never) || never.starts_with(&segments)
}

fn protocol_text(source: &Source, part: &Part) -> Vec<Finding> {
    let knows = |text: &&str| PROTOCOL_TEXT.iter().any(|protocol| text.contains(protocol));
    source
        .literals
        .iter()
        .filter(|(_, text)| knows(&text.as_str()))
        .map(|(line, text)| {
            Finding::new(source, *line, format!("`{}` must not know the protocol: {text:?}", part.name))
        })
        .collect()
}

mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        let lib =
            Source::parse("src/lib.rs", "pub use modem::{Modem, Socket};\npub use crate::time::Timestamp;\n");
        check(&Source::parse(path, text), &exports(&lib)).iter().map(ToString::to_string).collect()
    }

    #[track_caller]
    fn refused(path: &str, text: &str, finding: &str) {
        assert_eq!(findings(path, text), [finding], "{text}");
    }

    #[track_caller]
    fn allowed(path: &str, text: &str) {
        assert_eq!(findings(path, text), [] as [&str; 0], "{text}");
    }

    #[test]
    fn the_grammar_must_not_name_the_engine() {
        refused(
            "src/at/line.rs",
            "\nuse crate::proto::Engine;",
            "src/at/line.rs:2: `at` must not import `proto`",
        );
        refused(
            "src/at/line.rs",
            "use super::super::proto;",
            "src/at/line.rs:1: `at` must not import `proto`",
        );
        refused(
            "src/at/mod.rs",
            "fn f() -> crate::proto::E {}",
            "src/at/mod.rs:1: `at` must not import `proto`",
        );
        refused(
            "src/at/mod.rs",
            "use crate::{time,\n sim::Sim};",
            "src/at/mod.rs:2: `at` must not import `sim`",
        );
    }

    #[test]
    fn an_export_at_the_root_counts_as_its_part() {
        refused("src/proto/x.rs", "use crate::Modem;", "src/proto/x.rs:1: `proto` must not import `modem`");
        allowed("src/proto/x.rs", "use crate::Timestamp;");
    }

    #[test]
    fn the_core_must_not_name_io_threads_and_clocks() {
        for (text, never) in [
            ("use std::io;", "std::io"),
            ("use std::io::Read;", "std::io"),
            ("use std::{fmt, io::{self}};", "std::io"),
            ("fn f() { std::thread::yield_now() }", "std::thread"),
            ("fn f() { ::std::thread::yield_now() }", "std::thread"),
            ("use std::time::{Duration, Instant};", "std::time::Instant"),
            ("use std::time;", "std::time::Instant"),
            ("use std::time::*;", "std::time::Instant"),
            ("use std::sync::mpsc::Sender;", "std::sync::mpsc"),
            ("use std::net::TcpStream;", "std::net::TcpStream"),
        ] {
            refused("src/proto/x.rs", text, &format!("src/proto/x.rs:1: `proto` must not name `{never}`"));
        }
        allowed(
            "src/proto/x.rs",
            "use std::{fmt, collections::VecDeque, net::Ipv4Addr, time::Duration, sync::Arc};",
        );
    }

    #[test]
    fn other_crates_are_used_only_where_the_table_allows() {
        refused(
            "src/proto/x.rs",
            "use nom::IResult;",
            "src/proto/x.rs:1: `proto` must not use the crate `nom`",
        );
        refused(
            "src/proto/x.rs",
            "fn f() { log::info!(\"\") }",
            "src/proto/x.rs:1: `proto` must not use the crate `log`",
        );
        refused(
            "src/driver/x.rs",
            "use serialport;",
            "src/driver/x.rs:1: `driver` must not use the crate `serialport`",
        );
        refused(
            "src/sim/line.rs",
            "use rustix::pty;",
            "src/sim/line.rs:1: `sim` must not use the crate `rustix`",
        );
        allowed("src/sim/serve.rs", "use rustix::pty; use super::Sim;");
        allowed("src/sim/serve/pty.rs", "use rustix::pty; use crate::sim::Sim;");
        allowed("src/sim/host/sockets.rs", "use rustix::net::bind;");
        allowed("src/at/x.rs", "use nom::IResult;");
    }

    #[test]
    fn the_simulated_modem_and_the_driver_share_nothing() {
        refused("src/sim/x.rs", "use crate::at::Urc;", "src/sim/x.rs:1: `sim` must not import `at`");
        refused(
            "src/driver/x.rs",
            "use crate::sim::Sim;",
            "src/driver/x.rs:1: `driver` must not import `sim`",
        );
        allowed("src/sim/x.rs", "use crate::time::Timestamp; use super::y;");
    }

    #[test]
    fn the_shell_must_not_know_the_protocol() {
        refused(
            "src/modem/x.rs",
            "fn f() { write(b\"AT+CSQ\\r\\n\") }",
            "src/modem/x.rs:1: `modem` must not know the protocol: \"AT+CSQ\\\\r\\\\n\"",
        );
        allowed("src/modem/x.rs", "// AT+CSQ\n#[cfg(test)]\nmod tests { const A: &str = \"AT+CSQ\"; }");
        allowed("src/proto/x.rs", "const A: &str = \"AT+CSQ\";");
    }

    #[test]
    fn tests_and_comments_may_name_anything() {
        allowed("src/at/x.rs", "// use crate::proto;\n#[cfg(test)]\nmod tests { use crate::proto::Engine; }");
        allowed("src/at/x.rs", "//! See [`crate::proto`].\nconst A: &str = \"std::io\";");
    }

    #[test]
    fn a_part_without_a_row_is_found() {
        let finding = "src/cloud/x.rs:1: `cloud` is in no row of the table in tests/architecture/table.rs";
        refused("src/cloud/x.rs", "", finding);
    }
}
