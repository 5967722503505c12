//! A younger related family with the same command set.

use super::{AlreadyStyle, BootLine, Profile, UrcStyle, noise, urc};

/// Noise before RDY, and RDY twice 740 ms apart; bytes of the host between the two are lost (captures a18, a19).
const BOOT_780E: &[BootLine] =
    &[noise(400, "^boot.rom.'v....'!\n"), noise(1_500, "\r\nRDY\r\n"), urc(2_240, "RDY")];
impl Profile {
    /// The Air780E family (EC618, EC716): six channels, URCs between a command and its answer.
    pub fn air780e() -> Self {
        Self {
            name: "air780e",
            channels: 6,
            file_prompt: "\r\n>",
            pair_blank: true,
            urcs: UrcStyle::Interleaved,
            already: AlreadyStyle::AfterError,
            tls_version: "0",
            tls_closed: "CLOSE OK",
            context_blank: false,
            both_addresses: false,
            bit_error: 0,
            operator_format: 0,
            unknown_command: None,
            bearer_cid: 1,
            operator_modes: "(0,1,2,3,4),(0,1,2)",
            model: "Air780E",
            revision: "AirM2M_780E_V1169_LTE_AT",
            firmware: "AirM2M_780E_V1169_LTE_AT",
            card_slot: " 0",
            boot: BOOT_780E,
            service_on: &["^MODE: 17,17", "+E_UTRAN Service", "+CGEV: ME PDN ACT {cid},0", "+NITZ: {time},0"],
            service_off: &["^MODE: 0,0", "+NO Service", "+CGEV: NW PDN DEACT {cid}", "+CGEV: ME DETACH"],
            long_year: true,
            ..Self::air724()
        }
    }
}
