//! The received side of every capture and fixture, given to an engine that has asked none of the questions.
//!
//! A driver on a port that carries the session of another program has to keep working: it asks its own questions,
//! passes unsolicited lines on, and draws no wrong conclusion about data. The published captures are read from
//! `../shared/captures`. Without that folder, the test prints a note and uses only our own fixtures.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use air724ug::Config;
use air724ug::at::Urc;
use air724ug::capture::{self, Capture, Entry, TimelineEntryKind, replay};
use air724ug::proto::{Engine, Event, Input, Output};
use air724ug::time::Timestamp;

/// The most deadlines between two records. More would be a loop without a wait; 75 s of silence have some hundred.
const MAX_TICKS: usize = 10_000;

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("NOT TESTED: the published captures are not here ({})", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    paths
}

fn captures() -> Vec<(PathBuf, Capture)> {
    let own = files("fixtures", "capture");
    assert!(!own.is_empty());
    let paths = files("../shared/captures", "txt").into_iter().chain(own);
    paths.map(|path| (path.clone(), capture::load(path).unwrap())).collect()
}

fn drain(engine: &mut Engine, events: &mut Vec<Event>) {
    while let Some(output) = engine.poll() {
        if let Output::Event(event) = output {
            events.push(event);
        }
    }
}

/// The events of an engine that receives a capture in pieces of at most `size` bytes.
fn listen(capture: &Capture, size: usize) -> Vec<Event> {
    let mut engine = Engine::new(Config::default(), Timestamp::ZERO).unwrap();
    let mut events = Vec::new();
    engine.handle(Timestamp::ZERO, Input::Tick);
    drain(&mut engine, &mut events);
    for located in &capture.records {
        let at = located.record.at;
        let mut ticks = 0;
        while let Some((deadline, _)) = engine.deadline().filter(|(deadline, _)| *deadline <= at) {
            engine.handle(deadline, Input::Tick);
            drain(&mut engine, &mut events);
            ticks += 1;
            assert!(ticks < MAX_TICKS, "the engine does not wait");
        }
        if let Entry::FromModem(bytes) = &located.record.what {
            for piece in bytes.chunks(size) {
                engine.handle(at, Input::Received(piece));
                drain(&mut engine, &mut events);
            }
        }
    }
    events
}

/// Lines that answer no command in any state, so no part of the engine may drop them.
fn is_news(urc: &Urc) -> bool {
    matches!(urc, Urc::Mode(..) | Urc::Service(_) | Urc::NetworkTime(_) | Urc::Bearer(_) | Urc::CardMode(_))
}

#[test]
fn unsolicited_lines_reach_the_application_in_order_at_every_chunk_size() {
    let mut seen = 0;
    for (path, capture) in captures() {
        let expected: Vec<Urc> = replay(&capture)
            .entries
            .into_iter()
            .filter_map(|entry| match entry.what {
                TimelineEntryKind::Urc { urc, .. } if is_news(&urc) => Some(urc),
                _ => None,
            })
            .collect();
        for size in [1, 2, 3, 7, 64, usize::MAX] {
            let news: Vec<Urc> = listen(&capture, size)
                .into_iter()
                .filter_map(|event| match event {
                    Event::Urc(urc) if is_news(&urc) => Some(urc),
                    _ => None,
                })
                .collect();
            assert_eq!(news, expected, "{} in pieces of {size}", path.display());
            seen += news.len();
        }
    }
    assert!(seen > 0);
}

#[test]
fn the_session_of_another_program_opens_no_socket() {
    for (path, capture) in captures() {
        for size in [1, usize::MAX] {
            let events = listen(&capture, size);
            let opened = events.iter().find(|event| matches!(event, Event::Connected(_) | Event::Closed(..)));
            assert_eq!(opened, None, "{}", path.display());
        }
    }
}
