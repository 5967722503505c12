//! MQTT over a reconnecting socket: every message reaches the broker, also after a loss of the network or a restart of
//! the module.
//!
//! ```text
//! cargo run --features examples-net --example mqtt
//! cargo run --features examples-net --example mqtt -- --port /dev/ttyUSB0 --connect test.mosquitto.org:1883
//! ```

#[path = "../common/mod.rs"]
mod common;
mod own_broker;
mod session;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use air724ug::supervisor::{Policy, ReconnectingSocket, Rung, Step, Supervisor};
use air724ug::{Error, Received};
use common::shell::Arguments;
use common::{Common, Failed, Usage, host_and_port, positive, seconds, step, unknown};
use mqtt_protocol_core::mqtt::packet::Qos;
use mqtt_protocol_core::mqtt::result_code::MqttError;
use session::{Message, Session, SessionEvent};

const USAGE: &str = "\
Publishes numbered messages to an MQTT broker and receives them back, over a connection that comes back by itself. Succeeds only
if the broker has acknowledged every message and each came back once.

usage: mqtt [options]

  --connect HOST:PORT  the broker [one in this program; with --port there is no default]
  --topic TOPIC        where messages go [air724ug/PROCESS]
  --client NAME        the name of the session, which the broker keeps [air724ug-PROCESS]
  --qos 1|2            1: a message may come twice after a loss, and this program drops the second; 2: the broker does [1]
  --count N            how many messages [20]
  --every SECONDS      between two messages [0.1]
  --for SECONDS        fails if that is not enough [300]
";

/// The most messages in transit.
const MAX_PENDING: usize = 16;
/// The time-out of a send, in which the supervisor restores the connection.
const TIMEOUT: Duration = Duration::from_secs(120);

struct Options {
    common: Common,
    connect: Option<(String, u16)>,
    topic: String,
    client: String,
    qos: Qos,
    count: u32,
    every: Duration,
    span: Duration,
}

fn main() -> ExitCode {
    common::main("mqtt", USAGE, parse, run)
}

fn parse(args: &mut Arguments) -> Result<Options, Usage> {
    let process = std::process::id();
    let mut options = Options {
        common: Common::default(),
        connect: None,
        topic: format!("air724ug/{process}"),
        client: format!("air724ug-{process}"),
        qos: Qos::AtLeastOnce,
        count: 20,
        every: Duration::from_millis(100),
        span: Duration::from_secs(300),
    };
    options.common = common::options(args, |option, value| {
        match option {
            "--connect" => options.connect = Some(host_and_port(option, &value()?)?),
            "--topic" => options.topic = value()?,
            "--client" => options.client = value()?,
            "--qos" => {
                options.qos = match value()?.as_str() {
                    "1" => Qos::AtLeastOnce,
                    "2" => Qos::ExactlyOnce,
                    other => return Err(Usage::Wrong(format!("--qos takes 1 or 2, not \"{other}\""))),
                }
            }
            "--count" => options.count = positive(option, &value()?)?,
            "--every" => options.every = seconds(option, &value()?)?,
            "--for" => options.span = seconds(option, &value()?)?,
            other => return unknown(other),
        }
        Ok(())
    })?;
    if options.topic.is_empty() || options.topic.contains(['+', '#', '\0']) {
        return Err(Usage::Wrong("--topic is one topic, without + and #".to_owned()));
    }
    Ok(options)
}

fn run(options: Options) -> Result<(), Failed> {
    let (host, port) = options.common.server(options.connect.as_ref(), own_broker::serve)?;
    let modem = options.common.open()?;
    common::bring_up(&modem)?;
    let pause = options.common.pace(Duration::from_secs(5), Duration::from_millis(200));
    let supervisor = Supervisor::new(modem.clone(), Policy::default().pause(pause));
    let steps = supervisor.events();
    std::thread::spawn(move || {
        // Until the program ends: a broker that can't be reached is tried for minutes.
        for it in steps.iter().filter(|it| !matches!(it, Step::Connected | Step::Climbing(Rung::Retry))) {
            let _ = step("connection", it);
        }
    });
    let socket = supervisor.tcp(host.clone(), port);
    step("broker", format_args!("{host}:{port}, topic {}", options.topic))?;
    let session = Session::new(&options.client, &options.topic, options.qos);
    let mut client = Client {
        session,
        socket,
        is_away: false,
        published: 0,
        acknowledged: 0,
        arrivals: Arrivals::default(),
        gaps: 0,
        before: 0,
        pause,
    };
    client.session.begin().map_err(broken)?;
    let (until, mut next_at) = (Instant::now() + options.span, Instant::now());
    while client.acknowledged < options.count || client.arrivals.received < options.count {
        if Instant::now() > until {
            let why = format!(
                "{} of {} messages acknowledged, {} came back",
                client.acknowledged, options.count, client.arrivals.received
            );
            return Err(Failed::Job(
                why,
                Some(
                    "is that an MQTT broker, and may this client publish and subscribe there? `doctor --connect HOST:PORT` \
                     finds out whether it can be reached",
                ),
            ));
        }
        let has_room = client.session.is_online() && client.session.pending() < MAX_PENDING;
        if client.published < options.count && has_room && Instant::now() >= next_at {
            client.published += 1;
            next_at = Instant::now() + options.every;
            let payload = client.published.to_string().into_bytes();
            client
                .session
                .publish(Message { topic: options.topic.clone(), payload, is_retained: false })
                .map_err(broken)?;
        }
        client.turn(options.every.min(Duration::from_millis(100)), until)?;
    }
    let Client { socket, acknowledged, arrivals: Arrivals { received, doubled }, gaps, .. } = client;
    step("published", format_args!("{acknowledged} messages, all acknowledged"))?;
    step(
        "received",
        format_args!("{received} messages, each once; {doubled} doubled ones dropped; {gaps} gaps"),
    )?;
    socket.close()?;
    modem.close();
    Ok(())
}

/// A session on its connection, and its progress.
struct Client {
    session: Session,
    socket: ReconnectingSocket,
    /// A send has found that the connection has ended: nothing more is sent until its gap has come.
    is_away: bool,
    published: u32,
    acknowledged: u32,
    arrivals: Arrivals,
    gaps: u32,
    /// The number of acknowledged and received messages before the last gap.
    before: u32,
    /// The pause after a connection without progress, so that a broker that closes each is not contacted without a
    /// pause.
    pause: Duration,
}

/// The echoed messages: the number of the last one, and the number of repeated ones.
#[derive(Default)]
struct Arrivals {
    received: u32,
    doubled: u32,
}

impl Client {
    /// Sends the pending output until `until`, and reads for at most this span.
    fn turn(&mut self, span: Duration, until: Instant) -> Result<(), Failed> {
        self.session.tick(Instant::now()).map_err(broken)?;
        let output = self.session.take_output();
        if !self.is_away && !output.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            match self.socket.send(&output, TIMEOUT.min(left)) {
                Ok(()) => {}
                // The program is ending.
                Err(Error::Timeout { .. }) if Instant::now() >= until => return Ok(()),
                // Earlier messages may still be acknowledged.
                Err(Error::Gap { .. }) => self.is_away = true,
                Err(error) => return Err(error.into()),
            }
        }
        match self.socket.recv(span)? {
            Received::Data(data) => self.session.receive(&data).map_err(broken)?,
            Received::Gap(gap) => {
                self.gaps += 1;
                step("gap", format_args!("{}; {} s", gap.reason, gap.lasted.as_secs()))?;
                let so_far = self.acknowledged + self.arrivals.received;
                if so_far == self.before {
                    common::pause(self.pause.min(until.saturating_duration_since(Instant::now())));
                }
                self.before = so_far;
                // The session continues on the new connection.
                self.is_away = false;
                self.session.lost().map_err(broken)?;
                self.session.begin().map_err(broken)?;
            }
            Received::Timeout => {}
        }
        while let Some(event) = self.session.next_event() {
            self.happened(event)?;
        }
        Ok(())
    }

    fn happened(&mut self, event: SessionEvent) -> Result<(), Failed> {
        match event {
            SessionEvent::Online { is_known: true } => step("online", "the broker knows the session"),
            SessionEvent::Online { is_known: false } => step("online", "a new session"),
            SessionEvent::Acknowledged => {
                self.acknowledged += 1;
                Ok(())
            }
            SessionEvent::Received(message) => self.arrivals.came(&message),
            SessionEvent::Close(why) => Err(Failed::Job(why, Some("the broker's log says why"))),
        }
    }
}

impl Arrivals {
    /// Messages come in the order of their publication; after a loss the last ones may be repeated.
    fn came(&mut self, message: &Message) -> Result<(), Failed> {
        let number: Option<u32> =
            std::str::from_utf8(&message.payload).ok().and_then(|text| text.parse().ok());
        match number {
            Some(number) if number == self.received + 1 => self.received = number,
            Some(number) if number <= self.received => self.doubled += 1,
            _ => {
                let (topic, payload) = (&message.topic, message.payload.escape_ascii());
                let why = format!("after message {} came \"{payload}\" on {topic}", self.received);
                return Err(Failed::Job(
                    why,
                    Some("does another program publish there? --topic and --client name others"),
                ));
            }
        }
        Ok(())
    }
}

fn broken(error: MqttError) -> Failed {
    Failed::Job(format!("the broker does not keep to MQTT 3.1.1: {error}"), Some("is that an MQTT broker?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_in_order_and_the_last_ones_perhaps_again() {
        let came = |arrivals: &mut Arrivals, payload: &str| {
            let payload = payload.as_bytes().to_vec();
            arrivals.came(&Message { topic: "t".to_owned(), payload, is_retained: false }).is_ok()
        };
        let mut arrivals = Arrivals::default();
        assert!(["1", "2", "1", "2", "3"].iter().all(|payload| came(&mut arrivals, payload)));
        assert_eq!((arrivals.received, arrivals.doubled), (3, 2));
        for wrong in ["5", "", "four", "-1", "4294967296"] {
            assert!(!came(&mut arrivals, wrong), "{wrong:?}");
        }
        assert_eq!((arrivals.received, arrivals.doubled), (3, 2));
    }

    #[test]
    fn a_topic_is_one_topic() {
        let parsed = |args: &[&str]| parse(&mut Arguments::of(args));
        let options = parsed(&["--topic", "a/b", "--qos", "2", "--connect", "broker.test:1883"]).unwrap();
        assert_eq!((options.topic.as_str(), options.qos), ("a/b", Qos::ExactlyOnce));
        assert_eq!(options.connect, Some(("broker.test".to_owned(), 1883)));
        for wrong in [
            &["--topic", "a/#"][..],
            &["--topic", "+"],
            &["--topic", ""],
            &["--qos", "0"],
            &["--connect", "broker"],
        ] {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
    }
}
