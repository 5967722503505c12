//! A broker in this program, for a run without `--connect`: it sends every message back to the client that published
//! it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use air724ug::Error;
use mqtt_protocol_core::mqtt;
use mqtt_protocol_core::mqtt::packet::{GenericPacketTrait, Packet, Qos};
use mqtt_protocol_core::mqtt::result_code::{ConnectReturnCode, MqttError, SubackReturnCode};

/// Serves on this machine.
pub fn serve() -> Result<SocketAddr, Error> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve_client(stream));
        }
    });
    Ok(address)
}

fn serve_client(mut stream: TcpStream) {
    let mut core = mqtt::Connection::<mqtt::role::Server>::new(mqtt::Version::V3_1_1);
    core.set_auto_pub_response(true);
    core.set_auto_ping_response(true);
    let (mut input, mut buf) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut buf) {
        input.extend_from_slice(&buf[..count]);
        let mut cursor = mqtt::common::Cursor::new(&input[..]);
        let mut output = Vec::new();
        while (cursor.position() as usize) < input.len() {
            let before = cursor.position();
            let events = core.recv(&mut cursor);
            if answer(&mut core, events, &mut output).is_err() {
                return;
            }
            if cursor.position() == before {
                break;
            }
        }
        let taken = cursor.position() as usize;
        input.drain(..taken);
        if stream.write_all(&output).is_err() {
            return;
        }
    }
}

fn answer(
    core: &mut mqtt::Connection<mqtt::role::Server>,
    events: Vec<mqtt::connection::Event>,
    output: &mut Vec<u8>,
) -> Result<(), MqttError> {
    use mqtt::connection::Event;
    for event in events {
        let more = match event {
            Event::RequestSendPacket { packet, .. } => {
                output.extend(packet.to_continuous_buffer());
                continue;
            }
            Event::NotifyPacketReceived(Packet::V3_1_1Connect(_)) => {
                let accepted = mqtt::packet::v3_1_1::Connack::builder()
                    .session_present(false)
                    .return_code(ConnectReturnCode::Accepted)
                    .build()?;
                core.checked_send(accepted)
            }
            Event::NotifyPacketReceived(Packet::V3_1_1Subscribe(subscribe)) => {
                let codes = vec![SubackReturnCode::SuccessMaximumQos0; subscribe.entries().len()];
                let subscribed = mqtt::packet::v3_1_1::Suback::builder()
                    .packet_id(subscribe.packet_id())
                    .return_codes(codes)
                    .build()?;
                core.checked_send(subscribed)
            }
            Event::NotifyPacketReceived(Packet::V3_1_1Publish(publish)) => {
                let back = mqtt::packet::v3_1_1::Publish::builder()
                    .topic_name(publish.topic_name())?
                    .qos(Qos::AtMostOnce)
                    .payload(publish.payload().as_slice())
                    .build()?;
                core.checked_send(back)
            }
            Event::NotifyError(error) => return Err(error),
            _ => continue,
        };
        answer(core, more, output)?;
    }
    Ok(())
}
