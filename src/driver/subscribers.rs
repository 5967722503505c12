//! The subscribers to events.

#[cfg(feature = "async")]
use std::task::Context;

use crossbeam_channel::{Receiver, Sender, unbounded};

#[cfg(feature = "async")]
use super::tasks::TaskKey;
use super::tasks::{Wakers, Woken};
use crate::proto::Event;

/// The most unread events of a subscriber. Further ones are dropped, and the subscriber gets their number.
const WAITING: usize = 4096;

/// Every subscriber gets every event, in order.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    all: Vec<Subscriber>,
}

#[derive(Debug)]
struct Subscriber {
    sender: Sender<Event>,
    missed: u64,
    /// The task that waits for an event.
    task: Wakers,
    /// The stream that this subscriber is, if it is one.
    #[cfg(feature = "async")]
    key: Option<TaskKey>,
}

impl Subscribers {
    pub(super) fn add(&mut self) -> Receiver<Event> {
        // The limit is checked below, because a bounded channel would allocate all of its memory at once.
        let (sender, receiver) = unbounded();
        self.all.push(Subscriber {
            sender,
            missed: 0,
            task: Wakers::default(),
            #[cfg(feature = "async")]
            key: None,
        });
        receiver
    }

    /// Sends an event to every subscriber. Dropped subscribers are removed.
    pub(super) fn send(&mut self, event: &Event, woken: &mut Woken) {
        self.all.retain_mut(|subscriber| {
            subscriber.task.wake_all(woken);
            subscriber.send(event)
        });
    }

    /// Ends every subscription.
    pub(super) fn end(&mut self, woken: &mut Woken) {
        for mut subscriber in std::mem::take(&mut self.all) {
            subscriber.task.wake_all(woken);
            if subscriber.missed > 0 {
                let _ = subscriber.sender.send(Event::Missed(subscriber.missed));
            }
        }
    }
}

/// The functions for streams.
#[cfg(feature = "async")]
impl Subscribers {
    /// A subscriber that is a stream with this key.
    pub(super) fn add_stream(&mut self, key: TaskKey) -> Receiver<Event> {
        let receiver = self.add();
        if let Some(subscriber) = self.all.last_mut() {
            subscriber.key = Some(key);
        }
        receiver
    }

    /// The stream is woken by the next event, or the end.
    pub(super) fn wait(&mut self, key: TaskKey, cx: &Context<'_>, woken: &mut Woken) {
        if let Some(subscriber) = self.all.iter_mut().find(|subscriber| subscriber.key == Some(key)) {
            subscriber.task.wait(key, cx, woken);
        }
    }

    /// The stream is gone.
    pub(super) fn quit(&mut self, key: TaskKey, woken: &mut Woken) {
        if let Some(index) = self.all.iter().position(|subscriber| subscriber.key == Some(key)) {
            self.all.swap_remove(index).task.quit(key, woken);
        }
    }
}

impl Subscriber {
    /// `false` if the subscriber is gone.
    fn send(&mut self, event: &Event) -> bool {
        // The event, and before it the number of missed ones.
        let needed = if self.missed > 0 { 2 } else { 1 };
        if self.sender.len() + needed > WAITING {
            // A dropped subscriber has no unread events, so this one exists.
            self.missed += 1;
            return true;
        }
        let missed = std::mem::take(&mut self.missed);
        let is_sent = missed == 0 || self.sender.send(Event::Missed(missed)).is_ok();
        is_sent && self.sender.send(event.clone()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::Deadline;

    #[test]
    fn a_slow_subscriber_is_notified_of_the_number_it_missed() {
        let mut subscribers = Subscribers::default();
        let slow = subscribers.add();
        let event = Event::Expired(Deadline::Answer);
        (0..WAITING + 10).for_each(|_| subscribers.send(&event, &mut Woken::default()));
        (0..WAITING).for_each(|_| drop(slow.recv().unwrap()));
        subscribers.send(&event, &mut Woken::default());
        assert_eq!(slow.try_recv().unwrap(), Event::Missed(10));
        assert_eq!(slow.try_recv().unwrap(), event);
    }

    #[test]
    fn at_the_end_every_subscription_ends() {
        let mut subscribers = Subscribers::default();
        let (quick, slow) = (subscribers.add(), subscribers.add());
        for _ in 0..=WAITING {
            subscribers.send(&Event::PortLost, &mut Woken::default());
            drop(quick.try_recv());
        }
        subscribers.end(&mut Woken::default());
        assert_eq!(quick.iter().count(), 0);
        assert_eq!(slow.iter().last(), Some(Event::Missed(1)));
    }

    #[test]
    fn a_subscriber_that_has_left_is_forgotten() {
        let mut subscribers = Subscribers::default();
        drop(subscribers.add());
        let stays = subscribers.add();
        subscribers.send(&Event::Restarted, &mut Woken::default());
        assert_eq!(subscribers.all.len(), 1);
        assert_eq!(stays.recv().unwrap(), Event::Restarted);
    }
}
