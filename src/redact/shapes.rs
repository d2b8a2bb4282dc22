//! What secrets look like when their value is not known beforehand. Pure.

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::{Regex, RegexBuilder};

/// The name of private keys in PEM, of which the pattern only knows the start: see [`key_end`].
pub const PRIVATE_KEY: &str = "private-key";

/// How the label of a private key begins.
pub const LABEL: &str = "-----BEGIN ";

/// Before a token with a short or common prefix: no part of a word (`task-list`, base64), where the end of an escape in
/// JSON, of an escape in a URL and of a terminal colour are no word, and a line that a diff takes away is one of its own.
const EDGE: &str = r"(?:^|[^0-9A-Za-z_-]|\\[bfnrt]|\\u00[0-9A-Fa-f]{2}|%[0-9A-Fa-f]{2}|\x1b\[[0-9;]*m)[_-]{0,2}";

/// Between a name and its value: `NAME=…`, `name: …`, `"name": "…"`, and the same in JSON.
const IS: &str = r#"[\\"']{0,4}[ \t]{0,8}[=:]>?[ \t]{0,8}[\\"']{0,4}"#;

/// What some JSON writers escape, within JSON twice: a slash, and a plus sign.
const SLASH: &str = r"\\{0,4}/";
const BASE64: &str = r"(?:[A-Za-z0-9+]|\\{0,4}/|\\{1,2}u002[Bb])";

/// `+`, `/` and `=` in a URL.
const ENCODED: &str = r"%(?:2[BbFf]|3[Dd])";

/// Name and pattern, whose only group is the secret. `{EDGE}` and so on stand for the above. No pattern looks at what
/// follows the secret (save one that ends the URL's): so what was redacted once is redacted for good. Open-ended, so that a
/// longer secret is never cut.
pub const SHAPES: &[(&str, &str)] = &[
    ("github-token", r"(gh[oprsu]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})"),
    (
        "gitlab-token",
        r"{EDGE}(gl(?:pat|dt|ptt|ft|imt|agent|rt|soat|cbt|oas)-[A-Za-z0-9_-]{20,}(?:\.[0-9a-z]{2}\.[0-9a-z]{7,})?)",
    ),
    ("anthropic-key", r"{EDGE}(sk-ant-[A-Za-z0-9_-]{20,})"),
    ("openrouter-key", r"{EDGE}(sk-or-v1-[0-9a-f]{32,})"),
    ("openai-key", r"{EDGE}(sk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}|[A-Za-z0-9]{20,}))"),
    ("groq-key", r"{EDGE}(gsk_[A-Za-z0-9]{32,})"),
    ("xai-key", r"{EDGE}(xai-[A-Za-z0-9]{40,})"),
    ("perplexity-key", r"{EDGE}(pplx-[A-Za-z0-9]{32,})"),
    ("replicate-token", r"{EDGE}(r8_[A-Za-z0-9]{32,})"),
    ("huggingface-token", r"{EDGE}((?:hf|api_org)_[A-Za-z0-9]{30,})"),
    ("aws-access-key", r"{EDGE}((?:AKIA|ASIA)[A-Z0-9]{16,})"),
    ("aws-secret-key", r"(?i:secret_?access_?key|aws_?secret(?:_?key)?|aws_?session_?token){IS}({BASE64}{40,})"),
    ("google-key", r"{EDGE}(AIza[0-9A-Za-z_-]{35,})"),
    ("google-token", r"{EDGE}(ya29\.[0-9A-Za-z_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,})"),
    ("azure-key", r"(?i:AccountKey|SharedAccessKey)=({BASE64}{40,}={0,2})"),
    ("azure-client-secret", r"{EDGE}([A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,})"),
    ("azure-signature", r"[?&;]sig=((?:{BASE64}|{ENCODED}){40,})"),
    ("alibaba-key", r"{EDGE}(LTAI[A-Za-z0-9]{16,})"),
    ("digitalocean-token", r"(do[oprt]_v1_[0-9a-f]{40,})"),
    ("cloudflare-token", r"(?i:(?:cloudflare|cf)_?(?:global_?)?api_?(?:token|key)){IS}([A-Za-z0-9_-]{37,})"),
    ("cloudflare-origin-key", r"{EDGE}(v1\.0-[0-9a-f]{24}-[0-9a-f]{100,})"),
    ("heroku-token", r"{EDGE}(HRKU-[A-Za-z0-9_-]{30,})"),
    ("fly-token", r"{EDGE}(?:FlyV1 )?(f(?:m[12][ar]?|o1)_(?:{BASE64}|[=_-]){40,})"),
    ("netlify-token", r"{EDGE}(nfp_[A-Za-z0-9]{36,})"),
    ("tailscale-key", r"{EDGE}(tskey-(?:auth|api|client|scim|webhook)-[A-Za-z0-9-]{20,})"),
    ("onepassword-token", r"{EDGE}(ops_eyJ[A-Za-z0-9_-]{100,})"),
    ("supabase-token", r"{EDGE}(sbp_[0-9a-f]{40,}|sb_secret_[A-Za-z0-9_-]{20,})"),
    ("planetscale-token", r"{EDGE}(pscale_(?:tkn|pw|oauth)_[A-Za-z0-9=._-]{32,})"),
    ("databricks-token", r"{EDGE}(dapi[0-9a-f]{32,})"),
    ("vault-token", r"{EDGE}(hv[bsr]\.[A-Za-z0-9_-]{24,})"),
    ("terraform-token", r"(atlasv1\.[A-Za-z0-9_=-]{60,})"),
    ("doppler-token", r"{EDGE}(dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{40,})"),
    ("pulumi-token", r"{EDGE}(pul-[0-9a-f]{40,})"),
    ("slack-token", r"{EDGE}(xox[abeoprs][.-][0-9A-Za-z.-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{20,})"),
    (
        "slack-webhook",
        r"hooks\.slack\.com{SLASH}(?:services|workflows|triggers){SLASH}([A-Z0-9]{6,}(?:{SLASH}[A-Za-z0-9]{6,})+)",
    ),
    ("discord-token", r"{EDGE}([MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,})"),
    ("discord-webhook", r"discord(?:app)?\.com{SLASH}api{SLASH}webhooks{SLASH}[0-9]{15,}{SLASH}([A-Za-z0-9_-]{50,})"),
    ("telegram-token", r"(?:{EDGE}|bot)([0-9]{8,10}:AA[A-Za-z0-9_-]{33,})"),
    ("twilio-key", r"{EDGE}((?:SK|AC)[0-9a-f]{32,})"),
    ("sendgrid-key", r"{EDGE}(SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,})"),
    ("mailgun-key", r"{EDGE}(key-[0-9a-f]{32,}|[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8})"),
    ("mailchimp-key", r"{EDGE}([0-9a-f]{32}-us[0-9]{1,2})"),
    ("brevo-key", r"{EDGE}(xkeysib-[0-9a-f]{40,}[A-Za-z0-9-]*)"),
    ("stripe-key", r"{EDGE}((?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}|whsec_{BASE64}{24,}={0,2})"),
    ("square-token", r"{EDGE}(sq0(?:atp|csp)-[A-Za-z0-9_-]{22,}|EAAA[A-Za-z0-9_-]{56,})"),
    ("shopify-token", r"{EDGE}(shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32,})"),
    ("npm-token", r"{EDGE}(npm_[A-Za-z0-9]{36,})"),
    ("npm-auth", r":_(?:authToken|auth|password){IS}((?:{BASE64}|[._~=-]){16,})"),
    ("pypi-token", r"{EDGE}(pypi-AgE[A-Za-z0-9_-]{50,})"),
    ("rubygems-key", r"{EDGE}(rubygems_[0-9a-f]{40,})"),
    ("crates-token", r"{EDGE}(cio[A-Za-z0-9]{32})"),
    ("docker-token", r"{EDGE}(dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,})"),
    ("sentry-token", r"{EDGE}(sntry[su]_(?:{BASE64}|[=_]){40,})"),
    ("sentry-dsn", r"{SLASH}{SLASH}([0-9a-f]{32,})(?::[0-9a-f]{32})?@"),
    ("grafana-token", r"{EDGE}(gl(?:c|sa)_(?:{BASE64}|[=_]){32,})"),
    ("newrelic-key", r"{EDGE}(NRAK-[A-Z0-9]{27,}|[0-9a-f]{36}NRAL)"),
    (
        "service-key",
        r"(?i:(?:datadog|{EDGE}dd|twilio|heroku|sentry|new_?relic|mailgun)[_-]?(?:api|app|application|auth|license|account)?[_-]?(?:key|token)){IS}([0-9a-f][0-9a-f-]{31,})",
    ),
    ("postman-key", r"{EDGE}(PMAK-[0-9a-f]{24}-[0-9a-f]{34,})"),
    ("buildkite-token", r"{EDGE}(bk(?:ua|aj)_[0-9a-f]{40,})"),
    ("circleci-token", r"{EDGE}(CCI(?:PAT|PRJ)_[A-Za-z0-9_]{40,})"),
    ("atlassian-token", r"{EDGE}(AT(?:ATT|CTT)3[A-Za-z0-9_=-]{50,}|ATBB[A-Za-z0-9]{28,})"),
    ("linear-key", r"{EDGE}(lin_(?:api|oauth)_[A-Za-z0-9]{32,})"),
    ("notion-token", r"{EDGE}(ntn_[A-Za-z0-9]{40,}|secret_[A-Za-z0-9]{43,})"),
    ("airtable-token", r"{EDGE}(pat[A-Za-z0-9]{14}\.[0-9a-f]{64,})"),
    ("figma-token", r"{EDGE}(fig[doru]_[A-Za-z0-9_-]{40,})"),
    ("hubspot-token", r"{EDGE}(pat-(?:na|eu|ap)[0-9]-[0-9a-f]{8}-[0-9a-f-]{27,})"),
    ("age-key", r"(AGE-SECRET-KEY-1[A-Z0-9]{50,})"),
    ("mapbox-token", r"{EDGE}(sk\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,})"),
    ("jwt", r"{EDGE}(eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,})"),
    ("url-password", r#":{SLASH}{SLASH}[^\s/?#:@"'<>\[\]\\]*:([^\s/?#@"'<>\[\]\\$\{][^\s/?#@"'<>\[\]\\]*)@"#),
    ("authorization", r"(?i:authorization){IS}(?i:bearer|basic|token|apikey|bot)[ \t]{1,8}((?:{BASE64}|[._~=-]){8,})"),
    (
        "api-key",
        r"(?i:x-(?:api-key|auth-token|gitlab-token|vault-token|amz-security-token)){IS}((?:s\.)?(?:{BASE64}|{ENCODED}|[_~=-]){16,})",
    ),
    // The label, what may stand between it and the first line of the key, and the start of that line.
    (PRIVATE_KEY, r#"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[^"'`<>(){}]{0,512}?[A-Za-z0-9+/]{16})"#),
];

/// All shapes; the group's number, less one, is the place in [`SHAPES`].
static PATTERN: LazyLock<Regex> = LazyLock::new(|| {
    let all: Vec<String> = SHAPES.iter().map(|(_, shape)| spelt(shape)).collect();
    compile(&all.join("|"))
});

fn spelt(shape: &str) -> String {
    let parts = [("{EDGE}", EDGE), ("{IS}", IS), ("{SLASH}", SLASH), ("{BASE64}", BASE64), ("{ENCODED}", ENCODED)];
    parts.iter().fold(shape.to_owned(), |shape, (name, part)| shape.replace(name, part))
}

/// A label of a private key, whose first line may be yet to come.
static OPEN_LABEL: LazyLock<Regex> =
    LazyLock::new(|| compile(r#"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[^"'`<>(){}]{0,512}\z"#));

/// Longer than anything that [`OPEN_LABEL`] matches.
const LONGEST_LABEL: usize = 640;

/// What the search may remember, in bytes. With the default, a text full of tokens takes thirty times as long.
const DFA: usize = 16 << 20;

#[expect(clippy::expect_used, reason = "the patterns are constants, and every test compiles them")]
fn compile(pattern: &str) -> Regex {
    let regex = RegexBuilder::new(&format!("(?s-u){pattern}")).dfa_size_limit(DFA).build();
    regex.expect("a constant pattern")
}

/// A secret that was found by its shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where that starts by which it is known: its own start, or that of the words before it, in the same line.
    pub from: usize,
    pub range: Range<usize>,
    pub name: &'static str,
}

/// The first secret in `text`.
pub fn find(text: &[u8]) -> Option<Found> {
    let found = PATTERN.find(text)?;
    let groups = PATTERN.captures_at(text, found.start())?;
    let from = found.start() + usize::from(text.get(found.start()) == Some(&b'\n'));
    let secret = |(at, shape): (usize, &(&'static str, &str))| {
        Some(Found { from, range: groups.get(at + 1)?.range(), name: shape.0 })
    };
    SHAPES.iter().enumerate().find_map(secret)
}

/// Where a label starts that could turn out to be a private key's with more text.
pub fn open_label(text: &[u8]) -> Option<usize> {
    let from = text.len().saturating_sub(LONGEST_LABEL);
    OPEN_LABEL.find(&text[from..]).map(|found| from + found.start())
}

/// How far a private key goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyEnd {
    /// The key ends here.
    At(usize),
    /// Its end is missing: something stands here that no key has. The word that it stands in may be another secret, which
    /// has lost its beginning.
    Torn(usize),
    /// It goes at least as far as here, and may go on with more text.
    Open(usize),
}

/// Where the key ends whose inside `text` is: after its end label, or where something stands that no key has.
pub fn key_end(text: &[u8]) -> KeyEnd {
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/= \t\r\n\\:>|".contains(byte);
    let mut at = 0;
    loop {
        at += text[at..].iter().take_while(|byte| inside(byte)).count();
        let dashes = text[at..].iter().take_while(|byte| **byte == b'-').count();
        let rest = &text[at + dashes..];
        match dashes {
            0 if rest.is_empty() => return KeyEnd::Open(at),
            0 => return KeyEnd::Torn(at),
            // The labels have five, and a diff that takes the key away has one more.
            1..=6 if rest.is_empty() => return KeyEnd::Open(at),
            1 => at += 1,
            5 | 6 => {
                return match label_end(rest) {
                    KeyEnd::At(end) => KeyEnd::At(at + dashes + end),
                    KeyEnd::Torn(_) => KeyEnd::Torn(at),
                    KeyEnd::Open(_) => KeyEnd::Open(at),
                };
            }
            _ => return KeyEnd::Torn(at),
        }
    }
}

/// How much of the text goes on with the word that a token ends in.
pub fn word(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.+/=~%".contains(byte)).count()
}

/// Where `END … PRIVATE KEY-----` ends; torn if it is something else.
fn label_end(text: &[u8]) -> KeyEnd {
    const LONGEST: usize = 64;
    let words =
        text.iter().take(LONGEST).take_while(|byte| byte.is_ascii_uppercase() || b" 0123456789".contains(byte)).count();
    let dashes = text[words..].iter().take(5).take_while(|byte| **byte == b'-').count();
    match &text[..words] {
        label if !label.starts_with(b"END ") && !b"END ".starts_with(label) => KeyEnd::Torn(0),
        _ if dashes == 5 => KeyEnd::At(words + dashes),
        _ if words + dashes == text.len() && words < LONGEST => KeyEnd::Open(0),
        _ => KeyEnd::Torn(0),
    }
}

/// The lines of private keys in a secret, whichever way they are parted: one of them alone has no shape.
pub fn key_lines(secret: &str) -> impl Iterator<Item = &str> {
    const SHORTEST: usize = 16;
    let base64 = |char: char| char.is_ascii_alphanumeric() || "+/=".contains(char);
    let lines = secret.split('\n').flat_map(|line| line.split("\\n"));
    let lines = lines.map(move |line| line.trim_matches(|char: char| !base64(char)));
    lines.filter(move |line| line.len() >= SHORTEST && line.chars().all(base64))
}
