//! The module itself, with the Lua firmware.

use super::{Profile, SupplyStyle};

impl Profile {
    /// The Air724UG with LuatOS-Air, on its USB AT port: the answers of an Air724UG to a router's tool (capture q01,
    /// FUjr/QModem, `testcases/openluat/unisoc`). They show identity, card, cell and contexts; the other values are
    /// those of `air724`.
    pub fn luatos() -> Self {
        Self {
            name: "luatos",
            supply: SupplyStyle::Charge,
            // Errors were texts; the capture does not show whether the tool had set this.
            error_format: 2,
            manufacturer: "",
            revision: "LuatOS-Air_V4032_RDA8910_TTS_NOLVGL_FLOAT",
            firmware: "LuatOS-Air_V4032_RDA8910_TTS_NOLVGL_FLOAT",
            ..Self::air724()
        }
    }
}
