//! The commands, defined with atat's derive macros.

use std::net::Ipv4Addr;

use atat::atat_derive::{AtatCmd, AtatResp};
use atat::{AtatCmd, AtatResp, Error, InternalError};

/// `OK`, or another final result of success.
#[derive(Clone, AtatResp)]
pub struct Done;

/// The attention command. The first one may be lost while a module detects the rate or starts.
#[derive(Clone, AtatCmd)]
#[at_cmd("", Done, timeout_ms = 1000, attempts = 10)]
pub struct Attention;

#[derive(Clone, AtatCmd)]
#[at_cmd("E0", Done)]
pub struct EchoOff;

/// `AT+CMEE=1`: errors as numbers.
#[derive(Clone, AtatCmd)]
#[at_cmd("+CMEE=1", Done)]
pub struct NumericErrors;

#[derive(Clone, AtatCmd)]
#[at_cmd("+CGSN", Imei)]
pub struct ReadImei;

#[derive(Clone, AtatResp)]
pub struct Imei {
    #[at_arg(position = 0)]
    pub digits: u64,
}

#[derive(Clone, AtatCmd)]
#[at_cmd("+CSQ", Signal)]
pub struct ReadSignal;

#[derive(Clone, Debug, AtatResp)]
#[allow(dead_code)] // Some of it is only printed.
pub struct Signal {
    #[at_arg(position = 0)]
    pub strength: u8,
    #[at_arg(position = 1)]
    pub errors: u8,
}

#[derive(Clone, AtatCmd)]
#[at_cmd("+CREG?", Registration)]
pub struct ReadRegistration;

#[derive(Clone, Debug, AtatResp)]
#[allow(dead_code)] // Some of it is only printed.
pub struct Registration {
    #[at_arg(position = 0)]
    pub reports: u8,
    #[at_arg(position = 1)]
    pub state: u8,
}

#[derive(Clone, AtatCmd)]
#[at_cmd("+CIPSHUT", Done, timeout_ms = 65000)]
pub struct Shut;

#[derive(Clone, AtatCmd)]
#[at_cmd("+CIPMUX=1", Done)]
pub struct ManyChannels;

#[derive(Clone, AtatCmd)]
#[at_cmd("+CIPQSEND=1", Done)]
pub struct QuickSend;

#[derive(Clone, AtatCmd)]
#[at_cmd("+CSTT", Done)]
pub struct AccessPoint;

#[derive(Clone, AtatCmd)]
#[at_cmd("+CIICR", Done, timeout_ms = 85000)]
pub struct BringUp;

/// `AT+CIFSR`: the address alone, without `OK`.
#[derive(Clone)]
pub struct ReadAddress;

pub struct Address(pub Ipv4Addr);

impl AtatResp for Address {}

impl AtatCmd for ReadAddress {
    type Response = Address;

    fn write(&self, buf: &mut [u8]) -> usize {
        copy(b"AT+CIFSR\r", buf)
    }

    fn parse(&self, answer: Result<&[u8], InternalError>) -> Result<Address, Error> {
        let text = std::str::from_utf8(answer?).map_err(|_| Error::Parse)?;
        text.parse().map(Address).map_err(|_| Error::Parse)
    }
}

#[derive(Clone, AtatCmd)]
#[at_cmd("+CIPSTART", Done)]
pub struct Open<'a> {
    #[at_arg(position = 0)]
    pub channel: u8,
    #[at_arg(position = 1)]
    pub protocol: &'a str,
    #[at_arg(position = 2)]
    pub host: &'a str,
    #[at_arg(position = 3)]
    pub port: u16,
}

/// The send command ends with CR LF: after a CR alone the module takes a first LF of the payload for the rest of the
/// line end.
#[derive(Clone, AtatCmd)]
#[at_cmd("+CIPSEND", Done, termination = "\r\n")]
pub struct Send {
    #[at_arg(position = 0)]
    pub channel: u8,
    #[at_arg(position = 1)]
    pub length: usize,
}

/// The payload after the prompt.
#[derive(Clone)]
pub struct Payload<'a>(pub &'a [u8]);

impl AtatCmd for Payload<'_> {
    type Response = Done;
    const MAX_TIMEOUT_MS: u32 = 10_000;

    fn write(&self, buf: &mut [u8]) -> usize {
        copy(self.0, buf)
    }

    fn parse(&self, answer: Result<&[u8], InternalError>) -> Result<Done, Error> {
        match answer? {
            line if line.starts_with(b"DATA ACCEPT:") => Ok(Done),
            _ => Err(Error::Parse),
        }
    }
}

#[derive(Clone, AtatCmd)]
#[at_cmd("+CIPCLOSE", Done, timeout_ms = 10000)]
pub struct Close {
    #[at_arg(position = 0)]
    pub channel: u8,
}

fn copy(bytes: &[u8], buf: &mut [u8]) -> usize {
    buf[..bytes.len()].copy_from_slice(bytes);
    bytes.len()
}
