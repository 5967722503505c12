//! Any file as a certificate or a key, any name and span in the configuration: there is never a panic, never a quote or
//! a line end in a command, and never the key in a text for display.

use std::time::Duration;

use air724ug::at::Quotable;

use air724ug::tls::{Certificate, PrivateKey, TlsConfig};

use super::script::Script;

const FILES: [&str; 5] = [
    include_str!("../../../fixtures/certificates/ca.crt"),
    include_str!("../../../fixtures/certificates/client.crt"),
    include_str!("../../../fixtures/certificates/client.key"),
    include_str!("../../../fixtures/certificates/expired.crt"),
    include_str!("../../../fixtures/certificates/server.key"),
];
const WORDS: [&[u8]; 12] = [
    b"-----BEGIN CERTIFICATE-----\n",
    b"-----END CERTIFICATE-----\n",
    b"-----BEGIN PRIVATE KEY-----\r\n",
    b"-----END PRIVATE KEY-----\r\n",
    b"-----BEGIN RSA PRIVATE KEY-----\n",
    b"-----BEGIN EC PRIVATE KEY-----\n",
    b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
    b"-----BEGIN TRUSTED CERTIFICATE-----\n",
    b"Proc-Type: 4,ENCRYPTED\n",
    b"\xef\xbb\xbf",
    b"\\n",
    b"\r",
];
/// Lengths of DER, and bytes of similar form.
const LENGTHS: [&[u8]; 8] = [
    b"\x30\x00",
    b"\x30\x80",
    b"\x30\x81\xff",
    b"\x30\x82\xff\xff",
    b"\x30\x84\xff\xff\xff\xff",
    b"\x30\x88\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x30\xff",
    b"\x02\x85\x00\x00\x00\x00\x01",
];
const MAX_STEPS: usize = 100;

/// Reads the changed files of the script.
pub fn run(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let mut pem = Vec::new();
    let mut steps = 0;
    while !script.is_over() && steps < MAX_STEPS {
        steps += 1;
        match script.byte() % 6 {
            0 | 1 => pem.extend(changed(script.one(&FILES).as_bytes().to_vec(), &mut script)),
            2 => pem.extend_from_slice(script.one::<&[u8]>(&WORDS)),
            3 => pem.extend_from_slice(script.bytes()),
            4 => configured(&mut script),
            _ => {
                let der = decoded(script.one::<&str>(&FILES));
                check(&changed(der, &mut script));
            }
        }
    }
    check(&pem);
    check(bytes);
}

/// Up to four bytes are changed, and bytes may be inserted, or the rest cut off.
fn changed(mut file: Vec<u8>, script: &mut Script<'_>) -> Vec<u8> {
    let flags = script.byte();
    for _ in 0..flags % 5 {
        let at = script.number() as usize % file.len();
        file[at] = script.byte();
    }
    let at = script.number() as usize % file.len();
    match flags >> 5 {
        1 => file.truncate(at),
        2 => drop(file.splice(at..at, script.one(&LENGTHS).iter().copied())),
        3 => drop(file.splice(at..at, script.one(&WORDS).iter().copied())),
        4 => {
            let end = (at + usize::from(script.byte())).min(file.len());
            drop(file.drain(at..end));
        }
        _ => {}
    }
    if file.is_empty() {
        file.push(0);
    }
    file
}

fn check(file: &[u8]) {
    let certificate = Certificate::from_bytes(file);
    let key = PrivateKey::from_bytes(file);
    // Neither the key nor its error shows any of its text.
    let shown = format!("{key:?} {certificate:?}");
    for line in FILES.iter().flat_map(|file| file.lines()).filter(|line| !line.starts_with('-')) {
        assert!(!shown.contains(line), "{shown}");
    }
    if let (Ok(certificate), Ok(key)) = (certificate, key) {
        let config = TlsConfig::verified(certificate.clone()).client_identity(certificate, key);
        assert!(config.settings("host.test").is_ok());
    }
}

fn configured(script: &mut Script<'_>) {
    let name = String::from_utf8_lossy(script.bytes()).into_owned();
    let timeout = match script.byte() % 4 {
        0 => Duration::MAX,
        1 => Duration::ZERO,
        2 => Duration::from_nanos(script.number()),
        _ => Duration::from_secs(script.number()),
    };
    let host = Quotable::host(&String::from_utf8_lossy(script.bytes()));
    let host = host.or_else(|_| Quotable::host("host.test"));
    let config = TlsConfig::unverified().server_name(name).negotiate_timeout(timeout);
    if let Ok(host) = host {
        assert!(!host.as_str().contains(['"', '\r', '\n', '\0', ',']), "{host:?}");
        drop(config.settings(host.as_str()));
    }
}

/// The DER of a PEM file of one block.
fn decoded(pem: &str) -> Vec<u8> {
    let (mut der, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for character in pem.lines().filter(|line| !line.starts_with('-')).flat_map(str::bytes) {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            der.push((bits >> count) as u8);
        }
    }
    der
}
