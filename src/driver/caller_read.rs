//! The read of the port by a caller until its answer is there. No other thread has to run meanwhile.

use std::io;

use super::answers::Answer;
use super::core::Core;
use super::lock::CoreGuard;
use super::shared::Shared;
use crate::port::DirectRead;
use crate::proto::Request;
use crate::time::Timestamp;

/// Whether a call with this request reads the port. A call that waits for the network or for other calls does not
/// read the port: it would wake up for the answers of all other calls, and its thread may have a lower priority.
pub(super) fn suits(request: &Request) -> bool {
    use Request::{Run, RunWithPayload, Send, Unacknowledged};
    matches!(request, Run(_) | RunWithPayload { .. } | Send { .. } | Unacknowledged { .. })
}

/// The port while a caller reads it, or nothing. Dropping it returns the port to the thread.
pub(super) struct CallerRead<'a> {
    shared: &'a Shared,
    /// The readable end, and the number of its port.
    direct_read: Option<(Box<dyn DirectRead>, u64)>,
}

impl<'a> CallerRead<'a> {
    /// Creates it without a port, before anything can fail.
    pub(super) fn nothing(shared: &'a Shared) -> Self {
        Self { shared, direct_read: None }
    }

    /// Takes the port if it is free.
    pub(super) fn take(&mut self, core: &mut Core) {
        self.direct_read = core.take_direct_read().zip(core.port_number());
    }

    /// Reads until the answer is there, and returns the core that has it. `None` if this caller does not read the port,
    /// or may not any more; then it has returned the port.
    pub(super) fn until(
        &mut self,
        answer: &Answer,
        mut deadline: Option<Timestamp>,
    ) -> Option<CoreGuard<'a>> {
        let shared = self.shared;
        while !answer.is_here() {
            let (direct_read, number) = self.direct_read.as_mut()?;
            let number = *number;
            let timeout = deadline.map(|deadline| deadline - shared.now());
            let read = direct_read.wait(timeout).and_then(|()| direct_read.read());
            let bytes = match read {
                // The thread will see the end or the error as well.
                Ok([]) => None,
                Ok(bytes) => Some(bytes),
                Err(error) if is_nothing(&error) => Some(&[][..]),
                Err(_) => None,
            };
            let mut core = shared.lock();
            let is_its = |core: &Core| core.port_number() == Some(number);
            if let Some(bytes) = bytes.filter(|_| is_its(&core)) {
                core.received_by_caller(shared.now(), bytes);
                shared.wake_if(core.wants_writer());
                if answer.is_here() {
                    return Some(core);
                }
                if is_its(&core) {
                    deadline = core.deadline();
                    shared.relieve(core);
                    continue;
                }
            }
            self.end(&mut core);
            shared.leave_to_thread(&mut core);
        }
        None
    }

    /// Returns the port to the thread.
    pub(super) fn end(&mut self, core: &mut Core) {
        let Some((direct_read, number)) = self.direct_read.take() else { return };
        if core.give_back(direct_read, number).is_err() {
            // The thread can't wait for the port any more.
            core.port_ended(self.shared.now(), number, "it can't be waited on any more");
        }
        if core.port_number() != Some(number) {
            // The thread may wait for this.
            self.shared.given_back.notify_all();
        }
        self.shared.wake_if(core.wants_no_deadline());
    }
}

impl Drop for CallerRead<'_> {
    fn drop(&mut self) {
        if self.direct_read.is_some() {
            let mut core = self.shared.lock();
            self.end(&mut core);
            self.shared.leave_to_thread(&mut core);
        }
    }
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
