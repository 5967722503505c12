//! Some thousand seeds of the simulation. `cargo run --release --example simulate` runs more, and shows one that fails.

#[path = "mod.rs"]
mod simulation;

use simulation::Kind;

/// Seeds of each kind: all kinds together take some seconds.
const SEEDS: u64 = 200;

/// Runs seeds of a kind; a failure prints the command that shows it.
fn every_promise_holds(kind: Kind) {
    simulation::catch_panics();
    for seed in 0..SEEDS {
        let script = simulation::script(kind, seed);
        if let Some(failure) = simulation::play(&script, false).failure {
            let short = simulation::shrunk(&script, &failure);
            let name = kind.name();
            panic!(
                "{failure:?}\nas short as it can be: {short:#?}\n\
                 cargo run --release --example simulate -- --kind {name} --seed {seed}"
            );
        }
    }
}

#[test]
fn a_run_is_a_function_of_its_seed() {
    for (kind, _) in Kind::ALL {
        let script = simulation::script(kind, 7);
        let [one, other] = [(), ()].map(|()| simulation::play(&script, true));
        assert_eq!(one.trace, other.trace, "{kind:?}");
    }
}

#[test]
fn sockets_are_exact_where_nothing_goes_wrong() {
    every_promise_holds(Kind::Sound);
}

#[test]
fn fetched_data_are_exact_where_nothing_goes_wrong() {
    every_promise_holds(Kind::Manual);
}

#[test]
fn datagrams_are_exact_where_nothing_goes_wrong() {
    every_promise_holds(Kind::Udp);
}

#[test]
fn a_stream_is_exact_where_nothing_goes_wrong() {
    every_promise_holds(Kind::Stream);
}

#[test]
fn every_promise_to_a_stream_holds_when_modem_network_and_host_fail() {
    every_promise_holds(Kind::StreamFaults);
}

#[test]
fn nothing_hangs_and_all_ends_well_when_bytes_are_damaged_everywhere() {
    every_promise_holds(Kind::Noise);
}

/// Far sides with as many bytes as were sent, but other ones: each connection's peer has its own records and no others,
/// under closes in the middle of sends to a modem that goes on taking the payload of a channel whose `CLOSED` it has said.
#[test]
fn no_far_side_gets_bytes_of_another_connection_when_connections_are_made_again() {
    every_promise_holds(Kind::Reconnect);
}

#[test]
fn every_promise_holds_and_every_socket_is_back_when_the_port_vanishes_at_any_moment() {
    every_promise_holds(Kind::Port);
}

#[test]
fn every_promise_holds_when_the_host_is_slow_impatient_or_gone() {
    every_promise_holds(Kind::Host);
}

#[test]
fn every_promise_holds_when_answers_are_lost_late_or_doubled() {
    every_promise_holds(Kind::Storm);
}

#[test]
fn every_promise_holds_when_the_modem_and_the_network_fail() {
    every_promise_holds(Kind::Modem);
}

#[test]
fn every_promise_holds_when_one_place_of_the_line_is_damaged() {
    every_promise_holds(Kind::Line);
}
