//! The chip vendor's own firmware.

use super::{DataUrc, Profile};

impl Profile {
    /// A module of the same chip with the chip vendor's own AT firmware (8910 SDK): no blanks, `CIPSTART` blocks.
    pub fn vendor8910() -> Self {
        Self {
            name: "vendor8910",
            channel_blank: false,
            colon_blank: false,
            line_feed_awaited: true,
            connect_blocks: true,
            already_text: "ALREADY OPENED",
            quick_send_max: 1,
            error_format: 0,
            manual_receive_max: 4,
            hex_read_max: 1460,
            data_urc: DataUrc::ChannelOnly,
            context_blank: false,
            bearer_cid: 1,
            lost_state: "IP PDPDEACT",
            service_on: &["^MODE: 17,17", "+E_UTRAN Service", "+CGEV: ME PDN ACT {cid}", "+NITZ: {time},0"],
            service_off: &["^MODE: 0,0", "+NO Service", "+CGEV: NW PDN DEACT {cid}"],
            ..Self::air724()
        }
    }
}
