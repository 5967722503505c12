//! A module that starts quickly, for tests in which it restarts.

use air724ug::sim::{BootLine, Profile, Settings};

/// The default module, which starts and registers in a twentieth of the time.
pub fn quick_start() -> Settings {
    const BY: u32 = 20;
    let mut profile = Profile::air724();
    let quicker = |line: &BootLine| BootLine { after_millis: line.after_millis / BY, ..*line };
    profile.boot = profile.boot.iter().map(quicker).collect::<Vec<_>>().leak();
    profile.registered_after /= BY;
    let registration_time = Settings::default().registration_time / BY;
    Settings::default().profile(profile).registration_time(registration_time)
}
