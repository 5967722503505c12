//! Sessions whose lines were assigned to the wrong command or connection, or to none.

// A failure in a helper fails a test as well.
#![allow(clippy::unwrap_used)]

use super::logs_layouts::story;

/// The entries of a capture with these records, one a line.
fn replayed(records: &[&str]) -> Vec<String> {
    let header = "# what: x\n# source: x\n# expect: not known\n";
    let timed = records.iter().map(|record| format!("0.0 {record}\n")).collect::<String>();
    story(format!("{header}{timed}").as_bytes())
}

const STREAM: [&str; 3] =
    [r#"> AT+CIPSTART="TCP","a.test",7\r\n"#, r"< \r\nOK\r\n\r\nCONNECT\r\n", r"< hello\r\nCLO"];

#[test]
fn a_transparent_stream_ends_with_the_line_of_the_module() {
    for (behind, last) in [
        (vec![r"> AT+CSQ\r\n", r"< \r\n+CSQ: 24,0\r\n\r\nOK\r\n"], Some("final OK to AT+CSQ")),
        (vec![r"> +++", r"> AT\r\n", r"< \r\nOK\r\n"], Some("final OK to AT")),
        (vec![], None),
    ] {
        let replayed = replayed(&[&STREAM[..], &[r"< SED\r\n"], &behind].concat());
        assert_eq!(replayed[3..5], ["transparent hello", "urc CLOSED"], "{replayed:#?}");
        assert!(last.is_none_or(|last| replayed.last().unwrap() == last), "{replayed:#?}");
    }
    for line in ["TCP ERROR:14", "+PDP: DEACT", "RDY"] {
        let read = format!(r"< \r\n{line}\r\n");
        let replayed = replayed(&[STREAM[0], STREAM[1], &read, r"> AT\r\n", r"< \r\nOK\r\n"]);
        assert_eq!(replayed[3..], [&format!("urc {line}"), "command AT", "final OK to AT"], "{replayed:#?}");
    }
}

#[test]
fn a_stream_whose_data_look_like_its_end_goes_on() {
    for (behind, entry_behind) in [
        (vec![r"> +++", r"< \r\nOK\r\n"], "command +++"),
        (vec![r"> more", r"< even more"], "sent more"),
        (vec![r"< even more"], "transparent even more"),
    ] {
        let replayed = replayed(&[&STREAM[..], &[r"< SED\r\n"], &behind].concat());
        assert_eq!(replayed[4..6], [r"transparent SED\r\n", entry_behind], "{replayed:#?}");
    }
}

#[test]
fn the_end_of_a_silent_connect_is_not_the_answer_to_the_next_one() {
    let replayed = replayed(&[
        r#"> AT+CIPSTART=0,"TCP","silent.test",7\r\n"#,
        r"< \r\nOK\r\n",
        r#"> AT+CIPSTART=1,"TCP","a.test",7\r\n"#,
        r"< \r\nCOMMAND NOT RESPONSE\r\n\r\nOK\r\n\r\n1, CONNECT OK\r\n",
        r"> AT+FOO\r\n",
        r"< \r\nCOMMAND NOT RESPONSE\r\n",
    ]);
    let expected = [
        "final COMMAND NOT RESPONSE to AT+CIPSTART=0,\"TCP\",\"silent.test\",7",
        "final OK to AT+CIPSTART=1,\"TCP\",\"a.test\",7",
        "urc 1, CONNECT OK",
        "command AT+FOO",
    ];
    assert_eq!(replayed[3..7], expected);
}

#[test]
fn data_that_a_module_takes_for_commands_are_answered() {
    let replayed = replayed(&[
        r"> AT+CIPSEND=0,20\r\n",
        r"< \r\n> ",
        r"> 0123456789\r\n01234567",
        r"< \r\n0, SEND FAIL\r\n",
        r"> AT+CIPQSEND?\r\n",
        r"< \r\nERROR\r\n\r\nERROR\r\n\r\n+CIPQSEND: 1\r\n\r\nOK\r\n",
        r"> AT\r\n",
        r"< \r\nOK\r\n",
    ]);
    assert!(!replayed.iter().any(|what| what.starts_with("unexplained")), "{replayed:#?}");
    assert_eq!(replayed.last().unwrap(), "final OK to AT");
}

#[test]
fn an_answer_before_the_echo_of_the_next_command_belongs_to_the_first_one() {
    let replayed = replayed(&[
        r"> AT\r\n",
        r"< AT\r\n",
        r"> AT+CSQ\r\n",
        r"< \r\nOK\r\nAT+CSQ\r\n\r\n+CSQ: 24,0\r\n\r\nOK\r\n",
    ]);
    assert_eq!(replayed[2..], ["final OK to AT", "reply +CSQ: 24,0 to AT+CSQ", "final OK to AT+CSQ"]);
}
