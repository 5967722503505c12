//! The engine with a port that delivers line by line, and again byte by byte: both times it behaves the same.

use super::engine::{self, Chunks, Stage};
use super::script::Script;

/// Plays a script of the engine twice. After the first damage on the line the two may differ: the bytes so far are read
/// before or after the next byte shows the damage.
pub fn run(bytes: &[u8]) {
    let by_line = reported(bytes, Chunks::Lines);
    let by_byte = reported(bytes, Chunks::Bytes);
    let (line, byte) = (undamaged(&by_line), undamaged(&by_byte));
    let at = line.iter().zip(byte).take_while(|(a, b)| a == b).count();
    if let (Some(line), Some(byte)) = (line.get(at), byte.get(at)) {
        panic!("after {:?}\nby lines:  {line}\nby bytes: {byte}", &by_line[at.saturating_sub(5)..at]);
    }
    assert_eq!(line.len(), byte.len(), "one says more than the other");
    assert_eq!(by_line.get(line.len()), by_byte.get(byte.len()), "only one sees the damage, or another one");
}

fn undamaged(reported: &[String]) -> &[String] {
    let end = reported.iter().position(|one| one.starts_with("Event(Fault("));
    &reported[..end.unwrap_or(reported.len())]
}

fn reported(bytes: &[u8], chunks: Chunks) -> Vec<String> {
    let mut script = Script::new(bytes);
    let mut stage = Stage::of(&mut script);
    stage.chunks = chunks;
    engine::play(stage, &mut script)
}
