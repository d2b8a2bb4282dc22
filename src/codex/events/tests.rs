use super::*;

const THREAD: &str = r#"{"type":"thread.started","thread_id":"01a2"}"#;
const TURN: &str = r#"{"type":"turn.started"}"#;
/// Codex 0.169 says this of gpt-5-codex in runs that succeed.
const METADATA: &str = r#"{"type":"item.completed","item":{"id":"item_0","type":"error","message":"Model metadata for `gpt-5-codex` not found. 429 500"}}"#;
const SAYS: &str =
    r#"{"type":"item.completed","item":{"id":"item_2","type":"agent_message","text":"I will make the file."}}"#;
const STARTS: &str = r#"{"type":"item.started","item":{"id":"item_3","type":"command_execution","command":"ls","aggregated_output":"","exit_code":null,"status":"in_progress"}}"#;
const ENDS: &str = r#"{"type":"item.completed","item":{"id":"item_3","type":"command_execution","command":"ls","aggregated_output":"a\n","exit_code":3,"status":"failed"}}"#;
const COMPLETED: &str = r#"{"type":"turn.completed","usage":{"input_tokens":400,"cached_input_tokens":7,"cache_write_input_tokens":0,"output_tokens":80,"reasoning_output_tokens":5}}"#;
const FAILED: &str = r#"{"type":"turn.failed","error":{"message":"it broke"}}"#;
const RECONNECTING: &str =
    r#"{"type":"error","message":"Reconnecting... 1/5 (stream disconnected before completion: x)"}"#;

fn read(lines: &[&str]) -> Events {
    let mut reader = Reader::new(&Redactor::default());
    reader.push((lines.join("\n") + "\n").as_bytes());
    reader.events
}

/// Also without an end of the last line.
fn read_bytes(bytes: &[u8]) -> Events {
    let mut reader = Reader::new(&Redactor::default());
    reader.push(bytes);
    reader.complete();
    reader.events
}

#[test]
fn a_whole_run_is_read() {
    let events = read(&[THREAD, METADATA, TURN, RECONNECTING, STARTS, ENDS, SAYS, COMPLETED]);
    assert_eq!(
        events,
        Events {
            seen: true,
            thread_id: Some("01a2".into()),
            worked: true,
            turn_completed: true,
            turn_failed: None,
            message: Some("I will make the file.".into()),
            usage: Some(Usage {
                input_tokens: 400,
                cached_input_tokens: Some(7),
                output_tokens: 80,
                reasoning_output_tokens: Some(5)
            }),
            errors: vec!["Reconnecting... 1/5 (stream disconnected before completion: x)".into()],
            failing: false,
            running: BTreeSet::new(),
        }
    );
    assert_eq!(events.usage.unwrap().total(), 480);
}

#[test]
fn it_does_not_matter_where_pieces_end() {
    let whole = [THREAD, METADATA, TURN, STARTS, "plain é text", ENDS, SAYS, FAILED, COMPLETED].join("\r\n");
    let all = read_bytes(whole.as_bytes());
    for size in [1, 2, 7, 100] {
        let mut reader = Reader::new(&Redactor::default());
        for piece in whole.as_bytes().chunks(size) {
            reader.push(piece);
        }
        reader.complete();
        assert_eq!(reader.events, all, "pieces of {size}");
    }
}

#[test]
fn an_error_item_is_no_work_and_reconnecting_no_life() {
    assert!(!read(&[THREAD, METADATA, TURN]).worked);
    assert!(read(&[THREAD, SAYS]).worked);
    let events = read(&[THREAD, TURN, RECONNECTING]);
    assert!(events.reconnecting() && events.seen && !events.worked);
    assert!(!read(&[RECONNECTING, SAYS]).reconnecting());
    let events = read(&[RECONNECTING, r#"{"type":"error","message":"it is over"}"#]);
    assert!(!events.reconnecting());
    assert_eq!(events.failing_with(), Some("it is over"));
}

#[test]
fn usage_is_summed_and_unknown_is_not_zero() {
    assert_eq!(read(&[r#"{"type":"turn.completed"}"#]).usage, None);
    assert_eq!(read(&[r#"{"type":"turn.completed","usage":{"input_tokens":1}}"#]).usage, None);
    assert_eq!(read(&[r#"{"type":"turn.completed","usage":{"input_tokens":-1,"output_tokens":2}}"#]).usage, None);
    let usage = read(&[COMPLETED, r#"{"type":"turn.completed","usage":{"input_tokens":1,"output_tokens":2}}"#]).usage;
    let expected =
        Usage { input_tokens: 401, cached_input_tokens: None, output_tokens: 82, reasoning_output_tokens: None };
    assert_eq!(usage, Some(expected));
}

#[test]
fn anything_else_is_survived_and_is_no_event() {
    let deep = "[".repeat(100_000);
    let lines: [&[u8]; 12] = [
        b"",
        b"   ",
        b"plain text",
        b"{",
        b"[1,2]",
        b"null",
        b"\xFF\xFE\x00",
        deep.as_bytes(),
        br#"{"type":7}"#,
        br#"{"type":"something.new","item":{"id":5}}"#,
        br#"{"no":"type"}"#,
        br#""type""#,
    ];
    for line in lines {
        let events = read_bytes(line);
        assert_eq!(events, Events::default(), "{}", String::from_utf8_lossy(&line[..line.len().min(40)]));
    }
    for line in [
        r#"{"type":"error"}"#,
        r#"{"type":"turn.failed","error":"text"}"#,
        r#"{"type":"item.completed"}"#,
        r#"{"type":"item.completed","item":{"id":1,"type":[],"text":{}}}"#,
        r#"{"type":"turn.new"}"#,
    ] {
        assert!(read(&[line]).seen, "{line}");
    }
}

#[test]
fn bytes_that_are_not_text_do_not_hide_an_event() {
    let line =
        [&br#"{"type":"item.completed","item":{"type":"agent_message","text":"a"#[..], b"\xFF", br#"b"}}"#].concat();
    assert_eq!(read_bytes(&line).message.unwrap(), "a\u{FFFD}b");
}

#[test]
fn errors_and_messages_are_bounded() {
    let error = |number: usize| format!(r#"{{"type":"error","message":"{number}{}"}}"#, "x".repeat(5000));
    let lines: Vec<String> = (0..9).map(error).collect();
    let events = read(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(events.errors.len(), 5);
    assert!(events.errors[0].starts_with('4') && events.errors[4].starts_with('8'));
    assert!(events.errors.iter().all(|error| error.len() == 2000));
    let text = "é".repeat(1 << 20);
    let says = format!(r#"{{"type":"item.completed","item":{{"type":"agent_message","text":"{text}END"}}}}"#);
    let message = read(&[&says]).message.unwrap();
    assert!(message.len() <= 1 << 20 && message.ends_with("éEND"));
    let starts = |id: usize| format!(r#"{{"type":"item.started","item":{{"id":"{id}","type":"mcp_tool_call"}}}}"#);
    let lines: Vec<String> = (0..2 * RUNNING).map(starts).collect();
    assert_eq!(read(&lines.iter().map(String::as_str).collect::<Vec<_>>()).running.len(), RUNNING);
}

#[test]
fn a_line_of_any_length_takes_bounded_memory_and_still_ends_its_command() {
    let mut reader = Reader::new(&Redactor::default());
    assert!(reader.push(format!("{THREAD}\n{STARTS}\n").as_bytes()));
    assert_eq!(reader.events.running.len(), 1);
    reader.push(br#"{"type":"item.completed","item":{"id":"item_3","type":"command_execution","aggregated_output":""#);
    let piece = vec![b'x'; 1 << 20];
    let mut life = 0;
    for _ in 0..100 {
        life += u32::from(reader.push(&piece));
        assert!(reader.line.capacity() <= 2 * LONGEST_LINE + piece.len());
    }
    assert_eq!(life, 1);
    assert!(reader.events.running.is_empty());
    assert!(reader.push(format!("\"}}}}\n{COMPLETED}\n").as_bytes()));
    assert!(reader.events.turn_completed);
    let mut reader = Reader::new(&Redactor::default());
    assert!((0..100).all(|_| !reader.push(&piece)), "100 MB of no event are no life");
}

#[test]
fn silence_is_measured_from_the_last_sign_of_life_and_not_while_a_command_runs() {
    const SECOND: Duration = Duration::from_secs(1);
    let settings = Settings {
        bin: String::new(),
        model: String::new(),
        effort: String::new(),
        sandbox: false,
        args: Vec::new(),
        start_limit: 10 * SECOND,
        silence_limit: 30 * SECOND,
        attempt_limit: SECOND,
        grace: SECOND,
    };
    let start = Instant::now();
    let mut watch = EventWatch::new(&settings, &Redactor::default(), start);
    let mut after = |second: u32, line: &str| {
        watch.stdout(format!("{line}\n").as_bytes(), start + second * SECOND);
        watch.deadline().map(|(at, limit)| ((at - start).as_secs(), limit))
    };
    assert_eq!(after(0, ""), Some((10, NO_EVENT)));
    assert_eq!(after(1, RECONNECTING), Some((10, NO_EVENT)));
    assert_eq!(after(2, THREAD), Some((32, SILENCE)));
    assert_eq!(after(3, "noise"), Some((32, SILENCE)));
    assert_eq!(after(4, RECONNECTING), Some((32, SILENCE)));
    assert_eq!(after(5, SAYS), Some((35, SILENCE)));
    assert_eq!(after(6, STARTS), None);
    assert_eq!(after(7, SAYS), None);
    assert_eq!(after(500, ENDS), Some((530, SILENCE)));
    assert_eq!(after(501, STARTS), None);
    assert_eq!(after(502, COMPLETED), Some((532, SILENCE)), "codex ends what still runs");

    let mut plain = EventWatch::new(&settings, &Redactor::default(), start);
    plain.stdout(b"working", start + SECOND);
    assert_eq!(plain.deadline(), None, "text, though its line is not complete");
    plain.stdout(format!("\n{TURN}\n").as_bytes(), start + 2 * SECOND);
    assert_eq!(plain.deadline(), Some((start + 32 * SECOND, SILENCE)), "events after a banner");
}

#[test]
fn the_last_line_needs_no_end() {
    let start = Instant::now();
    let mut watch = EventWatch {
        reader: Reader::new(&Redactor::default()),
        silence_limit: Duration::ZERO,
        first: None,
        last_life: None,
    };
    watch.stdout(COMPLETED.as_bytes(), start);
    assert!(watch.into_events().turn_completed);
}
