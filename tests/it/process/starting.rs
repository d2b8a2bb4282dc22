//! What a program is given, and what is said when it can't be started.

use std::ffi::OsString;
use std::fs;
use std::process::Command;

use kanban_codex_exec::process::{Exit, Input, MARKER, Spawner};

use super::{World, in_worlds};

#[test]
fn standard_input_is_empty_or_what_was_given() {
    let world = World::new();
    fs::write(world.path("in"), "from a file\n").unwrap();
    let big = vec![b'x'; 3_000_000];
    for (stdin, expected) in [
        (Input::Null, 0),
        (Input::File(world.path("in")), 12),
        (Input::Bytes(b"{\"a\":1}\n".to_vec()), 8),
        (Input::Bytes(Vec::new()), 0),
        (Input::Bytes(big), 3_000_000),
    ] {
        let mut job = world.job("wc -c");
        job.stdin = stdin;
        assert_eq!(world.run_freely(job).stdout.tail.trim(), expected.to_string());
    }
}

#[test]
fn the_environment_and_the_folder_are_the_jobs_own() {
    let world = World::new();
    fs::create_dir(world.path("work")).unwrap();
    let mut job = world.job("pwd; env | sort");
    job.folder = world.path("work");
    job.env.push(("ONLY".into(), "this\nand that".into()));
    let printed = world.run_freely(job).stdout.tail;
    let folder = fs::canonicalize(world.path("work")).unwrap();
    assert!(printed.starts_with(&format!("{}\n", folder.display())), "{printed}");
    let marker = format!("{MARKER}={}:", world.spawner.marker());
    assert!(printed.contains("ONLY=this\n") && printed.contains(&marker), "{printed}");
    assert!(!printed.contains("HOME="), "{printed}");
}

#[test]
fn a_job_has_a_session_of_its_own_where_no_terminal_reaches_it() {
    let world = World::new();
    let ended = world.run_freely(world.job("echo $PPID $(cut -d' ' -f6 /proc/$$/stat)"));
    let numbers: Vec<&str> = ended.stdout.tail.split_whitespace().collect();
    assert!(matches!(numbers[..], [launcher, session] if launcher == session), "{numbers:?}");
}

#[test]
fn arguments_reach_the_program_byte_for_byte() {
    let world = World::new();
    let mut job = world.job("");
    let long = "x".repeat(131_071);
    job.program = "printf".into();
    job.args = vec!["%s|".into(), "".into(), "a b".into(), "$(id) `id` ;".into(), "-x".into(), long.clone().into()];
    let ended = world.run_freely(job);
    assert_eq!(ended.stdout.tail, format!("|a b|$(id) `id` ;|-x|{long}|"));
}

#[test]
fn a_program_that_cannot_be_started_is_told_with_the_reason() {
    type Change = fn(&World, &mut kanban_codex_exec::process::Job);
    let cases: [(&str, Change); 9] = [
        ("cannot start no-such-codex: it was not found on PATH", |_, job| job.program = "no-such-codex".into()),
        ("cannot start sh: it was not found on PATH", |_, job| job.env = vec![("PATH".into(), "/nowhere".into())]),
        ("cannot start ./none: there is no such file, or it names an interpreter that is not there", |_, job| {
            job.program = "./none".into();
        }),
        ("cannot start ./script: there is no such file, or it names an interpreter that is not there", |world, job| {
            // By another process: what another test starts at this instant would inherit the open file, and keep it busy.
            let write = "printf '#!/no/such/interpreter\\n' >\"$0\" && chmod 755 \"$0\"";
            let script = world.path("script");
            assert!(Command::new("sh").args(["-c", write]).arg(script).status().unwrap().success());
            job.program = "./script".into();
        }),
        ("cannot start ./plain: it is not executable for this user", |world, job| {
            fs::write(world.path("plain"), "").unwrap();
            job.program = "./plain".into();
        }),
        ("cannot start sh: its arguments and environment are too long for this system", |_, job| {
            job.args.push("x".repeat(131_072).into());
        }),
        ("cannot start sh: its arguments and environment are too long for this system", |_, job| {
            job.env.push(("BIG".into(), "x".repeat(131_072).into()));
        }),
        ("there is no folder /no/such/folder", |_, job| job.folder = "/no/such/folder".into()),
        ("cannot start", |_, job| job.args.push(OsString::from("a\0b"))),
    ];
    in_worlds(&cases, |world, (expected, change)| {
        let mut job = world.job("touch ran");
        change(world, &mut job);
        let Exit::NotStarted(text) = world.run_freely(job).exit else {
            panic!("{expected}");
        };
        assert!(text.starts_with(expected), "{text}");
        assert!(!world.path("ran").exists());
        world.assert_nothing_is_left(expected);
    });
}

#[test]
fn a_missing_input_file_and_a_missing_launcher_are_told() {
    let world = World::new();
    let mut job = world.job("true");
    job.stdin = Input::File(world.path("none"));
    assert!(matches!(world.run_freely(job).exit, Exit::NotStarted(text) if text.starts_with("cannot read ")));
    let spawner: Spawner = world.spawner.clone().launched_by("/no/launcher");
    let ended = super::block_on(spawner.run(world.job("true"), &mut (), &mut super::Stop::never())).unwrap();
    assert!(matches!(ended.exit, Exit::NotStarted(text) if text.starts_with("cannot start /no/launcher")));
}

#[test]
fn a_record_that_cannot_be_made_starts_nothing() {
    let world = World::new();
    fs::write(world.path("file"), "").unwrap();
    let mut job = world.job("touch ran");
    job.record = world.path("file/record");
    let error = super::block_on(world.spawner.run(job, &mut (), &mut super::Stop::never())).unwrap_err();
    assert!(format!("{error:#}").contains("file/record"));
    assert!(!world.path("ran").exists());
}

#[test]
fn an_older_report_in_the_same_folder_is_not_taken_for_this_runs() {
    let world = World::new();
    assert_eq!(world.run_freely(world.job("exit 5")).exit, Exit::Code(5));
    let ended = world.run_freely(world.job("kill -KILL $PPID; sleep 5"));
    assert_eq!(ended.exit, Exit::Outside);
}
