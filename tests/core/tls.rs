//! TLS connections: the commands for them and their order, in virtual time. The simulated module accepts every TLS
//! command (`support::tls`), so these tests do not cover handshakes.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may")]

use std::time::Duration;

use crate::support::pair::{ECHO, Pair};
use crate::support::tls::{commands, connect, connecting, mutual, online, verified};
use air724ug::at::{Protocol, Quotable, Refusal, TlsKey};
use air724ug::error::{DeliveryUnknown, TlsFailure, TlsPart, TlsStep};
use air724ug::proto::{Request, Response};
use air724ug::tls::{CipherSuite, TlsVersion};
use air724ug::{Error, TlsConfig};

/// The names in the create commands.
fn names(pair: &mut Pair) -> Vec<String> {
    let creates = commands(pair).into_iter().filter(|line| line.starts_with("AT+FSCREATE"));
    creates.map(|line| line.split('"').nth(1).unwrap().to_owned()).collect()
}

fn length_of(line: &str) -> usize {
    line.split(',').nth(2).unwrap().parse().unwrap()
}

#[test]
fn the_commands_for_a_connection_have_the_order_of_the_manual() {
    let (mut pair, _) = online();
    let config = mutual().cipher_suite(CipherSuite::TLS_RSA_WITH_AES_256_CBC_SHA);
    let socket = connect(&mut pair, &config).unwrap();
    let written = String::from_utf8(pair.written.clone()).unwrap();
    let lines = commands(&mut pair);
    let name = |at: usize| lines[at].split('"').nth(1).unwrap().to_owned();
    let (ca, certificate, key) = (name(0), name(2), name(4));
    assert!(ca.ends_with(".crt") && certificate.ends_with(".crt") && key.ends_with(".key"));
    let lengths = [1, 3, 5].map(|at| length_of(&lines[at]));
    let expected = [
        format!("AT+FSCREATE=\"{ca}\""),
        format!("AT+FSWRITE=\"{ca}\",0,{},15", lengths[0]),
        format!("AT+FSCREATE=\"{certificate}\""),
        format!("AT+FSWRITE=\"{certificate}\",0,{},15", lengths[1]),
        format!("AT+FSCREATE=\"{key}\""),
        format!("AT+FSWRITE=\"{key}\",0,{},15", lengths[2]),
        format!("AT+SSLCFG=\"cacert\",0,\"{ca}\""),
        format!("AT+SSLCFG=\"clientcert\",0,\"{certificate}\""),
        format!("AT+SSLCFG=\"clientkey\",0,\"{key}\""),
        "AT+SSLCFG=\"seclevel\",0,2".to_owned(),
        "AT+SSLCFG=\"sslversion\",0,4".to_owned(),
        "AT+SSLCFG=\"ciphersuite\",0,0X0035".to_owned(),
        "AT+SSLCFG=\"hostname\",0,\"echo.test\"".to_owned(),
        "AT+SSLCFG=\"ignorelocaltime\",0,0".to_owned(),
        "AT+CIPSSL=1".to_owned(),
        "AT+CIPSSL?".to_owned(),
        "AT+CIPSTART=0,\"TCP\",\"echo.test\",7".to_owned(),
    ];
    assert_eq!(lines, expected);
    // Each content directly follows its command, and has the announced length.
    for (at, label) in [(1, "CERTIFICATE"), (3, "CERTIFICATE"), (5, "PRIVATE KEY")] {
        let (_, after) = written.split_once(&format!("{}\r\n", lines[at])).unwrap();
        let content = &after[..length_of(&lines[at])];
        assert!(content.starts_with(&format!("-----BEGIN {label}-----\n")), "{content}");
        assert!(content.ends_with(&format!("-----END {label}-----\n")), "{content}");
    }
    pair.send(socket, b"hello").unwrap();
    assert_eq!(pair.read(socket, 5).unwrap(), b"hello");
}

#[test]
fn files_on_the_module_are_not_uploaded_again() {
    let (mut pair, _) = online();
    connect(&mut pair, &mutual()).unwrap();
    commands(&mut pair);
    connect(&mut pair, &mutual()).unwrap();
    let lines = commands(&mut pair);
    assert!(!lines.iter().any(|line| line.starts_with("AT+FSWRITE")), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("AT+FSFLSIZE")).count(), 3);
    assert!(
        lines.contains(&"AT+SSLCFG=\"seclevel\",1,2".to_owned()),
        "the second channel has its own context"
    );
}

#[test]
fn a_file_with_another_length_is_created_again() {
    let (mut pair, _) = online();
    connect(&mut pair, &verified()).unwrap();
    let name = names(&mut pair).remove(0);
    // An empty file, as after a loss of power between the create and the write command.
    pair.command(&format!("AT+FSDEL=\"{name}\""), Duration::from_secs(9)).unwrap();
    pair.command(&format!("AT+FSCREATE=\"{name}\""), Duration::from_secs(9)).unwrap();
    commands(&mut pair);
    connect(&mut pair, &verified()).unwrap();
    let lines = commands(&mut pair);
    let verbs: Vec<&str> = lines.iter().take(5).map(|line| line.split('=').next().unwrap()).collect();
    assert_eq!(verbs, ["AT+FSCREATE", "AT+FSFLSIZE", "AT+FSDEL", "AT+FSCREATE", "AT+FSWRITE"]);
}

#[test]
fn removed_files_are_uploaded_with_the_next_connection() {
    let (mut pair, _) = online();
    connect(&mut pair, &verified()).unwrap();
    let name = Quotable::new(&names(&mut pair).remove(0), 64).unwrap();
    assert!(matches!(pair.call(Request::RemoveFile(name.clone())), Ok(Response::Done)));
    let again = pair.call(Request::RemoveFile(name));
    assert!(matches!(again, Err(Error::Refused { code: Refusal::Error, .. })), "{again:?}");
    commands(&mut pair);
    connect(&mut pair, &verified()).unwrap();
    assert!(commands(&mut pair).iter().any(|line| line.starts_with("AT+FSWRITE")));
}

#[test]
fn a_file_that_is_removed_during_a_preparation_is_uploaded_again() {
    let (mut pair, _) = online();
    let ticket = connecting(&mut pair, &verified(), Duration::from_secs(120));
    pair.run_until(|pair| pair.written.windows(10).any(|text| text == b"\"seclevel\""));
    let name = names(&mut pair).remove(0);
    let removal = pair.ask(Request::RemoveFile(Quotable::new(&name, 64).unwrap()));
    assert!(pair.answer(ticket).is_ok());
    assert!(pair.answer(removal).is_ok());
    let lines = commands(&mut pair);
    let at = |begin: &str| lines.iter().position(|line| line.starts_with(begin));
    assert!(at("AT+FSDEL") < at("AT+FSWRITE") && at("AT+FSWRITE") < at("AT+CIPSTART"), "{lines:?}");
}

#[test]
fn settings_of_an_earlier_connection_on_the_channel_are_erased() {
    let (mut pair, _) = online();
    let socket = connect(&mut pair, &mutual().negotiate_timeout(Duration::from_secs(60))).unwrap();
    pair.close(socket).unwrap();
    commands(&mut pair);
    connect(&mut pair, &TlsConfig::unverified().any_server_name()).unwrap();
    let lines = commands(&mut pair);
    for key in ["cacert", "clientcert", "clientkey", "hostname", "negotiatetimeout"] {
        assert!(lines.contains(&format!("AT+SSLCFG=\"{key}\",0,")), "{key}: {lines:?}");
    }
    assert!(lines.contains(&"AT+SSLCFG=\"seclevel\",0,0".to_owned()));
}

#[test]
fn every_setting_reaches_the_module() {
    let (mut pair, _) = online();
    let config = verified()
        .server_name("other.test")
        .version(TlsVersion::Tls1_2)
        .ignore_local_time(true)
        .negotiate_timeout(Duration::from_secs(30));
    connect(&mut pair, &config).unwrap();
    let lines = commands(&mut pair);
    for line in [
        "seclevel\",0,1",
        "sslversion\",0,3",
        "hostname\",0,\"other.test\"",
        "ignorelocaltime\",0,1",
        "negotiatetimeout\",0,30",
    ] {
        assert!(lines.contains(&format!("AT+SSLCFG=\"{line}")), "{line}: {lines:?}");
    }
}

#[test]
fn the_error_names_the_refused_step() {
    for (begin, step) in [
        ("AT+FSCREATE", TlsStep::Upload(TlsPart::Ca)),
        ("AT+FSWRITE", TlsStep::Upload(TlsPart::Ca)),
        ("AT+SSLCFG=\"cacert", TlsStep::Configure(TlsKey::CaCertificate)),
        ("AT+SSLCFG=\"clientcert", TlsStep::Configure(TlsKey::ClientCertificate)),
        ("AT+SSLCFG=\"clientkey", TlsStep::Configure(TlsKey::ClientKey)),
        ("AT+SSLCFG=\"seclevel", TlsStep::Configure(TlsKey::SecurityLevel)),
        ("AT+SSLCFG=\"hostname", TlsStep::Configure(TlsKey::HostName)),
        ("AT+CIPSSL", TlsStep::Switch),
        ("AT+CIPSSL?", TlsStep::Switch),
        ("AT+CIPSTART", TlsStep::Connect),
    ] {
        let (mut pair, script) = online();
        script.refuses(begin);
        match connect(&mut pair, &mutual()) {
            Err(Error::Tls { step: at, why: TlsFailure::Refused(Refusal::Error) }) => assert_eq!(at, step),
            other => panic!("{begin}: {other:?}"),
        }
        // The channel is free, and the next connection works when the module accepts the command.
        script.takes("AT+SSLCFG").switches();
        script.forget(begin);
        connect(&mut pair, &mutual()).unwrap_or_else(|error| panic!("after {begin}: {error}"));
    }
}

#[test]
fn a_refused_key_is_an_error_only_if_the_setting_differs_from_the_default() {
    let (mut pair, script) = online();
    script.refuses("AT+SSLCFG=\"ignorelocaltime").refuses("AT+SSLCFG=\"sslversion");
    connect(&mut pair, &verified()).unwrap();
    let asked = connect(&mut pair, &verified().ignore_local_time(true));
    let step = TlsStep::Configure(TlsKey::IgnoreLocalTime);
    assert!(matches!(asked, Err(Error::Tls { step: at, .. }) if at == step), "{asked:?}");
}

#[test]
fn a_refused_server_name_is_an_error_only_if_the_name_is_verified() {
    let (mut pair, script) = online();
    script.refuses("AT+SSLCFG=\"hostname");
    connect(&mut pair, &TlsConfig::unverified()).unwrap();
    connect(&mut pair, &verified().any_server_name()).unwrap();
    for config in [verified(), TlsConfig::unverified().server_name("other.test")] {
        let answer = connect(&mut pair, &config);
        let step = TlsStep::Configure(TlsKey::HostName);
        assert!(matches!(answer, Err(Error::Tls { step: at, .. }) if at == step), "{answer:?}");
    }
}

#[test]
fn a_refused_return_to_a_default_is_an_error() {
    let (mut pair, script) = online();
    let socket = connect(&mut pair, &verified().ignore_local_time(true)).unwrap();
    pair.close(socket).unwrap();
    script.refuses("AT+SSLCFG=\"ignorelocaltime");
    let answer = connect(&mut pair, &verified());
    let step = TlsStep::Configure(TlsKey::IgnoreLocalTime);
    assert!(matches!(answer, Err(Error::Tls { step: at, .. }) if at == step), "{answer:?}");
}

#[test]
fn the_error_names_the_unanswered_step() {
    for (begin, step) in [
        ("AT+FSCREATE", TlsStep::Upload(TlsPart::Ca)),
        ("AT+FSWRITE", TlsStep::Upload(TlsPart::Ca)),
        ("AT+SSLCFG=\"seclevel", TlsStep::Configure(TlsKey::SecurityLevel)),
        ("AT+CIPSSL", TlsStep::Switch),
        ("AT+CIPSSL?", TlsStep::Switch),
        ("AT+CIPSTART", TlsStep::Connect),
    ] {
        let (mut pair, script) = online();
        script.loses(begin);
        let before = pair.now;
        match connect(&mut pair, &verified()) {
            Err(Error::Tls { step: at, why: TlsFailure::Timeout(_) }) => assert_eq!(at, step),
            other => panic!("{begin}: {other:?}"),
        }
        // The module may be silent for the whole time that a connection takes.
        let most = if step == TlsStep::Connect { 120 } else { 30 };
        assert!(pair.now - before <= Duration::from_secs(most), "{begin} took longer than its own timeout");
        script.forget(begin);
        connect(&mut pair, &verified()).unwrap_or_else(|error| panic!("after {begin}: {error}"));
    }
}

#[test]
fn the_timeout_of_the_connection_also_limits_each_step() {
    for (begin, step) in [
        ("AT+FSWRITE", TlsStep::Upload(TlsPart::Ca)),
        ("AT+SSLCFG=\"seclevel", TlsStep::Configure(TlsKey::SecurityLevel)),
        ("AT+CIPSSL", TlsStep::Switch),
    ] {
        let (mut pair, script) = online();
        script.loses(begin);
        let before = pair.now;
        let ticket = connecting(&mut pair, &verified(), Duration::from_secs(3));
        match pair.answer(ticket) {
            Err(Error::Tls { step: at, why: TlsFailure::Timeout(_) }) => assert_eq!(at, step),
            other => panic!("{begin}: {other:?}"),
        }
        assert_eq!(pair.now - before, Duration::from_secs(3));
        script.forget(begin);
        connect(&mut pair, &verified()).unwrap_or_else(|error| panic!("after {begin}: {error}"));
    }
}

#[test]
fn an_unknown_server_is_a_refused_connection() {
    let (mut pair, _) = online();
    let host = Quotable::host("unknown.test").unwrap();
    let tls = verified().settings(host.as_str()).unwrap();
    let answer = pair.call(Request::ConnectTls { tls, host, port: 443, timeout: Duration::from_secs(60) });
    let why = TlsFailure::Refused(Refusal::ConnectFail);
    let expected =
        |error: &Error| matches!(error, Error::Tls { step: TlsStep::Connect, why: is } if *is == why);
    assert!(answer.as_ref().is_err_and(expected), "{answer:?}");
}

#[test]
fn a_module_without_memory_is_reported() {
    let (mut pair, _) = online();
    let mut is_next = false;
    pair.to_host = Box::new(move |_, bytes| {
        String::from_utf8_lossy(&bytes).replace("+CME ERROR: 3", "+CME ERROR: 51").into_bytes()
    });
    let mut script = std::mem::replace(&mut pair.to_modem, Box::new(|_, bytes| bytes));
    pair.to_modem = Box::new(move |now, bytes| {
        is_next |= bytes.starts_with(b"AT+CIPSTART");
        // The module refuses this command in multiple connection mode.
        if is_next { b"AT+CSTT\r\n".to_vec() } else { script(now, bytes) }
    });
    match connect(&mut pair, &verified()) {
        Err(error @ Error::Tls { step: TlsStep::Connect, why }) => {
            assert!(why.is_out_of_memory(), "{error}");
            assert_eq!(error.kind(), std::io::ErrorKind::OutOfMemory);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn sockets_work_while_a_connection_is_prepared() {
    let (mut pair, _) = online();
    let plain = pair.channel_open();
    let ticket = connecting(&mut pair, &mutual(), Duration::from_secs(120));
    pair.run_until(|pair| pair.written.windows(11).any(|text| text == b"AT+FSCREATE"));
    let sent = pair.sending(plain, b"meanwhile");
    assert!(pair.answer(sent).is_ok());
    assert!(pair.answered(ticket).is_none(), "the send waited for the whole preparation");
    assert_eq!(pair.read(plain, 9).unwrap(), b"meanwhile");
    assert!(pair.answer(ticket).is_ok());
}

/// The channel of each connection, and the state of the TLS switch when it was started.
fn starts(lines: &[String]) -> Vec<(char, char)> {
    let mut switch = '0';
    let mut starts = Vec::new();
    for line in lines {
        if let Some(value) = line.strip_prefix("AT+CIPSSL=") {
            switch = value.chars().next().unwrap();
        }
        if let Some(channel) = line.strip_prefix("AT+CIPSTART=") {
            starts.push((channel.chars().next().unwrap(), switch));
        }
    }
    starts
}

#[test]
fn simultaneous_connections_have_the_requested_security() {
    for order in [[true, false, true, false], [false, true, true, false], [true, true, false, false]] {
        let (mut pair, _) = online();
        let config = verified().plain_beside(true);
        let tickets: Vec<_> = order
            .iter()
            .map(|tls| match tls {
                true => connecting(&mut pair, &config, Duration::from_secs(120)),
                false => pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(120)),
            })
            .collect();
        for ticket in tickets {
            assert!(pair.answer(ticket).is_ok());
        }
        let starts = starts(&commands(&mut pair));
        for (channel, tls) in order.iter().enumerate() {
            let switch = starts.iter().find(|(of, _)| *of as usize - '0' as usize == channel).unwrap().1;
            assert_eq!(switch == '1', *tls, "{order:?}: {starts:?}");
        }
    }
}

#[test]
fn simultaneous_connections_share_their_files() {
    let (mut pair, _) = online();
    let socket = connect(&mut pair, &mutual()).unwrap();
    pair.close(socket).unwrap();
    // Empty files, as after a loss of power between the create and the write commands.
    for name in names(&mut pair) {
        for verb in ["AT+FSDEL", "AT+FSCREATE"] {
            pair.command(&format!("{verb}=\"{name}\""), Duration::from_secs(9)).unwrap();
        }
    }
    commands(&mut pair);
    let tickets = [0; 3].map(|_| connecting(&mut pair, &mutual(), Duration::from_secs(120)));
    for ticket in tickets {
        assert!(pair.answer(ticket).is_ok());
    }
    let lines = commands(&mut pair);
    let count = |begin: &str| lines.iter().filter(|line| line.starts_with(begin)).count();
    assert_eq!((count("AT+FSWRITE"), count("AT+FSDEL"), count("AT+CIPSTART")), (3, 3, 3), "{lines:?}");
}

#[test]
fn the_switch_is_not_changed_while_another_connection_is_made() {
    let (mut pair, _) = online();
    let unknown = pair.connecting("unknown.test", 80, Duration::from_secs(120));
    let secure = connecting(&mut pair, &verified(), Duration::from_secs(120));
    while pair.answered(unknown).is_none() {
        assert!(!pair.written.windows(9).any(|text| text == b"AT+CIPSSL"), "{}", pair.story());
        pair.run_for(Duration::from_millis(10));
    }
    assert!(pair.answer(secure).is_ok());
    // The same with the two kinds of connection exchanged.
    let host = Quotable::host("unknown.test").unwrap();
    let tls = verified().plain_beside(true).settings(host.as_str()).unwrap();
    let socket_of_tls = Request::ConnectTls { tls, host, port: 443, timeout: Duration::from_secs(120) };
    let (mut pair, _) = online();
    let unknown = pair.ask(socket_of_tls);
    pair.run_until(|pair| pair.written.windows(11).any(|text| text == b"AT+CIPSTART"));
    let plain = pair.connecting(ECHO.0, ECHO.1, Duration::from_secs(120));
    while pair.answered(unknown).is_none() {
        assert!(!pair.written.windows(11).any(|text| text == b"AT+CIPSSL=0"), "{}", pair.story());
        pair.run_for(Duration::from_millis(10));
    }
    assert!(pair.answer(plain).is_ok());
}

#[test]
fn the_switch_is_written_directly_before_each_tls_connection() {
    let (mut pair, _) = online();
    connect(&mut pair, &verified()).unwrap();
    connect(&mut pair, &verified()).unwrap();
    let lines = commands(&mut pair);
    let starts: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].starts_with("AT+CIPSTART")).collect();
    assert_eq!(starts.len(), 2);
    assert!(starts.iter().all(|at| lines[at - 2..*at] == ["AT+CIPSSL=1", "AT+CIPSSL?"]), "{lines:?}");
}

#[test]
fn a_switch_that_does_not_change_fails_the_connection() {
    let (mut pair, script) = online();
    script.takes("AT+CIPSSL=");
    let answer = connect(&mut pair, &verified());
    let stays = matches!(answer, Err(Error::Tls { step: TlsStep::Switch, why: TlsFailure::NotSwitched }));
    assert!(stays, "{answer:?}");
    assert_eq!(starts(&commands(&mut pair)), [], "no connection is made without TLS");
    // A plain connection is not made while the switch stays on.
    script.switches();
    let secure = connect(&mut pair, &verified()).unwrap();
    pair.close(secure).unwrap();
    commands(&mut pair);
    script.takes("AT+CIPSSL=");
    let answer = pair.connect(ECHO.0, ECHO.1);
    let stays = matches!(answer, Err(Error::Tls { step: TlsStep::Switch, why: TlsFailure::NotSwitched }));
    assert!(stays, "{answer:?}");
    // When the switch works again, both connections are made.
    script.switches();
    pair.channel_open();
    connect(&mut pair, &verified().plain_beside(true)).unwrap();
}

#[test]
fn tls_needs_firmware_that_reports_its_switch() {
    let (mut pair, script) = online();
    script.refuses("AT+CIPSSL?");
    let answer = connect(&mut pair, &verified());
    let refused = TlsFailure::Refused(Refusal::Error);
    assert!(matches!(answer, Err(Error::Tls { step: TlsStep::Switch, why }) if why == refused), "{answer:?}");
    // A plain connection needs no such report: with the switch on, it would fail.
    pair.channel_open();
}

#[test]
fn plain_connections_beside_tls_are_refused() {
    let (mut pair, _) = online();
    let plain = pair.channel_open();
    let secure = connect(&mut pair, &verified()).unwrap();
    for protocol in [Protocol::Tcp, Protocol::Udp] {
        let host = Quotable::host(ECHO.0).unwrap();
        commands(&mut pair);
        let answer =
            pair.call(Request::Connect { protocol, host, port: ECHO.1, timeout: Duration::from_secs(120) });
        let expected = matches!(answer, Err(Error::Tls { step: TlsStep::Switch, why: TlsFailure::TlsOpen }));
        assert!(expected, "{answer:?}");
        assert_eq!(commands(&mut pair), Vec::<String>::new());
    }
    pair.send(plain, b"one").unwrap();
    pair.send(secure, b"two").unwrap();
    assert_eq!(pair.read(plain, 3).unwrap(), b"one");
    assert_eq!(pair.read(secure, 3).unwrap(), b"two");
    // The plain connection waits for the close of the other one.
    commands(&mut pair);
    let closing = pair.ask(Request::Close { socket: secure, timeout: Duration::from_secs(60) });
    pair.channel_open();
    assert!(pair.answer(closing).is_ok());
    let lines = commands(&mut pair);
    assert_eq!(starts(&lines), [('2', '0')]);
    let at = |wanted: &str| lines.iter().position(|line| line == wanted);
    assert!(at("AT+CIPCLOSE=1").is_some() && at("AT+CIPCLOSE=1") < at("AT+CIPSSL=0"), "{lines:?}");
}

#[test]
fn a_refused_switch_during_open_connections_refuses_tls() {
    let (mut pair, script) = online();
    let plain = pair.channel_open();
    script.forbids("AT+CIPSSL=1");
    let answer = connect(&mut pair, &verified());
    let refused = matches!(answer, Err(Error::Tls { step: TlsStep::Switch, why: TlsFailure::Refused(_) }));
    assert!(refused, "{answer:?}");
    let lines = commands(&mut pair);
    assert_eq!(lines.iter().filter(|line| line.starts_with("AT+CIPSTART")).count(), 1, "{lines:?}");
    // The plain connection still works.
    pair.send(plain, b"one").unwrap();
    pair.channel_open();
}

#[test]
fn a_refusal_to_set_the_switch_to_its_present_state_is_ignored() {
    let (mut pair, script) = online();
    connect(&mut pair, &verified()).unwrap();
    script.forbids("AT+CIPSSL=1");
    connect(&mut pair, &verified()).unwrap();
}

#[test]
fn after_a_restart_the_switch_is_off_again() {
    let (mut pair, _) = online();
    connect(&mut pair, &verified()).unwrap();
    pair.call(Request::Restart).unwrap();
    pair.run_for(Duration::from_secs(1));
    pair.call(Request::WaitReady { timeout: Duration::from_secs(120) }).unwrap();
    commands(&mut pair);
    pair.channel_open();
    assert_eq!(starts(&commands(&mut pair)), [('1', '0')]);
    // The files still exist.
    connect(&mut pair, &verified()).unwrap();
    assert!(!commands(&mut pair).iter().any(|line| line.starts_with("AT+FSWRITE")));
}

#[test]
fn without_tls_no_tls_command_is_written() {
    let (mut pair, _) = online();
    pair.channel_open();
    let lines = commands(&mut pair);
    assert!(!lines.iter().any(|line| line.contains("SSL") || line.contains("+FS")), "{lines:?}");
}

#[test]
fn over_tls_delivery_is_unknown_and_not_queried() {
    let (mut pair, _) = online();
    let socket = connect(&mut pair, &verified()).unwrap();
    pair.send(socket, b"hello").unwrap();
    let timeout = Duration::from_secs(20);
    for request in [Request::Flush { socket, timeout }, Request::Unacknowledged { socket, timeout }] {
        let answer = pair.call(request);
        assert!(matches!(answer, Err(Error::DeliveryUnknown(DeliveryUnknown::Tls))), "{answer:?}");
    }
    assert_eq!(pair.wrote("AT+CIPACK"), 0);
    assert!(matches!(pair.call(Request::Drain { socket, timeout }), Ok(Response::Done)));
    // A refused send leads to a question, whose answer has no other effect.
    pair.instead("AT+CIPSEND", "\r\nERROR\r\n").instead("AT+CIPACK", "\r\n+CIPACK: 100,100,0\r\n\r\nOK\r\n");
    pair.send(socket, b"again").unwrap();
    let seen = pair.engine.socket_statistics(socket).unwrap();
    assert_eq!((pair.wrote("AT+CIPACK"), seen.sent, seen.acknowledged), (1, 10, 0));
    // Delivery is known for a later plain connection on the same channel.
    pair.close(socket).unwrap();
    let plain = pair.channel_open();
    assert_eq!(plain.channel(), socket.channel());
    pair.send(plain, b"hello").unwrap();
    assert!(matches!(pair.call(Request::Flush { socket: plain, timeout }), Ok(Response::Done)));
}
