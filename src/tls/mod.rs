//! The data of a TLS connection of the module: certificates and keys in the form that it takes, and the settings.
//! How a connection is prepared with it is the protocol's affair.

// Numbers from outside can be anything: no arithmetic on them overflows, no cast cuts them.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

mod base64;
mod config;
mod der;
#[cfg(feature = "encrypted-keys")]
mod encrypted;
mod label;
mod material;
mod parameters;
mod pem;
mod secret;
mod settings;
mod sha256;

pub(crate) use material::{File, MAX_INPUT};
pub(crate) use settings::{PARTS, Setting};

pub use config::TlsConfig;
pub use material::{Certificate, PrivateKey};
pub use parameters::{CipherSuite, SecurityLevel, TlsVersion};
pub use settings::TlsSettings;
