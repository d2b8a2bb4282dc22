//! The journal's time.

use std::cell::Cell;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// Clocks are set by this much all the time.
const SLIGHT: SignedDuration = SignedDuration::from_secs(1);

/// A clock that is set back doesn't make what happens later look earlier, nor does time stand still until it has caught up.
#[derive(Debug)]
pub struct Clock {
    wall: fn() -> Timestamp,
    steady: fn() -> Instant,
    began: Instant,
    /// The newest time that was told, and when that was.
    told: Cell<(Timestamp, Instant)>,
}

impl Clock {
    /// It tells no time before `newest`, that of the newest record. `steady`: a clock that nobody sets.
    pub fn after(newest: Timestamp, wall: fn() -> Timestamp, steady: fn() -> Instant) -> Clock {
        let began = steady();
        Clock { wall, steady, began, told: Cell::new((newest, began)) }
    }

    pub fn now(&self) -> Timestamp {
        let (told, then) = self.told.get();
        let instant = (self.steady)();
        let now = told.checked_add(instant.duration_since(then)).unwrap_or(told).max((self.wall)());
        self.told.set((now, instant));
        now
    }

    /// What the wall's clock says, where that is well before `now`.
    pub fn behind(&self, now: Timestamp) -> Option<Timestamp> {
        Some((self.wall)()).filter(|wall| now.duration_since(*wall) > SLIGHT)
    }

    /// Since it was made, whatever is done to the wall's clock meanwhile.
    pub fn running_for(&self) -> Duration {
        (self.steady)().duration_since(self.began)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

    use super::*;

    static WALL: AtomicI64 = AtomicI64::new(0);
    static STEADY: AtomicU64 = AtomicU64::new(0);
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A second passes before each: what the wall's clock says then, what is told, and whether that is ahead.
    #[test]
    fn time_goes_on_where_the_clock_is_set_back() {
        let steady = || *START + Duration::from_secs(STEADY.load(Ordering::Relaxed));
        let clock = Clock::after(at(50), || at(WALL.load(Ordering::Relaxed)), steady);
        for (wall, told, ahead) in [
            (10, 51, true),
            (100, 100, false),
            (40, 101, true),
            (1000, 1000, false),
            (1000, 1001, false),
            (60, 1002, true),
        ] {
            WALL.store(wall, Ordering::Relaxed);
            STEADY.fetch_add(1, Ordering::Relaxed);
            assert_eq!((clock.now(), clock.behind(at(told))), (at(told), ahead.then_some(at(wall))), "{wall}");
        }
        assert_eq!(clock.running_for(), Duration::from_secs(6));
    }
}
