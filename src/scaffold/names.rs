//! The names of a repository's own tests, read by their form: no language is parsed. Pure.

use std::sync::LazyLock;

use regex::Regex;

/// How tests are written in a language, and run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Rust,
    Python,
    JavaScript,
    Go,
    Ruby,
}

/// A test's beginning, its name as the first group that matched; and the regex of a line that an attempt would add.
struct Form {
    begins: Regex,
    added: &'static str,
}

impl Form {
    fn new(begins: &str, added: &'static str) -> Option<Form> {
        Some(Form { begins: Regex::new(begins).ok()?, added })
    }
}

const QUOTED: &str = r#"(?:'((?:[^'\\\n]|\\.)+)'|"((?:[^"\\\n]|\\.)+)"|`((?:[^`\\\n]|\\.)+)`)"#;

static RUST: LazyLock<Option<Form>> = LazyLock::new(|| {
    let begins = r"#\[(?:\w+::)*test(?:\([^\]]*\))?\]\s*(?:#\[[^\]]*\]\s*)*(?:pub\s+)?(?:async\s+)?fn\s+(\w+)";
    Form::new(begins, r"#\[(\w+::)*test\b[^\]]*\]\s+(async )?fn \w+")
});
static PYTHON: LazyLock<Option<Form>> =
    LazyLock::new(|| Form::new(r"(?m)^[ \t]*(?:async[ \t]+)?def[ \t]+(test_\w+)", r"^\s*(async )?def test_\w+"));
static JAVASCRIPT: LazyLock<Option<Form>> = LazyLock::new(|| {
    Form::new(
        &format!(r"(?m)^[ \t]*(?:it|test)(?:\.only|\.skip|\.concurrent)?\(\s*{QUOTED}"),
        r"^\s*(it|test)\b[.\w]*\(",
    )
});
static GO: LazyLock<Option<Form>> =
    LazyLock::new(|| Form::new(r"(?m)^func[ \t]+(Test[A-Z_]\w*)\(", r"^func Test\w+\("));
static RUBY: LazyLock<Option<Form>> = LazyLock::new(|| {
    Form::new(&format!(r"(?m)^[ \t]*(?:it|specify|scenario)\s*\(?\s*{QUOTED}"), r"^\s*(it|specify|scenario)\b")
});

impl Language {
    /// Of a file that may hold tests, by its path.
    pub fn of(path: &str) -> Option<Language> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let (stem, kind) = name.rsplit_once('.')?;
        match kind {
            "rs" => Some(Language::Rust),
            "py" if stem.starts_with("test_") || stem.ends_with("_test") => Some(Language::Python),
            "go" if stem.ends_with("_test") => Some(Language::Go),
            "rb" if stem.ends_with("_spec") => Some(Language::Ruby),
            "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" => {
                let folder = path.split('/').any(|part| ["test", "tests", "__tests__", "spec"].contains(&part));
                (folder || stem.ends_with(".test") || stem.ends_with(".spec")).then_some(Language::JavaScript)
            }
            _ => None,
        }
    }

    fn form(self) -> Option<&'static Form> {
        match self {
            Language::Rust => RUST.as_ref(),
            Language::Python => PYTHON.as_ref(),
            Language::JavaScript => JAVASCRIPT.as_ref(),
            Language::Go => GO.as_ref(),
            Language::Ruby => RUBY.as_ref(),
        }
    }

    /// The names of the tests in a file, in its order, each once.
    pub fn names(self, text: &str) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for found in self.form().into_iter().flat_map(|form| form.begins.captures_iter(text)) {
            let name = found.iter().skip(1).flatten().next().map(|name| unescaped(name.as_str().trim()));
            // Of one that is made while it runs nothing can be said.
            names.extend(name.filter(|name| !name.is_empty() && !name.contains("${") && !names.contains(name)));
        }
        names
    }

    /// The pattern of a test's beginning, for a test string.
    pub fn added(self) -> &'static str {
        self.form().map_or("", |form| form.added)
    }

    /// The command that runs one test of a file. `package`: what `package.json` says, for the runner's name.
    pub fn command(self, path: &str, name: &str, package: &str) -> String {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        // What a runner would read as a pattern, or a shell as its own, stands for any character.
        let pattern: String = name.chars().map(|char| if plain(char) { char } else { '.' }).collect();
        let words = |words: &[&str]| shell_words::join(words);
        let named = |runner: &str| package.contains(&format!("\"{runner}\""));
        match self {
            Language::Rust => words(&["cargo", "test", name]),
            Language::Python => words(&["python3", "-m", "pytest", path, "-k", name]),
            Language::Go => words(&["go", "test", &format!("./{folder}"), "-run", &format!("^{name}$")]),
            Language::Ruby => words(&["bundle", "exec", "rspec", path, "-e", &literal(name)]),
            Language::JavaScript if named("vitest") => words(&["npx", "vitest", "run", path, "-t", &pattern]),
            Language::JavaScript if named("jest") => words(&["npx", "jest", path, "-t", &pattern]),
            Language::JavaScript if named("mocha") => words(&["npx", "mocha", path, "-g", &pattern]),
            Language::JavaScript => words(&["node", "--test", "--test-name-pattern", &pattern, path]),
        }
    }
}

/// What a quoted name says: `it\'s` is `it's`.
fn unescaped(name: &str) -> String {
    let mut chars = name.chars();
    std::iter::from_fn(|| chars.next().and_then(|char| if char == '\\' { chars.next() } else { Some(char) })).collect()
}

fn plain(char: char) -> bool {
    char.is_alphanumeric() || " _-,".contains(char)
}

/// The longest part of a name that every program takes as it is.
fn literal(name: &str) -> String {
    let parts = name.split(|char| !plain(char)).map(str::trim);
    parts.max_by_key(|part| part.len()).unwrap_or_default().to_owned()
}

/// A name's words: `greets_by_name`, `TestGreetsByName` and `greets by name` are the same.
pub fn words(name: &str) -> String {
    let mut text = String::new();
    let mut last = ' ';
    for char in name.chars() {
        if char.is_uppercase() && last.is_lowercase() {
            text.push(' ');
        }
        text.push(if char.is_alphanumeric() { char } else { ' ' });
        last = char;
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let form = |word: &str| ["test", "tests", "it"].contains(&word.to_lowercase().as_str());
    let rest = if words.len() > 1 && form(words[0]) { &words[1..] } else { &words[..] };
    rest.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_found_by_how_they_begin() {
        for (language, text, names) in [
            (
                Language::Rust,
                "#[test]\nfn greets() {}\n  #[tokio::test(flavor = \"x\")]\n  #[ignore]\n  async fn waits_a_moment() {}\nfn helper() {}\n",
                &["greets", "waits_a_moment"][..],
            ),
            (
                Language::Python,
                "def test_greets():\n    pass\nclass TestX:\n    async def test_waits(self):\n        def helper(): pass\n",
                &["test_greets", "test_waits"],
            ),
            (
                Language::JavaScript,
                "describe('greet', () => {\n  it('greets \"Ada\"', f);\n  test(`waits`, f)\n  it.skip(\"skips\", f);\n  it('waits', f)\n  exit('no')\n",
                &["greets \"Ada\"", "waits", "skips"],
            ),
            (
                Language::JavaScript,
                "it('it\\'s refused', f)\nit(\"says \\\"no\\\"\", f)\ntest(`adds ${1}`, f)\n",
                &["it's refused", "says \"no\""],
            ),
            (Language::Go, "func TestGreets(t *testing.T) {}\nfunc Testing() {}\nfunc helper() {}\n", &["TestGreets"]),
            (Language::Ruby, "describe 'x' do\n  it 'greets' do\n  it(\"waits\") { }\n", &["greets", "waits"]),
            (Language::Rust, "", &[]),
        ] {
            assert_eq!(language.names(text), names, "{language:?}");
            let added = Regex::new(&format!("(?m){}", language.added())).unwrap();
            assert_eq!(added.is_match(text), !names.is_empty(), "{language:?}");
        }
    }

    #[test]
    fn a_file_may_hold_tests_by_its_name() {
        for (path, language) in [
            ("src/lib.rs", Some(Language::Rust)),
            ("tests/test_greet.py", Some(Language::Python)),
            ("greet.py", None),
            ("src/greet.test.ts", Some(Language::JavaScript)),
            ("test/greet.js", Some(Language::JavaScript)),
            ("src/greet.js", None),
            ("greet_test.go", Some(Language::Go)),
            ("spec/greet_spec.rb", Some(Language::Ruby)),
            ("README.md", None),
            ("Makefile", None),
        ] {
            assert_eq!(Language::of(path), language, "{path}");
        }
    }

    #[test]
    fn a_name_becomes_words_and_a_command() {
        for (name, expected) in [
            ("greets_the_user", "greets the user"),
            ("test_greets", "greets"),
            ("TestGreetsByName", "Greets By Name"),
            ("prints `usage` (twice)", "prints usage twice"),
            ("test", "test"),
        ] {
            assert_eq!(words(name), expected);
        }
        for (language, path, name, command) in [
            (Language::Rust, "src/a.rs", "greets", "cargo test greets"),
            (Language::Python, "t/test_a.py", "test_a", "python3 -m pytest t/test_a.py -k test_a"),
            (Language::Go, "pkg/a_test.go", "TestA", "go test ./pkg -run '^TestA$'"),
            (Language::Go, "a_test.go", "TestA", "go test ./ -run '^TestA$'"),
            (
                Language::Ruby,
                "spec/a_spec.rb",
                "greets | waits for it",
                "bundle exec rspec spec/a_spec.rb -e 'waits for it'",
            ),
            (Language::JavaScript, "a.test.js", "it's $(x)", "npx jest a.test.js -t 'it.s ..x.'"),
        ] {
            assert_eq!(language.command(path, name, "{\"jest\": \"1\"}"), command);
        }
    }
}
