//! Hostile bytes from seeds: a few seconds of what the targets in `fuzz/` do for hours. Both use the scripts in
//! `tests/support/scripts`. A finding of a fuzzer is added to [`FOUND`].
//!
//! A failure prints its seed. `AIR724UG_SEED=<seed> cargo test --test core sim_fuzz` runs it alone.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::scripts::{
    capture, chunks, command, decoder, engine, luat, mask, numbers, script, simulator, tls,
};

/// A target, and the bytes that it failed on.
type Found = (fn(&[u8]), &'static [u8]);

/// Findings of fuzzing, which must not come back.
const FOUND: &[Found] = &[
    // A line with a form feed alone counted as empty.
    (decoder::run, b"\0\0\x0c\r\n"),
    // The place where a read was cut decided whether a line was a header.
    (decoder::run, b"\0\0+RECEIVE,9,00000000000000000000000000000000000000000000000000000000000000000000000000000000000:,2\r\n"),
    (decoder::run, b"\0\0+IPD,4,TURKEY:abcd\r\n"),
    (decoder::run, b"\x01\0+IPD,4,T\r\n:abcd"),
    // A socket was dropped while a call waited for its close, and that call got no answer.
    (engine::run, b"\x04\x06\x20\x00\x00\x03\x06\x20\x00\x00\x04"),
    // A port came back that had not been lost. Its return removed the question in flight, and the caller got no answer.
    (engine::run, b"\x04\xc6\xf2\xf5\x06\x01\xb7\x00\x20\x38\x2c\x30\xec\xc6\xf2\xf5\x06\x01\xb7\x00\x05\x06\x0a\x00\x00\
          \xf8\x02\x14\xf9\xff\xed\xf2\xf5\x05\xd4\xbc\xaf\xc1\xdf\xbc\xb3\x4f\x09\x53\x07\x05"),
    // A card was inserted while the modem had no port, and the simulator reported it on that port.
    (simulator::run, b"\0\0\0\0\x07\x08\xff\x07\x02"),
    // A module sent data on a channel that was still connecting, and stopped. The connect request got no answer.
    (engine::run, b"\xfb\xf9\xff\xfd\xad\x39\xba\x42\xba\xb6\xa1\x01\x00\x2b\x49\x26\x44\x2c\x00\x00\x00\x00\x00\
          \x00\x00\x02\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00\xff\x40\x05"),
    // The module ended a stream that was still being dialled. The stream had an end without a beginning.
    (engine::run, b"\x49\xf2\x2b\x25\x4c\x4c\x4c\x4c\xff\x0d\x49\x25\x4c\x4c\x4c\x4c\xff\x0d\x49\x25"),
    // A connection whose caller had given up was made again, and had no handle.
    (engine::run, b"\x01\x05\x43\x06\x41\x43\x99\x99\x99\x41\x05\x41\x43"),
    // A damaged body was reported once more where reads were cut elsewhere. These bytes yield the most tokens for one
    // byte.
    (decoder::run, b"\0\0\x0d\x0a+RECEIVE,3,0,99999999999\x0a\x0a\0\x0d5\x0d\x0a"),
    // A line after a damaged line end was reported if it came in one piece, but not if it came byte by byte.
    (chunks::run, b"\x04\x00\x16\x0d,\x00RECEIVE,5,5:\x0d\x0ahello\x08\xff\x00-\x0d\x0a0, CLOSED\x0d\x0a\x08\xff"),
    (chunks::run, b"\x04\x00\x16\x0d\x06\x0a\x00\x00\x02\x14\x07\x00EIV"),
    (chunks::run, b"\x04\x00\x16\x0d\x0a+RECEIVE,0,5:IVE,0,5:\x0d\x0a\x0d\x0d\x0a0, CLOSED\x0d\x0a\x08\xff"),
    (chunks::run, b"\x04\x00\x16\x0d\x0a+RECEIVE,0,5:\x0a+CPIN: READY\x0d\x0a\x05\x05\x05\x05\x05\x05D\x0d\x0a\x08\xff"),
    // The bearer was lost in front of damage, and its event came after that of the damage if one read brought both.
    (chunks::run, b"\x05\x9c\x0a\x00\x00\x02\x14\xfd\xff\x11\x0d\x0a\x2b\x43\x49\x50\x52\xd8\x47\x45\x54\x3a\x20\x32\x2c\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x39\x00\x05\x07\x05"),
    // The script itself let the secret through in another case.
    (mask::run, b"\xffEEw\x00Zx9Qv7ktJx9\x00"),
    // The part of a line before the place where the file was cut had an earlier time than the record before it.
    (capture::run, b"# what: x\n# source: y\n# expect: z\n1.0 > A\n0.4 ; a\xff"),
];

#[test]
fn the_simulator_survives_any_host_and_any_events() {
    seeded(6_000, 600, simulator::run);
}

#[test]
fn the_engine_survives_any_modem() {
    seeded(3_000, 600, engine::run);
}

#[test]
fn the_engine_survives_numbers_at_their_limits() {
    seeded(2_000, 600, numbers::run);
}

#[test]
fn the_engine_survives_each_number_of_a_session_at_each_limit() {
    numbers::each_at_each_limit();
}

#[test]
fn the_engine_has_the_same_results_at_any_chunk_size() {
    seeded(1_000, 600, chunks::run);
}

#[test]
fn every_trace_is_read_to_its_end() {
    seeded(300, 300, luat::run);
}

#[test]
fn every_file_is_a_certificate_or_an_error() {
    seeded(1_000, 200, tls::run);
}

#[test]
fn a_command_of_the_application_leaves_the_modem_unchanged() {
    seeded(2_000, 20, command::run);
}

#[test]
fn no_secret_is_recorded() {
    seeded(1_000, 200, mask::run);
}

#[test]
fn the_decoder_survives_any_bytes() {
    let words: [&[u8]; 12] = [
        b"\r\n",
        b"> ",
        b"+RECEIVE,0,5:",
        b"+CIPRXGET: 2,1,4,0\r\n",
        b"OK",
        b"AT+CIPSEND",
        b"\xff",
        b"+RECEIVE,9,1:\r\n",
        b"0, CLOSED\r\n",
        b"+CME ERROR: 3",
        b":",
        b",",
    ];
    seeded(3_000, 300, |bytes| decoder::run(&spelled(bytes, &words)));
}

#[test]
fn the_capture_reader_survives_any_file() {
    let words: [&[u8]; 18] = [
        b"# what: x\n",
        b"# source: y\n",
        b"# expect: z\n",
        b"0.000001 > AT\\r\\n\n",
        b"0.5 < OK\n",
        b"\n",
        b"0.1 ~\n",
        "[2024/10/16 21:14:40.669] ← AT\n".as_bytes(),
        "→ ".as_bytes(),
        b"AT+CIPSEND=0,5\n",
        b"> ",
        b"\\x",
        b"\xff",
        b"\xe2",
        b"Got:\"b'AT\\r'\"\n",
        b"0D 0A 3E 20\n",
        b"atc: OK\n",
        b"I (1) at: RX:|OK\n",
    ];
    seeded(1_500, 200, |bytes| capture::run(&spelled(bytes, &words)));
}

#[test]
fn findings_of_fuzzing_stay_mended() {
    for (run, bytes) in FOUND {
        run(bytes);
    }
}

#[test]
fn a_script_that_fails_is_reported_with_its_seed() {
    let failed = catch_unwind(|| seeded(1_000, 50, |bytes| assert!(bytes[0] != 7)));
    let message = failed.unwrap_err();
    assert!(message.downcast_ref::<String>().unwrap().contains("AIR724UG_SEED="));
}

/// Runs `count` scripts of at most `length` bytes.
fn seeded(count: u64, length: usize, run: impl Fn(&[u8])) {
    let only: Option<u64> = std::env::var("AIR724UG_SEED").ok().and_then(|seed| seed.parse().ok());
    for seed in only.map_or(0..count, |seed| seed..seed + 1) {
        let bytes = script::seeded(seed, length);
        if catch_unwind(AssertUnwindSafe(|| run(&bytes))).is_err() {
            panic!("AIR724UG_SEED={seed}; the script is {}", bytes.escape_ascii());
        }
    }
}

/// Bytes in which half of the input stands for words, so that the target understands some of them.
fn spelled(bytes: &[u8], words: &[&[u8]]) -> Vec<u8> {
    let spell = |byte: &u8| match usize::from(*byte) {
        plain if plain < 128 => vec![*byte],
        word => words[word % words.len()].to_vec(),
    };
    bytes.iter().flat_map(spell).collect()
}
