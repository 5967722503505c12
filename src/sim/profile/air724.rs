//! The module itself.

use std::time::Duration;

use super::{AlreadyStyle, BootLine, DataUrc, EchoStyle, Profile, SupplyStyle, UrcStyle, sim, urc};

/// RDY 1.5 s after the reset (capture a15, Air780EP). The order is that of protocol.md section 3; the times of `+CPIN`
/// and `SMS READY` are assumed.
const BOOT_8910: &[BootLine] = &[urc(1_500, "RDY"), sim(2_000), urc(2_600, "SMS READY")];
impl Profile {
    /// The Air724UG with openLuat's AT firmware: the default.
    pub fn air724() -> Self {
        Self {
            name: "air724",
            channels: 8,
            channel_blank: true,
            colon_blank: true,
            echo: EchoStyle::Verbatim,
            line_feed_window: Duration::from_millis(20),
            line_feed_awaited: false,
            prompt: "\r\n> ",
            file_prompt: "\r\n> ",
            pair_blank: false,
            connect_blocks: false,
            urcs: UrcStyle::Held,
            already: AlreadyStyle::AfterOk,
            already_text: "ALREADY CONNECT",
            tls_version: "4",
            tls_closed: "CLOSED",
            quick_send_max: 2,
            quick_send_any_time: false,
            keeps_unread: false,
            error_format: 1,
            manual_receive_max: 5,
            hex_read_max: 720,
            data_urc: DataUrc::ModeAndChannel,
            context_blank: true,
            both_addresses: true,
            supply: SupplyStyle::Millivolts,
            bit_error: 99,
            operator_format: 2,
            unknown_command: Some("invalid command line"),
            bearer_cid: 5,
            lost_state: "PDP DEACT",
            manufacturer: "AirM2M",
            model: "Air724UG",
            revision: "AirM2M_720U_V401881_LTE_AT",
            firmware: "AirM2M_720U_V401881_LTE_AT",
            identity_keyed: true,
            access_technology: Some(7),
            operator_modes: "(0-4),(0-2)",
            sender_blank: true,
            card_slot: "",
            boot: BOOT_8910,
            registered_after: Duration::from_millis(6_900),
            service_on: &[
                "^MODE: 17,17",
                "+E_UTRAN Service",
                "*CGEV: ACT,{cid},\"IP\",\"{address}\"",
                "+NITZ: {time},0",
            ],
            service_off: &["^MODE: 0,0", "+NO Service", "*CGEV: DEACT,{cid}"],
            long_year: false,
        }
    }
}
