//! The module itself, with the Lua firmware.

use super::{Profile, SupplyStyle};

impl Profile {
    /// The Air724UG that runs LuatOS-Air, on its USB AT port: what an Air724UG said to a router's tool (capture q01,
    /// FUjr/QModem, `testcases/openluat/unisoc`). It shows identity, card, cell and contexts; the rest is that of `air724`.
    pub fn luatos() -> Self {
        Self {
            name: "luatos",
            supply: SupplyStyle::Charge,
            // Errors were text; whether the tool had asked for that is not shown.
            error_format: 2,
            manufacturer: "",
            revision: "LuatOS-Air_V4032_RDA8910_TTS_NOLVGL_FLOAT",
            firmware: "LuatOS-Air_V4032_RDA8910_TTS_NOLVGL_FLOAT",
            ..Self::air724()
        }
    }
}
