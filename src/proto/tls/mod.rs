//! How a TLS connection of the module is prepared, and the one switch for all of them.

// Numbers from outside can be anything: no arithmetic on them overflows, no cast cuts them.
#![cfg_attr(
    not(test),
    deny(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, clippy::string_slice)
)]

mod preparation;
mod switch;

pub(super) use preparation::Preparation;
pub(super) use switch::{Security, Tls};
