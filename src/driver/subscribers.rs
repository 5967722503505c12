//! Who hears of events.

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use crate::proto::Event;

/// How many events wait for a subscriber that does not take them. Beyond that he misses some and is told how many.
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
}

impl Subscribers {
    pub(super) fn add(&mut self) -> Receiver<Event> {
        let (sender, receiver) = bounded(WAITING);
        self.all.push(Subscriber { sender, missed: 0 });
        receiver
    }

    /// Tells everybody; those who are gone are forgotten.
    pub(super) fn tell(&mut self, event: &Event) {
        self.all.retain_mut(|subscriber| subscriber.tell(event));
    }
}

impl Subscriber {
    /// `false` if nobody listens any more.
    fn tell(&mut self, event: &Event) -> bool {
        if self.missed > 0 {
            match self.sender.try_send(Event::Missed(self.missed)) {
                Ok(()) => self.missed = 0,
                Err(TrySendError::Full(_)) => {
                    self.missed += 1;
                    return true;
                }
                Err(TrySendError::Disconnected(_)) => return false,
            }
        }
        match self.sender.try_send(event.clone()) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.missed += 1;
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::Deadline;

    #[test]
    fn a_slow_subscriber_is_told_how_much_it_missed() {
        let mut subscribers = Subscribers::default();
        let slow = subscribers.add();
        let event = Event::Expired(Deadline::Answer);
        (0..WAITING + 10).for_each(|_| subscribers.tell(&event));
        (0..WAITING).for_each(|_| drop(slow.recv().unwrap()));
        subscribers.tell(&event);
        assert_eq!(slow.try_recv().unwrap(), Event::Missed(10));
        assert_eq!(slow.try_recv().unwrap(), event);
    }

    #[test]
    fn one_who_has_left_is_forgotten() {
        let mut subscribers = Subscribers::default();
        drop(subscribers.add());
        let stays = subscribers.add();
        subscribers.tell(&Event::Restarted);
        assert_eq!(subscribers.all.len(), 1);
        assert_eq!(stays.recv().unwrap(), Event::Restarted);
    }
}
