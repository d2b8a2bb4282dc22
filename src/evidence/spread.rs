//! Work that makes more work, on as many threads as pay.

use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What is done by then was not worth a thread.
const ALONE: Duration = Duration::from_millis(1);
/// More of them are in each other's way in a file system.
const THREADS: usize = 8;

/// What came of one piece of work, and where what came of those stands that it made, in their order.
pub(super) type Done<R> = (R, Range<usize>);

/// Does `first` and all that follows from it; what came of `first` is the first.
pub(super) fn spread<T: Send, R: Send>(first: T, work: impl Fn(T) -> (R, Vec<T>) + Sync) -> Vec<Done<R>> {
    let state = State { waiting: vec![(0, first)], done: vec![None], busy: 0 };
    let shared = Shared { state: Mutex::new(state), changed: Condvar::new() };
    let began = Instant::now();
    thread::scope(|scope| {
        let mut alone = true;
        while shared.step(&work) {
            if alone && began.elapsed() > ALONE && !shared.lock().waiting.is_empty() {
                alone = false;
                let threads = thread::available_parallelism().map_or(1, |count| count.get().min(THREADS));
                for _ in 1..threads {
                    // Where the system has no thread left, it is done without.
                    thread::Builder::new().spawn_scoped(scope, || while shared.step(&work) {}).ok();
                }
            }
        }
    });
    let state = shared.state.into_inner().unwrap_or_else(PoisonError::into_inner);
    state.done.into_iter().flatten().collect()
}

struct Shared<T, R> {
    state: Mutex<State<T, R>>,
    changed: Condvar,
}

struct State<T, R> {
    /// Each with its place among what is done.
    waiting: Vec<(usize, T)>,
    done: Vec<Option<Done<R>>>,
    /// Threads that may still find more to do.
    busy: usize,
}

impl<T, R> Shared<T, R> {
    /// Does one piece; false where all is done.
    fn step(&self, work: impl Fn(T) -> (R, Vec<T>)) -> bool {
        let Some((place, next)) = self.next() else { return false };
        let busy = Busy(self);
        let (result, more) = work(next);
        let mut state = self.lock();
        let places = state.done.len()..state.done.len() + more.len();
        state.done.resize_with(places.end, || None);
        state.done[place] = Some((result, places.clone()));
        state.waiting.extend(places.zip(more).rev());
        drop(state);
        drop(busy);
        true
    }

    fn next(&self) -> Option<(usize, T)> {
        let mut state = self.lock();
        loop {
            if let Some(next) = state.waiting.pop() {
                state.busy += 1;
                return Some(next);
            }
            if state.busy == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread at work. Where it panics, nobody waits for it.
struct Busy<'s, T, R>(&'s Shared<T, R>);

impl<T, R> Drop for Busy<'_, T, R> {
    fn drop(&mut self) {
        self.0.lock().busy -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each number makes all smaller ones, as slowly as a folder on a slow disk.
    fn numbers(first: usize) -> Vec<Done<usize>> {
        spread(first, |number| {
            thread::sleep(Duration::from_micros(20));
            (number, (0..number).collect())
        })
    }

    #[test]
    fn all_is_done_and_found_in_its_order() {
        for first in [0, 1, 9] {
            let done = numbers(first);
            assert_eq!((done.len(), done[0].0), (1 << first, first));
            for (number, made) in &done {
                let made: Vec<usize> = done[made.clone()].iter().map(|(number, _)| *number).collect();
                assert_eq!(made, (0..*number).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    #[should_panic]
    fn nobody_waits_for_who_panicked() {
        spread(12, |number| {
            thread::sleep(Duration::from_micros(20));
            assert!(number > 3);
            ((), (0_usize..number).collect())
        });
    }
}
