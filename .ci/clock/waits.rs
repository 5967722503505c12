//! Prints how long each kind of wait took by the program's own clock: the proof of `fast_clock.c`. The argument is the
//! wait in seconds.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::{Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let span = Duration::from_secs(seconds.expect("the seconds of each wait"));
    let (mutex, condvar) = (Mutex::new(()), Condvar::new());
    let (_sender, receiver) = mpsc::channel::<()>();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut stream = TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
    stream.set_read_timeout(Some(span)).expect("a time-out");
    let kept = stream.read_timeout().expect("the time-out").expect("set");
    let waits: [(&str, &mut dyn FnMut() -> bool); 5] = [
        ("sleep", &mut || (thread::sleep(span), true).1),
        ("park", &mut || (thread::park_timeout(span), true).1),
        ("condvar", &mut || {
            condvar.wait_timeout(mutex.lock().expect("free"), span).expect("free").1.timed_out()
        }),
        ("channel", &mut || receiver.recv_timeout(span).is_err()),
        ("socket", &mut || stream.read(&mut [0]).is_err()),
    ];
    println!("kept {}", kept.as_secs());
    for (name, wait) in waits {
        let (begun, by_date) = (Instant::now(), SystemTime::now());
        assert!(wait(), "{name} ended before its time");
        println!("{name} {} {}", begun.elapsed().as_secs(), by_date.elapsed().expect("later").as_secs());
    }
}
