//! Real TLS handshakes of the simulated modem, with feature `sim-tls`. The driver's part of TLS is tested in
//! `tests/core`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failing call shall fail the test, also in a helper"
)]

#[path = "../support/mod.rs"]
mod support;

mod sim_tls;
mod tls_real;
