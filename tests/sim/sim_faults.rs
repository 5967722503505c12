//! Faults on request. Each strikes at its place, and the modem works afterwards.

use std::time::Duration;

use crate::support::sim::{
    self, OK, PROMPT, ask, connect, host, host_with, online, online_with, push, received, send, text,
    type_bytes,
};
use air724ug::sim::{Control, Direction, Input, MemoryNetwork, Output, Rule, Settings, Simulator, fault};
use air724ug::time::Timestamp;

/// The bytes for the host at this moment.
fn output(modem: &mut Simulator<MemoryNetwork>) -> Vec<u8> {
    let outputs = std::iter::from_fn(|| modem.poll());
    let bytes =
        outputs.filter_map(|output| if let Output::Host(bytes) = output { Some(bytes) } else { None });
    bytes.flatten().collect()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_lost_prompt_still_waits_for_its_payload() {
    let mut host = online(true);
    connect(&mut host, 0, "discard.test", 9);
    host.control(Control::fault(fault::LostPrompt));
    ask(&mut host, "AT+CIPSEND=0,4", "");
    type_bytes(&mut host, "AT\r\n", "AT\r\n\r\nDATA ACCEPT:0,4\r\n");
    assert_eq!(received(&host), b"AT\r\n", "a command without a prompt is payload");
    send(&mut host, 0, "next");
}

#[test]
fn a_late_answer_comes_before_the_answers_to_later_commands() {
    let mut host = host();
    host.control(Control::fault(fault::LateAnswer { command: 2, by: seconds(10) }));
    ask(&mut host, "AT", OK);
    ask(&mut host, "AT+CSQ", "");
    assert_eq!(host.write(b"AT+CPIN?\r\n"), b"");
    assert_eq!(host.wait(Duration::from_millis(9_999)), b"");
    let late = "\r\n+CSQ: 24,99\r\n\r\nOK\r\nAT+CPIN?\r\n\r\n+CPIN: READY\r\n\r\nOK\r\n";
    assert_eq!(text(host.wait(Duration::from_millis(1))), late);
}

#[test]
fn a_detached_answer_comes_among_those_of_later_commands() {
    let mut host = host();
    host.control(Control::fault(fault::DetachedAnswer { command: 1, by: seconds(10) }));
    ask(&mut host, "AT+CSQ", "");
    ask(&mut host, "AT", OK);
    assert_eq!(text(host.wait(seconds(10))), "\r\n+CSQ: 24,99\r\n\r\nOK\r\n");
}

#[test]
fn the_command_of_a_lost_answer_is_run() {
    let mut host = host();
    host.control(Control::fault(fault::LostAnswer { command: 1 }));
    ask(&mut host, "AT+CMEE=2", "");
    assert_eq!(host.wait(seconds(1000)), b"");
    ask(&mut host, "AT+CMEE?", "\r\n+CMEE: 2\r\n\r\nOK\r\n");
}

#[test]
fn a_wrong_answer_replaces_the_right_one() {
    let mut host = host();
    host.control(Control::fault(fault::WrongAnswer { command: 1, text: "+CREG: 0,1".to_owned() }));
    ask(&mut host, "AT+CSQ", "\r\n+CREG: 0,1\r\n");
    ask(&mut host, "AT+CSQ", "\r\n+CSQ: 24,99\r\n\r\nOK\r\n");
}

#[test]
fn after_a_link_breaks_during_a_send_the_rest_is_read_as_commands() {
    let mut host = online(true);
    connect(&mut host, 3, "discard.test", 9);
    host.control(Control::fault(fault::CloseMidSend { after: 4 }));
    ask(&mut host, "AT+CIPSEND=3,12", PROMPT);
    let answer = "1234\r\n3, SEND FAIL\r\n\r\n3, CLOSED\r\nAT+FOO\r\r\nERROR\r\n";
    assert_eq!(text(host.write(b"1234AT+FOO\r")), answer);
    assert_eq!(received(&host), b"");
    ask(&mut host, "AT", OK);
}

#[test]
fn a_link_can_break_directly_after_the_prompt() {
    let mut host = online(true);
    connect(&mut host, 3, "discard.test", 9);
    host.control(Control::fault(fault::CloseMidSend { after: 0 }));
    ask(&mut host, "AT+CIPSEND=3,12", "\r\n> \r\n3, SEND FAIL\r\n\r\n3, CLOSED\r\n");
    ask(&mut host, "AT", OK);
}

#[test]
fn a_received_body_can_be_shorter_than_announced() {
    let mut host = online(true);
    connect(&mut host, 0, "discard.test", 9);
    host.control(Control::fault(fault::ShortBody { missing: 3 }));
    assert_eq!(push(&mut host, b"TEST123"), "\r\n+RECEIVE,0,7:\r\nTEST");
    assert_eq!(push(&mut host, b"TEST123"), "\r\n+RECEIVE,0,7:\r\nTEST123");
}

#[test]
fn a_fetched_body_can_be_short() {
    let mut host = host();
    ask(&mut host, "AT+CIPRXGET=1", OK);
    sim::go_online(&mut host, true);
    connect(&mut host, 0, "discard.test", 9);
    push(&mut host, b"TEST123");
    host.control(Control::fault(fault::ShortBody { missing: 7 }));
    ask(&mut host, "AT+CIPRXGET=2,0,10", "\r\n+CIPRXGET: 2,0,7,0\r\n\r\n\r\nOK\r\n");
}

#[test]
fn a_fetch_that_is_cut_short_ends_without_its_ok() {
    let mut host = host();
    ask(&mut host, "AT+CIPRXGET=1", OK);
    sim::go_online(&mut host, true);
    connect(&mut host, 0, "discard.test", 9);
    push(&mut host, b"TEST123");
    host.control(Control::fault(fault::CutBody { missing: 3 }));
    ask(&mut host, "AT+CIPRXGET=2,0,10", "\r\n+CIPRXGET: 2,0,7,0\r\nTEST\r\n");
    assert_eq!(host.wait(seconds(1_000)), b"", "no OK");
    push(&mut host, b"next");
    ask(&mut host, "AT+CIPRXGET=2,0,10", "\r\n+CIPRXGET: 2,0,4,0\r\nnext\r\n\r\nOK\r\n");
}

#[test]
fn a_pushed_body_that_is_cut_short_affects_no_answer() {
    let mut host = online(true);
    connect(&mut host, 0, "discard.test", 9);
    host.control(Control::fault(fault::CutBody { missing: 3 }));
    assert_eq!(push(&mut host, b"TEST123"), "\r\n+RECEIVE,0,7:\r\nTEST");
    ask(&mut host, "AT", OK);
}

#[test]
fn a_failed_send_does_not_reach_the_peer_and_keeps_the_link() {
    let mut host = online(true);
    connect(&mut host, 0, "discard.test", 9);
    host.control(Control::fault(fault::SendFail));
    ask(&mut host, "AT+CIPSEND=0,4", PROMPT);
    type_bytes(&mut host, "lost", "lost\r\n0, SEND FAIL\r\n");
    assert_eq!(received(&host), b"");
    assert_eq!(host.simulator().state().channels[0].state, "CONNECTED");
    send(&mut host, 0, "next");
    assert_eq!(received(&host), b"next");
}

#[test]
fn a_silent_connect_fails_after_75_seconds_and_the_next_one_works() {
    let mut host = online(true);
    host.control(Control::fault(fault::SilentConnect));
    ask(&mut host, "AT+CIPSTART=0,\"TCP\",\"echo.test\",7", OK);
    assert_eq!(host.wait(Duration::from_millis(74_999)), b"", "the connect does not reach the peer");
    assert_eq!(text(host.wait(Duration::from_millis(1))), "\r\n0, CONNECT FAIL\r\n");
    connect(&mut host, 0, "echo.test", 7);
}

#[test]
fn a_deaf_modem_receives_nothing_for_the_given_time() {
    let mut host = host();
    host.control(Control::fault(fault::Deaf { lasting: seconds(8) }));
    assert_eq!(host.write(b"AT+CMEE=2\r\n"), b"", "a deaf modem sends no echo");
    assert_eq!(host.wait(Duration::from_millis(7_999)), b"");
    assert_eq!(host.write(b"AT+CMEE=2\r\n"), b"");
    assert_eq!(text(host.control(Control::Urc("+CREG: 5".to_owned()))), "\r\n+CREG: 5\r\n", "it talks");
    assert_eq!(host.wait(Duration::from_millis(1)), b"", "bytes from the deaf time are lost");
    ask(&mut host, "AT+CMEE?", "\r\n+CMEE: 1\r\n\r\nOK\r\n");
}

#[test]
fn garbage_appears_at_any_place_of_the_line() {
    let mut host = online(true);
    connect(&mut host, 0, "discard.test", 9);
    ask(&mut host, "AT+CIPSEND=0,2", PROMPT);
    let garbage = fault::Garbage(b"\xff\x00+CRE\r\n".to_vec());
    assert_eq!(host.control(Control::fault(garbage)), b"\xff\x00+CRE\r\n");
    type_bytes(&mut host, "ab", "ab\r\nDATA ACCEPT:0,2\r\n");
}

#[test]
fn a_reboot_clears_the_state_and_prints_its_lines_after_the_boot_time() {
    let mut host = online(true);
    connect(&mut host, 0, "discard.test", 9);
    ask(&mut host, "ATE0", OK);
    ask_quietly(&mut host, "AT+CIPSEND=0,10", PROMPT);
    assert_eq!(host.control(Control::fault(fault::Reboot)), b"");
    let state = host.simulator().state();
    assert!(!state.listening && state.ip == "IP INITIAL" && state.registration == 2);
    assert!(!host.simulator().network().is_open(sim::last_link(&host)));
    assert_eq!(host.write(b"1234567890AT\r\n"), b"", "the module does not receive while it boots");
    assert_eq!(text(host.wait(Duration::from_millis(1_500))), "\r\nRDY\r\n");
    ask(&mut host, "AT+CIPMUX?", "\r\n+CIPMUX: 0\r\n\r\nOK\r\n");
}

#[track_caller]
fn ask_quietly(host: &mut sim::Host, command: &str, answer: &str) {
    assert_eq!(text(host.write(format!("{command}\r\n").as_bytes())), answer);
}

#[test]
fn a_lost_bearer_ends_every_link_and_needs_cipshut() {
    let mut host = online(true);
    connect(&mut host, 0, "discard.test", 9);
    connect(&mut host, 7, "discard.test", 9);
    assert_eq!(text(host.control(Control::PdpLost)), "\r\n+PDP: DEACT\r\n");
    assert!(host.simulator().state().channels.iter().all(|channel| channel.link.is_none()));
    ask(&mut host, "AT+CIPSEND=0,1", sim::NOT_ALLOWED);
    ask(&mut host, "AT+CSTT", sim::NOT_ALLOWED);
    ask(&mut host, "AT+CIPSHUT", "\r\nSHUT OK\r\n");
    ask(&mut host, "AT+CSTT", OK);
}

#[test]
fn a_bearer_lost_during_a_payload_ends_the_send() {
    let mut host = online(true);
    connect(&mut host, 0, "discard.test", 9);
    ask(&mut host, "AT+CIPSEND=0,10", PROMPT);
    assert_eq!(text(host.control(Control::PdpLost)), "\r\n0, SEND FAIL\r\n\r\n+PDP: DEACT\r\n");
    ask(&mut host, "AT", OK);
}

#[test]
fn nothing_comes_after_a_hang_up() {
    let mut host = host();
    host.control(Control::HangUp);
    assert!(host.hung_up());
    assert_eq!(host.write(b"AT\r\n"), b"");
    assert_eq!(host.simulator().deadline(), None);
}

#[test]
fn bytes_on_the_line_at_a_hang_up_are_lost() {
    let delayed: Rule = "delay=to-host,5s:1".parse().expect("a rule");
    for settings in [Settings::default().baud(Some(9_600)), Settings::default().faults(vec![delayed])] {
        expect_no_output_after_a_hang_up(settings);
    }
}

fn expect_no_output_after_a_hang_up(settings: Settings) {
    let mut modem = Simulator::new(settings, MemoryNetwork::new());
    modem.handle(Timestamp::ZERO, Input::Host(b"AT+CFUN=?\r\n"));
    let begun = Timestamp::ZERO + Duration::from_millis(40);
    modem.handle(begun, Input::Tick);
    let before = output(&mut modem);
    assert!(!text(before.clone()).contains("OK"), "{before:?} is not in the middle of the answer");
    modem.handle(begun, Input::Control(Control::HangUp));
    let said: Vec<Output> = std::iter::from_fn(|| modem.poll()).collect();
    assert_eq!(said.iter().filter(|output| **output == Output::HangUp).count(), 1);
    modem.handle(begun + seconds(10), Input::Tick);
    let after = output(&mut modem);
    assert!(after.is_empty(), "{after:?} came out of a closed port");
}

#[test]
fn a_scheduled_fault_strikes_at_its_time() {
    let rule: Rule = "reboot@12s".parse().expect("a rule");
    let mut host = host_with(Settings::default().faults(vec![rule]));
    ask(&mut host, "AT", OK);
    assert_eq!(host.wait(Duration::from_millis(13_499)), b"");
    assert_eq!(text(host.wait(Duration::from_millis(1))), "\r\nRDY\r\n");
}

#[test]
fn the_same_seed_gives_the_same_random_faults() {
    let answers = |seed: u64| {
        let rule: Rule = "lost-prompt:0.3".parse().expect("a rule");
        let mut host = online_with(true, Settings::default().seed(seed).faults(vec![rule]));
        connect(&mut host, 0, "discard.test", 9);
        let prompts = (0..64).map(|_| {
            let answer = host.write(b"AT+CIPSEND=0,1\r\n");
            host.write(b"x");
            answer.ends_with(b"> ")
        });
        prompts.collect::<Vec<bool>>()
    };
    let lost = answers(1).iter().filter(|came| !**came).count();
    assert!((8..32).contains(&lost), "{lost} of 64");
    assert_eq!(answers(1), answers(1));
    assert_ne!(answers(1), answers(2));
}

#[test]
fn several_faults_can_be_active_at_once() {
    let mut host = host();
    host.control(Control::fault(fault::LostAnswer { command: 1 }));
    host.control(Control::fault(fault::LostAnswer { command: 2 }));
    host.control(Control::fault(fault::LateAnswer { command: 3, by: seconds(1) }));
    ask(&mut host, "AT", "");
    ask(&mut host, "AT", "");
    ask(&mut host, "AT", "");
    assert_eq!(text(host.wait(seconds(1))), OK);
    ask(&mut host, "AT", OK);
}

#[test]
fn bytes_are_lost_in_either_direction() {
    let mut host = host();
    host.control(Control::fault(fault::DropByte(Direction::FromHost)));
    assert_eq!(text(host.write(b"AT+CSQ\r\n")), "T+CSQ\r\n", "the A never arrived");
    host.control(Control::fault(fault::DropByte(Direction::ToHost)));
    assert_eq!(text(host.write(b"AT\r\n")), format!("T\r\n{OK}"), "the host does not see its echo's A");
    host.control(Control::fault(fault::DuplicateByte(Direction::FromHost)));
    assert_eq!(text(host.write(b"AT\r\n")), format!("AAT\r\n{OK}"));
    ask(&mut host, "AT", OK);
}

#[test]
fn the_same_seed_gives_the_same_corruption_without_a_panic() {
    let session = |seed: u64| {
        let rules =
            ["corrupt=to-host:0.05", "corrupt=from-host:0.05", "drop=from-host:0.02", "split=to-host,3:0.5"];
        let rules = rules.map(|rule| rule.parse().expect("a rule")).to_vec();
        let mut host = host_with(Settings::default().seed(seed).faults(rules));
        for _ in 0..50 {
            host.write(b"AT+CIPMUX=1;+CSTT;+CIICR;+CIFSR;+CIPSTART=0,\"TCP\",\"echo.test\",7\r\nAT+CIPSEND=0,5\r\nhello");
        }
        host.wait(seconds(100))
    };
    assert_eq!(session(1), session(1));
    assert_ne!(session(1), session(2));
}

#[test]
fn an_answer_can_be_split_merged_delayed_and_interrupted() {
    let mut host = host();
    host.write(b"ATE0\r\n");
    let direction = Direction::ToHost;
    host.control(Control::fault(fault::SplitPiece { direction, bytes: 4 }));
    assert_eq!(text(host.write(b"AT\r\n")), "\r\nOK");
    assert_eq!(text(host.wait(Duration::from_millis(2))), "\r\n");
    host.control(Control::fault(fault::DelayPiece { direction, by: seconds(3) }));
    assert_eq!(host.write(b"AT\r\n"), b"");
    assert_eq!(text(host.wait(seconds(3))), OK);
    host.control(Control::fault(fault::MergePieces { direction, bytes: 12 }));
    assert_eq!(host.write(b"AT\r\n"), b"");
    assert_eq!(text(host.write(b"AT\r\n")), format!("{OK}{OK}"));
    host.control(Control::fault(fault::StallLine { direction, lasting: seconds(2) }));
    assert_eq!(host.write(b"AT\r\nAT\r\n"), b"");
    assert_eq!(text(host.wait(seconds(2))), format!("{OK}{OK}"));
    assert_eq!(text(host.write(b"AT\r\n")), OK);
}

#[test]
fn a_urc_can_come_within_an_answer() {
    let mut host = host();
    host.control(Control::fault(fault::Urc("+CREG: 5".to_owned())));
    ask(&mut host, "AT+CSQ", "\r\n+CREG: 5\r\n\r\n+CSQ: 24,99\r\n\r\nOK\r\n");
    let rule: Rule = "urc=^MODE: 17,17:1".parse().expect("a rule");
    host.control(Control::Rule(rule));
    let urc = "\r\n^MODE: 17,17\r\n";
    ask(&mut host, "AT+CSQ", &format!("{urc}\r\n+CSQ: 24,99\r\n{urc}\r\nOK\r\n"));
}

#[test]
fn a_urc_can_be_lost_or_doubled() {
    let mut host = online(true);
    connect(&mut host, 0, "discard.test", 9);
    host.control(Control::fault(fault::LostUrc));
    assert_eq!(sim::close_by_peer(&mut host), "", "CLOSED never comes");
    ask(&mut host, "AT+CIPSEND=0,1", sim::NOT_ALLOWED);
    connect(&mut host, 0, "discard.test", 9);
    host.control(Control::fault(fault::DoubledUrc));
    assert_eq!(sim::close_by_peer(&mut host), "\r\n0, CLOSED\r\n\r\n0, CLOSED\r\n");
}

#[test]
fn the_result_of_a_send_can_come_late_among_other_answers() {
    let mut host = online(true);
    connect(&mut host, 0, "discard.test", 9);
    host.control(Control::fault(fault::LateSend { by: seconds(3) }));
    ask(&mut host, "AT+CIPSEND=0,4", PROMPT);
    type_bytes(&mut host, "data", "data\r\n\r\n");
    ask(&mut host, "AT", OK);
    assert_eq!(text(host.wait(seconds(3))), "\r\nDATA ACCEPT:0,4\r\n");
    assert_eq!(received(&host), b"data");
    send(&mut host, 0, "next");
}

#[test]
fn a_failing_supply_reboots_the_modem_repeatedly() {
    let mut host = host();
    host.control(Control::fault(fault::BrownOut { times: 3 }));
    let all = text(host.wait(seconds(60)));
    assert_eq!(all.matches("RDY").count(), 3, "{all}");
    assert_eq!(all.matches("+CPIN: READY").count(), 1, "{all}");
    ask(&mut host, "AT+CREG?", "\r\n+CREG: 0,1\r\n\r\nOK\r\n");
}

#[test]
fn a_dead_link_stays_connected_and_accepts_data() {
    let mut host = online(true);
    connect(&mut host, 0, "echo.test", 7);
    host.control(Control::fault(fault::StaleConnected));
    send(&mut host, 0, "lost");
    assert_eq!(received(&host), b"");
    assert_eq!(push(&mut host, b"ignored"), "");
    assert_eq!(sim::close_by_peer(&mut host), "");
    assert_eq!(host.simulator().state().channels[0].state, "CONNECTED");
    ask(&mut host, "AT+CIPACK=0", "\r\n+CIPACK: 4,0,4\r\n\r\nOK\r\n");
    ask(&mut host, "AT+CIPCLOSE=0", "\r\n0, CLOSE OK\r\n");
    connect(&mut host, 0, "discard.test", 9);
    send(&mut host, 0, "alive");
    assert_eq!(received(&host), b"alive");
}

#[test]
fn keep_alive_detects_a_dead_link() {
    let mut host = online(true);
    ask(&mut host, "AT+CIPTKA=1,30,30,2", "\r\nOK\r\n");
    connect(&mut host, 0, "echo.test", 7);
    host.wait(seconds(1_000));
    host.control(Control::fault(fault::StaleConnected));
    assert_eq!(host.wait(seconds(89)), b"");
    assert_eq!(text(host.wait(seconds(1))), "\r\n0, CLOSED\r\n");
    connect(&mut host, 0, "discard.test", 9);
}

#[test]
fn a_rule_given_during_a_run_counts_from_that_moment() {
    let mut host = host();
    host.wait(seconds(100));
    host.control(Control::Rule("hang-up@5s".parse().expect("a rule")));
    host.wait(Duration::from_millis(4_999));
    assert!(!host.hung_up());
    host.wait(Duration::from_millis(1));
    assert!(host.hung_up());
}
