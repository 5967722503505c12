//! Real sockets on an Air724UG LTE Cat.1 modem.

pub mod at;
pub mod capture;
pub mod time;

#[cfg(feature = "sim")]
pub mod sim;
