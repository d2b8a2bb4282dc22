//! Real cards with front matter, where they are at hand: each is moved to every column and back.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use kanban_codex_exec::board::{Board, Card, Column};
use kanban_codex_exec::provider::file::keys::Keys;
use kanban_codex_exec::provider::{Applied, Kind, Note, Provider, Source, Wanted, open};
use kanban_codex_exec::storage::Writer;

#[derive(Debug, Default)]
struct Tally {
    files: usize,
    cards: usize,
    moves: usize,
    /// Bytes that differ and may not.
    violated: usize,
    refused: BTreeMap<String, usize>,
}

fn corpus(family: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/boards").join(family);
    let mut paths: Vec<_> = fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    Some(
        paths
            .into_iter()
            .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
            .collect(),
    )
}

/// Without what a move may change: in the front matter the line of the date and, of the line of the status, the value.
fn rest(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text).into_owned();
    let (front, body) = text.split_at(text.match_indices("\n---").next().map_or(text.len(), |(at, _)| at + 1));
    let status =
        regex::Regex::new(r#"^(status:[ ]*)("[^"]*"|'[^']*'|[^\s#][^\r\n#]*?)(\s*(?:[ ]#.*)?\r?\n)$"#).unwrap();
    let lines = front.split_inclusive('\n').filter(|line| !line.starts_with("updated_date:"));
    let kept: Vec<String> = lines.map(|line| status.replace(line, "$1$3").into_owned()).collect();
    [kept.concat(), body.to_owned()].concat().into_bytes()
}

fn differing(one: &[u8], other: &[u8]) -> usize {
    let same = one.iter().zip(other).filter(|(a, b)| a == b).count();
    one.len().max(other.len()) - same
}

fn moved(provider: &dyn Provider, writer: &Writer, board: &Board, path: &Path, tally: &mut Tally) {
    let card = &board.cards[0];
    let original = fs::read(path).unwrap();
    for to in ["To Do", "In Progress", "Done", "Needs: Specs #1"].map(Column::from) {
        if to == card.status {
            continue;
        }
        let step = |from: &Column, to: &Column| {
            provider.transition(writer, &Card { status: from.clone(), ..card.clone() }, to, None).unwrap()
        };
        assert_eq!(step(&card.status, &to), Applied::Done { id: card.id.clone() });
        tally.violated += differing(&rest(&original), &rest(&fs::read(path).unwrap()));
        assert_eq!(provider.read(&Wanted::default()).unwrap().cards[0].status, to);
        assert_eq!(step(&to, &card.status), Applied::Done { id: card.id.clone() });
        tally.violated += differing(&rest(&original), &rest(&fs::read(path).unwrap()));
        tally.moves += 2;
    }
    let note = Note { text: "failed: [x] <y>".to_owned(), data: serde_json::json!({"v": 1}) };
    provider.update(writer, &card.id, &card.status, &note).unwrap();
    let noted = provider.read(&Wanted::default()).unwrap();
    assert_eq!((&noted.cards[0].body, noted.cards[0].state.as_ref()), (&card.body, Some(&note.data)));
    assert!(rest(&fs::read(path).unwrap()).starts_with(rest(&original).trim_ascii_end()), "{}", path.display());
}

fn run(family: &str) -> Option<Tally> {
    let mut tally = Tally::default();
    for (name, bytes) in corpus(family)? {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(&name);
        fs::write(&path, &bytes).unwrap();
        let provider = open(Kind::File, &Source::Path(folder.path().to_owned()), false, &Keys::default()).unwrap();
        let board = provider.read(&Wanted::default()).unwrap();
        tally.files += 1;
        tally.cards += board.cards.len();
        for refused in &board.refused {
            let reason = refused.to_string().replace(&name, "");
            *tally.refused.entry(reason).or_default() += 1;
        }
        if !board.cards.is_empty() {
            moved(&*provider, &Writer::within(folder.path()), &board, &path, &mut tally);
        }
    }
    println!("{family}: {tally:#?}");
    Some(tally)
}

#[test]
fn every_move_of_real_cards_keeps_their_bytes() {
    let Some(tally) = run("backlogmd") else { return println!("skipped: the corpus of Backlog.md tasks is not here") };
    assert!(tally.files > 0 && tally.cards + tally.refused.len() >= tally.files, "{tally:#?}");
    assert_eq!(tally.violated, 0, "{tally:#?}");
}

#[test]
fn documents_without_front_matter_are_refused_with_a_hint() {
    let Some(tally) = run("promethean") else { return println!("skipped: the corpus of promethean tasks is not here") };
    assert_eq!((tally.cards, tally.refused.values().sum::<usize>()), (0, tally.files), "{tally:#?}");
    assert!(
        tally.refused.keys().all(|reason| reason.contains("no front matter: a card begins with `---`")),
        "{tally:#?}"
    );
}
