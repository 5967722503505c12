//! Bytes with the outer form of certificates and keys.
#![allow(dead_code, reason = "each test program uses its own part")]

/// A DER element.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = u16::try_from(content.len()).expect("short").to_be_bytes();
    [&[tag, 0x82, len[0], len[1]], content].concat()
}

/// Bytes with the outer form of a certificate, with `len` bytes of `seed` in it.
pub fn certificate_der(seed: u8, len: usize) -> Vec<u8> {
    let signature = element(0x03, &vec![seed; len]);
    element(0x30, &[element(0x30, b""), element(0x30, b""), signature].concat())
}

/// The same for a private key (PKCS#8).
pub fn key_der(secret: &[u8]) -> Vec<u8> {
    element(0x30, &[element(0x02, &[0]), element(0x30, b""), element(0x04, secret)].concat())
}

/// Decodes Base64 without line ends, bit by bit and without code of the library.
pub fn base64(text: &str) -> Vec<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.chars().filter(|digit| *digit != '=');
    let bits: Vec<bool> = digits
        .map(|digit| alphabet.find(digit).expect("a digit"))
        .flat_map(|value| (0..6).rev().map(move |bit| value >> bit & 1 == 1))
        .collect();
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |value, bit| value << 1 | u8::from(*bit))).collect()
}
