#![expect(clippy::disallowed_methods, reason = "the tests write files as other programs do")]

use std::fs;

use super::*;

#[test]
fn a_file_is_changed_unless_it_holds_all_that_was_accepted_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tests.txt");
    let of =
        |bytes: Option<Vec<u8>>| InputFile { path: path.clone(), name: String::new(), bytes, sha256: String::new() };
    assert!(!of(None).changed() && of(Some(Vec::new())).changed(), "there is no file");
    for size in [0, 1, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 3 << 16] {
        let accepted = vec![b'a'; size];
        fs::write(&path, &accepted).unwrap();
        assert!(!of(Some(accepted.clone())).changed() && of(None).changed(), "{size}");
        fs::write(&path, [&accepted[..], b"a"].concat()).unwrap();
        assert!(of(Some(accepted.clone())).changed(), "{size} and one more");
        for other in [0, size / 2, size.saturating_sub(1)].into_iter().filter(|other| *other < size) {
            let mut bytes = accepted.clone();
            bytes[other] = b'b';
            fs::write(&path, &bytes).unwrap();
            assert!(of(Some(accepted.clone())).changed(), "{other} of {size}");
            fs::write(&path, &accepted[..other]).unwrap();
            assert!(of(Some(accepted.clone())).changed(), "the first {other} of {size}");
        }
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(!of(None).changed() && of(Some(Vec::new())).changed(), "a folder is no file");
}
