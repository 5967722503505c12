//! The modems at an MQTT broker: `air724ug/status` (retained, `offline` as the last will), `air724ug/NAME/state`
//! (retained, JSON), `air724ug/NAME/event`, and commands on `air724ug/NAME/command`.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use air724ug::crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use mqtt_protocol_core::mqtt::packet::Qos;

use crate::listen::Gateway;
use crate::member::{Member, Snapshot};
use crate::session::{Message, Session, SessionEvent};

/// The interval between two states of a modem.
const EVERY: Duration = Duration::from_secs(15);
/// The pause between two attempts to reach the broker.
const AGAIN: Duration = Duration::from_secs(5);
/// The longest wait for bytes of the broker.
const TURN: Duration = Duration::from_millis(100);
/// The most events that wait for the broker. Older ones are no longer of interest.
const MAX_PENDING: usize = 100;
/// The most commands that wait for the current one of a modem; further ones are refused.
const MAX_WAITING: usize = 4;

/// Publishes the states and events of all modems, and executes commands, until the notes end.
pub fn publish(gateway: &Arc<Gateway>, broker: &(String, u16), notes: &Receiver<(String, String)>) {
    let client = format!("air724ug-gateway-{}", std::process::id());
    let mut problem = String::new();
    let orders = Orders::new(&gateway.fleet.members, obey);
    loop {
        let ended = serve(gateway, broker, &client, notes, &orders);
        let Err(why) = ended else { return };
        if why != problem {
            gateway.note(&format!("MQTT: {why}; trying again"));
            problem = why;
        }
        let until = Instant::now() + AGAIN;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            // The events of this time are part of the next state.
            if notes.recv_timeout(left).is_err_and(|error| error == RecvTimeoutError::Disconnected) {
                return;
            }
        }
    }
}

/// One connection to the broker; `Ok` when the program ends.
fn serve(
    gateway: &Arc<Gateway>,
    (host, port): &(String, u16),
    client: &str,
    notes: &Receiver<(String, String)>,
    orders: &Orders,
) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("{host}:{port}: {error}");
    let mut stream = TcpStream::connect((host.as_str(), *port)).map_err(|error| failed(&error))?;
    stream.set_read_timeout(Some(TURN)).map_err(|error| failed(&error))?;
    stream.set_write_timeout(Some(AGAIN)).map_err(|error| failed(&error))?;
    let mut session = Session::new(client, "air724ug/+/command", Qos::AtLeastOnce)
        .will(retained("air724ug/status", "offline"));
    session.begin().map_err(|error| failed(&error))?;
    let (mut next_at, mut buf) = (Instant::now(), [0; 4096]);
    loop {
        session.tick(Instant::now()).map_err(|error| failed(&error))?;
        let mut outgoing = Vec::new();
        loop {
            match notes.try_recv() {
                Ok((name, text)) => {
                    next_at = Instant::now();
                    outgoing.push(Message {
                        topic: topic(&name, "event"),
                        payload: text.into_bytes(),
                        is_retained: false,
                    });
                }
                Err(error) if error.is_empty() => break,
                Err(_) => {
                    // At the end of the program the will is not sent, so the state is published. If the broker is lost,
                    // it publishes the will.
                    let _ = session
                        .publish(retained("air724ug/status", "offline"))
                        .and_then(|()| session.leave());
                    let _ = stream.write_all(&session.take_output());
                    return Ok(());
                }
            }
        }
        if session.is_online() && session.pending() < MAX_PENDING {
            if Instant::now() >= next_at {
                next_at = Instant::now() + EVERY;
                outgoing.push(retained("air724ug/status", "online"));
                let states = gateway.fleet.members.iter().map(|member| member.snapshot());
                outgoing.extend(states.map(|modem| retained(&topic(&modem.name, "state"), &state(&modem))));
            }
            for message in outgoing {
                session.publish(message).map_err(|error| failed(&error))?;
            }
        }
        stream.write_all(&session.take_output()).map_err(|error| failed(&error))?;
        match stream.read(&mut buf) {
            Ok(0) => return Err(failed(&"the broker closed the connection")),
            Ok(count) => session.receive(&buf[..count]).map_err(|error| failed(&error))?,
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) => {}
            Err(error) => return Err(failed(&error)),
        }
        while let Some(event) = session.next_event() {
            match event {
                SessionEvent::Received(message) => orders.take(&message),
                SessionEvent::Close(why) => return Err(failed(&why)),
                SessionEvent::Online { .. } | SessionEvent::Acknowledged => {}
            }
        }
    }
}

/// The commands in progress: those of one modem are executed in sequence, on a separate thread.
struct Orders(Vec<(Arc<Member>, Sender<String>)>);

impl Orders {
    fn new(members: &[Arc<Member>], obey: impl Fn(&Member, &str) + Clone + Send + 'static) -> Self {
        let queue = |member: &Arc<Member>| {
            let (queue, orders) = bounded::<String>(MAX_WAITING);
            let (obeying, obey) = (member.clone(), obey.clone());
            thread::spawn(move || orders.iter().for_each(|order| obey(&obeying, &order)));
            (member.clone(), queue)
        };
        Self(members.iter().map(queue).collect())
    }

    /// A retained command is old, and is not executed.
    fn take(&self, message: &Message) {
        let of = |member: &Member| topic(&member.name, "command") == message.topic;
        let Some((member, queue)) = self.0.iter().find(|(member, _)| of(member)) else { return };
        let order = String::from_utf8_lossy(&message.payload).trim().to_owned();
        if !message.is_retained && queue.try_send(order).is_err() {
            member.note(format!("a command is refused: {MAX_WAITING} wait already"));
        }
    }
}

/// `restart`, `flight on`, `flight off`.
fn obey(member: &Member, order: &str) {
    let done = match (order, member.link()) {
        (_, None) => Err("the port is not open".to_owned()),
        ("restart", Some(link)) => link.modem.restart().map_err(|error| error.to_string()),
        ("flight on", Some(link)) => link.modem.flight_mode(true).map_err(|error| error.to_string()),
        ("flight off", Some(link)) => link.modem.flight_mode(false).map_err(|error| error.to_string()),
        _ => Err("the commands are: restart, flight on, flight off".to_owned()),
    };
    let order: String = order.chars().take(40).collect();
    match done {
        Ok(()) => member.note(format!("command \"{order}\": done")),
        Err(why) => member.note(format!("command \"{order}\": {why}")),
    }
}

fn retained(topic: &str, payload: &str) -> Message {
    Message { topic: topic.to_owned(), payload: payload.as_bytes().to_vec(), is_retained: true }
}

/// A name is one level of a topic.
fn topic(name: &str, what: &str) -> String {
    format!("air724ug/{}/{what}", name.replace(['/', '+', '#', '\0'], "-"))
}

/// The state of a modem as JSON.
fn state(modem: &Snapshot) -> String {
    let text = |value: Option<String>| value.map_or("null".to_owned(), |value| json(&value));
    let reason = modem.problem.clone().or(modem.not_ready.map(|reason| reason.to_string()));
    let signal = modem.history.last_signal().map_or("null".to_owned(), |dbm| dbm.to_string());
    format!(
        "{{\"ready\":{},\"reason\":{},\"operator\":{},\"signal_dbm\":{signal},\"uptime_s\":{},\"open\":{},\"sent\":{},\
         \"received\":{},\"restarts\":{}}}",
        modem.is_ready,
        text(reason),
        text(modem.facts.operator.clone()),
        modem.uptime.as_secs(),
        modem.statistics.opened.saturating_sub(modem.statistics.closed),
        modem.statistics.sent,
        modem.statistics.received,
        modem.statistics.restarts,
    )
}

fn json(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push('\u{fffd}'),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::PortChoice;
    use air724ug::Config;
    use air724ug::crossbeam_channel::unbounded;

    #[test]
    fn commands_of_a_modem_wait_for_each_other_and_are_bounded() {
        const TIMEOUT: Duration = Duration::from_secs(60);
        let (notes, sent) = unbounded();
        let modem = |name: &str| {
            Member::new(name.to_owned(), PortChoice::Simulated(1), Config::default(), notes.clone())
        };
        let ((begins, begun), (go, goes)) = (unbounded(), bounded::<()>(0));
        let orders = Orders::new(&[modem("a"), modem("b")], move |member, order| {
            begins.send(format!("{} {order}", member.name)).unwrap();
            goes.recv().unwrap();
        });
        let order = |name: &str, order: String, is_retained| {
            orders.take(&Message { topic: topic(name, "command"), payload: order.into_bytes(), is_retained });
        };
        order("a", "kept".to_owned(), true);
        order("c", "of no modem".to_owned(), false);
        order("a", "0".to_owned(), false);
        assert_eq!(begun.recv_timeout(TIMEOUT).unwrap(), "a 0");
        (1..=MAX_WAITING + 2).for_each(|number| order("a", number.to_string(), false));
        assert_eq!(sent.try_iter().count(), 2, "are refused");
        // Other modems do not wait for them.
        order("b", "other".to_owned(), false);
        assert_eq!(begun.recv_timeout(TIMEOUT).unwrap(), "b other");
        assert!(begun.is_empty(), "one at a time");
        go.send(()).unwrap();
        go.send(()).unwrap();
        assert_eq!(begun.recv_timeout(TIMEOUT).unwrap(), "a 1");
        for number in 2..=MAX_WAITING {
            go.send(()).unwrap();
            assert_eq!(begun.recv_timeout(TIMEOUT).unwrap(), format!("a {number}"));
        }
    }

    #[test]
    fn a_name_is_one_level_and_a_text_stays_in_its_quotes() {
        assert_eq!(topic("a/b+#", "state"), "air724ug/a-b--/state");
        assert_eq!(json("a\"b\\c\n"), "\"a\\\"b\\\\c\u{fffd}\"");
    }
}
