//! Dialects of the command set as data, with one file for each.
//!
//! Every value can be changed: take a profile, change it, and pass it to
//! [`Settings::profile`](super::Settings::profile). The values follow the table in section 21 of the protocol notes;
//! each field names its evidence. Values without a source are marked *assumed*.

mod air724;
mod air780e;
mod luatos;
mod sim800;
mod vendor8910;

use std::time::Duration;

/// The echoed part of a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EchoStyle {
    /// All of it, both line-end characters included (byte counts of captures a01 to a11).
    Verbatim,
    /// The line end only as `\r` (SIM800: captures s01, s02, s12).
    CarriageReturn,
}

/// The handling of a URC during a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrcStyle {
    /// It waits for the end of the command. At most 32 URCs or 2048 bytes wait; beyond it the oldest is dropped (8910
    /// SDK; the core image has the string "discard all urc due to buffer error").
    Held,
    /// It is printed at once, also between a command's echo and its answer (capture a01).
    Interleaved,
}

/// The refusal of `AT+CIPSTART` on a channel in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AlreadyStyle {
    /// `OK`, then `ALREADY CONNECT` (manual, CIPSTART).
    AfterOk,
    /// `+CME ERROR: 65535`, then `ALREADY CONNECT` (Air780EPV, capture a27).
    AfterError,
}

/// The announcement of waiting data in manual receive mode, with multiple connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataUrc {
    /// `+CIPRXGET: 1,<n>` (captures a27, a28; manual's examples).
    ModeAndChannel,
    /// `+CIPRXGET:<n>` (8910 SDK).
    ChannelOnly,
}

/// The form in which `AT+CBC` shows the supply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
    /// The text.
    pub line: BootText,
}

/// The kind of a boot line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BootText {
    /// A URC; the modem accepts commands from the first one on.
    Urc(&'static str),
    /// Raw bytes: noise of the boot ROM, or a line after which the modem accepts no commands yet.
    Noise(&'static str),
    /// The state of the SIM at that time, `+CPIN: ...`.
    Sim,
}

/// One dialect.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// The name, as in [`named`](Self::named).
    pub name: &'static str,
    /// The number of channels (protocol.md section 7).
    pub channels: u8,
    /// A blank in `<n>, CONNECT OK` (protocol.md, "Spellings").
    pub channel_blank: bool,
    /// A blank after the colon of `+CIPMUX: 1` and similar lines.
    pub colon_blank: bool,
    /// The echo.
    pub echo: EchoStyle,
    /// A line feed within this time of a carriage return belongs to it (8910 SDK: 20 ms).
    pub line_feed_window: Duration,
    /// True if a command that ends with a carriage return only waits for this time before it runs (8910 SDK).
    pub line_feed_awaited: bool,
    /// The prompt of `AT+CIPSEND`: exactly these bytes (captures a01 to a11, s01).
    pub prompt: &'static str,
    /// The prompt of `AT+FSWRITE`: that of `AT+CIPSEND` since V401857 (firmware change log); without the blank on an
    /// Air780EP (captures a21, a25).
    pub file_prompt: &'static str,
    /// A blank after the comma of `+IFC: 0, 0` and `+IFC: (0,2), (0,2)` (capture a16; none in the 8910 core image).
    pub pair_blank: bool,
    /// True if `AT+CIPSTART` occupies the command line until its result (8910 SDK).
    pub connect_blocks: bool,
    /// The handling of URCs during a command.
    pub urcs: UrcStyle,
    /// The refusal of a second `AT+CIPSTART`.
    pub already: AlreadyStyle,
    /// The words of that refusal: `ALREADY CONNECT`, 8910 SDK: `ALREADY OPENED`.
    pub already_text: &'static str,
    /// The protocol versions of TLS until `AT+SSLCFG="sslversion"` sets others: 4 is all up to 1.2 (assumed), 0 is SSL
    /// 3.0 only (capture a27: connects fail until 4 is set).
    pub tls_version: &'static str,
    /// The line after the peer closes a link with TLS: `CLOSED`, on the Air780EPV `CLOSE OK` (capture a27).
    pub tls_closed: &'static str,
    /// The highest mode of `AT+CIPQSEND`.
    pub quick_send_max: u8,
    /// True if `AT+CIPQSEND` can be set with an active bearer, as drivers of a SIM800 do; otherwise in `IP INITIAL`
    /// only (EML).
    pub quick_send_any_time: bool,
    /// True if unread data in manual receive mode are kept after the peer's close until they are read, and `CLOSED` is
    /// printed then (SIM800 and SIM7000, drivers' captures). Otherwise they are dropped after
    /// [`Settings::close_grace`](super::Settings).
    pub keeps_unread: bool,
    /// `AT+CMEE` at power-on.
    pub error_format: u8,
    /// The highest mode of `AT+CIPRXGET`.
    pub manual_receive_max: u8,
    /// The most bytes of one `AT+CIPRXGET=3` (capture a27: 720).
    pub hex_read_max: u16,
    /// The announcement of waiting data.
    pub data_urc: DataUrc,
    /// A blank after the comma of `+CGACT: 5, 1` (capture q01; none on an Air780EP, a19).
    pub context_blank: bool,
    /// `+CGPADDR: 5,"IPV4:..    IPV6:.."` with both addresses of a bearer (capture q01); otherwise only the first one
    /// (a19).
    pub both_addresses: bool,
    /// The form of `AT+CBC`.
    pub supply: SupplyStyle,
    /// The second number of `+CSQ: 27,99`: 99 on LTE with this chip (capture q01), 0 on the others (a12).
    pub bit_error: u8,
    /// The operator's format in `AT+COPS?` until it is set: 2, the number (capture q01), elsewhere 0 (a19).
    pub operator_format: u8,
    /// The answer with `AT+CMEE=2` to an unknown command: `invalid command line` (capture q01); `None`: `ERROR` (a12).
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
    /// `+CGMR: "..."` and `+ICCID: ...` instead of the text only (captures a18, a14; text only: s02).
    pub identity_keyed: bool,
    /// The access technology after `+COPS` and the long `+CREG`: 7, LTE (capture a19). 2G modules print none (s02,
    /// a30).
    pub access_technology: Option<u8>,
    /// The end of the test form of `AT+COPS`: the modes and formats. Modules of this chip's vendor and a SIM800 have
    /// ranges (quoted by drivers); an Air780E has lists (atlib, written for one, expects them).
    pub operator_modes: &'static str,
    /// A blank after the colon of `RECV FROM:` (manual; none on a SIM868, capture s02).
    pub sender_blank: bool,
    /// The text after `+CPIN: READY` and `+CPIN: SIM REMOVED` when a card is inserted or removed: the slot on an
    /// Air780E (capture a14).
    pub card_slot: &'static str,
    /// The lines of the boot, in order.
    pub boot: &'static [BootLine],
    /// The time from the reset to registration; not before the last line of the boot.
    pub registered_after: Duration,
    /// The lines when service comes; `{cid}` and `{address}` are replaced.
    pub service_on: &'static [&'static str],
    /// The lines when service is lost.
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

    /// All profiles.
    pub fn all() -> Vec<Self> {
        vec![Self::air724(), Self::luatos(), Self::vendor8910(), Self::air780e(), Self::sim800()]
    }

    /// The names of all profiles, with commas between them.
    pub fn names() -> String {
        Self::all().iter().map(|profile| profile.name).collect::<Vec<_>>().join(", ")
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
