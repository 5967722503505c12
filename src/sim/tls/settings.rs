//! `AT+SSLCFG`: the settings of each context, as text until a session uses them.

use std::collections::BTreeMap;

/// One key of `AT+SSLCFG`.
#[derive(Debug)]
pub(in crate::sim) struct Key {
    pub(in crate::sim) name: &'static str,
    /// The value until it is set; empty: none.
    pub(in crate::sim) default: &'static str,
    pub(in crate::sim) allows: fn(&str) -> bool,
}

/// Every key (manual, SSLCFG). The manual gives no defaults: those here are assumed, except `sslversion`, which is in
/// the profile, and `ignorelocaltime`, which is off because a wrong clock makes connects fail (protocol.md section 14).
pub(in crate::sim) const KEYS: &[Key] = &[
    key("sslversion", "4", |value| is_number(value, 0, 4)),
    key("ciphersuite", "0XFFFF", is_cipher_suite),
    key("cacert", "", is_name),
    key("clientcert", "", is_name),
    key("clientkey", "", is_name),
    key("seclevel", "0", |value| is_number(value, 0, 2)),
    key("hostname", "", |value| is_name(value) && value.is_ascii()),
    key("ignorelocaltime", "0", |value| is_number(value, 0, 1)),
    key("negotiatetimeout", "300", |value| is_number(value, 10, 300)),
    key("clientrandom", "", |value| matches!(value.len(), 56 | 64) && is_hex(value)),
    key("premaster", "", |value| value.len() <= MAX_VALUE && is_hex(value)),
    key("verifymode", "0", |value| is_number(value, 0, 1)),
];

/// The longest value (limits memory, assumed).
const MAX_VALUE: usize = 256;
/// Manual, SSLCFG.
const CIPHER_SUITES: [&str; 7] = ["0X0035", "0X002F", "0X0005", "0X0004", "0X000A", "0X003D", "0XFFFF"];

const fn key(name: &'static str, default: &'static str, allows: fn(&str) -> bool) -> Key {
    Key { name, default, allows }
}

fn is_number(value: &str, least: u16, most: u16) -> bool {
    value.parse().is_ok_and(|number: u16| (least..=most).contains(&number))
}

fn is_cipher_suite(value: &str) -> bool {
    CIPHER_SUITES.contains(&value.to_uppercase().as_str())
}

fn is_name(value: &str) -> bool {
    !value.is_empty() && value.len() <= MAX_VALUE
}

fn is_hex(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// All contexts: a channel's number, 34 FTP, 88 MQTT, 153 HTTP. A reboot deletes them (assumed).
#[derive(Clone, Debug, Default)]
pub(in crate::sim) struct SslContexts {
    values: BTreeMap<(u16, &'static str), String>,
    version: &'static str,
}

impl SslContexts {
    /// Contexts with the profile's `sslversion`.
    pub(in crate::sim) fn new(version: &'static str) -> Self {
        Self { values: BTreeMap::new(), version }
    }

    pub(in crate::sim) fn value(&self, context: u16, name: &str) -> &str {
        let key = KEYS.iter().find(|key| key.name == name);
        let set = key.and_then(|key| self.values.get(&(context, key.name)));
        match (set, name) {
            (Some(value), _) => value,
            (None, "sslversion") => self.version,
            (None, _) => key.map_or("", |key| key.default),
        }
    }

    pub(in crate::sim) fn number(&self, context: u16, name: &str) -> u64 {
        self.value(context, name).parse().unwrap_or(0)
    }

    pub(in crate::sim) fn set(&mut self, context: u16, key: &'static Key, value: &str) {
        self.values.insert((context, key.name), value.to_owned());
    }

    pub(in crate::sim) fn erase(&mut self, context: u16, key: &'static Key) {
        self.values.remove(&(context, key.name));
    }
}
