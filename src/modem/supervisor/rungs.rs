//! The rungs of the ladder.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::policy::Rung;
use super::{Deadline, LadderLock, PowerHook, Supervisor};
use crate::error::{Error, Result};
use crate::proto::Request;

impl Supervisor {
    /// Runs a step, and marks the ladder as free.
    pub(super) fn climb(&self, rung: Rung, deadline: Deadline) -> Result<()> {
        let _on_ladder = LadderGuard(self);
        match rung {
            Rung::Retry => Ok(()),
            Rung::ResetBearer => self.request(Request::ResetBearer, deadline),
            Rung::FlightMode(span) => {
                let Some(done) = self.request_within(Request::Radio { on: false }, deadline) else {
                    // The radio may still be switched off.
                    self.lock().is_radio_pending = true;
                    return Err(unfinished());
                };
                done?;
                self.wait(span.min(deadline.left()));
                self.radio_on(deadline)
            }
            Rung::Restart => self.request(Request::Restart, deadline),
            Rung::Power => {
                let hook = self.lock().power_hook.take();
                let Some(mut hook) = hook else {
                    return self.request(Request::Restart, deadline);
                };
                let called = catch_unwind(AssertUnwindSafe(&mut hook));
                // If the application has set another function meanwhile, this one is dropped, without the lock.
                let replaced = self.put_back(hook);
                drop(replaced);
                called.map_err(|_| Error::Io(io::Error::other("the power hook panicked")))
            }
        }
    }

    /// Ends a flight mode, now or at the next attempt.
    pub(super) fn radio_on(&self, deadline: Deadline) -> Result<()> {
        let done = self.request_within(Request::Radio { on: true }, deadline);
        self.lock().is_radio_pending = matches!(done, None | Some(Err(Error::PortLost(_))));
        done.unwrap_or_else(|| Err(unfinished()))
    }

    /// Makes a request of a step.
    fn request(&self, request: Request, deadline: Deadline) -> Result<()> {
        self.request_within(request, deadline).unwrap_or_else(|| Err(unfinished()))
    }

    /// Makes a request of a step. `None` if the deadline passes before its answer; the request continues.
    fn request_within(&self, request: Request, deadline: Deadline) -> Option<Result<()>> {
        let answer = self.shared.modem.driver.call_within(request, deadline.left())?;
        Some(answer.map(drop))
    }

    /// Stores a hook for the next time. Returns it if there is another one by now.
    fn put_back(&self, hook: PowerHook) -> Option<PowerHook> {
        let mut state = self.lock();
        match state.power_hook {
            Some(_) => Some(hook),
            None => state.power_hook.replace(hook),
        }
    }
}

/// Marks the ladder as free when dropped.
struct LadderGuard<'a>(&'a Supervisor);

impl Drop for LadderGuard<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.climber = LadderLock::Free;
        state.steps += 1;
    }
}

/// The error of a step that has not ended within the time-out of its call.
fn unfinished() -> Error {
    Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the step goes on after the time-out of its call"))
}
