//! A figure with its goal, and the result of the comparison.

use std::time::Duration;

pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
    /// A figure for comparison or explanation.
    None,
}

pub(crate) fn report(what: &str, figure: f64, goal: Goal) {
    let (wanted, is_reached) = match goal {
        Goal::AtLeast(least) => (format!(">= {least}"), figure >= least),
        Goal::AtMost(most) => (format!("<= {most}"), figure <= most),
        Goal::None => (String::new(), true),
    };
    let short = if is_reached { "" } else { "  SHORT" };
    println!("  {what:<72} {figure:>9.3}  {wanted}{short}");
}

/// An absolute time, for illustration. It is no goal.
pub(crate) fn note(what: &str, span: Duration) {
    println!("  {what:<72} {:>9.1} us", span.as_secs_f64() * 1e6);
}

/// The span that `percent` of a hundred spans do not exceed.
pub(crate) fn percentile(spans: &mut [Duration], percent: usize) -> Duration {
    spans.sort_unstable();
    spans[(spans.len() - 1) * percent / 100]
}

pub(crate) fn ratio(span: Duration, to: Duration) -> f64 {
    span.as_secs_f64() / to.as_secs_f64()
}
