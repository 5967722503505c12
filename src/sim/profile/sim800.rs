//! The family from which the command set is derived.

use std::time::Duration;

use super::{BootLine, EchoStyle, Profile, SupplyStyle, UrcStyle, sim, urc};

/// Capture s01; the times are assumed.
const BOOT_SIM800: &[BootLine] = &[
    urc(1_500, "RDY"),
    urc(1_600, "+CFUN: 1"),
    sim(2_000),
    urc(5_000, "Call Ready"),
    urc(5_100, "SMS Ready"),
];

impl Profile {
    /// The SIM800 family, from which the command set is derived.
    pub fn sim800() -> Self {
        Self {
            name: "sim800",
            channels: 6,
            echo: EchoStyle::CarriageReturn,
            line_feed_window: Duration::ZERO,
            urcs: UrcStyle::Interleaved,
            quick_send_max: 1,
            quick_send_any_time: true,
            keeps_unread: true,
            supply: SupplyStyle::Charge,
            error_format: 0,
            manual_receive_max: 4,
            hex_read_max: 730,
            context_blank: false,
            both_addresses: false,
            bit_error: 0,
            operator_format: 0,
            unknown_command: None,
            bearer_cid: 1,
            manufacturer: "SIMCOM_Ltd",
            model: "SIMCOM_SIM800",
            revision: "SIM800 R14.18",
            // The firmware of a SIM868, capture s02; no capture shows that of a SIM800.
            firmware: "Revision:1418B05SIM868E32_BLE_EAT",
            identity_keyed: false,
            access_technology: None,
            sender_blank: false,
            boot: BOOT_SIM800,
            registered_after: Duration::from_millis(5_100),
            service_on: &[],
            service_off: &[],
            ..Self::air724()
        }
    }
}
