//! TLS that the module speaks: what is uploaded, how a connection is prepared, and the one switch for all of them.

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
mod material;
mod pem;
mod preparation;
mod secret;
mod settings;
mod sha256;
mod step;
mod switch;

pub(crate) use material::MAX_INPUT;

pub use config::{CipherSuite, SecurityLevel, TlsConfig, TlsVersion};
pub use material::{Certificate, PrivateKey};
pub(super) use preparation::Preparation;
pub use settings::TlsSettings;
pub use step::{TlsFailure, TlsPart, TlsStep};
pub(super) use switch::{Security, Tls};
