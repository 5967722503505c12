//! Certificates and keys as applications provide them: PEM and DER, valid, damaged and hostile.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::time::Duration;

use crate::support::material::{base64, certificate_der, element, key_der};
use air724ug::tls::SecurityLevel;
use air724ug::{Certificate, Error, PrivateKey, TlsConfig};

/// A certificate written by `openssl req -x509`.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBbzCCARWgAwIBAgIUQtl+LeNxfsXtQaf7HD8zqW9HG3YwCgYIKoZIzj0EAwIw\n\
DDEKMAgGA1UEAwwBdDAgFw0yNjExMjMxNjQyMTVaGA8yMTI2MTAzMDE2NDIxNVow\n\
DDEKMAgGA1UEAwwBdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJo6cEIThqYO\n\
mCv6Pe1+rVua3a7duROGizKaAZdgLhdTEiZ2MDI6neZLbbMZu7eY1uS3LVIC82VO\n\
q1kkSADXUbqjUzBRMB0GA1UdDgQWBBTotcbIdz/MsCncyoLdtdxnPn6zQTAfBgNV\n\
HSMEGDAWgBTotcbIdz/MsCncyoLdtdxnPn6zQTAPBgNVHRMBAf8EBTADAQH/MAoG\n\
CCqGSM49BAMCA0gAMEUCICbBfkTcRWemT+Bo41VyEEzIejZWhFCSGq9T8TWiCIn8\n\
AiEA34gZ73wK/eWsbWwKzN+PZwL2d4HTVVvNrcg96bGI+bM=\n\
-----END CERTIFICATE-----\n";
/// The first sixteen digits of its SHA-256.
const DIGEST: &str = "d6120a6f2c678646";
/// The key of the certificate, written by `openssl ecparam`.
const EC_KEY: &str = "\
-----BEGIN EC PRIVATE KEY-----\n\
MHcCAQEEIAwk3jwAxby5ZaBWfvYhI4n4kOHlpTxpiS/Jn36TQmzGoAoGCCqGSM49\n\
AwEHoUQDQgAEmjpwQhOGpg6YK/o97X6tW5rdrt25E4aLMpoBl2AuF1MSJnYwMjqd\n\
5kttsxm7t5jW5LctUgLzZU6rWSRIANdRug==\n\
-----END EC PRIVATE KEY-----\n";
/// The same key, written by `openssl pkcs8`.
const PKCS8_KEY: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgDCTePADFvLlloFZ+\n\
9iEjifiQ4eWlPGmJL8mffpNCbMahRANCAASaOnBCE4amDpgr+j3tfq1bmt2u3bkT\n\
hosymgGXYC4XUxImdjAyOp3mS22zGbu3mNbkty1SAvNlTqtZJEgA11G6\n\
-----END PRIVATE KEY-----\n";
/// The same key with a password.
const ENCRYPTED_KEY: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjYvwG6/5Nd8QICCAAw\n\
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEFrhdATaRbUpUX6Lj15ZrDQEgZDi\n\
HfTAlkeNhf9r1QDxCSB68Sx+DM9X30Tx99wuDPgKGXm1K81/UWB1W8Ufa3go2v+2\n\
sajzZYRMuj3mfHK1cV9nawE+/mqE4DoJYpLoYbdI5/cq9e5N3raemdqCMcZl+fuH\n\
DcCH1VwdMXTaGCdyCI+9SOj/51xc42o3gM34oSGmgMg7tSzNMBLFG99EbDWJJbk=\n\
-----END ENCRYPTED PRIVATE KEY-----\n";
/// The same key with a password in the traditional form, written by `openssl ec -aes128`.
const LEGACY_KEY: &str = "\
-----BEGIN EC PRIVATE KEY-----\n\
Proc-Type: 4,ENCRYPTED\n\
DEK-Info: AES-128-CBC,C1708A4CED1B3A9CC21DF53C9C2B062C\n\
\n\
YRkbikbtdq5xl7R15a84PE+9ONDMUUjRLLtCr80Go4n+9roh3B2N4A7oRAPmWQz3\n\
ltwS6ss5xGNyIRLZqETtSc7x+rssSmU6nAOV7QPFx7469LaVUQoch/h55Orh0EH5\n\
Yr1zElnnmLcKPm1KTLmnL25/nBUNEzrD/UKnXsKba34=\n\
-----END EC PRIVATE KEY-----\n";

fn reason<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::InvalidInput { what, why }) => format!("{what} {why}"),
        other => panic!("{other:?}"),
    }
}

fn der(pem: &str) -> Vec<u8> {
    base64(&pem.lines().filter(|line| !line.starts_with('-')).collect::<String>())
}

fn certificate(bytes: &[u8]) -> Result<Certificate, Error> {
    Certificate::from_bytes(bytes)
}

fn key(bytes: &[u8]) -> Result<PrivateKey, Error> {
    PrivateKey::from_bytes(bytes)
}

#[test]
fn pem_and_der_are_the_same_certificate_under_the_same_name() {
    let of_pem = certificate(CERTIFICATE.as_bytes()).unwrap();
    let shown = format!("{of_pem:?}");
    assert_eq!(shown, format!("Certificate({DIGEST}.crt, {} bytes)", CERTIFICATE.len()));
    assert_eq!(certificate(&der(CERTIFICATE)).unwrap(), of_pem);
    // Other line ends and other text around the certificate make no difference.
    let wrapped = CERTIFICATE.replace('\n', "\r\n").replace("MIIB", "MI\r\n  IB");
    let wrapped = format!("Bag Attributes\n  name: \u{e9}\n{EC_KEY}{wrapped}\nthe end");
    assert_eq!(certificate(wrapped.as_bytes()).unwrap(), of_pem);
}

#[test]
fn changes_by_editors_and_shells_make_no_difference() {
    let of_pem = certificate(CERTIFICATE.as_bytes()).unwrap();
    for spelled in [
        format!("\u{feff}{CERTIFICATE}"),
        CERTIFICATE.replace('\n', "\r"),
        CERTIFICATE.replace('\n', "\r\n"),
        CERTIFICATE.replace('\n', "\\n"),
        CERTIFICATE.replace('\n', "\\r\\n").replace('/', "\\/"),
        CERTIFICATE.replace('\n', " "),
        CERTIFICATE.replace('\n', ""),
        format!("\"{}\"", CERTIFICATE.replace('\n', "\\n")),
        CERTIFICATE.replace("CERTIFICATE", "X509 CERTIFICATE"),
        CERTIFICATE.replace("CERTIFICATE", "X.509 CERTIFICATE"),
    ] {
        assert_eq!(certificate(spelled.as_bytes()).unwrap(), of_pem, "{spelled}");
    }
    for pem in [EC_KEY, PKCS8_KEY] {
        for ends in ["\r", "\\n", "\r\n", " "] {
            let spelled = format!("\u{feff}{}", pem.replace('\n', ends));
            assert_eq!(key(spelled.as_bytes()).unwrap(), key(pem.as_bytes()).unwrap(), "{ends:?}");
        }
    }
}

#[test]
fn an_error_names_the_kind_of_other_pem_data() {
    let why = reason(certificate(CERTIFICATE.replace("CERT", "TRUSTED CERT").as_bytes()));
    assert!(why.contains("TRUSTED CERTIFICATE") && why.contains("openssl x509"), "{why}");
    let utf16: Vec<u8> =
        "\u{feff}".chars().chain(CERTIFICATE.chars()).flat_map(|c| (c as u16).to_le_bytes()).collect();
    assert!(reason(certificate(&utf16)).contains("UTF-16"));
    assert!(reason(key(&utf16)).contains("UTF-16"));
    let request = CERTIFICATE.replace("CERTIFICATE", "CERTIFICATE REQUEST");
    assert!(reason(certificate(request.as_bytes())).ends_with("holds none, but CERTIFICATE REQUEST"));
    assert!(reason(certificate(EC_KEY.as_bytes())).ends_with("holds none, but EC PRIVATE KEY"));
    let openssh = EC_KEY.replace("EC PRIVATE", "OPENSSH PRIVATE");
    assert!(
        reason(key(format!("{CERTIFICATE}{openssh}").as_bytes()))
            .ends_with("but CERTIFICATE, OPENSSH PRIVATE KEY")
    );
    // Text that is not a known label is not repeated in the error.
    let secret = EC_KEY.replace("EC PRIVATE KEY", "MHcCAQEEIAwk3jwA");
    assert!(reason(key(secret.as_bytes())).ends_with("holds none"));
}

#[test]
fn a_chain_is_kept_in_its_order() {
    let other = certificate_der(7, 100);
    let chain = format!("{CERTIFICATE}{CERTIFICATE}");
    let twice = certificate(chain.as_bytes()).unwrap();
    assert!(format!("{twice:?}").ends_with(&format!(", {} bytes)", 2 * CERTIFICATE.len())));
    assert_ne!(twice, certificate(&other).unwrap());
}

#[test]
fn keys_of_each_kind_are_taken_from_pem_and_der() {
    for pem in [EC_KEY, PKCS8_KEY] {
        assert_eq!(key(pem.as_bytes()).unwrap(), key(&der(pem)).unwrap());
        assert_eq!(key(format!("{CERTIFICATE}{pem}").as_bytes()).unwrap(), key(pem.as_bytes()).unwrap());
    }
    let rsa = element(0x30, &element(0x02, &[1]).repeat(9));
    assert!(key(&rsa).is_ok());
    assert_ne!(key(EC_KEY.as_bytes()).unwrap(), key(PKCS8_KEY.as_bytes()).unwrap());
}

#[test]
fn a_key_with_a_password_is_refused_with_advice() {
    for encrypted in [ENCRYPTED_KEY, LEGACY_KEY] {
        let why = reason(key(encrypted.as_bytes()));
        assert!(why.contains("encrypted") && why.contains("openssl"), "{why}");
    }
    // The advice for a key that the crate can decrypt names the feature; the advice for another key does not.
    assert!(reason(key(&der(ENCRYPTED_KEY))).contains("feature `encrypted-keys`"));
    assert!(reason(key(ENCRYPTED_KEY.as_bytes())).contains("feature `encrypted-keys`"));
    assert!(!reason(key(LEGACY_KEY.as_bytes())).contains("feature"));
    // A certificate in the same file can be used.
    assert!(certificate(format!("{LEGACY_KEY}{CERTIFICATE}").as_bytes()).is_ok());
}

#[test]
fn a_certificate_is_not_taken_for_a_key_nor_a_key_for_a_certificate() {
    reason(certificate(EC_KEY.as_bytes()));
    reason(certificate(&der(EC_KEY)));
    reason(key(CERTIFICATE.as_bytes()));
    reason(key(&der(CERTIFICATE)));
    reason(certificate(EC_KEY.replace("EC PRIVATE KEY", "CERTIFICATE").as_bytes()));
    reason(key(CERTIFICATE.replace("CERTIFICATE", "PRIVATE KEY").as_bytes()));
    assert!(reason(key(format!("{EC_KEY}{PKCS8_KEY}").as_bytes())).contains("more than one"));
}

#[test]
fn damaged_and_hostile_input_is_refused() {
    for (what, from, to) in [
        ("control byte", "MIIB", "MI\u{1a}IB"),
        ("control byte", "MIIB", "MI\0IB"),
        ("Base64", "MIIB", "MI\"B"),
        ("Base64", "MIIB", "MI\u{ff21}B"),
        ("Base64", "+bM=", "+bM"),
        ("damaged", "MIIB", "MIIC"),
        ("end", "-----END CERTIFICATE-----", ""),
        ("end", "END CERT", "END SERT"),
        ("headers", "-\nMIIB", "-\nComment: x\nMIIB"),
        ("none", CERTIFICATE, "-----BEGIN NOTHING-----\n-----END NOTHING-----\n"),
    ] {
        let why = reason(certificate(CERTIFICATE.replace(from, to).as_bytes()));
        assert!(why.contains(what), "{what}: {why}");
    }
    for garbage in [&b""[..], b"0", b"\xff\xfe", b"-----BEGIN", &[0x30; 5000], &[b'A'; 300_000]] {
        reason(certificate(garbage));
        reason(key(garbage));
    }
    let whole = der(CERTIFICATE);
    for cut in 0..whole.len() {
        reason(certificate(&whole[..cut]));
    }
    for cut in 0..der(EC_KEY).len() {
        reason(key(&der(EC_KEY)[..cut]));
    }
}

#[test]
fn material_longer_than_the_module_takes_is_refused_with_the_limit() {
    // 10240 bytes of PEM hold 7560 bytes of DER.
    assert!(certificate(&certificate_der(1, 7_490)).is_ok());
    let why = reason(certificate(&certificate_der(1, 7_600)));
    assert!(why.contains("10240"), "{why}");
    assert!(reason(key(&key_der(&[0x5a; 9_000]))).contains("10240"));
}

#[test]
fn an_error_about_a_key_shows_nothing_of_the_key() {
    let damaged = EC_KEY.replace("MHcC", "MH\"C");
    let why = reason(key(damaged.as_bytes()));
    assert!(!why.contains("AQEEIAwk"), "{why}");
    assert_eq!(format!("{:?}", key(EC_KEY.as_bytes()).unwrap()), "PrivateKey(..)");
}

#[test]
fn the_security_level_follows_from_the_certificates_and_keys() {
    let ca = || certificate(CERTIFICATE.as_bytes()).unwrap();
    let client = || (ca(), key(EC_KEY.as_bytes()).unwrap());
    let with_client = |config: TlsConfig| config.client_identity(client().0, client().1);
    assert_eq!(TlsConfig::unverified().security_level(), SecurityLevel::None);
    assert_eq!(with_client(TlsConfig::unverified()).security_level(), SecurityLevel::None);
    assert_eq!(TlsConfig::verified(ca()).security_level(), SecurityLevel::Server);
    assert_eq!(with_client(TlsConfig::verified(ca())).security_level(), SecurityLevel::Mutual);
    assert!(!TlsConfig::unverified().is_verified() && TlsConfig::verified(ca()).is_verified());
}

#[test]
fn settings_that_would_break_a_command_are_refused() {
    let settings = |config: TlsConfig| config.settings("example.com");
    for name in ["", "a\"b", "a\r\nAT+CFUN=0", "a b", "a,b", "\u{201c}a\u{201d}", &"a".repeat(129)] {
        let why = reason(settings(TlsConfig::unverified().server_name(name)));
        assert!(why.starts_with("server name"), "{why}");
    }
    for timeout in
        [Duration::ZERO, Duration::from_secs(9), Duration::from_secs(301), Duration::from_millis(10_500)]
    {
        reason(settings(TlsConfig::unverified().negotiate_timeout(timeout)));
    }
    assert!(settings(TlsConfig::unverified().negotiate_timeout(Duration::from_secs(300))).is_ok());
}

#[test]
fn an_address_is_not_sent_as_a_name() {
    for (host, shown) in [("example.com", true), ("10.0.0.1", false), ("2001:db8::1", false)] {
        let settings = TlsConfig::unverified().settings(host).unwrap();
        assert_eq!(format!("{settings:?}").contains("name: Some"), shown, "{settings:?}");
    }
}

#[test]
fn no_debug_output_shows_a_key() {
    let secret = key_der(&[0x5a; 90]);
    let config = TlsConfig::unverified()
        .client_identity(certificate(CERTIFICATE.as_bytes()).unwrap(), key(&secret).unwrap());
    let shown = format!("{config:?} {:?} {config:#?}", config.settings("example.com").unwrap());
    assert!(!shown.contains("WlpaWlpa") && !shown.contains("90, 90") && !shown.contains("BEGIN"), "{shown}");
}
