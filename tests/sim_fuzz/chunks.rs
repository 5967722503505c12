//! The engine whose port delivers line by line, and again byte by byte: both times it does the same.

use super::engine::{self, Chunks, Stage};
use super::script::Script;

/// Plays a script of the engine twice.
pub fn run(bytes: &[u8]) {
    let by_line = told(bytes, Chunks::Lines);
    let by_byte = told(bytes, Chunks::Bytes);
    let at = by_line.iter().zip(&by_byte).take_while(|(a, b)| a == b).count();
    if let (Some(line), Some(byte)) = (by_line.get(at), by_byte.get(at)) {
        panic!("behind {:?}\nby lines:  {line}\nby bytes: {byte}", &by_line[at.saturating_sub(5)..at]);
    }
    assert_eq!(by_line.len(), by_byte.len(), "one says more than the other");
}

fn told(bytes: &[u8], chunks: Chunks) -> Vec<String> {
    let mut script = Script::new(bytes);
    let mut stage = Stage::of(&mut script);
    stage.chunks = chunks;
    engine::play(stage, &mut script)
}
