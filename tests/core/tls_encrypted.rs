//! Private keys with a password, as OpenSSL writes them, with feature `encrypted-keys`. Without the feature this file
//! is empty, and `tests/core/tls_config.rs` tests that such keys are refused.
#![cfg(feature = "encrypted-keys")]
#![allow(clippy::unwrap_used, reason = "what can't be set up shall fail the test, also in a helper")]

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use air724ug::{Error, PrivateKey};

const PASSWORD: &str = "correct horse battery staple";

fn path(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/core/encrypted_keys", name].iter().collect()
}

fn pem(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap()
}

fn der(name: &str) -> Vec<u8> {
    let text = pem(name);
    let digits = text.lines().filter(|line| !line.starts_with('-')).flat_map(str::bytes);
    let value = |byte: u8| {
        b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
            .iter()
            .position(|digit| *digit == byte)
    };
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
    for digit in digits.filter_map(value) {
        (bits, count) = (bits << 6 | digit as u32, count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

/// The key that all the encrypted keys contain.
fn plain() -> PrivateKey {
    PrivateKey::from_file(path("../../../fixtures/certificates/client.key")).unwrap()
}

fn read(bytes: impl AsRef<[u8]>, password: &str) -> Result<PrivateKey, Error> {
    PrivateKey::from_bytes_encrypted(bytes.as_ref(), password)
}

#[track_caller]
fn refusal(result: Result<PrivateKey, Error>) -> String {
    match result {
        Err(Error::InvalidInput { what: "private key", why }) => why.into(),
        other => panic!("{other:?}"),
    }
}

const READABLE: [&str; 5] = ["aes256.key", "aes192-sha512.key", "aes128-sha1.key", "des3.key", "scrypt.key"];

#[test]
fn every_key_encrypted_by_openssl_is_decrypted() {
    for name in READABLE {
        assert!(read(pem(name), PASSWORD).unwrap() == plain(), "{name}");
        assert!(read(der(name), PASSWORD).unwrap() == plain(), "{name} as DER");
        assert!(
            PrivateKey::from_file_encrypted(path(name), PASSWORD).unwrap() == plain(),
            "{name} as a file"
        );
    }
}

#[test]
fn a_wrong_password_has_its_own_error() {
    for name in READABLE {
        for password in ["", "correct horse battery stapl", "correct horse battery staple "] {
            let answer = read(pem(name), password);
            assert!(matches!(answer, Err(Error::WrongPassword)), "{name}: {answer:?}");
        }
    }
    assert_eq!(Error::WrongPassword.kind(), ErrorKind::InvalidInput);
}

/// Two or three of 600 wrong passwords yield bytes that look like padding.
#[test]
fn bytes_that_look_like_padding_by_chance_are_a_wrong_password_too() {
    let key = der("aes256.key");
    for number in 0..600 {
        let answer = read(&key, &number.to_string());
        assert!(matches!(answer, Err(Error::WrongPassword)), "{number}: {answer:?}");
    }
}

#[test]
fn a_key_without_a_password_needs_none() {
    let text = fs::read(path("../../../fixtures/certificates/client.key")).unwrap();
    assert!(read(&text, PASSWORD).unwrap() == plain());
    let both = [text.as_slice(), pem("aes256.key").as_bytes()].concat();
    assert_eq!(refusal(read(both, PASSWORD)), "is more than one");
}

#[test]
fn an_encrypted_key_without_a_password_names_the_function_to_call() {
    let why = refusal(PrivateKey::from_bytes(pem("aes256.key").as_bytes()));
    assert!(why.contains("from_bytes_encrypted"), "{why}");
}

#[test]
fn an_unsupported_key_is_refused_with_advice() {
    assert!(refusal(read(pem("pbes1.key"), PASSWORD)).contains("openssl pkcs8 -topk8 -v2 aes256"));
    assert!(refusal(read(pem("as-of-old.key"), PASSWORD)).contains("openssl pkcs8 -topk8"));
    for nothing in [&b""[..], b"nothing", &[0x30, 0]] {
        assert_eq!(refusal(read(nothing, PASSWORD)), "holds none");
    }
}

/// A file must not decide about the time and memory that the program uses.
#[test]
fn a_key_that_needs_too_much_work_is_refused_at_once() {
    let began = Instant::now();
    let why = refusal(read(pem("too-many-iterations.key"), PASSWORD));
    assert!(why.contains("2000000 iterations"), "{why}");
    // The key has N = 16384, r = 8, p = 1. The test sets r to 127, then p.
    let key = der("scrypt.key");
    let parameters = [2, 2, 0x40, 0, 2, 1, 8, 2, 1, 1];
    let at = key.windows(parameters.len()).position(|window| window == parameters).unwrap();
    for (place, value) in [(6, 127), (9, 127)] {
        let mut key = key.clone();
        key[at + place] = value;
        assert!(refusal(read(key, PASSWORD)).contains("64 MiB"));
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    // Invalid parameters of scrypt are an error, not a panic.
    for (place, value) in [(2, 0), (2, 0x41), (6, 0), (9, 0)] {
        let mut key = key.clone();
        key[at + place] = value;
        assert!(read(key, PASSWORD).is_err(), "{place}: {value}");
    }
}

#[test]
fn damage_anywhere_in_a_key_is_an_error() {
    let key = der("aes256.key");
    // The initialisation vector is in front of the encrypted key, which has 144 bytes.
    let vector = key.windows(3).position(|window| window == [4, 0x81, 144]).unwrap() - 16;
    for at in 0..key.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = key.clone();
            damaged[at] ^= flip;
            // Damage in these two may yield another valid key, because nothing but its form protects it.
            match read(&damaged, PASSWORD) {
                Err(Error::WrongPassword | Error::InvalidInput { .. }) => {}
                Ok(_) if at >= vector => {}
                other => panic!("{at} ^ {flip:#x}: {other:?}"),
            }
        }
        assert!(read(&key[..at], PASSWORD).is_err(), "{at} bytes");
    }
}

#[test]
fn debug_output_shows_neither_password_nor_key() {
    let key = read(pem("aes256.key"), PASSWORD);
    let text = fs::read_to_string(path("../../../fixtures/certificates/client.key")).unwrap();
    let line = text.lines().nth(1).unwrap();
    let mut shown = format!("{key:?}");
    for (name, password) in
        [("aes256.key", "wrong horse"), ("pbes1.key", PASSWORD), ("as-of-old.key", PASSWORD)]
    {
        let error = read(pem(name), password).unwrap_err();
        shown += &format!("{error} {error:?}");
    }
    for secret in [PASSWORD, "horse", &line[..12]] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
