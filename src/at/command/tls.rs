//! TLS on the module: settings of a context, and the switch (protocol section 14).

use std::fmt;

use super::super::{ChannelId, Quotable};
use super::Command;
use super::setup::DEFAULT_TIMEOUT;
use super::shape::Shape;

/// A setting of a TLS context: one of the keys of `AT+SSLCFG` that this crate uses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum TlsKey {
    /// `cacert`: the file with the CA certificate that verifies the server.
    CaCertificate,
    /// `clientcert`: the file of the client's certificate.
    ClientCertificate,
    /// `clientkey`: the file of the client's private key.
    ClientKey,
    /// `seclevel`: the sides that are authenticated.
    SecurityLevel,
    /// `sslversion`: the protocol version.
    Version,
    /// `ciphersuite`: the cipher suite that is offered.
    CipherSuite,
    /// `hostname`: the name of the server (SNI).
    HostName,
    /// `ignorelocaltime`: 1 if the dates of certificates are not checked.
    IgnoreLocalTime,
    /// `negotiatetimeout`: the longest time of the handshake, in seconds.
    NegotiateTimeout,
}

/// The value of a setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TlsValue {
    /// A name, between quotes.
    Text(Quotable),
    /// A number.
    Number(u32),
    /// A number in the manual's form for cipher suites: `0X0035`.
    Hex(u16),
}

impl TlsKey {
    /// The key as written in `AT+SSLCFG`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CaCertificate => "cacert",
            Self::ClientCertificate => "clientcert",
            Self::ClientKey => "clientkey",
            Self::SecurityLevel => "seclevel",
            Self::Version => "sslversion",
            Self::CipherSuite => "ciphersuite",
            Self::HostName => "hostname",
            Self::IgnoreLocalTime => "ignorelocaltime",
            Self::NegotiateTimeout => "negotiatetimeout",
        }
    }
}

impl fmt::Display for TlsValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Number(number) => write!(f, "{number}"),
            Self::Hex(number) => write!(f, "0X{number:04X}"),
        }
    }
}

impl Command {
    /// `AT+SSLCFG="key",<n>,<value>`: the number of the context is that of its channel.
    pub fn tls_setting(context: ChannelId, key: TlsKey, value: &TlsValue) -> Self {
        let text = format!("AT+SSLCFG=\"{}\",{context},{value}", key.as_str());
        Self::new(text, Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+SSLCFG="key",<n>,`: erases a setting. Without the last comma it would be a question.
    pub fn tls_erase(context: ChannelId, key: TlsKey) -> Self {
        Self::new(format!("AT+SSLCFG=\"{}\",{context},", key.as_str()), Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPSSL=1` or `=0`: the following connections use TLS, or not.
    pub fn tls_switch(on: bool) -> Self {
        Self::new(if on { "AT+CIPSSL=1" } else { "AT+CIPSSL=0" }, Shape::Plain, DEFAULT_TIMEOUT)
    }

    /// `AT+CIPSSL?`: `+CIPSSL: <n>`.
    pub fn tls_switch_state() -> Self {
        let shape = Shape::Info { keys: &["+CIPSSL"], accepts: |list| list.len() == 1 };
        Self::new("AT+CIPSSL?", shape, DEFAULT_TIMEOUT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_written_as_the_manual_shows() {
        let context = ChannelId::new(1).unwrap();
        let text = |key, value: &TlsValue| Command::tls_setting(context, key, value).text().to_owned();
        let name = TlsValue::Text(Quotable::new("server1.crt", 64).unwrap());
        assert_eq!(text(TlsKey::CaCertificate, &name), "AT+SSLCFG=\"cacert\",1,\"server1.crt\"");
        assert_eq!(text(TlsKey::SecurityLevel, &TlsValue::Number(2)), "AT+SSLCFG=\"seclevel\",1,2");
        assert_eq!(text(TlsKey::CipherSuite, &TlsValue::Hex(0x35)), "AT+SSLCFG=\"ciphersuite\",1,0X0035");
        assert_eq!(Command::tls_erase(context, TlsKey::HostName).text(), "AT+SSLCFG=\"hostname\",1,");
    }

    #[test]
    fn the_state_of_the_switch_is_not_mistaken_for_the_switch() {
        assert_eq!(Command::tls_switch(true).wire(), b"AT+CIPSSL=1\r\n");
        assert!(Command::tls_switch_state().has_key("+CIPSSL"));
    }
}
