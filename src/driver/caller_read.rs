//! The read of the port by a caller until its answer is there. No other thread has to run meanwhile.

use std::io;

use super::answers::Answer;
use super::core::Core;
use super::shared::Shared;
use crate::port::DirectRead;
use crate::proto::Request;
use crate::time::Timestamp;

/// The largest read. Answers are shorter.
const READ: usize = 4 * 1024;

/// Whether a call with this request reads the port. A call that waits for the network or for other calls does not: it would wake up for
/// the answers of all others, and may have a lower priority than they have.
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

    /// Reads until the answer is there, or this caller may not read the port any more. Then it returns the port.
    pub(super) fn until(&mut self, answer: &Answer, mut deadline: Option<Timestamp>) {
        let mut buf = [0; READ];
        while !answer.is_here() {
            let Some((direct_read, number)) = &mut self.direct_read else { return };
            let timeout = deadline.map(|deadline| deadline - self.shared.now());
            let read = direct_read.wait(timeout).and_then(|()| direct_read.read(&mut buf));
            let count = match read {
                Ok(count @ 1..) => Some(count),
                Err(error) if is_nothing(&error) => Some(0),
                // The thread will see the end or the error as well.
                Ok(0) | Err(_) => None,
            };
            let mut core = self.shared.lock();
            let is_its = |core: &Core| core.port_number() == Some(*number);
            if let Some(count) = count.filter(|_| is_its(&core)) {
                core.received_by_caller(self.shared.now(), &buf[..count]);
                self.shared.wake_if(core.wants_writer());
                deadline = core.deadline();
                if is_its(&core) {
                    if !answer.is_here() {
                        self.shared.relieve(core);
                    }
                    continue;
                }
            }
            self.end(&mut core);
            self.shared.wake_if(core.wants_watch());
        }
    }

    /// Returns the port to the thread.
    pub(super) fn end(&mut self, core: &mut Core) {
        let Some((direct_read, number)) = self.direct_read.take() else { return };
        if core.give_back(direct_read, number).is_err() {
            // The thread can't wait for the port any more.
            core.port_ended(self.shared.now(), number, "it can't be waited on any more");
        }
        self.shared.given_back.notify_all();
        self.shared.wake_if(core.wants_no_deadline());
    }
}

impl Drop for CallerRead<'_> {
    fn drop(&mut self) {
        if self.direct_read.is_some() {
            let mut core = self.shared.lock();
            self.end(&mut core);
            self.shared.wake_if(core.wants_watch());
        }
    }
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
