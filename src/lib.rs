//! Real sockets on an Air724UG LTE Cat.1 modem.

pub mod at;
pub mod capture;
pub mod config;
pub mod error;
pub mod proto;
pub mod time;

#[cfg(feature = "sim")]
pub mod sim;

pub use config::{Config, FlowControl, ReceiveMode};
pub use error::{CloseReason, Error, NotReady, Result};
