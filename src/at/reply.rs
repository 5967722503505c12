//! Typed replies: valid values made of lines.

use std::fmt;

use super::{ChannelId, Field, Line, fields};

/// The state of the SIM card (`AT+CPIN?`, `+CPIN:`; 3GPP 27.007 section 8.3).
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SimState {
    /// `READY`, also `READY 0` with the slot after it.
    Ready,
    /// `SIM PIN`: the card requires its PIN.
    PinRequired,
    /// `SIM PUK`: the card requires its PUK after too many wrong PINs.
    PukRequired,
    /// `SIM REMOVED`, also with the slot after it, and `NOT INSERTED`, which related modules print.
    Removed,
    /// `NOT READY`.
    NotReady,
    /// Any other state, as written.
    Other(String),
}

impl SimState {
    /// Reads the text after `+CPIN:`.
    pub fn parse(list: &[u8]) -> Self {
        let words = String::from_utf8_lossy(list);
        let words = words.trim().trim_end_matches([' ', '0', '1']);
        match words {
            "READY" => Self::Ready,
            "SIM PIN" => Self::PinRequired,
            "SIM PUK" => Self::PukRequired,
            "SIM REMOVED" | "NOT INSERTED" => Self::Removed,
            "NOT READY" => Self::NotReady,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// The domain of a registration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Domain {
    /// `+CREG`: circuit switched.
    Circuit,
    /// `+CGREG`: GPRS and 3G packet service.
    Packet,
    /// `+CEREG`: LTE.
    Lte,
}

impl Domain {
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        match key {
            "+CREG" => Some(Self::Circuit),
            "+CGREG" => Some(Self::Packet),
            "+CEREG" => Some(Self::Lte),
            _ => None,
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Circuit => "circuit",
            Self::Packet => "packet",
            Self::Lte => "LTE",
        })
    }
}

/// The network that serves the module, from `+E_UTRAN Service` and similar lines (protocol section 3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AccessTechnology {
    /// 4G.
    Lte,
    /// 2G with packet service.
    Gprs,
    /// 2G.
    Gsm,
    /// No service.
    None,
}

/// The registration with the network (3GPP 27.007 section 10.1.20 and the sections for other domains).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RegistrationStatus {
    /// 0: not registered and not searching.
    NotRegistered,
    /// 1: registered at home; also 9, with CSFB not preferred.
    Home,
    /// 2: searching.
    Searching,
    /// 3: the network denies it.
    Denied,
    /// 4: unknown, out of coverage.
    Unknown,
    /// 5: registered while roaming; also 10, with CSFB not preferred.
    Roaming,
    /// 6 and 7: registered for SMS only.
    SmsOnly,
    /// 8 and 11: emergency calls only.
    EmergencyOnly,
}

impl RegistrationStatus {
    /// The status with this number, or `None`.
    pub fn new(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::NotRegistered,
            1 | 9 => Self::Home,
            2 => Self::Searching,
            3 => Self::Denied,
            4 => Self::Unknown,
            5 | 10 => Self::Roaming,
            6 | 7 => Self::SmsOnly,
            8 | 11 => Self::EmergencyOnly,
            _ => return None,
        })
    }

    /// True if data can be transferred.
    pub fn is_registered(self) -> bool {
        matches!(self, Self::Home | Self::Roaming)
    }
}

impl fmt::Display for RegistrationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotRegistered => "not registered",
            Self::Home => "home",
            Self::Searching => "searching",
            Self::Denied => "denied",
            Self::Unknown => "unknown",
            Self::Roaming => "roaming",
            Self::SmsOnly => "SMS only",
            Self::EmergencyOnly => "emergency only",
        })
    }
}

/// The form of a list: in an answer (`<n>,<stat>`) or unsolicited (`<stat>`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ListForm {
    Asked,
    Unsolicited,
}

impl ListForm {
    /// `+CREG: 0,1` is an answer; `+CREG: 1` and `+CREG: 1,"4844",...` are unsolicited.
    pub(crate) fn of(fields: &[Field<'_>]) -> Self {
        match fields {
            [_, second, ..] if !second.is_quoted() && second.number().is_some() => Self::Asked,
            _ => Self::Unsolicited,
        }
    }
}

/// The status in a list, if the list has the wanted form.
pub(crate) fn registration_status(fields: &[Field<'_>], wanted: ListForm) -> Option<RegistrationStatus> {
    if ListForm::of(fields) != wanted {
        return None;
    }
    let index = match wanted {
        ListForm::Asked => 1,
        ListForm::Unsolicited => 0,
    };
    RegistrationStatus::new(fields.get(index)?.number()?)
}

/// The state of the IP application (`AT+CIPSTATUS`; protocol section 6).
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum IpState {
    /// `IP INITIAL`.
    Initial,
    /// `IP START`: `AT+CSTT` was given.
    Start,
    /// `IP CONFIG`: `AT+CIICR` is in progress.
    Config,
    /// `IP GPRSACT`: the bearer is up.
    GprsAct,
    /// `IP STATUS`: the address was read.
    Status,
    /// `IP PROCESSING`: channels are in use, in multiple connection mode.
    Processing,
    /// `PDP DEACT`, the vendor's `IP PDPDEACT`: the bearer was lost.
    PdpDeact,
    /// A state of the single connection (`TCP CONNECTING`, `CONNECT OK`, ...), as written.
    Single(String),
}

impl IpState {
    /// Reads the text after `STATE:`.
    pub fn parse(state: &[u8]) -> Self {
        match state.trim_ascii() {
            b"IP INITIAL" => Self::Initial,
            b"IP START" => Self::Start,
            b"IP CONFIG" => Self::Config,
            b"IP GPRSACT" => Self::GprsAct,
            b"IP STATUS" => Self::Status,
            b"IP PROCESSING" => Self::Processing,
            b"PDP DEACT" | b"IP PDPDEACT" => Self::PdpDeact,
            other => Self::Single(String::from_utf8_lossy(other).into_owned()),
        }
    }
}

/// A row of `AT+CIPSTATUS` about one channel.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChannelRow {
    /// The channel.
    pub channel: ChannelId,
    /// `INITIAL`, `CONNECTING`, `CONNECTED`, `REMOTE CLOSING`, `CLOSING` or `CLOSED`, as written.
    pub state: String,
}

impl ChannelRow {
    /// Reads the text after `C:`, quoted or not.
    pub fn parse(row: &[u8]) -> Option<Self> {
        let fields = fields(row);
        let channel = ChannelId::new(fields.first()?.number()?)?;
        let state = fields.get(5).or(fields.last())?.text();
        Some(Self { channel, state })
    }

    /// True if the module uses the channel.
    pub fn is_in_use(&self) -> bool {
        !matches!(self.state.as_str(), "INITIAL" | "CLOSED")
    }
}

/// The answer to `AT+CIPSTATUS`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IpStatus {
    /// The state of the IP application.
    pub state: IpState,
    /// One row for each channel, in multiple connection mode.
    pub rows: Vec<ChannelRow>,
}

impl IpStatus {
    /// Finds the state and the rows among the lines of a reply; `None` without a state.
    pub fn parse(lines: &[String]) -> Option<Self> {
        let mut state = None;
        let mut rows = Vec::new();
        for line in lines {
            match Line::parse(line.as_bytes()) {
                Line::State(text) => state = Some(IpState::parse(text)),
                Line::Row(row) => rows.extend(ChannelRow::parse(row)),
                _ => {}
            }
        }
        state.map(|state| Self { state, rows })
    }

    /// True if the lines belong to more than one reply: there is a second state, or a second row of a channel.
    pub fn is_doubled(lines: &[String]) -> bool {
        let mut states = 0_usize;
        let mut rows = [0_usize; ChannelId::COUNT];
        for line in lines {
            match Line::parse(line.as_bytes()) {
                Line::State(_) => states = states.saturating_add(1),
                Line::Row(row) => {
                    if let Some(count) =
                        ChannelRow::parse(row).and_then(|row| rows.get_mut(row.channel.index()))
                    {
                        *count = count.saturating_add(1);
                    }
                }
                _ => {}
            }
        }
        states > 1 || rows.iter().any(|count| *count > 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_after_a_sim_state_does_not_count() {
        assert_eq!(SimState::parse(b"READY 0"), SimState::Ready);
        assert_eq!(SimState::parse(b"SIM REMOVED 0"), SimState::Removed);
        assert_eq!(SimState::parse(b" SIM PIN"), SimState::PinRequired);
    }

    #[test]
    fn a_registration_of_one_field_comes_unasked() {
        let status = |list: &str, form| registration_status(&fields(list.as_bytes()), form);
        assert_eq!(status("0,1", ListForm::Asked), Some(RegistrationStatus::Home));
        assert_eq!(status("1", ListForm::Asked), None);
        assert_eq!(status("1", ListForm::Unsolicited), Some(RegistrationStatus::Home));
        assert_eq!(
            status(r#"5,"4844","0EA2D0CA",7"#, ListForm::Unsolicited),
            Some(RegistrationStatus::Roaming)
        );
        assert_eq!(status(r#"2,1,"4844","0EA2D0CA",7"#, ListForm::Asked), Some(RegistrationStatus::Home));
        assert_eq!(status("0,77", ListForm::Asked), None);
    }

    #[test]
    fn rows_are_read_quoted_and_bare() {
        let row = ChannelRow::parse(br#" 4,0,"TCP","47.106.96.28","10188","CLOSED""#).unwrap();
        assert_eq!((row.channel.index(), row.is_in_use()), (4, false));
        assert!(ChannelRow::parse(b"0,0,TCP,1.2.3.4,80,CONNECTED").unwrap().is_in_use());
        assert_eq!(ChannelRow::parse(b"8,,INITIAL"), None);
    }

    #[test]
    fn rows_before_the_state_count_too() {
        let lines = [r#"C: 0,,"","","","INITIAL""#, "STATE: IP INITIAL"].map(str::to_owned);
        let status = IpStatus::parse(&lines).unwrap();
        assert_eq!((status.state, status.rows.len()), (IpState::Initial, 1));
    }

    #[test]
    fn a_second_state_or_row_is_another_replys() {
        let lines = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let (state, row) = ("STATE: IP STATUS", r#"C: 0,,"","","","INITIAL""#);
        assert!(!IpStatus::is_doubled(&lines(&[state, row, r#"C: 1,,"","","","INITIAL""#])));
        assert!(IpStatus::is_doubled(&lines(&[state, row, row])));
        assert!(IpStatus::is_doubled(&lines(&[state, row, "STATE: IP INITIAL"])));
    }
}
