//! Heartbeats whose words the application makes up.

use std::sync::Arc;

use super::Shared;
use crate::proto::{Request, SocketId};

/// Says what the heartbeat with this number is.
pub(crate) type Says = dyn Fn(u64) -> Vec<u8> + Send + Sync;

/// Who makes up the words of which socket, and which are due.
#[derive(Default)]
pub(super) struct Beats {
    says: Vec<(SocketId, Arc<Says>)>,
    due: Vec<Beat>,
}

/// A heartbeat that is due.
pub(super) struct Beat {
    socket: SocketId,
    count: u64,
    says: Arc<Says>,
}

impl Beats {
    pub(super) fn set(&mut self, socket: SocketId, says: Option<Arc<Says>>) {
        self.says.retain(|(known, _)| *known != socket);
        self.says.extend(says.map(|says| (socket, says)));
    }

    pub(super) fn push(&mut self, socket: SocketId, count: u64) {
        if let Some((_, says)) = self.says.iter().find(|(known, _)| *known == socket) {
            self.due.push(Beat { socket, count, says: says.clone() });
        }
    }

    pub(super) fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    pub(super) fn take(&mut self) -> Vec<Beat> {
        std::mem::take(&mut self.due)
    }
}

/// Asks the application and queues what it says. Never under the lock: its code may take its time, or use the modem.
pub(super) fn run(shared: &Shared, due: Vec<Beat>) {
    for Beat { socket, count, says } in due {
        let data = says(count);
        if !data.is_empty() {
            shared.lock().tell(shared.now(), Request::Queue { socket, data });
        }
    }
}
