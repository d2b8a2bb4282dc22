//! Whatever is printed is drained, bounded and survived.

use std::fs;
use std::time::Duration;

use kanban_codex_exec::process::Exit;

use super::{World, in_worlds};

#[test]
fn both_streams_are_kept_apart_with_modes_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let ended = world.run_freely(world.job("echo out; echo err >&2; printf end"));
    assert_eq!((ended.stdout.tail.as_str(), ended.stdout.total), ("out\nend", 7));
    assert_eq!((ended.stderr.tail.as_str(), ended.stderr.total), ("err\n", 4));
    assert_eq!(ended.lost, None);
    for (name, text) in [("stdout.log", "out\nend"), ("stderr.log", "err\n")] {
        let path = world.path("record").join(name);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn any_bytes_and_any_amount_are_survived() {
    let cases: [(&str, u64, &str); 5] = [
        ("head -c 100000000 /dev/zero | tr '\\0' x; printf END", 100_000_003, "xEND"),
        ("head -c 5000000 /dev/zero; printf END", 5_000_003, "\0END"),
        ("head -c 5000000 /dev/urandom; printf END", 5_000_003, "END"),
        ("printf '\\377\\376ok\\303'", 5, "\u{FFFD}\u{FFFD}ok\u{FFFD}"),
        ("yes 'a line' | head -n 1000000; printf END", 7_000_003, "a line\nEND"),
    ];
    in_worlds(&cases, |world, (script, total, end)| {
        let ended = world.run_freely(world.job(script));
        assert_eq!(ended.exit, Exit::Code(0), "{script}");
        assert_eq!(ended.stdout.total, *total, "{script}");
        assert!(ended.stdout.tail.ends_with(end), "{script}");
        let file = fs::metadata(world.path("record/stdout.log")).unwrap().len();
        assert!(file <= (1 << 20) + 100, "{script}: {file}");
    });
}

#[test]
fn a_file_says_what_was_cut_out_of_it() {
    let world = World::new();
    let mut job = world.job("seq 1000000");
    job.keep = 40;
    let ended = world.run_freely(job);
    assert_eq!(ended.stdout.cut, 6_888_896 - 40);
    assert_eq!(world.stdout(), "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n… 6888856 bytes cut …\n9998\n999999\n1000000\n");
}

#[test]
fn memory_stays_flat_for_a_gigabyte_on_each_stream() {
    let world = World::new();
    let flood = "yes 0123456789 | head -c 1000000000";
    let mut runner = world.separate_runner(&format!("{flood} & {flood} >&2; wait"));
    let measured = world.wait_for("runner.kib");
    runner.wait().unwrap();
    let numbers: Vec<u64> = measured.split(' ').map(|number| number.parse().unwrap()).collect();
    assert_eq!(numbers[1..], [1_000_000_000, 1_000_000_000]);
    assert!(numbers[0] < 64 * 1024, "{} KiB", numbers[0]);
    world.assert_nothing_is_left("a flood");
}

#[test]
fn an_endless_flood_is_ended_by_the_limit() {
    in_worlds(&["yes", "yes >&2", "yes & yes >&2"], |world, script| {
        let mut job = world.job(script);
        job.limit = Duration::from_millis(500);
        let ended = world.run_freely(job);
        assert!(matches!(ended.exit, Exit::Limit(_)), "{script}: {:?}", ended.exit);
        assert!(ended.stdout.total + ended.stderr.total > 1_000_000, "{script}");
        world.assert_nothing_is_left(script);
    });
}

#[test]
fn a_full_disk_loses_the_file_and_nothing_else() {
    let world = World::new();
    let mut job = world.job("yes | head -c 1000000; exit 4");
    job.stdout_name = "/dev/full".into();
    let ended = world.run_freely(job);
    assert_eq!(ended.exit, Exit::Code(4));
    assert_eq!(ended.stdout.total, 1_000_000);
    assert!(ended.lost.unwrap().contains("/dev/full"));
}

#[test]
fn a_report_that_cannot_be_written_is_made_up_for_by_the_exit_code() {
    let world = World::new();
    // What stands in its place alone goes; what stands in that of its folder is not the launcher's to remove.
    let ended = world.run_freely(world.job("mkdir -p record/exit.json/x; exit 7"));
    assert_eq!((ended.exit, ended.lost), (Exit::Code(7), None));
    let ended = world.run_freely(world.job("rm -r record; : >record; exit 7"));
    assert_eq!(ended.exit, Exit::Code(7));
    assert!(ended.lost.unwrap().ends_with("exit.json is missing"));
}
