//! How faithful the simulated modem is: the command side of every published capture is typed into it, and what it
//! answers is compared with what the real module said.
//!
//! The captures belong to those who published them and are no part of this project. They are read from
//! `../shared/captures`; where that folder is absent, these tests say so and prove nothing. The figures and the
//! differences stand in `docs/simulator.md`, and each test compares that document with what it finds, both ways.

// What fails here fails a test, in helpers too.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "sim_fidelity/air.rs"]
mod air;
#[path = "sim_fidelity/compare.rs"]
mod compare;
#[path = "sim_fidelity/exchange.rs"]
mod exchange;
#[path = "sim_fidelity/manual.rs"]
mod manual;
#[path = "sim_fidelity/scene.rs"]
mod scene;
#[path = "sim_fidelity/sim800.rs"]
mod sim800;

use std::path::{Path, PathBuf};

use air724ug::capture::{self, Capture};
use compare::{Nearness, nearness};
use exchange::{Exchange, exchanges, lines};
use scene::Scene;

#[test]
fn dump() {
    for (name, capture) in published() {
        let Some(scene) = scenes().into_iter().find(|scene| name.starts_with(scene.file)) else {
            println!("#### {name}: no scene, {} exchanges", exchanges(&capture, &[]).len());
            continue;
        };
        let played = scene.play(&capture);
        let count = |near| played.iter().filter(|(e, heard)| nearness(&e.answer, heard) == near).count();
        println!("#### {name}: {} {} {} {}", played.len(), count(Nearness::Exact), count(Nearness::UpToValues), count(Nearness::Different));
        for (exchange, heard) in &played {
            let near = nearness(&exchange.answer, heard);
            if near == Nearness::Exact { continue }
            println!("{near:?} {}: {}\n   real {:?}\n   sim  {:?}", exchange.line, exchange.sent.as_deref().unwrap_or_default().escape_ascii(), lines(&exchange.answer), lines(heard));
        }
    }
}

fn scenes() -> Vec<Scene> {
    air::scenes().into_iter().chain(sim800::scenes()).chain(manual::scenes()).collect()
}

/// All published captures in the order of their names; none, with a word about it, if they are not here.
fn published() -> Vec<(String, Capture)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("NOT TESTED: the published captures are not here ({})", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    let named = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, capture::load(&path).unwrap_or_else(|error| panic!("{error}")))
    };
    paths.into_iter().map(named).collect()
}
