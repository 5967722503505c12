//! Keepalive and the module's own heartbeat (protocol section 13).

use super::super::ChannelId;
use super::Command;
use super::setup::DEFAULT_TIMEOUT;
use super::shape::Shape;

impl Command {
    /// `AT+CIPTKA=1,<idle>,<interval>,<count>`: TCP keepalive for all connections; times in seconds.
    pub fn keepalive(idle: u32, interval: u32, count: u32) -> Self {
        Self::new(format!("AT+CIPTKA=1,{idle},{interval},{count}"), Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPTKA=0`: no TCP keepalive.
    pub fn keepalive_off() -> Self {
        Self::new("AT+CIPTKA=0", Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT^HEARTCONFIG=1,<n>,<seconds>` or `=0,<n>`: the module's own heartbeat on one channel.
    pub fn heartbeat_config(channel: ChannelId, every_secs: Option<u32>) -> Self {
        let text = match every_secs {
            Some(secs) => format!("AT^HEARTCONFIG=1,{channel},{secs}"),
            None => format!("AT^HEARTCONFIG=0,{channel}"),
        };
        Self::new(text, Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT^HEARTBEATHEX=<n>,<len>,<hex>`: the payload of the heartbeat. Firmware before V838 sent wrong data.
    pub fn heartbeat_payload(channel: ChannelId, payload: &[u8]) -> Self {
        let hex: String = payload.iter().map(|byte| format!("{byte:02X}")).collect();
        Self::new(format!("AT^HEARTBEATHEX={channel},{},{hex}", payload.len()), Shape::Plain, DEFAULT_TIMEOUT)
    }
}
