//! The fidelity of the simulated modem. The tests type the commands of every published capture into it, and compare its
//! answers with those of the real module.
//!
//! The captures belong to their publishers and are no part of this project. They are read from `../shared/captures`,
//! and for the module itself from `../shared/logs`. Without that folder these tests print a note and check nothing.
//! `docs/simulator.md` has the figures and the differences. Each test compares that document with its findings, in both
//! directions.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used, clippy::panic)]

mod air;
mod compare;
mod document;
mod exchange;
mod manual;
mod scenario;
mod sim800;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use air724ug::capture::{self, Capture};
use compare::{Nearness, nearness};
use document::{cell, table};
use exchange::{Exchange, lines};
use scenario::Scenario;

#[test]
fn the_document_has_the_figures_of_every_capture() {
    let played = played();
    if played.is_empty() {
        return;
    }
    let mut found: Vec<Vec<String>> = played.iter().map(Played::row).collect();
    found.push(sum("all modules", played.iter().filter(|played| !played.name.starts_with('d'))));
    found.push(sum("the manual", played.iter().filter(|played| played.name.starts_with('d'))));
    document::compare(
        "| capture | played by | exchanges | exactly | up to values | different | prompted |",
        &found,
    );
}

#[test]
fn the_document_lists_every_difference_with_its_reason() {
    let played = played();
    if played.is_empty() {
        return;
    }
    let header = "| capture | line | command | the module said | the simulator says | reason |";
    let found: Vec<Vec<String>> = played.iter().flat_map(Played::differences).collect();
    document::compare_all_but_last(header, &found);
    for row in table(header) {
        assert!(row.last().is_some_and(|reason| reason.len() > 10), "no reason: {row:?}");
    }
}

#[test]
fn the_document_gives_a_reason_for_every_capture_that_is_not_played() {
    let published = published();
    if published.is_empty() {
        return;
    }
    let played: BTreeSet<String> = played().into_iter().map(|played| played.name).collect();
    let silent = table("| capture | why it is not played |");
    let silent: BTreeSet<String> = silent.into_iter().map(|row| row[0].clone()).collect();
    assert!(played.is_disjoint(&silent), "played, but listed: {silent:?}");
    let all: BTreeSet<String> = published.into_iter().map(|(name, _)| short(&name)).collect();
    assert_eq!(played.union(&silent).cloned().collect::<BTreeSet<_>>(), all);
}

#[test]
fn a_wrong_line_of_the_simulator_is_detected() {
    for (name, capture) in published() {
        for scene in scenes().into_iter().filter(|scene| name.starts_with(scene.file)) {
            for (mut exchange, simulated) in scene.play(&capture) {
                let before = nearness(&exchange.answer, &simulated);
                exchange.answer.extend_from_slice(b"\r\n+MORE\r\n");
                let after = nearness(&exchange.answer, &simulated);
                assert_eq!(after, Nearness::Different, "{name}:{} was {before:?}", exchange.line);
            }
        }
    }
}

/// A capture and the simulator's answers to it.
struct Played {
    name: String,
    profile: &'static str,
    prompted: usize,
    exchanges: Vec<(Exchange, Vec<u8>)>,
}

impl Played {
    fn count(&self, wanted: Nearness) -> usize {
        let near = self.exchanges.iter().map(|(exchange, simulated)| nearness(&exchange.answer, simulated));
        near.filter(|near| *near == wanted).count()
    }

    fn figures(&self) -> [usize; 5] {
        let counts =
            [Nearness::Exact, Nearness::UpToValues, Nearness::Different].map(|near| self.count(near));
        [self.exchanges.len(), counts[0], counts[1], counts[2], self.prompted]
    }

    fn row(&self) -> Vec<String> {
        let names = [self.name.clone(), self.profile.to_owned()];
        names.into_iter().chain(self.figures().map(|count| count.to_string())).collect()
    }

    fn differences(&self) -> Vec<Vec<String>> {
        let different = |(exchange, simulated): &&(Exchange, Vec<u8>)| {
            nearness(&exchange.answer, simulated) == Nearness::Different
        };
        let row = |(exchange, simulated): &(Exchange, Vec<u8>)| {
            let command = lines(exchange.sent.as_deref().unwrap_or_default());
            let sides = [command, lines(&exchange.answer), lines(simulated)].map(|lines| cell(&lines));
            [self.name.clone(), exchange.line.to_string()].into_iter().chain(sides).collect()
        };
        self.exchanges.iter().filter(different).map(row).collect()
    }
}

fn sum<'a>(name: &str, played: impl Iterator<Item = &'a Played>) -> Vec<String> {
    let mut sum = [0; 5];
    for figures in played.map(Played::figures) {
        sum.iter_mut().zip(figures).for_each(|(sum, count)| *sum += count);
    }
    [format!("**{name}**"), String::new()].into_iter().chain(sum.map(|count| count.to_string())).collect()
}

fn played() -> Vec<Played> {
    let mut scenes = scenes();
    let mut played = Vec::new();
    for (name, capture) in published() {
        let Some(at) = scenes.iter().position(|scene| name.starts_with(scene.file)) else { continue };
        let scene = scenes.remove(at);
        let (profile, prompted) = (scene.profile(), scene.prompted());
        played.push(Played { name: short(&name), profile, prompted, exchanges: scene.play(&capture) });
    }
    let left: Vec<&str> = scenes.iter().map(|scene| scene.file).collect();
    assert!(played.is_empty() || left.is_empty(), "scenes without a capture: {left:?}");
    played
}

fn scenes() -> Vec<Scenario> {
    air::scenes().into_iter().chain(sim800::scenes()).chain(manual::scenes()).collect()
}

/// The short name of a capture: `a01` for `a01_air780e_...`.
fn short(name: &str) -> String {
    name.split('_').next().unwrap().to_owned()
}

/// All published captures in the order of their names. Without them, a message is printed and the list is empty.
fn published() -> Vec<(String, Capture)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("NOT TESTED: the published captures are missing ({})", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    // One of the other public logs shows the port of the module itself.
    let logs = std::fs::read_dir(folder.join("../logs")).into_iter().flatten();
    let logs = logs.map(|entry| entry.unwrap().path());
    paths.extend(
        logs.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("q01_"))),
    );
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort_by_key(|path| path.file_name().map(std::ffi::OsStr::to_owned));
    let named = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, capture::load(&path).unwrap_or_else(|error| panic!("{error}")))
    };
    paths.into_iter().map(named).collect()
}
