//! The lock on the core. Tasks are woken after it is released.

use std::ops::{Deref, DerefMut};
use std::sync::MutexGuard;

use super::core::Core;
use super::tasks::Woken;

/// The guard of the lock on the core. Tasks that were woken under the lock run after its release.
pub(super) struct CoreGuard<'a> {
    // Dropped in this order.
    core: MutexGuard<'a, Core>,
    woken: Woken,
}

impl<'a> CoreGuard<'a> {
    pub(super) fn new(core: MutexGuard<'a, Core>) -> Self {
        Self { core, woken: Woken::default() }
    }
}

impl Deref for CoreGuard<'_> {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.core
    }
}

impl DerefMut for CoreGuard<'_> {
    fn deref_mut(&mut self) -> &mut Core {
        &mut self.core
    }
}

impl Drop for CoreGuard<'_> {
    fn drop(&mut self) {
        self.woken = self.core.take_woken();
    }
}
