//! The behaviour of the simulated modem in time, in each state, and with every kind of host.

use std::time::Duration;

use crate::support::sim::{
    self, NOT_ALLOWED, OK, PROMPT, ask, close_by_peer, connect, go_online, host, host_with, last_link,
    online, online_with, push, received, send, text, type_bytes,
};
use air724ug::sim::{
    ApnPolicy, Boot, ConnectFailure, Control, Distant, FullBuffer, MemoryNetwork, ModemEvent, Peer, Profile,
    Settings, SimCard, Simulator, VirtualHost,
};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

#[test]
fn a_cold_start_prints_its_lines_in_their_order_and_time() {
    let mut host = host_with(Settings::default().boot(Boot::Cold));
    assert_eq!(host.write(b"AT\r\n"), b"", "the module does not listen yet");
    assert_eq!(text(host.wait(millis(1_500))), "\r\nRDY\r\n");
    ask(&mut host, "AT+CPIN?", "\r\n+CME ERROR: 14\r\n");
    assert_eq!(text(host.wait(millis(500))), "\r\n+CPIN: READY\r\n");
    assert_eq!(text(host.wait(millis(600))), "\r\nSMS READY\r\n");
    ask(&mut host, "AT+CREG?", "\r\n+CREG: 0,2\r\n\r\nOK\r\n");
    ask(&mut host, "AT+CGATT?", "\r\n+CGATT: 0\r\n\r\nOK\r\n");
    assert_eq!(
        text(host.wait(millis(4_300))),
        "\r\n^MODE: 17,17\r\n\r\n+E_UTRAN Service\r\n\r\n*CGEV: ACT,5,\"IP\",\"10.83.172.111\"\r\n\
         \r\n+NITZ: 24/07/23,08:35:07+32,0\r\n"
    );
    ask(&mut host, "AT+CREG?", "\r\n+CREG: 0,1\r\n\r\nOK\r\n");
    ask(&mut host, "AT+CGATT?", "\r\n+CGATT: 1\r\n\r\nOK\r\n");
}

#[test]
fn the_modem_registers_only_with_a_card() {
    let mut host = host_with(Settings::default().sim(SimCard::Absent));
    ask(&mut host, "AT+CPIN?", "\r\n+CME ERROR: 10\r\n");
    ask(&mut host, "AT+CIMI", "\r\n+CME ERROR: 10\r\n");
    ask(&mut host, "AT+CREG?", "\r\n+CREG: 0,0\r\n\r\nOK\r\n");
    assert_eq!(text(host.control(Control::SimInsert)), "\r\n+CPIN: READY\r\n");
    assert!(text(host.wait(millis(1_500))).contains("^MODE: 17,17"));
    assert!(
        text(host.control(Control::SimRemove))
            .ends_with("\r\n+NO Service\r\n\r\n*CGEV: DEACT,5\r\n\r\n+CPIN: SIM REMOVED\r\n")
    );
}

#[test]
fn a_locked_card_needs_its_pin_and_blocks_after_three_wrong_ones() {
    let locked = || host_with(Settings::default().sim(SimCard::Locked { pin: "1234".to_owned() }));
    let mut host = locked();
    ask(&mut host, "AT+CPIN?", "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n");
    ask(&mut host, "AT+CIMI", "\r\n+CME ERROR: 11\r\n");
    ask(&mut host, "AT+CPIN=\"0000\"", "\r\n+CME ERROR: 16\r\n");
    ask(&mut host, "AT+CPIN=1234", "\r\n+CPIN: READY\r\n\r\nOK\r\n");
    host.wait(millis(1_500));
    assert_eq!(host.simulator().state().registration, 1);
    let mut host = locked();
    for answer in ["16", "16", "12"] {
        ask(&mut host, "AT+CPIN=\"9999\"", &format!("\r\n+CME ERROR: {answer}\r\n"));
    }
    ask(&mut host, "AT+CPIN?", "\r\n+CPIN: SIM PUK\r\n\r\nOK\r\n");
}

#[test]
fn flight_mode_ends_service_and_bearer_and_full_mode_restores_service() {
    let mut host = online(true);
    connect(&mut host, 0, "discard.test", 9);
    ask(&mut host, "AT+CEREG=1", OK);
    ask(
        &mut host,
        "AT+CFUN=4",
        "\r\nOK\r\n\r\n+CEREG: 0\r\n\r\n^MODE: 0,0\r\n\r\n+NO Service\r\n\r\n*CGEV: DEACT,5\r\n\r\n+PDP: DEACT\r\n",
    );
    ask(&mut host, "AT+CSQ", "\r\n+CSQ: 99,99\r\n\r\nOK\r\n");
    ask(&mut host, "AT+CFUN=1", OK);
    ask(&mut host, "AT+CEREG?", "\r\n+CEREG: 1,2\r\n\r\nOK\r\n");
    assert!(text(host.wait(millis(1_500))).starts_with("\r\n+CEREG: 1\r\n\r\n^MODE: 17,17\r\n"));
}

#[test]
fn a_refused_registration_stays_refused() {
    let mut host = host_with(Settings::default().registration(3));
    ask(&mut host, "AT+CREG?", "\r\n+CREG: 0,3\r\n\r\nOK\r\n");
    ask(&mut host, "AT+CGATT?", "\r\n+CGATT: 0\r\n\r\nOK\r\n");
    assert_eq!(host.wait(Duration::from_secs(300)), b"");
}

#[test]
fn an_unknown_access_point_gives_no_bearer() {
    let policy = ApnPolicy::Only(vec!["cmiot".to_owned()]);
    let mut host = host_with(Settings::default().apn(policy));
    ask(&mut host, "AT+CSTT=\"wrong\",\"\",\"\"", OK);
    ask(&mut host, "AT+CIICR", "\r\n+PDP: DEACT\r\n\r\n+CME ERROR: 65535\r\n");
    ask(&mut host, "AT+CIPSHUT", "\r\nSHUT OK\r\n");
    ask(&mut host, "AT+CSTT=cmiot", OK);
    ask(&mut host, "AT+CIICR", OK);
}

#[test]
fn an_answer_comes_after_its_latency() {
    let mut host = host_with(Settings::default().latency(millis(5)));
    ask(&mut host, "AT", "");
    assert_eq!(host.wait(millis(4)), b"");
    assert_eq!(text(host.wait(millis(1))), OK);
}

#[test]
fn a_line_with_a_rate_needs_ten_bits_for_each_byte_in_both_directions() {
    let mut host = host_with(Settings::default().baud(Some(10_000)).echo(false));
    assert_eq!(host.write(b"AT\r\n"), b"");
    assert_eq!(host.wait(millis(3)), b"", "the command takes 3 ms on the line");
    assert_eq!(text(host.wait(millis(3))), "\r\nO");
    assert_eq!(text(host.wait(millis(3))), "K\r\n");
}

#[test]
fn a_new_rate_is_used_after_its_ok() {
    let mut host = host_with(Settings::default().baud(Some(9_600)).echo(false));
    host.write(b"AT+IPR=115200\r\n");
    host.wait(millis(100));
    host.write(b"AT\r\n");
    assert_eq!(host.wait(Duration::from_micros(869)), b"\r\nOK\r\n");
}

#[test]
fn an_unanswered_connect_fails_after_75_seconds() {
    let mut host = online(true);
    ask(&mut host, "AT+CIPSTART=0,\"TCP\",\"silent.test\",1", OK);
    assert_eq!(host.wait(millis(74_999)), b"");
    assert_eq!(text(host.wait(millis(1))), "\r\n0, CONNECT FAIL\r\n");
    connect(&mut host, 0, "discard.test", 9);
}

#[test]
fn a_connect_can_stay_unanswered() {
    let mut host = online_with(true, Settings::default().connect_timeout(Duration::MAX));
    ask(&mut host, "AT+CIPSTART=4,\"TCP\",\"silent.test\",1", OK);
    assert_eq!(host.wait(Duration::from_secs(100_000)), b"");
    ask(&mut host, "AT+CIPCLOSE=4", "\r\n4, CLOSE OK\r\n");
}

#[test]
fn a_refused_connect_and_an_unknown_name_fail() {
    let mut host = online(true);
    ask(&mut host, "AT+CIPSTART=0,\"TCP\",\"refuse.test\",1", "\r\nOK\r\n\r\n0, CONNECT FAIL\r\n");
    ask(&mut host, "AT+CIPSTART=1,\"TCP\",\"unknown.test\",1", OK);
    assert_eq!(text(host.wait(Duration::from_secs(12))), "\r\n1, CONNECT FAIL\r\n");
}

#[test]
fn commands_are_refused_in_the_states_of_the_manual() {
    let mut host = host();
    ask(&mut host, "AT+CIICR", NOT_ALLOWED);
    ask(&mut host, "AT+CIFSR", NOT_ALLOWED);
    ask(&mut host, "AT+CIPMUX=1", OK);
    ask(&mut host, "AT+CIPSTART=0,\"TCP\",\"discard.test\",9", NOT_ALLOWED);
    ask(&mut host, "AT+CIPMODE=1", NOT_ALLOWED);
    ask(&mut host, "AT+CIPSEND", "\r\nERROR\r\n");
    ask(&mut host, "AT+CIPCLOSE", "\r\nERROR\r\n");
    ask(&mut host, "AT+CSTT", OK);
    ask(&mut host, "AT+CIPMUX=0", NOT_ALLOWED);
    ask(&mut host, "AT+CIPQSEND=1", NOT_ALLOWED);
    ask(&mut host, "AT+CIICR", OK);
    ask(&mut host, "AT+CIPSTART=0,\"TCP\",\"discard.test\",9", NOT_ALLOWED);
    ask(&mut host, "AT+CIFSR", "\r\n10.83.172.111\r\n");
    ask(&mut host, "AT+CIPSTART=8,\"TCP\",\"discard.test\",9", NOT_ALLOWED);
    ask(&mut host, "AT+CIPSTART=0,\"TCP\",\"\",9", "\r\n+CME ERROR: 53\r\n");
    ask(&mut host, "AT+CIPSTART=0,\"TCP\",\"discard.test\",65536", "\r\n+CME ERROR: 53\r\n");
    ask(&mut host, "AT+CIPSTART=0,\"SCTP\",\"discard.test\",9", "\r\n+CME ERROR: 53\r\n");
    connect(&mut host, 0, "discard.test", 9);
    ask(&mut host, "AT+CIPRXGET=1", NOT_ALLOWED);
    ask(&mut host, "AT+CIPSEND=0,1461", "\r\n+CME ERROR: 53\r\n");
    ask(&mut host, "AT+CIPSEND=1,1", NOT_ALLOWED);
}

#[test]
fn the_activation_of_the_bearer_takes_time() {
    let mut host = host_with(Settings::default().bearer_time(millis(100)));
    ask(&mut host, "AT+CSTT", OK);
    ask(&mut host, "AT+CIICR", "");
    assert_eq!(host.simulator().state().ip, "IP CONFIG");
    assert_eq!(text(host.wait(millis(100))), OK);
    assert_eq!(host.simulator().state().ip, "IP GPRSACT");
}

#[test]
fn eight_channels_work_side_by_side() {
    let mut host = online(true);
    for channel in 0..8 {
        connect(&mut host, channel, "echo.test", 7);
    }
    for channel in (0..8).rev() {
        let body = format!("to {channel}");
        ask(&mut host, &format!("AT+CIPSEND={channel},4"), PROMPT);
        type_bytes(
            &mut host,
            &body,
            &format!("{body}\r\nDATA ACCEPT:{channel},4\r\n\r\n+RECEIVE,{channel},4:\r\n{body}"),
        );
    }
    let open =
        host.simulator().state().channels.iter().filter(|channel| channel.state == "CONNECTED").count();
    assert_eq!(open, 8);
}

#[test]
fn a_close_by_the_peer_is_reported_after_its_data() {
    let mut host = online(true);
    let command = "AT+CIPSTART=2,\"TCP\",\"bye.test\",1";
    ask(&mut host, command, "\r\nOK\r\n\r\n2, CONNECT OK\r\n\r\n+RECEIVE,2,8:\r\ngood bye\r\n2, CLOSED\r\n");
    ask(&mut host, "AT+CIPSEND=2,1", NOT_ALLOWED);
    ask(&mut host, "AT+CIPCLOSE=2", NOT_ALLOWED);
}

#[test]
fn old_firmware_does_not_report_a_close() {
    let mut host = online_with(true, Settings::default().closed_reported(false));
    connect(&mut host, 0, "discard.test", 9);
    assert_eq!(close_by_peer(&mut host), "");
    ask(&mut host, "AT+CIPSEND=0,1", NOT_ALLOWED);
}

#[test]
fn unread_data_are_discarded_some_time_after_the_close() {
    let mut host = host();
    ask(&mut host, "AT+CIPRXGET=1", OK);
    go_online(&mut host, true);
    connect(&mut host, 0, "discard.test", 9);
    assert_eq!(push(&mut host, b"TEST123"), "\r\n+CIPRXGET: 1,0\r\n");
    assert_eq!(close_by_peer(&mut host), "");
    ask(&mut host, "AT+CIPRXGET=2,0,4", "\r\n+CIPRXGET: 2,0,4,3\r\nTEST\r\n\r\nOK\r\n");
    assert_eq!(text(host.wait(millis(500))), "\r\n0, CLOSED\r\n");
    ask(&mut host, "AT+CIPRXGET=2,0,4", NOT_ALLOWED);
    assert!(host.modem_events().contains(&ModemEvent::Closed { channel: 0, lost: 3 }));
}

#[test]
fn a_close_is_reported_when_all_data_are_read() {
    let mut host = host();
    ask(&mut host, "AT+CIPRXGET=1", OK);
    go_online(&mut host, true);
    connect(&mut host, 0, "discard.test", 9);
    push(&mut host, b"TEST");
    close_by_peer(&mut host);
    ask(&mut host, "AT+CIPRXGET=2,0,10", "\r\n+CIPRXGET: 2,0,4,0\r\nTEST\r\n\r\nOK\r\n\r\n0, CLOSED\r\n");
}

#[test]
fn waiting_data_are_announced_once_until_they_are_read() {
    let mut host = host();
    ask(&mut host, "AT+CIPRXGET=1", OK);
    go_online(&mut host, true);
    connect(&mut host, 5, "discard.test", 9);
    assert_eq!(push(&mut host, b"one"), "\r\n+CIPRXGET: 1,5\r\n");
    assert_eq!(push(&mut host, b"two"), "");
    ask(&mut host, "AT+CIPRXGET=4,5", "\r\n+CIPRXGET: 4,5,6\r\n\r\nOK\r\n");
    ask(&mut host, "AT+CIPRXGET=2,5,1460", "\r\n+CIPRXGET: 2,5,6,0\r\nonetwo\r\n\r\nOK\r\n");
    assert_eq!(push(&mut host, b"three"), "\r\n+CIPRXGET: 1,5\r\n");
}

#[test]
fn an_unread_channel_stops_only_its_own_peer() {
    let mut host = host();
    ask(&mut host, "AT+CIPRXGET=1", OK);
    go_online(&mut host, true);
    let command = "AT+CIPSTART=0,\"TCP\",\"source.test\",1";
    ask(&mut host, command, "\r\nOK\r\n\r\n0, CONNECT OK\r\n\r\n+CIPRXGET: 1,0\r\n");
    assert_eq!(
        host.simulator().state().channels[0].unread,
        65_535,
        "the peer has sent all of its 100000 bytes"
    );
    connect(&mut host, 1, "discard.test", 9);
    assert_eq!(push(&mut host, b"x"), "\r\n+CIPRXGET: 1,1\r\n");
}

#[test]
fn no_unsolicited_line_comes_between_prompt_and_result() {
    let mut host = online(true);
    connect(&mut host, 0, "discard.test", 9);
    ask(&mut host, "AT+CIPSEND=0,4", PROMPT);
    assert_eq!(push(&mut host, b"data"), "");
    assert_eq!(text(host.control(Control::Urc("+NITZ: x".to_owned()))), "");
    type_bytes(&mut host, "abcd", "abcd\r\nDATA ACCEPT:0,4\r\n\r\n+NITZ: x\r\n\r\n+RECEIVE,0,4:\r\ndata");
}

#[test]
fn a_full_send_buffer_refuses_data_until_the_peer_reads() {
    let mut host = online(true);
    connect(&mut host, 0, "deaf.test", 1);
    let chunk = "x".repeat(1460);
    let mut accepted = 0;
    while text(host.write(b"AT+CIPSEND=0,1460\r\n")).ends_with(PROMPT) {
        host.write(chunk.as_bytes());
        accepted += 1;
        assert!(accepted < 100, "the buffer is not bounded");
    }
    // The bytes in the network (65535) and in the modem's buffer (10220).
    assert_eq!(accepted, (65_535 + 10_220) / 1460);
    ask(&mut host, "AT+CIPSEND=0,1460", "\r\nERROR\r\n");
    ask(&mut host, "AT+CIPACK=0", &format!("\r\n+CIPACK: {0},0,{0}\r\n\r\nOK\r\n", accepted * 1460));
}

#[test]
fn a_full_send_buffer_can_make_the_host_wait() {
    let settings = Settings::default().full_buffer(FullBuffer::Wait);
    let mut host = online_with(true, settings);
    connect(&mut host, 0, "deaf.test", 1);
    let chunk = "x".repeat(1460);
    for _ in 0..51 {
        ask(&mut host, "AT+CIPSEND=0,1460", PROMPT);
        host.write(chunk.as_bytes());
    }
    ask(&mut host, "AT+CIPSEND=0,1460", PROMPT);
    type_bytes(&mut host, &chunk, &chunk);
    assert_eq!(text(host.wait(Duration::from_secs(50))), "\r\n0, SEND FAIL\r\n");
}

#[test]
fn a_send_that_waits_for_room_is_answered_when_there_is_room() {
    let settings = Settings::default().full_buffer(FullBuffer::Wait);
    let mut host = online_with(true, settings);
    connect(&mut host, 0, "discard.test", 9);
    host.with_network(|network| {
        network.set_latency(millis(200));
    });
    let chunk = "x".repeat(1460);
    let mut accepted = 0;
    loop {
        ask(&mut host, "AT+CIPSEND=0,1460", PROMPT);
        if !text(host.write(chunk.as_bytes())).ends_with("DATA ACCEPT:0,1460\r\n") {
            break;
        }
        accepted += 1;
        assert!(accepted < 100, "the buffer is not bounded");
    }
    assert_eq!(text(host.wait(millis(500))), "\r\nDATA ACCEPT:0,1460\r\n");
}

#[test]
fn a_line_feed_directly_after_the_command_is_not_payload() {
    let mut host = online(true);
    connect(&mut host, 0, "discard.test", 9);
    assert_eq!(text(host.write(b"AT+CIPSEND=0,4\r")), format!("AT+CIPSEND=0,4\r{PROMPT}"));
    assert_eq!(text(host.write(b"\nabc")), "abc", "the line feed belongs to the end of the command");
    assert_eq!(text(host.write(b"d")), "d\r\nDATA ACCEPT:0,4\r\n");
    ask(&mut host, "AT+CIPSEND=0,4", PROMPT);
    type_bytes(&mut host, "\nabc", "\nabc\r\nDATA ACCEPT:0,4\r\n");
    assert_eq!(received(&host), b"abcd\nabc");
}

/// The line feed of the command's line end comes while the command runs, after the time in which the firmware accepts
/// it.
#[test]
fn a_line_feed_that_comes_before_the_prompt_is_not_payload() {
    for profile in Profile::all() {
        let settings = Settings::default().profile(profile).echo(false).latency(millis(30));
        let name = settings.profile.name;
        let mut host = host_with(settings);
        for command in ["AT+CIPMUX=1;+CIPQSEND=1;+CSTT;+CIICR\r\n", "AT+CIFSR\r\n"] {
            host.write(command.as_bytes());
            host.wait(millis(500));
        }
        host.write(b"AT+CIPSTART=0,\"TCP\",\"discard.test\",9\r\n");
        host.wait(millis(500));
        host.write(b"AT+CIPSEND=0,4\r");
        host.wait(millis(25));
        host.write(b"\n");
        assert!(text(host.wait(millis(100))).contains('>'), "{name}");
        host.write(b"abcd");
        assert_eq!(received(&host), b"abcd", "{name}");
    }
}

#[test]
fn line_ends_after_a_payload_are_ignored() {
    let mut host = online(true);
    connect(&mut host, 0, "discard.test", 9);
    ask(&mut host, "AT+CIPSEND=0,2", PROMPT);
    type_bytes(&mut host, "ab\r\n", "ab\r\nDATA ACCEPT:0,2\r\n");
    ask(&mut host, "AT", OK);
}

#[test]
fn without_prompt_and_results_the_data_are_still_sent() {
    let mut host = online(true);
    ask(&mut host, "AT+CIPSPRT=0", OK);
    connect(&mut host, 0, "discard.test", 9);
    ask(&mut host, "AT+CIPSEND=0,2", "");
    type_bytes(&mut host, "ab", "ab\r\nDATA ACCEPT:0,2\r\n");
    ask(&mut host, "AT+CIPSPRT=2", OK);
    ask(&mut host, "AT+CIPSEND=0,2", "");
    type_bytes(&mut host, "cd", "cd");
    assert_eq!(received(&host), b"abcd");
}

#[test]
fn esc_cancels_a_payload() {
    let mut host = online(true);
    connect(&mut host, 0, "discard.test", 9);
    ask(&mut host, "AT+CIPSEND=0", PROMPT);
    type_bytes(&mut host, "abc\x1b", "abc\x1b\r\nOK\r\n");
    assert_eq!(received(&host), b"");
}

#[test]
fn commands_may_come_in_pieces_in_chains_and_after_noise() {
    let mut host = host();
    let pieces: Vec<u8> = b"AT+CSQ\r\n".iter().flat_map(|byte| host.write(&[*byte])).collect();
    assert_eq!(
        text(pieces),
        "AT+CSQ\r\r\n+CSQ: 24,99\r\n\r\nOK\r\n\n",
        "the command runs at CR, and LF is echoed later"
    );
    ask(&mut host, "AT+CMEE=2;+CMEE?;+FOO;+CSQ", "\r\n+CMEE: 2\r\n\r\n+CME ERROR: invalid command line\r\n");
    ask(&mut host, "\x1b\x1aAT", OK);
    assert_eq!(text(host.write(b"A/")), format!("A/{OK}"));
    go_online(&mut host, true);
    ask(&mut host, "AT+CIFSR;E0", "\r\n10.83.172.111\r\n\r\nOK\r\n");
    assert_eq!(text(host.write(b"AT\r\n")), OK);
}

#[test]
fn quiet_and_numeric_results_follow_v250() {
    let mut host = host();
    ask(&mut host, "ATE0", OK);
    assert_eq!(text(host.write(b"ATV0\r\n")), "0\r");
    assert_eq!(text(host.write(b"AT+FOO\r\n")), "4\r");
    assert_eq!(text(host.write(b"ATV1Q1\r\n")), "");
    assert_eq!(text(host.write(b"AT+CSQ\r\n")), "\r\n+CSQ: 24,99\r\n");
    assert_eq!(text(host.write(b"AT&FZ\r\n")), OK);
}

#[test]
fn a_line_that_is_too_long_is_refused_and_discarded() {
    let mut host = host_with(Settings::default().echo(false));
    assert_eq!(text(host.write(&[b'A'; 5_000])), "");
    assert_eq!(text(host.write(b"T+CSQ\r\n")), "\r\nERROR\r\n");
    assert_eq!(text(host.write(b"AT\r\n")), OK);
}

#[test]
fn the_vendors_dialect_has_no_blanks_and_blocks_during_a_connect() {
    let mut host = host_with(Settings::default().profile(Profile::vendor8910()).echo(false));
    for command in ["AT+CIPMUX=1;+CIPQSEND=1;+CSTT;+CIICR\r\n", "AT+CIFSR\r\n"] {
        host.write(command.as_bytes());
    }
    assert_eq!(
        text(host.write(b"AT+CIPSTART=0,\"TCP\",\"discard.test\",9\r\n")),
        "\r\nOK\r\n\r\n0,CONNECT OK\r\n"
    );
    assert_eq!(text(host.write(b"AT+CIPSTART=1,\"TCP\",\"silent.test\",1\r\nAT\r\n")), "\r\nOK\r\n");
    assert_eq!(
        text(host.wait(Duration::from_secs(60))),
        "\r\nCOMMAND NOT RESPONSE\r\n\r\nOK\r\n",
        "the second command waited"
    );
    assert_eq!(text(host.write(b"AT+CIPMUX?\r\n")), "\r\n+CIPMUX:1\r\n\r\nOK\r\n");
    assert_eq!(text(host.write(b"AT\r")), "", "the modem waits 20 ms for a line feed");
    assert_eq!(text(host.wait(millis(20))), OK);
}

#[test]
fn the_sim800_echoes_only_the_carriage_return() {
    let mut host = host_with(Settings::default().profile(Profile::sim800()));
    assert_eq!(text(host.write(b"AT\r\n")), "AT\r\r\nOK\r\n", "capture s02");
    assert_eq!(text(host.write(b"AT+CIFSR\r\n")), "AT+CIFSR\r\r\nERROR\r\n");
}

#[test]
fn the_same_inputs_at_the_same_times_give_the_same_outputs() {
    let run = |seed: u64| {
        let settings =
            Settings::default().baud(Some(115_200)).latency(millis(3)).jitter(millis(7)).seed(seed);
        let mut host = host_with(settings);
        let mut log = Vec::new();
        for command in ["ATI", "AT+CSTT", "AT+CIICR", "AT+CIFSR", "AT+CIPSTATUS"] {
            host.write(format!("{command}\r\n").as_bytes());
            for _ in 0..20 {
                log.push(host.wait(millis(1)));
            }
        }
        log
    };
    assert_eq!(run(5), run(5));
    assert_ne!(run(5), run(6));
}

#[test]
fn no_bytes_break_the_modem() {
    const ALPHABET: &[u8] = b"AT+CIPSEND=0,1?;\"E\r\n\x1a\x1b&S3^*RXGT2456789\x00\xff";
    let mut host = online(true);
    connect(&mut host, 0, "echo.test", 7);
    let mut state = 1_u32;
    for _ in 0..2_000 {
        let bytes: Vec<u8> = (0..50)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ALPHABET[(state >> 16) as usize % ALPHABET.len()]
            })
            .collect();
        host.write(&bytes);
        host.wait(millis(10));
    }
    host.write(b"\x1a\r\n");
    host.wait(Duration::from_secs(100));
    send_at_last(&mut host);
}

/// Checks that the modem works after a reset.
fn send_at_last(host: &mut sim::Host) {
    host.control(Control::Reset);
    host.wait(Duration::from_secs(10));
    go_online(host, true);
    connect(host, 0, "discard.test", 9);
    send(host, 0, "fine");
    assert_eq!(received(host), b"fine");
}

#[test]
fn a_command_has_its_own_latency_at_any_place_in_a_line() {
    let own = vec![("+CSQ".to_owned(), millis(100))];
    let mut host = host_with(Settings::default().echo(false).latency(millis(10)).latencies(own));
    host.write(b"AT+CIMI\r\n");
    assert!(text(host.wait(millis(10))).ends_with(OK));
    host.write(b"AT+CSQ;+CIMI\r\n");
    assert_eq!(host.wait(millis(109)), b"");
    assert!(text(host.wait(millis(1))).ends_with(OK));
    host.write(b"AT+CIMI;+CSQ\r\n");
    assert_eq!(text(host.wait(millis(109))), "\r\n460000000000000\r\n");
    assert!(text(host.wait(millis(1))).ends_with(OK));
}

#[test]
fn a_lifelike_modem_has_the_times_of_captures() {
    let mut host = host_with(Settings::lifelike());
    host.wait(Duration::from_secs(8));
    let spans: Vec<Duration> = (0..50)
        .map(|_| {
            let began = host.now();
            host.write(b"AT\r\n");
            // The echo comes with the bytes, and the answer after it.
            let mut got = String::new();
            while !got.ends_with(OK) {
                got += &text(host.wait(Duration::from_micros(100)));
                assert!(host.now() - began < millis(20), "{got}");
            }
            host.now() - began
        })
        .collect();
    assert!(spans.iter().all(|span| (millis(3)..millis(12)).contains(span)), "{spans:?}");
    assert!(spans.iter().any(|span| *span != spans[0]), "no jitter");
    host.write(b"AT+CIPSHUT\r\n");
    assert!(!text(host.wait(millis(100))).contains("SHUT OK"));
    assert!(text(host.wait(millis(20))).contains("SHUT OK"));
}

/// The times of 200 commands on a modem with a latency of 5 ms and a jitter of 7 ms.
fn spans(seed: u64) -> Vec<Duration> {
    let settings = Settings::default().echo(false).latency(millis(5)).jitter(millis(7)).seed(seed);
    let mut host = host_with(settings);
    let mut span = || {
        host.write(b"AT\r\n");
        let began = host.now();
        let mut got = Vec::new();
        while got.is_empty() && host.now() - began < millis(20) {
            got = host.wait(Duration::from_micros(100));
        }
        assert_eq!(text(got), OK);
        host.now() - began
    };
    (0..200).map(|_| span()).collect()
}

#[test]
fn jitter_delays_each_answer_by_a_random_and_bounded_time() {
    let spans_of_one = spans(1);
    let (least, most) = (spans_of_one.iter().min().copied(), spans_of_one.iter().max().copied());
    assert!(least >= Some(millis(5)) && least < Some(millis(6)), "{least:?}");
    assert!(most > Some(millis(11)) && most <= Some(Duration::from_micros(12_100)), "{most:?}");
    assert_eq!(spans_of_one, spans(1), "the same seed gives the same times");
    assert_ne!(spans_of_one, spans(2));
}

#[test]
fn registration_takes_the_configured_time_after_every_loss_of_service() {
    let mut host = host_with(Settings::default().registration_time(Duration::from_secs(30)));
    ask(&mut host, "AT+CREG=1", OK);
    type Ends = fn(&mut sim::Host);
    let ends: [Ends; 3] = [
        |host| drop((host.control(Control::NetworkDown), host.control(Control::NetworkUp))),
        |host| drop((host.control(Control::SimRemove), host.control(Control::SimInsert))),
        |host| drop((host.write(b"AT+CFUN=4\r\n"), host.write(b"AT+CFUN=1\r\n"))),
    ];
    for end in ends {
        end(&mut host);
        ask(&mut host, "AT+CREG?", "\r\n+CREG: 1,2\r\n\r\nOK\r\n");
        assert_eq!(text(host.wait(millis(29_999))), "", "it searches");
        let found = text(host.wait(millis(1)));
        assert!(found.starts_with("\r\n+CREG: 1\r\n\r\n^MODE: 17,17\r\n"), "{found}");
    }
}

#[test]
fn each_profile_has_its_own_boot_time() {
    for profile in Profile::all() {
        let (name, registers) = (profile.name, profile.registered_after);
        let mut host = host_with(Settings::default().profile(profile).boot(Boot::Cold));
        assert!(!text(host.wait(millis(1_499))).contains("RDY"), "{name}");
        assert!(text(host.wait(millis(1))).contains("RDY"), "{name}");
        host.wait(registers - millis(1_501));
        assert_eq!(host.simulator().state().registration, 2, "{name}");
        host.wait(millis(1));
        assert_eq!(host.simulator().state().registration, 1, "{name}");
    }
}

fn lossy(loss: f64, peer: Peer) -> sim::Host {
    let mut network = MemoryNetwork::new();
    network.serve("far.test", 1, peer).set_latency(millis(50)).set_loss(loss, 3);
    let mut host = VirtualHost::new(Simulator::new(Settings::default().echo(false), network));
    go_online(&mut host, true);
    host
}

/// The data after each `+RECEIVE` in the output, joined.
fn payload(printed: &str) -> String {
    let frames = printed.split("\r\n+RECEIVE,0,").skip(1);
    let body = |frame: &str| {
        let (length, rest) = frame.split_once(":\r\n")?;
        rest.get(..length.parse().ok()?).map(str::to_owned)
    };
    frames.filter_map(body).collect()
}

#[test]
fn lost_tcp_data_come_late_and_in_order_and_lost_datagrams_never_come() {
    let mut host = lossy(0.3, Peer::discard());
    host.write(b"AT+CIPSTART=0,TCP,far.test,1\r\n");
    assert_eq!(text(host.wait(millis(100))), "\r\n0, CONNECT OK\r\n");
    for n in 0..20_u8 {
        host.write(b"AT+CIPSEND=0,1\r\n");
        host.write(&[n]);
    }
    host.wait(millis(60));
    assert!(received(&host).len() < 20, "no datagram was lost");
    host.wait(Duration::from_secs(2));
    assert_eq!(received(&host), (0..20).collect::<Vec<u8>>());
    for n in 0..20_u8 {
        push(&mut host, &[b'a' + n]);
    }
    close_by_peer(&mut host);
    let got = text(host.wait(Duration::from_secs(2)));
    assert!(got.ends_with("\r\n0, CLOSED\r\n"), "{got}");
    assert_eq!(payload(&got), "abcdefghijklmnopqrst");
    host.write(b"AT+CIPSTART=1,UDP,far.test,1\r\n");
    host.wait(millis(100));
    for n in 0..40_u8 {
        host.write(b"AT+CIPSEND=1,1\r\n");
        host.write(&[n]);
    }
    host.wait(Duration::from_secs(10));
    let came = received(&host).len();
    assert!((10..40).contains(&came), "{came} of 40 datagrams");
}

#[test]
fn a_vanished_peer_leaves_the_link_half_open() {
    let mut host = lossy(0.0, Peer::echo().vanish_after(4));
    host.write(b"AT+CIPSTART=0,TCP,far.test,1\r\n");
    host.wait(millis(100));
    for expected in ["\r\n+RECEIVE,0,4:\r\ndata", ""] {
        host.write(b"AT+CIPSEND=0,4\r\n");
        host.write(b"data");
        assert_eq!(text(host.wait(Duration::from_secs(3600))), expected);
    }
    ask_quietly(&mut host, "AT+CIPACK=0", "\r\n+CIPACK: 8,4,4\r\n\r\nOK\r\n");
    assert_eq!(host.simulator().state().channels[0].state, "CONNECTED");
    ask_quietly(&mut host, "AT+CIPCLOSE=0", "\r\n0, CLOSE OK\r\n");
}

/// Manual, CIPTKA: after the idle time, probes at an interval. A live peer answers them without an effect.
#[test]
fn keep_alive_detects_a_vanished_peer_and_keeps_a_silent_one() {
    for (peer, left) in [(Peer::echo().vanish_after(4), false), (Peer::discard(), true)] {
        let mut host = lossy(0.0, peer);
        ask_quietly(&mut host, "AT+CIPTKA=1,60,30,3", OK);
        host.write(b"AT+CIPSTART=0,TCP,far.test,1\r\n");
        host.wait(millis(100));
        host.write(b"AT+CIPSEND=0,4\r\n");
        host.write(b"data");
        host.wait(Duration::from_secs(1));
        assert_eq!(host.wait(Duration::from_secs(148)), b"", "the last probe is not over");
        assert_eq!(text(host.wait(Duration::from_secs(2))), if left { "" } else { "\r\n0, CLOSED\r\n" });
        host.wait(Duration::from_secs(86_400));
        let state = host.simulator().state().channels[0].state;
        assert_eq!(state, if left { "CONNECTED" } else { "CLOSED" });
    }
}

#[test]
fn a_local_port_is_used_by_the_next_connect_and_not_twice_for_one_peer() {
    let mut host = online(true);
    ask(&mut host, "AT+CLPORT=0,TCP,4000;+CLPORT=1,TCP,4000;+CLPORT=1,UDP,5000", OK);
    connect(&mut host, 0, "discard.test", 9);
    assert_eq!(host.simulator().network().local_port(last_link(&host)), Some(4000));
    ask(&mut host, "AT+CIPSTART=1,\"TCP\",\"discard.test\",9", "\r\nOK\r\n\r\n1, CONNECT FAIL\r\n");
    let is_reported = host.modem_events().iter().any(|event| {
        matches!(event, ModemEvent::ConnectFailed { channel: 1, why: ConnectFailure::LocalPort })
    });
    assert!(is_reported, "{:?}", host.modem_events());
    connect(&mut host, 1, "echo.test", 7);
    ask(&mut host, "AT+CIPCLOSE=0", "\r\n0, CLOSE OK\r\n");
    ask(&mut host, "AT+CIPCLOSE=1", "\r\n1, CLOSE OK\r\n");
    connect(&mut host, 1, "discard.test", 9);
    ask(&mut host, "AT+CIPCLOSE=1", "\r\n1, CLOSE OK\r\n");
    ask(&mut host, "AT+CLPORT=1,TCP,0", OK);
    connect(&mut host, 1, "discard.test", 9);
    assert_eq!(host.simulator().network().local_port(last_link(&host)), None, "0: any");
    ask(&mut host, "AT+CIPSTART=0,\"UDP\",\"discard.test\",9", "\r\nOK\r\n\r\n0, CONNECT OK\r\n");
    assert_eq!(host.simulator().network().local_port(last_link(&host)), None, "UDP has its own setting");
}

#[track_caller]
fn ask_quietly(host: &mut sim::Host, command: &str, answer: &str) {
    assert_eq!(text(host.write(format!("{command}\r\n").as_bytes())), answer, "{command}");
}

#[test]
fn directories_are_created_listed_and_removed() {
    let mut host = host();
    ask(&mut host, "AT+FSMKDIR=\"/a\"", OK);
    ask(&mut host, "AT+FSMKDIR=\"/a\"", "\r\nERROR\r\n");
    ask(&mut host, "AT+FSMKDIR=\"/a/b\"", OK);
    ask(&mut host, "AT+FSCREATE=\"/a/c.txt\"", OK);
    ask(&mut host, "AT+FSLS=\"/a\"", "\r\nc.txt\r\nb\\\r\n\r\nOK\r\n");
    ask(&mut host, "AT+FSRMDIR=\"/a\"", "\r\nERROR\r\n");
    ask(&mut host, "AT+FSDEL=\"/a/c.txt\"", OK);
    ask(&mut host, "AT+FSRMDIR=\"/a/b\"", OK);
    ask(&mut host, "AT+FSRMDIR=\"/a\"", OK);
    ask(&mut host, "AT+FSLS=\"/\"", OK);
}

#[test]
fn a_sim800_reports_its_supply_and_keeps_unread_data_after_the_peers_close() {
    let mut network = MemoryNetwork::new();
    network.serve("greeter.test", 7, Peer::discard().greeting(b"hello".to_vec()));
    let settings = Settings::default().profile(Profile::sim800()).echo(false);
    let mut host = VirtualHost::new(Simulator::new(settings, network));
    let says = |host: &mut VirtualHost<MemoryNetwork>, command: &str, answer: &str| {
        assert_eq!(text(host.write(format!("AT{command}\r\n").as_bytes())), answer, "AT{command}");
    };
    says(&mut host, "+CBC", "\r\n+CBC: 1,84,3800\r\n\r\nOK\r\n");
    says(&mut host, "+CCALR?", "\r\n+CCALR: 1\r\n\r\nOK\r\n");
    says(&mut host, "+CIPMUX=1;+CIPRXGET=1", OK);
    says(&mut host, "+CSTT;+CIICR;+CIFSR", "\r\n10.83.172.111\r\n");
    says(&mut host, "+CIPQSEND=1", OK);
    says(
        &mut host,
        "+CIPSTART=5,TCP,greeter.test,7",
        "\r\nOK\r\n\r\n5, CONNECT OK\r\n\r\n+CIPRXGET: 1,5\r\n",
    );
    let link = host.simulator().state().channels[5].link.expect("a link");
    host.with_network(|network| network.close_by_peer(link));
    assert_eq!(
        text(host.wait(Duration::from_secs(3_600))),
        "",
        "the channel stays open while data are unread"
    );
    let read = "\r\n+CIPRXGET: 2,5,5,0\r\nhello\r\n\r\nOK\r\n\r\n5, CLOSED\r\n";
    says(&mut host, "+CIPRXGET=2,5,100", read);
}

#[test]
fn a_round_trip_time_delays_the_peer_but_not_the_modems_answers() {
    let mut network = MemoryNetwork::new();
    network.serve("echo.test", 7, Peer::echo());
    let network = Distant::new(network, Duration::from_millis(80));
    let mut host = VirtualHost::new(Simulator::new(Settings::default().echo(false), network));
    host.write(b"AT+CIPQSEND=1;+CSTT;+CIICR;+CIFSR\r\n");
    assert_eq!(text(host.write(b"AT+CIPSTART=TCP,echo.test,7\r\n")), OK);
    assert_eq!(text(host.wait(Duration::from_millis(80))), "\r\nCONNECT OK\r\n");
    assert_eq!(text(host.write(b"AT+CIPSEND=5\r\n")), "\r\n> ");
    assert_eq!(text(host.write(b"hello")), "\r\nDATA ACCEPT:5\r\n");
    assert_eq!(text(host.write(b"AT+CIPACK\r\n")), "\r\n+CIPACK: 5,0,5\r\n\r\nOK\r\n");
    assert_eq!(text(host.wait(Duration::from_millis(79))), "");
    assert_eq!(text(host.wait(Duration::from_millis(1))), "hello\r\n");
    assert_eq!(text(host.write(b"AT+CIPACK\r\n")), "\r\n+CIPACK: 5,5,0\r\n\r\nOK\r\n");
}
