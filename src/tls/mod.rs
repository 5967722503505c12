//! The data of TLS connections of the module: certificates and keys in the form that the module accepts, and the
//! settings. `proto` prepares a connection with them.

// Numbers from outside can have any value: arithmetic must not overflow, and casts must not truncate.
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
