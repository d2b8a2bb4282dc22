//! Which variables of an environment hold secrets, and the forms in which their values turn up. Pure.

use std::collections::BTreeSet;

/// Shorter values are left: they are no secret, and masking them would garble ordinary text.
const SHORTEST: usize = 8;

/// Anywhere in a name: what is called so is a secret.
const STRONG: &[&str] =
    &["TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "APIKEY", "API_KEY", "PRIVATE_KEY"];
/// As a part of a name between `_`: secrets and harmless things are called so, and the value decides.
const WEAK: &[&str] = &[
    "KEY",
    "KEYS",
    "AUTH",
    "PRIVATE",
    "COOKIE",
    "COOKIES",
    "SESSION",
    "DSN",
    "PASS",
    "PWD",
    "JWT",
    "BEARER",
    "WEBHOOK",
    "PAT",
    "SALT",
    "SIGNATURE",
    "PIN",
];
/// As the whole name.
const ALONE: &[&str] = &["AUTH", "COOKIE", "DSN", "SSHPASS"];
/// At the end of a name: addresses, in which a password may stand.
const ADDRESSES: &[&str] = &[
    "DATABASE_URL",
    "DATABASE_URI",
    "DB_URL",
    "REDIS_URL",
    "MONGO_URL",
    "MONGODB_URI",
    "AMQP_URL",
    "CONNECTION_STRING",
];
/// At the end of a name: says where or how, not what.
const HARMLESS: &[&str] = &[
    "PATH",
    "FILE",
    "DIR",
    "FOLDER",
    "SOCK",
    "SOCKET",
    "TYPE",
    "NAME",
    "USER",
    "USERNAME",
    "EMAIL",
    "HOST",
    "PORT",
    "REGION",
    "METHOD",
    "MODE",
    "ALGORITHM",
    "PROVIDER",
    "ENDPOINT",
    "ISSUER",
    "AUDIENCE",
    "DESKTOP",
    "CLASS",
    "MANAGER",
    "ADDRESS",
];
const TRIVIAL: &[&str] = &[
    "undefined",
    "disabled",
    "required",
    "optional",
    "unlimited",
    "anonymous",
    "localhost",
    "development",
    "production",
    "password",
    "changeme",
];
/// The first folder of a path.
const ROOTS: &[&str] = &[
    "usr",
    "home",
    "root",
    "tmp",
    "var",
    "etc",
    "opt",
    "run",
    "private",
    "Users",
    "Library",
    "Volumes",
    "System",
    "Applications",
    "mnt",
    "media",
    "srv",
    "dev",
    "proc",
    "bin",
    "sbin",
    "lib",
    "nix",
    "snap",
    "app",
    "data",
    "github",
    "__w",
    "workspace",
    "workspaces",
    "work",
    "builds",
];
/// Variables whose value is a name that any text may hold.
const PEOPLE: &[&str] = &["USER", "USERNAME", "LOGNAME", "HOSTNAME"];

/// Name and value of the variables of `env` that hold secrets; values without the white space around them.
pub fn of_environment(env: &[(String, String)]) -> Vec<(String, String)> {
    let people: Vec<&str> =
        env.iter().filter(|(name, _)| PEOPLE.contains(&name.as_str())).map(|(_, v)| v.as_str()).collect();
    let secrets = env.iter().filter(|(name, value)| !people.contains(&value.trim()) && is_secret(name, value.trim()));
    secrets.map(|(name, value)| (name.clone(), value.trim().to_owned())).collect()
}

fn is_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let parts: Vec<&str> = name.split(['_', '-', '.']).collect();
    let harmless = parts.last().is_some_and(|last| HARMLESS.contains(last))
        || value.chars().count() < SHORTEST
        || is_trivial(value)
        || is_path(value)
        || is_plain_address(value) && !parts.contains(&"WEBHOOK");
    let strong = STRONG.iter().any(|part| name.contains(part)) || ADDRESSES.iter().any(|end| name.ends_with(end));
    let weak = parts.len() > 1 && parts.iter().any(|part| WEAK.contains(part)) || ALONE.contains(&name.as_str());
    !harmless && (strong || weak && !is_plain_words(value))
}

/// What was found in a variable by its shape is looked for by itself, unless any text may hold it.
pub fn is_telling(secret: &str) -> bool {
    secret.chars().count() >= SHORTEST && !is_trivial(secret) && !is_plain_words(secret)
}

/// The words of a secret of several lines that nobody makes up: a patch or a report puts something before each line, so that
/// the value as a whole stands nowhere. Names of fields, addresses and what else any text may hold are none.
pub fn words(secret: &str) -> impl Iterator<Item = &str> {
    const SHORTEST: usize = 16;
    const RANDOM: usize = 12;
    let random = |run: &str| {
        let has = |kind: fn(&u8) -> bool| run.bytes().any(|byte| kind(&byte));
        run.len() >= RANDOM && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
    };
    let words = secret.split(|char: char| !char.is_ascii_alphanumeric() && !"+/_-".contains(char));
    words.filter(move |word| word.len() >= SHORTEST && word.split(['/', '_', '-']).any(random))
}

/// A number, a switch or a placeholder.
fn is_trivial(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_digit() || b".,:+-_ ".contains(&byte))
        || TRIVIAL.contains(&value.to_ascii_lowercase().as_str())
}

/// `ubuntu-wayland`, `USER_MODE`: words without a digit, of one case.
fn is_plain_words(value: &str) -> bool {
    let of = |letter: fn(&u8) -> bool| value.bytes().all(|byte| letter(&byte) || b"-_ ".contains(&byte));
    of(u8::is_ascii_lowercase) || of(u8::is_ascii_uppercase)
}

fn is_path(value: &str) -> bool {
    if value.starts_with("~/") || value.starts_with("./") || value.starts_with("../") || value.starts_with("unix:") {
        return true;
    }
    let drive = value.as_bytes().get(1..3).is_some_and(|piece| piece == br":\");
    let Some(rest) = value.strip_prefix('/') else { return drive };
    let rooted = rest.split('/').next().is_some_and(|first| ROOTS.contains(&first));
    // A key in base64 may begin with a slash, but it has no extension.
    let extension = rest.rsplit_once('.').map_or("", |(_, end)| end);
    rooted || (1..=5).contains(&extension.len()) && extension.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// A URL without user and password.
fn is_plain_address(value: &str) -> bool {
    let Some((scheme, rest)) = value.split_once("://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
        && !host.contains('@')
        && !rest.contains('?')
}

/// The value as it is, and as JSON writers escape it: each of `/`, `<>&` and what is not ASCII may be escaped or not, in
/// either case of hex digits; and once more for JSON within JSON.
pub fn forms(value: &str) -> BTreeSet<Vec<u8>> {
    let mut forms = BTreeSet::from([value.as_bytes().to_vec()]);
    // The bits that matter: most values have nothing of what they are about.
    let escaped = [value.contains('/'), value.contains(['<', '>', '&', '\'']), !value.is_ascii()];
    let matter = (0..3).filter(|bit| escaped[*bit]).fold(8_u8, |bits, bit| bits | 1 << bit);
    for choice in (0..16_u8).filter(|choice| choice & !matter == 0) {
        let once = json(value, choice);
        forms.insert(json(&once, 0).into_bytes());
        forms.insert(once.into_bytes());
    }
    forms
}

fn json(value: &str, choice: u8) -> String {
    let [slash, markup, ascii, upper] = [1, 2, 4, 8].map(|bit| choice & bit != 0);
    let mut out = String::with_capacity(value.len() + 8);
    for char in value.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '/' if slash => out.push_str("\\/"),
            _ if char < ' ' || (markup && "<>&'".contains(char)) || (ascii && !char.is_ascii()) => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    out.push_str(&if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") });
                }
            }
            _ => out.push(char),
        }
    }
    out
}
