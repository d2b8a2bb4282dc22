//! A project and its server.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use kanban_codex_exec::provider::file::keys::Keys;
use kanban_codex_exec::provider::github::access::{Access, Token};
use kanban_codex_exec::provider::{self, Provider, Source, open};
use kanban_codex_exec::storage::sha256;
use serde_json::{Value, json};

use super::resolve::{cost, execute};
use super::schema::excerpt;

pub const TOKEN: &str = "the-token-of-these-tests";

pub const COLUMNS: [&str; 5] = ["Backlog", "In Progress", "Review", "Needs Specs", "Done"];

#[derive(Clone, Copy, PartialEq)]
pub enum Kind {
    Draft,
    Issue,
    PullRequest,
}

pub struct Comment {
    pub id: String,
    pub body: String,
    pub mine: bool,
}

pub struct Item {
    pub id: String,
    pub archived: bool,
    /// The id of an option; None: no status.
    pub option: Option<String>,
    /// The same as the project's list shows it.
    pub listed: Option<String>,
    pub kind: Kind,
    pub title: String,
    pub body: String,
    pub labels: Vec<String>,
    pub comments: Vec<Comment>,
    /// The project's list lacks it, as one that others change while it is read page by page.
    pub unlisted: bool,
    /// The token can't see what the item is about.
    pub hidden: bool,
}

#[derive(Clone)]
pub struct Choice {
    pub id: String,
    pub name: String,
}

/// How a request fails.
#[derive(Clone)]
pub enum Fail {
    /// It is answered with this and not carried out.
    Reply { status: u16, headers: &'static str, body: String },
    /// It is carried out, and the connection ends without an answer.
    Lost,
    /// It is carried out as far as may be, with this error beside the data.
    Beside(Value),
}

/// What a person does.
pub type Act = fn(&mut State);

pub struct State {
    pub options: Vec<Choice>,
    pub items: Vec<Item>,
    pub closed: bool,
    pub can_update: bool,
    /// The list shows where items were before the program moved them.
    pub lagging: bool,
    /// Names of operations, in order, with what they cost.
    pub asked: Vec<(String, u64)>,
    pub made: usize,
    /// The next requests for an operation fail so.
    pub failing: Vec<(&'static str, usize, Fail)>,
    /// What a person does right before an operation is carried out.
    pub meanwhile: Option<(&'static str, Act)>,
}

impl State {
    pub fn option(&self, column: &str) -> String {
        self.options.iter().find(|option| option.name == column).unwrap().id.clone()
    }

    pub fn new_id(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}_{}", self.made)
    }

    pub fn item(&mut self, name: &str) -> &mut Item {
        self.items.iter_mut().find(|item| item.title.split(' ').next() == Some(name)).unwrap()
    }

    /// As a person does it.
    pub fn place(&mut self, name: &str, column: &str) {
        let option = Some(self.option(column));
        let item = self.item(name);
        (item.option, item.listed) = (option.clone(), option);
    }
}

/// A project that is served until it is dropped.
pub struct Project {
    pub state: Arc<Mutex<State>>,
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Project {
    /// With these cards, all issues in the column In Progress.
    pub fn new(cards: &[&str]) -> Project {
        Project::of(excerpt(), cards)
    }

    /// On a server with another schema.
    pub fn of(schema: Valid<Schema>, cards: &[&str]) -> Project {
        let options = COLUMNS.iter().enumerate();
        let options = options.map(|(index, name)| Choice { id: format!("opt{index}"), name: (*name).to_owned() });
        let state = Arc::new(Mutex::new(State {
            options: options.collect(),
            items: Vec::new(),
            closed: false,
            can_update: true,
            lagging: false,
            asked: Vec::new(),
            made: 0,
            failing: Vec::new(),
            meanwhile: None,
        }));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stopping = Arc::new(AtomicBool::new(false));
        let served = (state.clone(), stopping.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if served.1.load(Ordering::SeqCst) {
                    break;
                }
                // A client that is killed in the middle is none of the server's concern.
                answer(stream.unwrap(), &schema, &served.0).ok();
            }
        });
        let project = Project { state, address, stopping, thread: Some(thread) };
        cards.iter().for_each(|card| project.add(Kind::Issue, "In Progress", card, "What it is about."));
        project
    }

    pub fn url(&self) -> String {
        format!("http://{}/graphql", self.address)
    }

    /// The project without a run around it.
    pub fn board(&self) -> Arc<dyn Provider> {
        let token = Token { text: TOKEN.into(), variable: "GH_TOKEN" };
        let access = Access { owner: "me".into(), number: 1, endpoint: self.url(), token };
        open(provider::Kind::GitHub, &Source::Project(access), false, &Keys::default()).unwrap()
    }

    /// `column` empty: no status.
    pub fn add(&self, kind: Kind, column: &str, title: &str, body: &str) {
        self.with(|state| {
            let id = state.new_id("PVTI");
            let option = (!column.is_empty()).then(|| state.option(column));
            state.items.push(Item {
                id,
                archived: false,
                listed: option.clone(),
                option,
                kind,
                title: title.to_owned(),
                body: body.to_owned(),
                labels: Vec::new(),
                comments: Vec::new(),
                unlisted: false,
                hidden: false,
            });
        });
    }

    pub fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap())
    }

    /// The next `times` requests for an operation fail.
    pub fn fail(&self, operation: &'static str, times: usize, how: Fail) {
        self.with(|state| state.failing.push((operation, times, how)));
    }

    pub fn meanwhile(&self, operation: &'static str, act: Act) {
        self.with(|state| state.meanwhile = Some((operation, act)));
    }

    /// `KB-1: Done`, in the project's order.
    pub fn places(&self) -> Vec<String> {
        self.with(|state| {
            let name = |item: &Item| {
                let option = state.options.iter().find(|option| Some(&option.id) == item.option.as_ref());
                option.map_or("No Status", |option| &option.name).to_owned()
            };
            let card = |item: &Item| format!("{}: {}", item.title.split(' ').next().unwrap_or_default(), name(item));
            state.items.iter().map(card).collect()
        })
    }

    /// The bodies of the program's comments on a card.
    pub fn comments(&self, name: &str) -> Vec<String> {
        self.with(|state| {
            let ours = state.item(name).comments.iter().filter(|comment| comment.mine);
            ours.map(|comment| comment.body.clone()).collect()
        })
    }

    /// How often an operation was asked for.
    pub fn asked(&self, operation: &str) -> usize {
        self.with(|state| state.asked.iter().filter(|(name, _)| name == operation).count())
    }

    /// All requests and what they cost together.
    pub fn spent(&self) -> (usize, u64) {
        self.with(|state| (state.asked.len(), state.asked.iter().map(|(_, cost)| cost).sum()))
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        TcpStream::connect(self.address).ok();
        self.thread.take().unwrap().join().ok();
        let locks = PathBuf::from(format!("/tmp/kanban-codex-exec-{}", rustix::process::geteuid().as_raw()));
        let name = sha256(format!("board\0{}/me/1", self.address).as_bytes());
        fs::remove_file(locks.join(format!("{}.lock", &name[..32]))).ok();
    }
}

/// Reads one request and answers it.
fn answer(stream: TcpStream, schema: &Valid<Schema>, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut length, mut token) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(": ") else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => token = value.to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let request: Value = serde_json::from_slice(&body)?;
    let mut state = state.lock().unwrap();
    let Some((status, headers, body)) = respond(&request, &token, schema, &mut state) else { return Ok(()) };
    drop(state);
    let head = format!("HTTP/1.1 {status} .\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    (&stream).write_all(head.as_bytes())?;
    (&stream).write_all(body.as_bytes())
}

/// Status, headers and body; None: no answer.
fn respond(
    request: &Value,
    token: &str,
    schema: &Valid<Schema>,
    state: &mut State,
) -> Option<(u16, &'static str, String)> {
    let name = request["operationName"].as_str().unwrap().to_owned();
    if let Some((_, act)) = state.meanwhile.take_if(|(operation, _)| *operation == name) {
        act(state);
    }
    let failing = state.failing.iter_mut().find(|(operation, times, _)| *operation == name && *times > 0);
    let fail = failing.map(|(_, times, how)| {
        *times -= 1;
        how.clone()
    });
    if let Some(Fail::Reply { status, headers, body }) = fail {
        state.asked.push((name, 0));
        return Some((status, headers, body));
    }
    if token != format!("Bearer {TOKEN}") {
        return Some((401, "", json!({ "message": "Bad credentials" }).to_string()));
    }
    let text = request["query"].as_str().unwrap();
    let document = match ExecutableDocument::parse_and_validate(schema, text, "request.graphql") {
        Ok(document) => document,
        Err(wrong) => {
            let message = wrong.errors.to_string();
            return Some((200, "", json!({ "errors": [{ "message": message }] }).to_string()));
        }
    };
    let points = cost(&document, &request["variables"]);
    state.asked.push((name, points));
    let mut answer = execute(schema, &document, &request["variables"], state);
    match fail {
        Some(Fail::Lost) => return None,
        Some(Fail::Beside(error)) => answer["errors"] = json!([error]),
        Some(Fail::Reply { .. }) | None => {}
    }
    Some((200, "", answer.to_string()))
}
