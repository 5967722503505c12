//! Real handshakes of the simulated modem, with feature `sim-tls`; the driver's own part of TLS is tested in `tests/core`.

#[path = "../support/mod.rs"]
mod support;

mod sim_tls;
mod tls_real;
