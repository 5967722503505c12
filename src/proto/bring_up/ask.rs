//! The command of each step.

use crate::at::{Command, Domain};
use crate::config::FlowControl;
use crate::query::{DomainRegistration, Query, Signal};

use super::{BringUp, BringUpStep, ConnectionMode, Pin, Plan};

impl BringUp {
    /// The command of the step; `None` if this module or configuration does not need the step.
    pub(super) fn command(&self) -> Option<Command> {
        let config = &self.config;
        Some(match self.step {
            BringUpStep::Wake => return None,
            BringUpStep::EchoOff => Command::echo_off(),
            BringUpStep::ErrorCodes => Command::error_codes(),
            BringUpStep::LineRate if config.fix_baud_rate => Command::line_rate(config.baud_rate),
            BringUpStep::FlowControl if config.flow_control == FlowControl::RtsCts => {
                Command::flow_control(true)
            }
            BringUpStep::LineRate | BringUpStep::FlowControl => return None,
            BringUpStep::Identity => Command::identification(),
            BringUpStep::SerialNumber => Command::serial_number(),
            BringUpStep::Radio => Command::radio_state(),
            BringUpStep::RadioOn => Command::radio(true),
            BringUpStep::Sim => Command::sim_state(),
            BringUpStep::Pin => match (&self.credentials.pin, self.pin) {
                (Some(pin), Pin::Untried) => Command::enter_pin(pin),
                _ => return None,
            },
            BringUpStep::Signal => Signal.command(),
            BringUpStep::LteRegistration => DomainRegistration(Domain::Lte).command(),
            BringUpStep::PacketRegistration | BringUpStep::CircuitRegistration
                if self.network.is_registered() =>
            {
                return None;
            }
            BringUpStep::PacketRegistration => DomainRegistration(Domain::Packet).command(),
            BringUpStep::CircuitRegistration => DomainRegistration(Domain::Circuit).command(),
            BringUpStep::Attach => Command::attach_state(),
            BringUpStep::IpStatus if self.plan == Plan::Shut => return None,
            BringUpStep::IpStatus => Command::ip_status(),
            BringUpStep::QuickSendState if self.plan == Plan::Adopt => Command::quick_send_state(),
            BringUpStep::ReceiveState if self.plan == Plan::Adopt => Command::manual_receive_state(),
            BringUpStep::QuickSendState | BringUpStep::ReceiveState => return None,
            BringUpStep::Shut if self.plan == Plan::Shut => Command::shut(),
            BringUpStep::Shut => return None,
            BringUpStep::CommandMode
            | BringUpStep::Multiple
            | BringUpStep::QuickSend
            | BringUpStep::Receive
            | BringUpStep::Bearer
            | BringUpStep::Activate
                if self.plan == Plan::Adopt =>
            {
                return None;
            }
            BringUpStep::CommandMode | BringUpStep::Multiple
                if self.connection_mode == ConnectionMode::Stream =>
            {
                return None;
            }
            BringUpStep::CommandMode => Command::command_mode(),
            BringUpStep::Multiple => Command::multiple_connections(),
            BringUpStep::Single | BringUpStep::Transparent | BringUpStep::Packets | BringUpStep::Plain
                if self.connection_mode == ConnectionMode::Sockets =>
            {
                return None;
            }
            BringUpStep::Single => Command::single_connection(),
            BringUpStep::Transparent => Command::transparent_mode(),
            BringUpStep::Packets => Command::transparent_packets(),
            BringUpStep::Plain => Command::tls_switch(false),
            BringUpStep::QuickSend => Command::quick_send(),
            BringUpStep::Receive => Command::manual_receive(self.receives_manually()),
            BringUpStep::Header if self.connection_mode == ConnectionMode::Stream => {
                Command::no_receive_header()
            }
            BringUpStep::Header => Command::receive_header(),
            BringUpStep::Prompt => Command::send_prompt(),
            BringUpStep::Raw => Command::receive_raw(),
            BringUpStep::Senders if config.report_senders => Command::report_senders(),
            BringUpStep::Senders => return None,
            BringUpStep::Bearer => self.begin_bearer(),
            BringUpStep::Activate => Command::activate_bearer(),
            BringUpStep::Address => Command::local_address(),
            BringUpStep::Channels => Command::channel_range(),
            BringUpStep::Ready => return None,
        })
    }

    /// The command with the configured access point. Some firmware refuses one while the default bearer is up (CLI,
    /// protocol section 0), so every second attempt is made without it.
    fn begin_bearer(&self) -> Command {
        match &self.credentials.apn {
            Some(apn) if self.failures.is_multiple_of(2) => Command::begin_bearer_with(
                apn,
                self.credentials.user.as_ref(),
                self.credentials.password.as_ref(),
            ),
            _ => Command::begin_bearer(),
        }
    }
}
