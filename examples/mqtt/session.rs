//! A session of an MQTT 3.1.1 client without I/O: it takes bytes, and returns bytes and events. `mqtt-protocol-core`
//! keeps messages in transit and sends them again on the next connection.
#![allow(dead_code, reason = "the examples `mqtt` and `gateway` each use their own part")]

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use mqtt_protocol_core::mqtt;
use mqtt_protocol_core::mqtt::connection::event::TimerKind;
use mqtt_protocol_core::mqtt::packet::{GenericPacketTrait, Packet, Qos, SubEntry, SubOpts};
use mqtt_protocol_core::mqtt::result_code::{ConnectReturnCode, MqttError};

use super::common::shell::words;

/// The broker's time-out for a ping.
const PING_ANSWER_MS: u64 = 20_000;
/// The interval at which an idle client sends a ping, in seconds.
const KEEP_ALIVE: u16 = 60;

/// The largest packet that is accepted. A longer one is refused by its announced length.
const MAX_PACKET: usize = 256 * 1024;

/// A message to publish, or a received one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    pub topic: String,
    pub payload: Vec<u8>,
    /// True if the broker keeps it for later subscribers.
    pub is_retained: bool,
}

/// An event of a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SessionEvent {
    /// The broker has accepted the connection. `is_known` is true if it has the session.
    Online {
        is_known: bool,
    },
    /// The broker has this published message.
    Acknowledged,
    Received(Message),
    /// The connection must be closed, for this reason.
    Close(String),
}

/// The session.
pub struct Session {
    core: mqtt::Connection<mqtt::role::Client>,
    client_id: String,
    filter: String,
    qos: Qos,
    will: Option<Message>,
    is_online: bool,
    output: Vec<u8>,
    events: VecDeque<SessionEvent>,
    timers: Vec<(TimerKind, Instant)>,
    /// Messages that are not acknowledged, by packet; the order of the packets is that of the messages.
    pending: BTreeMap<u64, (u16, Message)>,
    next: u64,
    /// The part of a packet that has come. It is kept here, because the core would keep it over a loss.
    input: Vec<u8>,
}

impl Session {
    /// A session of this client, which subscribes to a topic.
    pub fn new(client_id: &str, filter: &str, qos: Qos) -> Self {
        let mut core = mqtt::Connection::new(mqtt::Version::V3_1_1);
        core.set_auto_pub_response(true);
        core.set_pingresp_recv_timeout(PING_ANSWER_MS);
        Self {
            core,
            client_id: client_id.to_owned(),
            filter: filter.to_owned(),
            qos,
            will: None,
            is_online: false,
            output: Vec::new(),
            events: VecDeque::new(),
            timers: Vec::new(),
            pending: BTreeMap::new(),
            next: 0,
            input: Vec::new(),
        }
    }

    /// Sets the message that the broker publishes if this client is lost. Such a client only publishes states and needs
    /// no stored session, so it uses none.
    #[must_use]
    pub fn will(self, will: Message) -> Self {
        Self { will: Some(will), ..self }
    }

    /// A connection is open, the first or a later one.
    pub fn begin(&mut self) -> Result<(), MqttError> {
        let mut connect = mqtt::packet::v3_1_1::Connect::builder()
            .client_id(self.client_id.as_str())?
            .clean_session(self.will.is_some())
            .keep_alive(KEEP_ALIVE);
        if let Some(will) = &self.will {
            connect = connect.will_message(
                will.topic.as_str(),
                will.payload.clone(),
                Qos::AtLeastOnce,
                will.is_retained,
            )?;
        }
        let events = self.core.checked_send(connect.build()?);
        self.follow(events)
    }

    /// Disconnects from the broker, which drops the will.
    pub fn leave(&mut self) -> Result<(), MqttError> {
        let disconnect = mqtt::packet::v3_1_1::Disconnect::builder().build()?;
        let events = self.core.checked_send(disconnect);
        self.follow(events)
    }

    /// The connection has ended. Its unsent bytes are lost.
    pub fn lost(&mut self) -> Result<(), MqttError> {
        let events = self.core.notify_closed();
        self.follow(events)?;
        self.is_online = false;
        self.output.clear();
        self.input.clear();
        self.timers.clear();
        Ok(())
    }

    /// Publishes. This is possible after the broker has accepted the connection.
    pub fn publish(&mut self, message: Message) -> Result<(), MqttError> {
        let packet = self.core.acquire_packet_id()?;
        let publish = mqtt::packet::v3_1_1::Publish::builder()
            .topic_name(message.topic.as_str())?
            .qos(self.qos)
            .packet_id(packet)
            .retain(message.is_retained)
            .payload(message.payload.as_slice())
            .build()?;
        self.pending.insert(self.next, (packet, message));
        self.next += 1;
        let events = self.core.checked_send(publish);
        self.follow(events)
    }

    /// Processes bytes of the broker.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), MqttError> {
        self.input.extend_from_slice(bytes);
        while let Some(length) = packet_length(&self.input)?.filter(|length| *length <= self.input.len()) {
            let packet: Vec<u8> = self.input.drain(..length).collect();
            let events = self.core.recv(&mut mqtt::common::Cursor::new(&packet));
            self.follow(events)?;
        }
        Ok(())
    }

    /// Runs the timers that are due.
    pub fn tick(&mut self, now: Instant) -> Result<(), MqttError> {
        let due: Vec<_> = self.timers.iter().filter(|(_, at)| *at <= now).map(|(kind, _)| *kind).collect();
        for kind in due {
            self.cancel(kind);
            let events = self.core.notify_timer_fired(kind);
            self.follow(events)?;
        }
        Ok(())
    }

    /// True if messages can be published.
    pub fn is_online(&self) -> bool {
        self.is_online
    }

    /// The number of messages that are not acknowledged.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// The bytes for the broker. The caller must send all of them.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    pub fn next_event(&mut self) -> Option<SessionEvent> {
        self.events.pop_front()
    }

    fn follow(&mut self, events: Vec<mqtt::connection::Event>) -> Result<(), MqttError> {
        use mqtt::connection::Event;
        for event in events {
            match event {
                Event::RequestSendPacket { packet, .. } => self.output.extend(packet.to_continuous_buffer()),
                Event::NotifyPacketReceived(packet) => self.received(&packet)?,
                Event::NotifyPacketIdReleased(packet) => {
                    let before = self.pending.len();
                    self.pending.retain(|_, (of, _)| *of != packet);
                    if self.pending.len() < before {
                        self.events.push_back(SessionEvent::Acknowledged);
                    }
                }
                Event::RequestTimerReset { kind, duration_ms } => {
                    self.cancel(kind);
                    self.timers.push((kind, Instant::now() + Duration::from_millis(duration_ms)));
                }
                Event::RequestTimerCancel(kind) => self.cancel(kind),
                Event::NotifyError(error) => return Err(error),
                Event::RequestClose => {
                    self.events
                        .push_back(SessionEvent::Close("the broker does not answer a ping".to_owned()));
                }
            }
        }
        Ok(())
    }

    fn cancel(&mut self, timer: TimerKind) {
        self.timers.retain(|(kind, _)| *kind != timer);
    }

    fn received(&mut self, packet: &Packet) -> Result<(), MqttError> {
        match packet {
            Packet::V3_1_1Connack(answer) if answer.return_code() == ConnectReturnCode::Accepted => {
                self.taken(answer.session_present())?;
            }
            Packet::V3_1_1Connack(answer) => {
                let why = format!("the broker refuses the connection: {}", words(answer.return_code()));
                self.events.push_back(SessionEvent::Close(why));
            }
            Packet::V3_1_1Publish(publish) => self.events.push_back(SessionEvent::Received(Message {
                topic: publish.topic_name().to_owned(),
                payload: publish.payload().as_slice().to_vec(),
                is_retained: publish.retain(),
            })),
            _ => {}
        }
        Ok(())
    }

    /// The broker has accepted the connection. If it does not have the session, the subscription and all unacknowledged
    /// messages are sent again.
    fn taken(&mut self, is_known: bool) -> Result<(), MqttError> {
        self.is_online = true;
        self.events.push_back(SessionEvent::Online { is_known });
        if !is_known {
            let packet_id = self.core.acquire_packet_id()?;
            let entry = SubEntry::new(self.filter.as_str(), SubOpts::new().set_qos(self.qos))?;
            let subscribe = mqtt::packet::v3_1_1::Subscribe::builder()
                .packet_id(packet_id)
                .entries(vec![entry])
                .build()?;
            let events = self.core.checked_send(subscribe);
            self.follow(events)?;
            for (_, (_, message)) in std::mem::take(&mut self.pending) {
                self.publish(message)?;
            }
        }
        Ok(())
    }
}

/// The length of the packet at the start of these bytes, if they contain it (MQTT 3.1.1, section 2.2.3).
fn packet_length(bytes: &[u8]) -> Result<Option<usize>, MqttError> {
    let mut length = 0;
    for (at, byte) in bytes.iter().skip(1).enumerate() {
        if at == 4 {
            return Err(MqttError::MalformedPacket);
        }
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let whole = at + 2 + length;
            return if whole > MAX_PACKET { Err(MqttError::PacketTooLarge) } else { Ok(Some(whole)) };
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAKEN: [u8; 4] = [0x20, 2, 0, 0];

    fn online(filter: &str) -> Session {
        let mut session = Session::new("client", filter, Qos::AtLeastOnce);
        session.begin().unwrap();
        assert_eq!(session.take_output()[0], 0x10, "CONNECT");
        session.receive(&TAKEN).unwrap();
        assert_eq!(session.next_event(), Some(SessionEvent::Online { is_known: false }));
        assert_eq!(session.take_output()[0], 0x82, "SUBSCRIBE");
        session
    }

    fn message(payload: &[u8]) -> Message {
        Message { topic: "t".to_owned(), payload: payload.to_vec(), is_retained: false }
    }

    #[test]
    fn a_message_is_received_byte_by_byte_and_not_after_a_loss_within_it() {
        let mut session = online("t");
        for byte in [0x30, 5, 0, 1, b't', b'h', b'i'] {
            assert_eq!(session.next_event(), None);
            session.receive(&[byte]).unwrap();
        }
        assert_eq!(session.next_event(), Some(SessionEvent::Received(message(b"hi"))));
        session.receive(&[0x30, 5, 0, 1]).unwrap();
        session.lost().unwrap();
        session.begin().unwrap();
        session.receive(&TAKEN).unwrap();
        assert_eq!(session.next_event(), Some(SessionEvent::Online { is_known: false }));
    }

    #[test]
    fn a_packet_above_the_limit_is_refused_by_its_length() {
        let announced = [0x30, 0xfc, 0xff, 0x0f];
        let mut session = online("t");
        session.receive(&announced).unwrap();
        session.receive(&[0, 1, b't']).unwrap();
        let rest = MAX_PACKET - announced.len() - 3;
        session.receive(&vec![b'x'; rest]).unwrap();
        assert_eq!(session.next_event(), Some(SessionEvent::Received(message(&vec![b'x'; rest]))));
        assert_eq!(session.receive(&[0x30, 0xfd, 0xff, 0x0f]), Err(MqttError::PacketTooLarge));
        assert_eq!(online("t").receive(&[0x30, 0xff, 0xff, 0xff, 0x7f]), Err(MqttError::PacketTooLarge));
        assert_eq!(
            online("t").receive(&[0x30, 0xff, 0xff, 0xff, 0xff, 0x01]),
            Err(MqttError::MalformedPacket)
        );
    }

    #[test]
    fn a_message_is_published_again_until_it_is_acknowledged() {
        let mut session = online("t");
        session.publish(message(b"1")).unwrap();
        let first = session.take_output();
        session.lost().unwrap();
        assert!(!session.is_online());
        session.begin().unwrap();
        session.take_output();
        session.receive(&TAKEN).unwrap();
        let again = session.take_output();
        assert!(again.windows(4).any(|four| four == [0, 1, b't', first[5]]), "{again:02x?}");
        assert_eq!(session.pending(), 1);
        let packet = again[again.len() - 3..again.len() - 1].to_vec();
        session.receive(&[&[0x40, 2][..], &packet].concat()).unwrap();
        session.next_event();
        assert_eq!((session.next_event(), session.pending()), (Some(SessionEvent::Acknowledged), 0));
    }

    #[test]
    fn a_broker_that_refuses_ends_the_connection() {
        let mut session = Session::new("client", "t", Qos::AtLeastOnce);
        session.begin().unwrap();
        session.receive(&[0x20, 2, 0, 5]).unwrap();
        assert!(
            matches!(session.next_event(), Some(SessionEvent::Close(why)) if why.contains("not authorized"))
        );
        assert!(!session.is_online());
    }
}
