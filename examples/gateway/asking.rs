//! Clients whose requests are not complete. When there are too many clients, the oldest of them makes room for another.

use std::collections::BTreeMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The clients without a complete request.
#[derive(Default)]
pub struct Asking {
    clients: Mutex<Clients>,
}

#[derive(Default)]
struct Clients {
    next: u64,
    by_age: BTreeMap<u64, TcpStream>,
}

/// A client, until its request is complete.
pub struct AskingClient<'a> {
    all: &'a Asking,
    number: u64,
}

impl Asking {
    pub fn enter(&self, client: &TcpStream) -> AskingClient<'_> {
        let mut clients = self.lock();
        let number = clients.next;
        clients.next += 1;
        // Without a descriptor for it, the client is served and makes no room.
        if let Ok(clone) = client.try_clone() {
            clients.by_age.insert(number, clone);
        }
        AskingClient { all: self, number }
    }

    /// Ends the oldest client, and returns false if there is none.
    pub fn make_room(&self) -> bool {
        let oldest = self.lock().by_age.pop_first();
        if let Some((_, client)) = &oldest {
            // Its thread reads the end.
            let _ = client.shutdown(Shutdown::Both);
        }
        oldest.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AskingClient<'_> {
    fn drop(&mut self) {
        self.all.lock().by_age.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpListener;

    #[test]
    fn the_oldest_client_without_a_request_makes_room() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut pairs: Vec<_> = (0..3)
            .map(|_| {
                let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
                (client, listener.accept().unwrap().0)
            })
            .collect();
        let asking = Asking::default();
        let mut guards: Vec<_> = pairs.iter().map(|(_, own)| asking.enter(own)).collect();
        // The request of the first is complete.
        drop(guards.remove(0));
        assert!(asking.make_room());
        let ended = |pair: &mut (TcpStream, TcpStream)| {
            pair.0.set_nonblocking(true).unwrap();
            matches!(pair.0.read(&mut [0]), Ok(0))
        };
        assert_eq!(pairs.iter_mut().map(ended).collect::<Vec<_>>(), [false, true, false]);
        assert!(asking.make_room());
        assert!(!asking.make_room());
    }
}
