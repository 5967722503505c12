use std::fmt;

/// A step of bring-up, in their order. The documentation of the commands describes each one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum BringUpStep {
    /// The search for a module that answers.
    Wake,
    /// Echo off.
    EchoOff,
    /// Errors as numbers.
    ErrorCodes,
    /// The line rate is fixed, if configured.
    LineRate,
    /// Flow control is switched on, if configured.
    FlowControl,
    /// Model and firmware.
    Identity,
    /// IMEI.
    SerialNumber,
    /// Whether the radio is on.
    Radio,
    /// The radio is switched on, if it was found off and the configuration allows it.
    RadioOn,
    /// The SIM is there and open.
    Sim,
    /// The PIN is given, if asked for and configured.
    Pin,
    /// Signal quality.
    Signal,
    /// Registration with LTE.
    LteRegistration,
    /// Registration for packet service, if not with LTE.
    PacketRegistration,
    /// Circuit-switched registration, if there is neither of the above: 2G may accept a card that 4G does not.
    CircuitRegistration,
    /// Attached to packet service.
    Attach,
    /// The state of the IP application.
    IpStatus,
    /// Whether quick send is on already, on a module that is up.
    QuickSendState,
    /// Whether the receive mode is the configured one already, on a module that is up.
    ReceiveState,
    /// The IP application is shut down, unless it is down already or can be used as it is.
    Shut,
    /// No transparent mode.
    CommandMode,
    /// Several connections.
    Multiple,
    /// One connection, for a transparent stream.
    Single,
    /// Transparent mode, for a transparent stream.
    Transparent,
    /// Data in flight are dropped when a transparent stream breaks.
    Packets,
    /// No TLS, for a transparent stream.
    Plain,
    /// Sends are confirmed when the module has accepted the bytes.
    QuickSend,
    /// Received data are pushed or fetched, as configured.
    Receive,
    /// Received data have a header, in a transparent stream none.
    Header,
    /// Sends have a prompt.
    Prompt,
    /// Received data have nothing after them.
    Raw,
    /// The module reports the sender of received data, if configured.
    Senders,
    /// The access point is set.
    Bearer,
    /// The bearer comes up.
    Activate,
    /// The module's own address.
    Address,
    /// The number of channels.
    Channels,
    /// Sockets can be opened.
    Ready,
}

impl BringUpStep {
    /// The steps in order.
    pub const ALL: [Self; 37] = [
        Self::Wake,
        Self::EchoOff,
        Self::ErrorCodes,
        Self::LineRate,
        Self::FlowControl,
        Self::Identity,
        Self::SerialNumber,
        Self::Radio,
        Self::RadioOn,
        Self::Sim,
        Self::Pin,
        Self::Signal,
        Self::LteRegistration,
        Self::PacketRegistration,
        Self::CircuitRegistration,
        Self::Attach,
        Self::IpStatus,
        Self::QuickSendState,
        Self::ReceiveState,
        Self::Shut,
        Self::CommandMode,
        Self::Multiple,
        Self::Single,
        Self::Transparent,
        Self::Packets,
        Self::Plain,
        Self::QuickSend,
        Self::Receive,
        Self::Header,
        Self::Prompt,
        Self::Raw,
        Self::Senders,
        Self::Bearer,
        Self::Activate,
        Self::Address,
        Self::Channels,
        Self::Ready,
    ];

    /// The next step; `None` after the last one.
    pub fn next(self) -> Option<Self> {
        Self::ALL.iter().copied().skip_while(|step| *step != self).nth(1)
    }
}

impl fmt::Display for BringUpStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Wake => "wake",
            Self::EchoOff => "echo off",
            Self::ErrorCodes => "error codes",
            Self::LineRate => "line rate",
            Self::FlowControl => "flow control",
            Self::Identity => "identity",
            Self::SerialNumber => "serial number",
            Self::Radio => "radio",
            Self::RadioOn => "radio on",
            Self::Sim => "SIM",
            Self::Pin => "PIN",
            Self::Signal => "signal",
            Self::LteRegistration => "LTE registration",
            Self::PacketRegistration => "packet registration",
            Self::CircuitRegistration => "circuit registration",
            Self::Attach => "attach",
            Self::IpStatus => "IP status",
            Self::QuickSendState => "quick send state",
            Self::ReceiveState => "receive mode state",
            Self::Shut => "shut down old connections",
            Self::CommandMode => "command mode",
            Self::Multiple => "multiple connections",
            Self::Single => "single connection",
            Self::Transparent => "transparent mode",
            Self::Packets => "transparent packets",
            Self::Plain => "no TLS",
            Self::QuickSend => "quick send",
            Self::Receive => "receive mode",
            Self::Header => "receive header",
            Self::Prompt => "send prompt",
            Self::Raw => "raw receive",
            Self::Senders => "senders",
            Self::Bearer => "bearer settings",
            Self::Activate => "bearer",
            Self::Address => "address",
            Self::Channels => "channels",
            Self::Ready => "ready",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_complete() {
        assert!(BringUpStep::ALL.windows(2).all(|two| two[0] < two[1]));
        assert_eq!(BringUpStep::ALL.len(), BringUpStep::Ready as usize + 1);
    }
}
