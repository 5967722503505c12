//! Dialects of the command set, as data, one file each.
//!
//! Every value is a knob: take a profile, change what differs, give it to
//! [`Settings::profile`](super::Settings::profile). The table that they follow is section 21 of the protocol notes;
//! each field names its evidence. What no source shows is marked *assumed*.

mod air724;
mod air780e;
mod luatos;
mod sim800;
mod vendor8910;

use std::time::Duration;

/// The part of a command line that is sent back when echo is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EchoStyle {
    /// All of it, both line-end characters included (byte counts of captures a01 to a11).
    Verbatim,
    /// The line end only as `\r` (SIM800: captures s01, s02, s12).
    CarriageReturn,
}

/// The fate of a URC that falls into a running command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UrcStyle {
    /// It waits for the end of the command, 32 of them or 2048 bytes at most, the oldest being dropped (8910 SDK;
    /// the core image has the string "discard all urc due to buffer error").
    Held,
    /// It is printed at once, be it between a command's echo and its answer (capture a01).
    Interleaved,
}

/// The way in which `AT+CIPSTART` on a channel in use is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlreadyStyle {
    /// `OK`, then `ALREADY CONNECT` (manual, CIPSTART).
    AfterOk,
    /// `+CME ERROR: 65535`, then `ALREADY CONNECT` (Air780EPV, capture a27).
    AfterError,
}

/// The announcement of waiting data in manual receive mode, with several channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataUrc {
    /// `+CIPRXGET: 1,<n>` (captures a27, a28; manual's examples).
    ModeAndChannel,
    /// `+CIPRXGET:<n>` (8910 SDK).
    ChannelOnly,
}

/// The form in which `AT+CBC` tells the supply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupplyStyle {
    /// `+CBC: 3800` (manual, capture a28).
    Millivolts,
    /// `+CBC: 1,84,4014`: charging or not, percent, millivolts (capture q01; 27.007 section 8.4 has the first two).
    Charge,
}

/// One line of the boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootLine {
    /// Milliseconds after the reset.
    pub after_millis: u32,
    /// What is printed.
    pub line: BootText,
}

/// The kind of a boot line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootText {
    /// A URC; the modem takes commands from the first one on.
    Urc(&'static str),
    /// Bytes as they are: noise of the boot ROM, or a line after which the modem still takes nothing.
    Noise(&'static str),
    /// The state of the SIM, `+CPIN: ...`, as it is then.
    Sim,
}

/// One dialect.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// Its name, as [`named`](Self::named) takes it.
    pub name: &'static str,
    /// How many channels there are (protocol.md section 7).
    pub channels: u8,
    /// A blank in `<n>, CONNECT OK` (protocol.md, "Spellings").
    pub channel_blank: bool,
    /// A blank after the colon of `+CIPMUX: 1` and its like.
    pub colon_blank: bool,
    /// The echo.
    pub echo: EchoStyle,
    /// A line feed within this time of a carriage return belongs to it (8910 SDK: 20 ms).
    pub line_feed_window: Duration,
    /// Whether a command that ended with a carriage return alone waits that long before it runs (8910 SDK).
    pub line_feed_awaited: bool,
    /// The prompt of `AT+CIPSEND`: exactly these bytes (captures a01 to a11, s01).
    pub prompt: &'static str,
    /// The prompt of `AT+FSWRITE`: as that of `AT+CIPSEND` from V401857 on (firmware change log); without the blank on
    /// an Air780EP (captures a21, a25).
    pub file_prompt: &'static str,
    /// A blank behind the comma of `+IFC: 0, 0` and `+IFC: (0,2), (0,2)` (capture a16; none in the 8910 core image).
    pub pair_blank: bool,
    /// Whether `AT+CIPSTART` keeps the command line busy until its result (8910 SDK).
    pub connect_blocks: bool,
    /// URCs during a command.
    pub urcs: UrcStyle,
    /// The refusal of a second `AT+CIPSTART`.
    pub already: AlreadyStyle,
    /// The words of that refusal: `ALREADY CONNECT`, 8910 SDK: `ALREADY OPENED`.
    pub already_text: &'static str,
    /// The protocol versions of TLS until `AT+SSLCFG="sslversion"` names others: 4 all up to 1.2 (assumed), 0 SSL 3.0
    /// alone (capture a27: connects fail until it is set to 4).
    pub tls_version: &'static str,
    /// What is reported when the peer closes a link with TLS: `CLOSED`, on the Air780EPV `CLOSE OK` (capture a27).
    pub tls_closed: &'static str,
    /// The highest mode of `AT+CIPQSEND`.
    pub quick_send_max: u8,
    /// Whether `AT+CIPQSEND` can be set with a bearer, as drivers of a SIM800 do; else in `IP INITIAL` alone (EML).
    pub quick_send_any_time: bool,
    /// Whether what was not read in manual receive mode outlives the peer's close until it is read, and `CLOSED` is told
    /// then (SIM800 and SIM7000, driver's captures); else both go after [`Settings::close_grace`](super::Settings).
    pub keeps_unread: bool,
    /// `AT+CMEE` at power-on.
    pub error_format: u8,
    /// The highest mode of `AT+CIPRXGET`.
    pub manual_receive_max: u8,
    /// The most bytes that one `AT+CIPRXGET=3` reads (capture a27: 720).
    pub hex_read_max: u16,
    /// The announcement of waiting data.
    pub data_urc: DataUrc,
    /// A blank behind the comma of `+CGACT: 5, 1` (capture q01; none on an Air780EP, a19).
    pub context_blank: bool,
    /// `+CGPADDR: 5,"IPV4:..    IPV6:.."` with both addresses of a bearer (capture q01); else the first one bare (a19).
    pub both_addresses: bool,
    /// The form of `AT+CBC`.
    pub supply: SupplyStyle,
    /// The second number of `+CSQ: 27,99`: 99 on LTE with this chip (capture q01), 0 on the others (a12).
    pub bit_error: u8,
    /// The format in which `AT+COPS?` names the operator until it is set: 2, the number (capture q01), elsewhere 0 (a19).
    pub operator_format: u8,
    /// What `AT+CMEE=2` prints of a command that there is not: `invalid command line` (capture q01); `None`: `ERROR` (a12).
    pub unknown_command: Option<&'static str>,
    /// The default bearer's context id.
    pub bearer_cid: u8,
    /// The name of the state after the bearer was lost.
    pub lost_state: &'static str,
    /// `AT+CGMI`.
    pub manufacturer: &'static str,
    /// `AT+CGMM`.
    pub model: &'static str,
    /// `ATI`.
    pub revision: &'static str,
    /// `AT+CGMR`.
    pub firmware: &'static str,
    /// `+CGMR: "..."` and `+ICCID: ...` instead of the bare text (captures a18, a14; bare: s02).
    pub identity_keyed: bool,
    /// The access technology behind `+COPS` and the long `+CREG`: 7, LTE (capture a19). 2G modules print none (s02, a30).
    pub access_technology: Option<u8>,
    /// How the test form of `AT+COPS` ends: the modes and formats. Ranges on modules of this chip's vendor and a SIM800
    /// (drivers quote them so); lists on an Air780E (what atlib, written on one, takes for the end).
    pub operator_modes: &'static str,
    /// A blank behind the colon of `RECV FROM:` (manual; none on a SIM868, capture s02).
    pub sender_blank: bool,
    /// What stands behind `+CPIN: READY` and `+CPIN: SIM REMOVED` when a card comes or goes: the slot on an Air780E
    /// (capture a14).
    pub card_slot: &'static str,
    /// The lines of the boot, in order.
    pub boot: &'static [BootLine],
    /// How long after the reset the modem is registered; not before the last line of the boot.
    pub registered_after: Duration,
    /// What is printed when service comes; `{cid}` and `{address}` are filled in.
    pub service_on: &'static [&'static str],
    /// What is printed when service goes.
    pub service_off: &'static [&'static str],
    /// The network's time with a year of four digits (`+NITZ: 2024/..`, capture a01) or two (8910 core image).
    pub long_year: bool,
}

const fn urc(after_millis: u32, line: &'static str) -> BootLine {
    BootLine { after_millis, line: BootText::Urc(line) }
}

const fn noise(after_millis: u32, line: &'static str) -> BootLine {
    BootLine { after_millis, line: BootText::Noise(line) }
}

const fn sim(after_millis: u32) -> BootLine {
    BootLine { after_millis, line: BootText::Sim }
}

impl Profile {
    /// The profile of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|profile| profile.name == name)
    }

    /// All that there are.
    pub fn all() -> [Self; 5] {
        [Self::air724(), Self::luatos(), Self::vendor8910(), Self::air780e(), Self::sim800()]
    }

    /// `+KEY: value` or `+KEY:value`.
    pub(super) fn keyed(&self, key: &str, value: &str) -> String {
        let blank = if self.colon_blank { " " } else { "" };
        format!("{key}:{blank}{value}")
    }

    /// `3, TEXT` or `3,TEXT`.
    pub(super) fn on_channel(&self, channel: usize, text: &str) -> String {
        let blank = if self.channel_blank { " " } else { "" };
        format!("{channel},{blank}{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_found_by_its_name() {
        for profile in Profile::all() {
            assert_eq!(Profile::named(profile.name), Some(profile));
        }
        assert_eq!(Profile::named("nokia"), None);
    }

    #[test]
    fn the_spellings_of_the_vendor_have_no_blanks() {
        assert_eq!(Profile::air724().on_channel(3, "CLOSED"), "3, CLOSED");
        assert_eq!(Profile::vendor8910().on_channel(3, "CLOSED"), "3,CLOSED");
        assert_eq!(Profile::vendor8910().keyed("+CIPMUX", "1"), "+CIPMUX:1");
    }
}
