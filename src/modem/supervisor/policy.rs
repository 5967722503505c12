//! The ladder of a supervisor: the recovery steps after failed connections, with their order and number. This file uses
//! neither a clock nor I/O. Its random numbers come from the system, unless [`Policy::seed`] is set.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// A recovery step.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Rung {
    /// Connect again.
    Retry,
    /// Take the bearer down (`AT+CIPSHUT`) and up again. Some cells need this after a few failures (protocol section
    /// 8).
    ResetBearer,
    /// Radio off for this span, then on (`AT+CFUN=0`, `=1`).
    FlightMode(Duration),
    /// Restart the module.
    Restart,
    /// Call the application's [power hook](crate::supervisor::Supervisor::power_hook): the reset pin or the supply.
    Power,
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retry => f.write_str("another attempt"),
            Self::ResetBearer => f.write_str("the bearer is taken down and up"),
            Self::FlightMode(span) => write!(f, "flight mode for {span:?}"),
            Self::Restart => f.write_str("the module is restarted"),
            Self::Power => f.write_str("the power hook is called"),
        }
    }
}

/// The ladder that a [`Supervisor`](crate::supervisor::Supervisor) climbs while connections fail. Each rung has a
/// number of attempts. When they are used up, the next rung follows; after the last rung, the first. A successful
/// connection resets the ladder to the first rung.
///
/// ```
/// use air724ug::supervisor::{Policy, Rung};
/// use std::time::Duration;
///
/// let policy = Policy::default().pause(Duration::from_secs(2)).ladder([(Rung::Retry, 3), (Rung::Restart, 1)]);
/// # let _ = policy;
/// ```
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct Policy {
    /// The rungs, the first one first, and the number of attempts of each. Default: see [`Policy::default`].
    pub ladder: Vec<(Rung, u32)>,
    /// The pause between attempts. It doubles from rung to rung, up to [`max_pause`](Self::max_pause). Default 5 s, as
    /// in the official library; at least 10 ms, because some attempts fail at once.
    pub pause: Duration,
    /// The longest pause. Default 60 s.
    pub max_pause: Duration,
    /// The part of each pause that is random, 0 to 1. It spreads the reconnects of devices that lost the same cell at
    /// the same moment. Values below 0 and NaN count as 0, values above 1 as 1. Default 0.25.
    pub jitter: f64,
    /// The longest time until the module is ready. A longer time counts as a failure. Default 90 s, as in the official
    /// library.
    pub ready_timeout: Duration,
    /// The longest time of one connect. Default 120 s.
    pub connect_timeout: Duration,
    /// The seed of the jitter, for runs that are to be reproduced. Default `None`: the system provides a different seed
    /// for each supervisor, within a process and between processes.
    pub seed: Option<u64>,
}

/// Three retries, two resets of the bearer, flight mode for 20 s twice, one restart, then the power hook.
impl Default for Policy {
    fn default() -> Self {
        let flight_mode = Rung::FlightMode(Duration::from_secs(20));
        Self {
            ladder: vec![
                (Rung::Retry, 3),
                (Rung::ResetBearer, 2),
                (flight_mode, 2),
                (Rung::Restart, 1),
                (Rung::Power, 1),
            ],
            pause: Duration::from_secs(5),
            max_pause: Duration::from_secs(60),
            jitter: 0.25,
            ready_timeout: Duration::from_secs(90),
            connect_timeout: Duration::from_secs(120),
            seed: None,
        }
    }
}

impl Policy {
    /// The policy of the official library: 5 s between attempts, flight mode for 20 s after `failures` failed connects,
    /// then a restart of the module.
    pub fn luatos(failures: u32) -> Self {
        let ladder =
            vec![(Rung::Retry, failures), (Rung::FlightMode(Duration::from_secs(20)), 1), (Rung::Restart, 1)];
        Self { ladder, max_pause: Duration::from_secs(5), jitter: 0.0, ..Self::default() }
    }

    /// Sets the [rungs](Self::ladder).
    #[must_use]
    pub fn ladder(self, ladder: impl Into<Vec<(Rung, u32)>>) -> Self {
        Self { ladder: ladder.into(), ..self }
    }

    /// Sets the [pause](Self::pause) between attempts.
    #[must_use]
    pub fn pause(self, pause: Duration) -> Self {
        Self { pause, ..self }
    }

    /// Sets the [jitter](Self::jitter), 0 to 1.
    #[must_use]
    pub fn jitter(self, jitter: f64) -> Self {
        Self { jitter, ..self }
    }

    /// Sets the [seed of the jitter](Self::seed).
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed: Some(seed), ..self }
    }

    /// Sets the longest time until the module is [ready](Self::ready_timeout).
    #[must_use]
    pub fn ready_timeout(self, ready_timeout: Duration) -> Self {
        Self { ready_timeout, ..self }
    }

    /// Sets the longest time of one [connect](Self::connect_timeout).
    #[must_use]
    pub fn connect_timeout(self, connect_timeout: Duration) -> Self {
        Self { connect_timeout, ..self }
    }
}

/// The shortest pause between attempts: attempts that fail at once must not keep a processor busy.
const MIN_PAUSE: Duration = Duration::from_millis(10);

/// The position on the ladder.
#[derive(Debug)]
pub(super) struct Ladder {
    policy: Policy,
    rung: usize,
    tries: u32,
    chance: u64,
}

/// The next attempt after a failure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Attempt {
    pub(super) rung: Rung,
    /// The span to wait before the next connect.
    pub(super) pause: Duration,
}

impl Ladder {
    pub(super) fn new(policy: Policy) -> Self {
        let chance = policy.seed.unwrap_or_else(seed_of_the_system);
        Self { policy, rung: 0, tries: 0, chance }
    }

    pub(super) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// A connection was made.
    pub(super) fn succeeded(&mut self) {
        self.rung = 0;
        self.tries = 0;
    }

    /// A connection failed. Returns the next attempt.
    pub(super) fn failed(&mut self) -> Attempt {
        let ladder = &self.policy.ladder;
        let usable = ladder.iter().any(|(_, times)| *times > 0);
        while usable && self.tries >= ladder[self.rung].1 {
            self.rung = (self.rung + 1) % ladder.len();
            self.tries = 0;
        }
        let rung = if usable { ladder[self.rung].0 } else { Rung::Retry };
        self.tries = self.tries.saturating_add(1);
        let pause = self.policy.pause.saturating_mul(2u32.saturating_pow(self.rung.min(16) as u32));
        Attempt { rung, pause: self.vary(pause.min(self.policy.max_pause)).max(MIN_PAUSE) }
    }

    /// The pause, shortened at random within the jitter.
    fn vary(&mut self, pause: Duration) -> Duration {
        let fraction = (next(&mut self.chance) >> 11) as f64 / (1u64 << 53) as f64;
        let jitter = if self.policy.jitter.is_nan() { 0.0 } else { self.policy.jitter.clamp(0.0, 1.0) };
        let left_to_chance = Duration::try_from_secs_f64(pause.as_secs_f64() * jitter * fraction);
        // The conversion fails for spans beyond the range of `Duration` only; such a pause has no jitter.
        pause.saturating_sub(left_to_chance.unwrap_or_default())
    }
}

/// A number that differs between calls and processes, from the random keys of the standard library's hash tables.
fn seed_of_the_system() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// The next pseudo-random number (SplitMix64). Neighbouring states give unrelated numbers.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rung_has_its_budget_and_the_top_leads_to_the_bottom() {
        let mut ladder = Ladder::new(Policy::default());
        let rungs: Vec<_> = (0..10).map(|_| ladder.failed().rung).collect();
        let flight = Rung::FlightMode(Duration::from_secs(20));
        let expected = [
            Rung::Retry,
            Rung::Retry,
            Rung::Retry,
            Rung::ResetBearer,
            Rung::ResetBearer,
            flight,
            flight,
            Rung::Restart,
            Rung::Power,
            Rung::Retry,
        ];
        assert_eq!(rungs, expected);
    }

    #[test]
    fn success_leads_back_to_the_bottom() {
        let mut ladder = Ladder::new(Policy::default());
        for _ in 0..5 {
            ladder.failed();
        }
        ladder.succeeded();
        assert_eq!(ladder.failed().rung, Rung::Retry);
    }

    #[test]
    fn pauses_grow_within_their_bounds_and_depend_on_the_seed_alone() {
        let pauses = |seed| {
            let mut ladder = Ladder::new(Policy::default().seed(seed));
            (0..9).map(|_| ladder.failed().pause).collect::<Vec<_>>()
        };
        assert_eq!(pauses(7), pauses(7));
        assert_ne!(pauses(7), pauses(8));
        let seconds = Duration::from_secs;
        assert!(pauses(7)[..3].iter().all(|pause| (seconds(3)..=seconds(5)).contains(pause)));
        assert!(pauses(7)[8] >= seconds(45) && pauses(7)[8] <= seconds(60));
    }

    #[test]
    fn no_two_supervisors_pause_alike_from_the_first_pause_on() {
        let policy = Policy::default();
        let first = |policy: &Policy| Ladder::new(policy.clone()).failed().pause;
        let mut pauses: Vec<_> = (0..100).map(|_| first(&policy)).collect();
        pauses.sort_unstable();
        pauses.dedup();
        assert_eq!(pauses.len(), 100, "of one policy, cloned");
        // All of the jitter is used, and neighbouring seeds have nothing in common.
        assert!(pauses[99] - pauses[0] > Duration::from_secs(1), "{:?} to {:?}", pauses[0], pauses[99]);
        let of_seeds: Vec<_> = (0..5).map(|seed| first(&Policy::default().seed(seed))).collect();
        let apart = |pair: &[Duration]| pair[0].abs_diff(pair[1]) > Duration::from_millis(10);
        assert!(of_seeds.windows(2).all(apart), "{of_seeds:?}");
    }

    #[test]
    fn no_setting_breaks_the_ladder() {
        let spans = [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(5), Duration::MAX];
        let jitters = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, 0.5, 1.0, 7.0];
        let rungs = [(Rung::Retry, 1), (Rung::FlightMode(Duration::MAX), 1), (Rung::Power, u32::MAX)];
        for (pause, max_pause) in spans.iter().flat_map(|pause| spans.map(|max_pause| (*pause, max_pause))) {
            for jitter in jitters {
                for seed in [0, 1, u64::MAX] {
                    let policy = Policy { pause, max_pause, jitter, ..Policy::default() }.seed(seed);
                    let mut ladder = Ladder::new(policy.ladder(rungs));
                    for _ in 0..20 {
                        let pause = ladder.failed().pause;
                        assert!(pause >= MIN_PAUSE && pause <= max_pause.max(MIN_PAUSE), "{pause:?}");
                    }
                }
            }
        }
        let endless = Policy { jitter: f64::NAN, max_pause: Duration::MAX, ..Policy::default() };
        assert_eq!(Ladder::new(endless.pause(Duration::MAX)).failed().pause, Duration::MAX);
    }

    #[test]
    fn the_luatos_policy_goes_to_flight_mode_after_its_failures() {
        let mut ladder = Ladder::new(Policy::luatos(2));
        assert_eq!(ladder.failed(), Attempt { rung: Rung::Retry, pause: Duration::from_secs(5) });
        ladder.failed();
        assert_eq!(ladder.failed().rung, Rung::FlightMode(Duration::from_secs(20)));
    }

    #[test]
    fn an_empty_ladder_only_retries() {
        let mut ladder = Ladder::new(Policy::default().ladder([(Rung::Restart, 0)]));
        assert_eq!(ladder.failed().rung, Rung::Retry);
        assert_eq!(Ladder::new(Policy::default().ladder([])).failed().rung, Rung::Retry);
    }
}
