//! The wakers of tasks that wait for a result.
//!
//! A waker is code of the application: it may take locks, or drop a socket. So it is woken and dropped without the
//! lock: the core collects the wakers under the lock, and the lock's guard (`lock.rs`) wakes them after the release.
//!
//! Each future has a [`TaskKey`], by which its waker is removed when it is dropped.

use std::panic::{AssertUnwindSafe, catch_unwind};
#[cfg(feature = "async")]
use std::sync::atomic::{AtomicU64, Ordering};
#[cfg(feature = "async")]
use std::task::Context;
use std::task::Waker;

/// Wakers that are woken when this is dropped, after the release of the lock.
#[derive(Debug, Default)]
pub(crate) struct Woken {
    to_wake: Vec<Waker>,
    /// Wakers that are not needed any more.
    #[cfg(feature = "async")]
    to_drop: Vec<Waker>,
}

impl Drop for Woken {
    fn drop(&mut self) {
        for waker in self.to_wake.drain(..) {
            // A panic of a waker affects its own task only.
            if catch_unwind(AssertUnwindSafe(|| waker.wake())).is_err() {
                log::error!("the waker of a task has panicked");
            }
        }
    }
}

/// The wakers of futures that wait for the same.
#[derive(Debug, Default)]
pub(crate) struct Wakers(Vec<(TaskKey, Waker)>);

impl Wakers {
    /// Wakes all. Returns true if there were any.
    pub(crate) fn wake_all(&mut self, woken: &mut Woken) -> bool {
        let any = !self.0.is_empty();
        woken.to_wake.extend(self.0.drain(..).map(|(_, waker)| waker));
        any
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A future that waits, or a handle that is polled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TaskKey(u64);

#[cfg(feature = "async")]
impl TaskKey {
    /// A key that no other future has.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

#[cfg(feature = "async")]
impl Woken {
    pub(super) fn wake(&mut self, waker: Waker) {
        self.to_wake.push(waker);
    }

    pub(super) fn forget(&mut self, waker: Waker) {
        self.to_drop.push(waker);
    }
}

#[cfg(feature = "async")]
impl Wakers {
    /// The future waits, in the task that polls it now.
    pub(crate) fn wait(&mut self, key: TaskKey, cx: &Context<'_>, woken: &mut Woken) {
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, waker)) if waker.will_wake(cx.waker()) => {}
            Some((_, waker)) => woken.forget(std::mem::replace(waker, cx.waker().clone())),
            None => self.0.push((key, cx.waker().clone())),
        }
    }

    /// The future does not wait any more.
    pub(crate) fn quit(&mut self, key: TaskKey, woken: &mut Woken) {
        let quits = self.0.iter().position(|(known, _)| *known == key);
        woken.to_drop.extend(quits.map(|index| self.0.swap_remove(index).1));
    }
}

#[cfg(all(test, feature = "async"))]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    impl Counter {
        fn count(&self) -> usize {
            self.0.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn a_future_that_is_polled_again_or_by_another_task_has_one_waker() {
        let (first, second) = (Arc::new(Counter::default()), Arc::new(Counter::default()));
        let key = TaskKey::new();
        let (mut wakers, mut woken) = (Wakers::default(), Woken::default());
        for task in [&first, &first, &second] {
            wakers.wait(key, &Context::from_waker(&task.clone().into()), &mut woken);
        }
        assert!(wakers.wake_all(&mut woken));
        assert_eq!(second.count(), 0, "not under the lock");
        drop(woken);
        assert_eq!((first.count(), second.count()), (0, 1));
        assert!(!wakers.wake_all(&mut Woken::default()));
    }

    #[test]
    fn one_that_quits_is_not_woken_and_leaves_nothing() {
        let task = Arc::new(Counter::default());
        let (stays, quits) = (TaskKey::new(), TaskKey::new());
        let (mut wakers, mut woken) = (Wakers::default(), Woken::default());
        for key in [stays, quits] {
            wakers.wait(key, &Context::from_waker(&task.clone().into()), &mut woken);
        }
        wakers.quit(quits, &mut woken);
        wakers.wake_all(&mut woken);
        drop(woken);
        assert_eq!(task.count(), 1);
        assert_eq!(Arc::strong_count(&task), 1);
    }

    #[test]
    fn a_waker_that_panics_does_not_keep_others_from_being_woken() {
        struct Panics;
        impl Wake for Panics {
            fn wake(self: Arc<Self>) {
                panic!("as expected");
            }
        }
        let task = Arc::new(Counter::default());
        let mut woken = Woken::default();
        woken.to_wake.push(Arc::new(Panics).into());
        woken.to_wake.push(task.clone().into());
        drop(woken);
        assert_eq!(task.count(), 1);
    }
}
