//! A soak test: one simulated modem, hostile scripts for hours, and a count of its memory, which must not grow.
//!
//! ```sh
//! cd fuzz && cargo run --release --bin soak -- 60   # minutes
//! ```

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use air724ug_fuzz::{script, simulator};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's allocator does the work; the sizes are only counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The number of scripts after which all limits are reached.
const WARM_UP: u64 = 2_000;
const LENGTH: usize = 600;
/// The bytes by which the memory between two scripts may exceed that after the warm-up: a modem within an action (64
/// KiB for each channel, each direction of the line, its files) and the peers' records (64 MiB at most).
const SLACK: usize = 80 << 20;

fn main() {
    let minutes: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(60);
    let begun = Instant::now();
    let (mut seed, mut first, mut highest, mut said) = (0, 0, 0, 0);
    let scripts = std::iter::from_fn(|| {
        let held = HELD.load(Ordering::Relaxed);
        if seed == WARM_UP {
            first = held;
        }
        if seed >= WARM_UP {
            highest = highest.max(held);
            assert!(held <= first + SLACK, "grew from {first} to {held} bytes in {seed} scripts");
        }
        let minute = begun.elapsed().as_secs() / 60;
        if minute > said {
            said = minute;
            println!("{minute} min: {seed} scripts, {} KiB held, {} KiB at most", held >> 10, highest >> 10);
        }
        seed += 1;
        (begun.elapsed() < Duration::from_secs(60 * minutes)).then(|| script::seeded(seed, LENGTH))
    });
    let life = simulator::live(scripts);
    println!("{life:?}, {} KiB held at most, {} KiB at the beginning", highest >> 10, first >> 10);
}
