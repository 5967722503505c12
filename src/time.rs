//! Moments that are arguments, and are not read from the system's clock.
//!
//! The core never reads the time: it is an argument of each call. So a [`Timestamp`] can be made from any number,
//! printed, stored in a capture and compared, which [`std::time::Instant`] does not allow.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// A moment, in nanoseconds since an origin of the caller's choice. The driver uses the moment at which the port was
/// opened.
///
/// ```
/// use air724ug::time::Timestamp;
/// use std::time::Duration;
///
/// let asked_at = Timestamp::from_millis(1_500);
/// let answered_at = asked_at + Duration::from_micros(250);
/// assert_eq!(answered_at - asked_at, Duration::from_micros(250));
/// assert_eq!(answered_at.to_string(), "1.500250");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    nanos: u64,
}

impl Timestamp {
    /// The origin.
    pub const ZERO: Self = Self { nanos: 0 };
    /// Later than any moment that a session reaches (584 years after the origin).
    pub const MAX: Self = Self { nanos: u64::MAX };

    /// The moment this many nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self { nanos }
    }

    /// The moment this many microseconds after the origin.
    pub const fn from_micros(micros: u64) -> Self {
        Self { nanos: micros.saturating_mul(1_000) }
    }

    /// The moment this many milliseconds after the origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self { nanos: millis.saturating_mul(1_000_000) }
    }

    /// The moment this many seconds after the origin.
    pub const fn from_secs(secs: u64) -> Self {
        Self { nanos: secs.saturating_mul(1_000_000_000) }
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.nanos
    }

    /// Whole microseconds since the origin.
    pub const fn as_micros(self) -> u64 {
        self.nanos / 1_000
    }

    /// Whole milliseconds since the origin.
    pub const fn as_millis(self) -> u64 {
        self.nanos / 1_000_000
    }

    /// The span since the origin.
    pub const fn since_origin(self) -> Duration {
        Duration::from_nanos(self.nanos)
    }

    /// The span from `earlier` to this moment; zero if `earlier` is later.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos.saturating_sub(earlier.nanos))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    /// Saturates at [`Timestamp::MAX`]: a time-out of `Duration::MAX` means never.
    fn add(self, span: Duration) -> Self {
        let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self { nanos: self.nanos.saturating_add(nanos) }
    }
}

impl AddAssign<Duration> for Timestamp {
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

impl Sub for Timestamp {
    type Output = Duration;

    /// Zero if `earlier` is later.
    fn sub(self, earlier: Self) -> Duration {
        self.saturating_since(earlier)
    }
}

/// Seconds with six decimals.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.nanos / 1_000_000_000, self.nanos % 1_000_000_000 / 1_000)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_out_of_forever_saturates() {
        assert_eq!(Timestamp::from_secs(9) + Duration::MAX, Timestamp::MAX);
    }

    #[test]
    fn a_span_backwards_is_zero() {
        assert_eq!(Timestamp::ZERO - Timestamp::from_secs(1), Duration::ZERO);
    }

    #[test]
    fn prints_seconds_and_microseconds() {
        assert_eq!(format!("{:?}", Timestamp::from_nanos(12_000_345_999)), "12.000345s");
    }
}
