//! A session of an MQTT 3.1.1 client over whatever carries its bytes: bytes in, bytes and events out. `mqtt-protocol-core` keeps
//! what is on its way and sends it again on the next connection.
#![allow(dead_code, reason = "the examples `mqtt` and `gateway` each use their own part")]

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use mqtt_protocol_core::mqtt;
use mqtt_protocol_core::mqtt::connection::event::TimerKind;
use mqtt_protocol_core::mqtt::packet::{GenericPacketTrait, Packet, Qos, SubEntry, SubOpts};
use mqtt_protocol_core::mqtt::result_code::{ConnectReturnCode, MqttError};

/// How long the broker may take to answer a ping.
const PING_ANSWER_MS: u64 = 20_000;
/// How often the broker hears of a client that has nothing to say, in seconds.
const KEEP_ALIVE: u16 = 60;

/// A message to publish, or one that came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    pub topic: String,
    pub payload: Vec<u8>,
    /// Whether the broker keeps it for later subscribers.
    pub is_retained: bool,
}

/// An event of a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SessionEvent {
    /// The broker has taken the connection; whether it knew the session.
    Online {
        is_known: bool,
    },
    /// The broker has this published message.
    Acknowledged,
    Received(Message),
    /// The connection is to be closed, and why.
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
    /// Given, and not known to be with the broker, by packet; the order of the packets is that of the messages.
    pending: BTreeMap<u64, (u16, Message)>,
    next: u64,
    /// Bytes of a packet that is not complete.
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

    /// Sets what the broker publishes when this client is gone without a word. A client that only tells states needs no session
    /// that the broker keeps: it has none.
    #[must_use]
    pub fn will(self, will: Message) -> Self {
        Self { will: Some(will), ..self }
    }

    /// A connection stands, the first one or another.
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

    /// Takes leave of the broker, which forgets the will.
    pub fn leave(&mut self) -> Result<(), MqttError> {
        let disconnect = mqtt::packet::v3_1_1::Disconnect::builder().build()?;
        let events = self.core.checked_send(disconnect);
        self.follow(events)
    }

    /// The connection has ended. What it had to send is with it.
    pub fn lost(&mut self) -> Result<(), MqttError> {
        let events = self.core.notify_closed();
        self.follow(events)?;
        self.is_online = false;
        self.output.clear();
        self.input.clear();
        self.timers.clear();
        Ok(())
    }

    /// Publishes. Before the broker has taken the connection nothing can be published.
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

    /// Bytes of the broker.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), MqttError> {
        self.input.extend_from_slice(bytes);
        let input = std::mem::take(&mut self.input);
        let mut cursor = mqtt::common::Cursor::new(&input[..]);
        while (cursor.position() as usize) < input.len() {
            let before = cursor.position();
            let events = self.core.recv(&mut cursor);
            self.follow(events)?;
            if cursor.position() == before {
                break;
            }
        }
        self.input = input[cursor.position() as usize..].to_vec();
        Ok(())
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Instant) -> Result<(), MqttError> {
        let due: Vec<_> = self.timers.iter().filter(|(_, at)| *at <= now).map(|(kind, _)| *kind).collect();
        for kind in due {
            self.cancel(kind);
            let events = self.core.notify_timer_fired(kind);
            self.follow(events)?;
        }
        Ok(())
    }

    /// Whether messages can be published.
    pub fn is_online(&self) -> bool {
        self.is_online
    }

    /// How many messages the broker is not known to have.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// The bytes for the broker, which is to get all of them.
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
                let why = format!("the broker refuses the connection: {:?}", answer.return_code());
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

    /// The broker has taken the connection. One that does not know the session gets the subscription and all that is not
    /// known to be with it.
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
