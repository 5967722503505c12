//! The text protocol of the module: bytes to tokens and back.

mod cme;
mod cms;
mod code_table;
mod transport_error;

pub use cme::CmeError;
pub use cms::CmsError;
pub use transport_error::{TcpError, UdpError};
