//! The file of `doctor --collect`: complete, readable, and without any number or address of its owner.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

#[path = "../../examples/common/collect.rs"]
mod collected;

use std::collections::BTreeSet;

use air724ug::capture::{self, replay};
use air724ug::diagnosis::Evidence;
use collected::{SIGN, collected, mask};

/// A session with every kind of personal data.
const SESSION: &str = "# what: x\n# source: y\n# expect: not known\n\
    0.0 ? connect broker.example.com 1883\n\
    0.1 > AT+CGSN\\r\\n\n0.2 < \\r\\n86723404\n0.3 < 5678901\\r\\n\\r\\nOK\\r\\n\n\
    0.4 > AT+CIMI\\r\\n\n0.5 < \\r\\n460029876543210\\r\\n\\r\\nOK\\r\\n\n\
    0.6 > AT+ICCID\\r\\n\n0.7 < \\r\\n+ICCID: 89860318245900A1234F\\r\\n\\r\\nOK\\r\\n\n\
    0.8 > AT+CNUM\\r\\n\n0.9 < \\r\\n+CNUM: \"\",\"+8613912345678\",145\\r\\n\\r\\nOK\\r\\n\n\
    1.0 > AT+CSTT=\"cmiot\",\"user\",\"hunter22\"\\r\\n\n1.1 < \\r\\nOK\\r\\n\n\
    1.2 > AT+CIFSR\\r\\n\n1.3 < \\r\\n10.74.185.63\\r\\n\n\
    1.4 > AT+CIPSTART=0,\"TCP\",\"broker.example.com\",1883\\r\\n\n1.5 < \\r\\nOK\\r\\n\n1.6 < \\r\\n0, CONNECT OK\\r\\n\n\
    1.7 > AT+CIPSEND=0,39\\r\\n\n1.8 < \\r\\n> \n1.9 > Host: Broker.Example.Com at 203.0.113.77\n2.0 < \\r\\n0, SEND OK\\r\\n\n\
    2.1 < \\r\\n+RECEIVE,0,35:\\r\\nyou are 2001:db8:85a3::8a2e:370:7334\\r\\n\n\
    2.2 < \\r\\n+CREG: 2,1,\"18d3\",\"0A40B90F\",7\\r\\n\\r\\n+CEREG: 1,\"7F2C\",\"06B2\"\\r\\n\n2.2 < \\r\\n+CIPGSMLOC: 0,031.2304,121.4737\\r\\n\n\
    2.2 < \\r\\n+CIPSTATUS: 0,0,\"TCP\",\"203.0.113.77\",\"1883\",\"CONNECTED\"\\r\\n\n3.0 ; dialled 008613912345678\n\
    3.1 ; the password is hunter22, AT+CPIN=\"471147\"\n3.2 < \\r\\nAT+CPIN 815815\\r\\n\n";

const SECRETS: [&str; 20] = [
    "867234045678901",
    "86723404",
    "5678901",
    "460029876543210",
    "89860318245900A1234F",
    "13912345678",
    "hunter22",
    "471147",
    "815815",
    "74.185",
    "185.63",
    "broker",
    "example.com",
    "113.77",
    "85a3",
    "18d3",
    "0A40B90F",
    "7F2C",
    "2304",
    "4737",
];

#[test]
fn no_number_and_no_address_of_the_owner_is_in_the_file() {
    let capture = capture::read(SESSION.as_bytes()).unwrap();
    let diagnosis = Evidence::of_capture(&capture).diagnose();
    let file = collected(capture.clone(), &diagnosis);
    let text = String::from_utf8(file.clone()).unwrap();
    assert!(text.contains(SIGN), "{text}");
    for secret in SECRETS {
        assert!(!text.to_lowercase().contains(&secret.to_lowercase()), "{secret} is in\n{text}");
    }
    // All bytes, whole or split, joined.
    let read = capture::read(&file).unwrap();
    let joined = String::from_utf8_lossy(&read.received()).into_owned();
    assert!(SECRETS.iter().all(|secret| !joined.contains(secret)), "{joined}");
    assert_eq!(read.received().len(), capture.received().len(), "lengths are kept");
    for part in [
        "versions: air724ug",
        "statistics:",
        "11.11",
        "10.11.111.11",
        "; ok    answer",
        "AT+CIPSTART=0,\"TCP\",\"xxxxxx.xxxxxxx.xxx\",1883",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    // The file has the same events, and the same cause.
    let kinds = |capture| {
        replay(capture)
            .entries
            .iter()
            .map(|one| one.what.to_string().split(' ').next().unwrap().to_owned())
            .filter(|kind| kind != "note")
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(&read), kinds(&capture));
    let again = Evidence::of_capture(&read).diagnose();
    assert_eq!(again.root_cause().map(|cause| cause.code), diagnosis.root_cause().map(|cause| cause.code));
}

/// A server that was never reached, cells after an echo or damage, a chain of commands, a PIN among the keys of a
/// phone.
#[test]
fn what_stands_in_an_odd_place_is_not_in_the_file_either() {
    let session = "# what: x\n# source: y\n# expect: not known\n\
        0.0 ? connect Tcp never.example.org:1883, at most 9.5s\n0.1 ; never.example.org failed\n\
        0.2 > AT+CIPMUX=1;+CIPSTART=0,\"TCP\",\"chained.example.net\",80\\r\\n\n0.3 < \\r\\nOK\\r\\n\n\
        0.4 < to chained.example.net\\r\\n\n\
        0.5 < AT+CREG?\\x00+CREG: 2,1,\"18d3\",\"0A40B90F\"\\r\\n\n0.6 < xx+cereg: 1,\"7F2C\",\"06B2\"\\r\\n\n\
        0.7 < \\r\\n+CGNSINF: 1,1,20260101,31.2304,121.4737\\r\\n\n\
        0.8 > ATD**05*24681357*4711*4711#;\\r\\n\n0.9 > AT+CUSD=1,\"**04*4711*5822*5822#\",15\\r\\n\n";
    let capture = capture::read(session.as_bytes()).unwrap();
    let file = collected(capture.clone(), &Evidence::of_capture(&capture).diagnose());
    let text = String::from_utf8(file.clone()).unwrap();
    for secret in ["never", "chained", "18d3", "0A40B90F", "7F2C", "2304", "4737", "24681357", "4711", "5822"]
    {
        assert!(!text.to_lowercase().contains(&secret.to_lowercase()), "{secret} is in\n{text}");
    }
    assert!(text.contains("at most 9.5s"), "{text}");
    assert_eq!(capture::read(&file).unwrap().received().len(), capture.received().len(), "lengths are kept");
}

#[test]
fn data_that_are_no_secret_are_kept() {
    for line in [
        "+CSQ: 20,0",
        "+CCLK: \"24/10/22,19:50:34+32\"",
        "AT+CIPSEND=0,1460",
        "0.0.0.0",
        "127.0.0.1",
        "+CME ERROR: 65535",
        "AirM2M_720U_V4032_LTE_AT",
        "15:53:37.317",
    ] {
        let mut bytes = line.as_bytes().to_vec();
        mask(&mut bytes, &BTreeSet::new());
        assert_eq!(String::from_utf8(bytes).unwrap(), line);
    }
}

#[test]
fn published_logs_keep_their_lengths_and_their_cause() {
    for (name, file) in super::logs::published() {
        let capture = capture::read(&file).unwrap();
        let diagnosis = Evidence::of_capture(&capture).diagnose();
        let read = capture::read(&collected(capture.clone(), &diagnosis)).unwrap();
        assert_eq!(read.received().len(), capture.received().len(), "{name}");
        let again = Evidence::of_capture(&read).diagnose();
        assert_eq!(
            again.root_cause().map(|cause| cause.code),
            diagnosis.root_cause().map(|cause| cause.code),
            "{name}"
        );
    }
}
