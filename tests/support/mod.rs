//! Helpers of several test programs, the benches and the fuzz targets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failing call shall fail the test, also in a helper"
)]
#![allow(dead_code, unreachable_pub, reason = "each program uses its own part")]

#[cfg(unix)]
pub mod driver;
pub mod hostile;
pub mod material;
pub mod pair;
pub mod quick_start;
pub mod random;
pub mod scripts;
pub mod sim;
pub mod tls;
