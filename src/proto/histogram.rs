//! A histogram of durations with buckets of doubling width and constant memory.

use std::time::Duration;

/// Spans of time, counted by size.
///
/// The upper bound of bucket *n* is 250 µs times 2 to the power of *n*: 250 µs, 500 µs, 1 ms, 2 ms ... 524.288 s (*n* =
/// 21). The last bucket holds longer spans. A quantile is therefore exact to a factor of two; count, mean and maximum
/// are exact.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Histogram {
    buckets: [u64; Self::BUCKETS],
    count: u64,
    total: Duration,
    max: Duration,
}

/// The upper bound of the first bucket. A command and its answer take longer, even at 921600 baud.
const FIRST: Duration = Duration::from_micros(250);

impl Histogram {
    /// How many buckets there are.
    pub const BUCKETS: usize = 23;

    /// The number of spans.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; `None` if there are none.
    pub fn mean(&self) -> Option<Duration> {
        if self.count == 0 {
            return None;
        }
        let nanos = self.total.as_nanos() / u128::from(self.count);
        Some(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    /// The longest; `None` if there are none.
    pub fn max(&self) -> Option<Duration> {
        (self.count > 0).then_some(self.max)
    }

    /// The quantile for `part`, 0 to 1: that part of the spans is not longer, for example `quantile(0.99)`. The result
    /// is the upper bound of a bucket, or the longest span if that is less. `None` if nothing was counted.
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        // NaN and parts of less than one span give the shortest span.
        let rank = ((part.clamp(0.0, 1.0) * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        let mut below = 0;
        let bucket = self.buckets.iter().position(|count| {
            below += count;
            below >= rank
        })?;
        Some(Self::bound(bucket).min(self.max))
    }

    /// The buckets: their upper bounds, which belong to them, and how many spans are in each. The bound of the last is
    /// [`Duration::MAX`].
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        self.buckets.iter().enumerate().map(|(bucket, count)| (Self::bound(bucket), *count))
    }

    pub(super) fn add(&mut self, span: Duration) {
        let firsts = span.as_nanos().div_ceil(FIRST.as_nanos());
        let doublings = firsts.max(1).next_power_of_two().trailing_zeros() as usize;
        self.buckets[doublings.min(Self::BUCKETS - 1)] += 1;
        self.count += 1;
        self.total = self.total.saturating_add(span);
        self.max = self.max.max(span);
    }

    fn bound(bucket: usize) -> Duration {
        if bucket + 1 < Self::BUCKETS { FIRST * (1 << bucket) } else { Duration::MAX }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(spans: &[Duration]) -> Histogram {
        let mut histogram = Histogram::default();
        spans.iter().for_each(|span| histogram.add(*span));
        histogram
    }

    /// The bucket that a span is in.
    fn bucket(span: Duration) -> usize {
        of(&[span]).buckets.iter().position(|count| *count == 1).unwrap()
    }

    #[test]
    fn a_bound_belongs_to_the_bucket_below_it() {
        let nano = Duration::from_nanos(1);
        assert_eq!((bucket(Duration::ZERO), bucket(FIRST), bucket(FIRST + nano)), (0, 0, 1));
        for (at, (bound, _)) in of(&[]).buckets().enumerate().take(Histogram::BUCKETS - 1) {
            assert_eq!((bucket(bound), bucket(bound + nano)), (at, at + 1), "{bound:?}");
        }
        let last = Duration::from_millis(524_288);
        assert_eq!((bucket(last), bucket(last + nano), bucket(Duration::MAX)), (21, 22, 22));
        assert_eq!(of(&[]).buckets().last(), Some((Duration::MAX, 0)));
    }

    #[test]
    fn count_mean_and_max_are_exact() {
        let millis = Duration::from_millis;
        let histogram = of(&[millis(1), millis(2), millis(9)]);
        assert_eq!(
            (histogram.count(), histogram.mean(), histogram.max()),
            (3, Some(millis(4)), Some(millis(9)))
        );
        assert_eq!((of(&[]).count(), of(&[]).mean(), of(&[]).max()), (0, None, None));
        let endless = of(&[Duration::MAX, Duration::MAX]);
        assert_eq!(endless.max(), Some(Duration::MAX));
        assert!(endless.mean() > Some(millis(1)));
    }

    #[test]
    fn a_quantile_is_the_bound_of_its_bucket_but_never_more_than_the_longest() {
        let millis = Duration::from_millis;
        let mut spans = vec![millis(3); 98];
        spans.extend([millis(100), millis(700)]);
        let histogram = of(&spans);
        assert_eq!(histogram.quantile(0.5), Some(millis(4)));
        assert_eq!(histogram.quantile(0.98), Some(millis(4)));
        assert_eq!(histogram.quantile(0.99), Some(millis(128)));
        assert_eq!(histogram.quantile(1.0), Some(millis(700)));
        for low in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(histogram.quantile(low), Some(millis(4)), "{low}");
        }
        assert_eq!(histogram.quantile(f64::INFINITY), Some(millis(700)));
        assert_eq!(of(&[]).quantile(0.5), None);
        assert_eq!(of(&[Duration::MAX]).quantile(0.5), Some(Duration::MAX));
    }
}
