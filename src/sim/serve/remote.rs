//! Orders to a modem that runs on a pseudo-terminal.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use crate::sim::{Control, State, Waker};

/// Makes the two ends of a remote control: one for the program that gives orders, one for [`run`](super::run).
///
/// # Errors
///
/// If the system has no file descriptors left.
pub fn remote() -> io::Result<(Remote, Inbox)> {
    let (bell, ear) = Bell::new()?;
    let (sender, messages) = unbounded();
    let remote = Remote { sender, bell: Arc::new(bell) };
    let inbox = Inbox { messages, ear, bell: remote.bell.clone() };
    Ok((remote, inbox))
}

/// A message of a remote.
#[derive(Debug)]
pub(super) enum Message {
    Control(Control),
    State(Sender<State>),
}

/// Sends orders. Clones send orders to the same modem.
#[derive(Clone, Debug)]
pub struct Remote {
    sender: Sender<Message>,
    bell: Arc<Bell>,
}

impl Remote {
    /// Changes the modem's environment; `false` when the modem does not run any more.
    pub fn send(&self, control: Control) -> bool {
        self.say(Message::Control(control))
    }

    /// The state of the modem now; `None` when it does not run any more. If the modem does not run yet, the call waits.
    pub fn state(&self) -> Option<State> {
        let (answer, answered) = bounded(1);
        self.say(Message::State(answer));
        answered.recv().ok()
    }

    fn say(&self, message: Message) -> bool {
        let sent = self.sender.send(message).is_ok();
        self.bell.ring();
        sent
    }
}

/// Receives orders.
#[derive(Debug)]
pub struct Inbox {
    messages: Receiver<Message>,
    pub(super) ear: PipeReader,
    bell: Arc<Bell>,
}

impl Inbox {
    /// The function with which the network wakes the modem.
    pub(super) fn waker(&self) -> Waker {
        let bell = self.bell.clone();
        Arc::new(move || bell.ring())
    }

    /// Stops the bell after a wake-up.
    pub(super) fn hush(&mut self) -> io::Result<()> {
        // A later ring counts again.
        self.bell.ringing.store(false, Ordering::Release);
        let mut byte = [0; 1];
        self.ear.read_exact(&mut byte)
    }

    /// The next order.
    pub(super) fn next(&self) -> Option<Message> {
        self.messages.try_recv().ok()
    }
}

/// Wakes a thread that waits for file descriptors. Several rings before the wake-up count as one.
#[derive(Debug)]
struct Bell {
    ringing: AtomicBool,
    rope: PipeWriter,
}

impl Bell {
    fn new() -> io::Result<(Self, PipeReader)> {
        let (ear, rope) = io::pipe()?;
        let bell = Self { ringing: AtomicBool::new(false), rope };
        Ok((bell, ear))
    }

    fn ring(&self) {
        if !self.ringing.swap(true, Ordering::AcqRel) {
            // The receiver is gone: the modem has ended.
            drop((&self.rope).write(&[0]));
        }
    }
}
