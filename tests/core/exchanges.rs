//! A request takes one exchange on the line unless an earlier answer is in doubt, and a doubt ends with its cause.
#![allow(clippy::unwrap_used, reason = "a failing call shall fail the test, also in a helper")]

use std::time::Duration;

use air724ug::query::{CurrentOperator, Signal};
use air724ug::sim::{Profile, Settings};
use air724ug::{Config, ReceiveMode};

use crate::support::pair::{ECHO, Pair};

const LONG: Duration = Duration::from_secs(30);
/// The number of requests of each kind. Of all commands written during a run, two in a hundred may be the driver's own.
const REQUESTS: usize = 50;

/// The number of commands written for each request. The payload contains no command.
fn commands_per_request(pair: &mut Pair) -> f64 {
    // A false answer may have left the bearer down.
    let socket = (0..5).find_map(|_| pair.connect(ECHO.0, ECHO.1).ok()).unwrap();
    pair.run_for(Duration::from_secs(20));
    pair.written.clear();
    let mut requests = 0;
    for _ in 0..REQUESTS {
        pair.query(&Signal).unwrap();
        pair.query(&CurrentOperator).unwrap();
        pair.command("AT+CGMR", LONG).unwrap();
        pair.send(socket, b"0123456789").unwrap();
        requests += 4;
    }
    // Fetches are part of the received data, not of a request.
    let fetched = pair.wrote("AT+CIPRXGET=2,");
    (pair.wrote("AT") - fetched) as f64 / requests as f64
}

#[test]
fn a_request_is_one_exchange_in_each_dialect() {
    for profile in Profile::all() {
        for mode in [ReceiveMode::Push, ReceiveMode::Manual] {
            let name = profile.name;
            let settings = Settings::default().profile(profile.clone());
            let mut pair = Pair::with(Config::default().receive_mode(mode), settings).ready();
            let per_request = commands_per_request(&mut pair);
            assert!(per_request <= 1.02, "{name} {mode:?}: {per_request}");
        }
    }
}

/// The commands that the driver writes until it is ready, each of them once.
fn commands_of_bring_up(profile: &Profile) -> Vec<String> {
    let pair = Pair::with(Config::default(), Settings::default().profile(profile.clone())).ready();
    let mut commands = Vec::new();
    let text = String::from_utf8(pair.written.clone()).unwrap();
    for command in text.split_whitespace().filter(|line| line.starts_with("AT")).map(str::to_owned) {
        if !commands.contains(&command) {
            commands.push(command);
        }
    }
    commands
}

/// Each answer replaces the module's answer to one command, once. After a lost answer, a late one may come for 300 s
/// and within other answers, so the driver asks a question after each command.
#[test]
fn an_odd_answer_costs_no_further_exchanges_and_a_lost_one_only_while_it_may_come_late() {
    for profile in [Profile::air724(), Profile::vendor8910()] {
        for command in commands_of_bring_up(&profile) {
            for answer in
                ["\r\nOK\r\n", "\r\nERROR\r\n", "\r\n+X: 1\r\n\r\nOK\r\n", "\r\n5\r\n\r\nOK\r\n", ""]
            {
                let mut pair = Pair::with(Config::default(), Settings::default().profile(profile.clone()));
                pair.instead_times(1, &command, answer);
                let mut pair = pair.ready();
                let case = format!("{} {command} {answer:?}", profile.name);
                // The rows of the status come after its `OK`. Without them the command has no answer.
                let is_lost = answer.is_empty() || (command == "AT+CIPSTATUS" && !answer.contains("ERROR"));
                let per_request = commands_per_request(&mut pair);
                if !is_lost {
                    assert!(per_request <= 1.02, "{case}: {per_request}");
                    continue;
                }
                assert!(per_request <= 2.0, "{case}: {per_request}");
                pair.run_for(Duration::from_secs(300));
                let per_request = commands_per_request(&mut pair);
                assert!(per_request <= 1.02, "{case}, 300 s later: {per_request}");
            }
        }
    }
}
