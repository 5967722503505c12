//! The decoder with any bytes: it never panics, reads every byte once, keeps little, and returns the same tokens for
//! any size of chunks.

use air724ug::at::{Command, Decoder, Expect, Line, MAX_LINE, MAX_PAYLOAD, Token};

use super::script::Script;

/// A token without its borrow; pieces of data are joined.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owned {
    Line(Vec<u8>),
    Prompt,
    OddLineEnd,
    Header(String),
    Data(Vec<u8>),
    Fault(String),
}

/// Decodes the bytes whole, byte by byte and in chunks of sizes from the script.
pub fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let expect = if script.byte().is_multiple_of(2) { Expect::Line } else { Expect::Prompt };
    let chunk = usize::from(script.byte()) + 1;
    let bytes = bytes.get(2..).unwrap_or_default();
    let whole = decode(bytes, bytes.len().max(1), expect);
    assert_eq!(decode(bytes, 1, expect), whole, "byte by byte");
    assert_eq!(decode(bytes, chunk, expect), whole, "in chunks of {chunk}");
}

fn decode(bytes: &[u8], chunk: usize, expect: Expect) -> Vec<Owned> {
    let mut decoder = Decoder::new();
    let mut tokens: Vec<Owned> = Vec::new();
    let mut open = false;
    for mut input in bytes.chunks(chunk) {
        let mut left = input.len() + 1;
        let mut idle = 0;
        while let Some(token) = decoder.next(&mut input, expect) {
            let moved = input.len() < left;
            left = input.len();
            idle = if moved { 0 } else { idle + 1 };
            // A header without data and with an odd line end: this line end, the data, the missing line end, and
            // another odd one.
            assert!(idle <= 4, "tokens without bytes: {token:?}");
            take(token, &mut tokens, &mut open);
        }
        assert!(input.is_empty(), "bytes were left");
        assert!(decoder.partial_line().len() <= MAX_LINE && decoder.data_left() <= MAX_PAYLOAD);
    }
    if let Some(token) = decoder.end_line() {
        take(token, &mut tokens, &mut open);
    }
    tokens
}

fn take(token: Token<'_>, tokens: &mut Vec<Owned>, open: &mut bool) {
    match token {
        Token::Line(line) => {
            assert!(!line.is_empty() && line.len() <= MAX_LINE);
            // Parsing the line must not panic.
            let text = String::from_utf8_lossy(line);
            drop(format!("{:?}", Line::parse(line)));
            drop(format!("{:?}", Command::recorded(&text)));
            tokens.push(Owned::Line(line.to_vec()));
        }
        Token::OddLineEnd => tokens.push(Owned::OddLineEnd),
        Token::Prompt => tokens.push(Owned::Prompt),
        Token::Header(header) => tokens.push(Owned::Header(format!("{header:?}"))),
        Token::Data { bytes, last } => {
            match tokens.last_mut() {
                Some(Owned::Data(data)) if *open => data.extend_from_slice(bytes),
                _ => tokens.push(Owned::Data(bytes.to_vec())),
            }
            *open = !last;
        }
        Token::Fault(fault) => tokens.push(Owned::Fault(format!("{fault:?}"))),
    }
}
