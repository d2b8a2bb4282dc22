//! Codex's events: however the stream is cut into pieces, they say the same, and little is kept of much.

use std::time::{Duration, Instant};

use kanban_codex_exec::codex::{EventWatch, Events, Settings};
use kanban_codex_exec::process::Watch;
use kanban_codex_exec::redact::Redactor;

/// More than this is not kept, in bytes, of whatever codex prints: its last message, some errors, what runs.
const KEPT: usize = 4 << 20;
/// A line so long that it can't be read.
const LONG: usize = 9 << 20;

/// How many signs of anything there were.
pub fn holds(data: &[u8]) -> usize {
    let whole = watched([data]);
    for size in [1, 2, 3, 7, 64, 1000] {
        assert_eq!(watched(data.chunks(size)), whole, "pieces of {size}");
    }
    // Pieces that end where lines do, and those that begin one byte later.
    assert_eq!(watched(data.split_inclusive(|byte| *byte == b'\n')), whole, "lines");
    assert_eq!(watched(data.split(|byte| *byte == b'\n').flat_map(|line| [line, b"\n"])).0.running, whole.0.running);
    let events = &whole.0;
    assert!(kept(events) <= KEPT, "{} bytes are kept", kept(events));
    assert!(events.seen || *events == Events::default(), "nothing was seen, and yet: {events:?}");
    usize::from(events.seen) + usize::from(events.message.is_some()) + events.errors.len()
}

/// The same bytes without line ends again and again, longer than a line may be: after them, all is as before.
pub fn long(data: &[u8]) {
    let data: Vec<u8> = data.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }).collect();
    if data.is_empty() {
        return;
    }
    let piece = data.repeat((1 << 16) / data.len() + 1);
    let end = b"\n{\"type\":\"turn.completed\",\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}\n";
    let pieces = std::iter::repeat_n(&piece[..], LONG / piece.len() + 1);
    let (events, _) = watched(pieces.chain([&end[..]]));
    assert!(events.turn_completed && events.usage.is_some(), "{events:?}");
    assert!(kept(&events) <= KEPT, "{} bytes are kept", kept(&events));
}

/// What a stream said, and by when the next sign must come.
fn watched<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> (Events, Option<Duration>) {
    let limit = Duration::from_secs(60);
    let settings = Settings {
        bin: "codex".to_owned(),
        model: "model".to_owned(),
        effort: "high".to_owned(),
        sandbox: false,
        args: Vec::new(),
        start_limit: limit,
        silence_limit: 2 * limit,
        attempt_limit: 3 * limit,
        grace: limit,
    };
    let now = Instant::now();
    let mut watch = EventWatch::new(&settings, &Redactor::default(), now);
    for piece in pieces {
        watch.stdout(piece, now);
    }
    let deadline = watch.deadline().map(|(at, _)| at.duration_since(now));
    (watch.into_events(), deadline)
}

/// The bytes of all texts.
fn kept(events: &Events) -> usize {
    let one = [&events.thread_id, &events.turn_failed, &events.message].into_iter().flatten();
    one.chain(&events.errors).chain(&events.running).map(String::len).sum()
}
