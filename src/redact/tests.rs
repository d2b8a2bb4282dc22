mod lines;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

fn redactor(env: &[(&str, &str)]) -> Redactor {
    Redactor::new(env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// `count` letters and digits. Examples are put together here, so that no scanner takes this file for a leak.
fn letters(count: usize) -> String {
    "a8Zk3QmB7xT2Lw9YdV4n".chars().cycle().take(count).collect()
}

fn capitals(count: usize) -> String {
    "Q7ZK2MB4XT".chars().cycle().take(count).collect()
}

fn hex(count: usize) -> String {
    "9f86d081884c7d65".chars().cycle().take(count).collect()
}

fn base64(count: usize) -> String {
    "MIIEvQ+IBADA/Nbgk".chars().cycle().take(count).collect()
}

/// A text with one secret between `{` and `}`, and the name that it gets.
fn examples() -> Vec<(&'static str, String)> {
    let (l, h, c) = (letters, hex, capitals);
    let jwt = format!("{}.{}.{}", ["ey", "J", &l(20)].concat(), ["ey", "J", &l(30)].concat(), l(43));
    vec![
        ("github-token", ["{gh", "p_", &l(36), "}"].concat()),
        ("github-token", ["{gh", "s_", &l(36), "}"].concat()),
        ("url-password", ["https://x-access-token:{gh", "o_", &l(36), "}@github.com/a/b"].concat()),
        ("github-token", ["{github", "_pat_", &l(22), "_", &l(59), "}"].concat()),
        ("gitlab-token", ["{gl", "pat-", &l(20), "}"].concat()),
        ("anthropic-key", ["{sk-", "ant-api03-", &l(93), "}"].concat()),
        ("openrouter-key", ["{sk-", "or-v1-", &h(64), "}"].concat()),
        ("openai-key", ["{sk-", &l(48), "}"].concat()),
        ("openai-key", ["{sk-", "proj-", &l(40), "_", &l(40), "}"].concat()),
        ("groq-key", ["{gs", "k_", &l(52), "}"].concat()),
        ("xai-key", ["{xa", "i-", &l(80), "}"].concat()),
        ("perplexity-key", ["{ppl", "x-", &l(48), "}"].concat()),
        ("replicate-token", ["{r", "8_", &l(37), "}"].concat()),
        ("huggingface-token", ["{h", "f_", &l(34), "}"].concat()),
        ("aws-access-key", ["{AK", "IA", &c(16), "}"].concat()),
        ("aws-access-key", ["{AS", "IA", &c(16), "}"].concat()),
        ("aws-secret-key", ["aws_secret_", "access_key = {", &l(40), "}"].concat()),
        ("aws-secret-key", ["\"SecretAccess", "Key\": \"{", &l(40), "}\""].concat()),
        ("google-key", ["{AI", "za", &l(35), "}"].concat()),
        ("google-token", ["{ya", "29.", &l(60), "}"].concat()),
        ("google-token", ["{GOC", "SPX-", &l(28), "}"].concat()),
        ("azure-key", ["AccountName=a;Account", "Key={", &l(86), "==};EndpointSuffix=b"].concat()),
        ("azure-signature", ["?sv=2024&si", "g={", &l(43), "%3D}&se=1"].concat()),
        ("alibaba-key", ["{LT", "AI", &l(20), "}"].concat()),
        ("digitalocean-token", ["{do", "p_v1_", &h(64), "}"].concat()),
        ("cloudflare-token", ["CLOUDFLARE_API_", "TOKEN={", &l(40), "}"].concat()),
        ("cloudflare-origin-key", ["{v1", ".0-", &h(24), "-", &h(146), "}"].concat()),
        ("heroku-token", ["{HR", "KU-", &l(60), "}"].concat()),
        ("fly-token", ["Fly", "V1 {fm", "2_", &l(80), "}"].concat()),
        ("azure-client-secret", ["{abc8", "Q~", &l(34), "}"].concat()),
        ("netlify-token", ["{nf", "p_", &l(40), "}"].concat()),
        ("tailscale-key", ["{tskey", "-auth-", &l(12), "CNTRL-", &l(32), "}"].concat()),
        ("onepassword-token", ["{op", "s_ey", "J", &l(200), "}"].concat()),
        ("npm-auth", ["//registry.npmjs.org/:_auth", "Token={", &l(36), "}"].concat()),
        ("sentry-dsn", ["https:/", "/{", &h(32), "}@o1.ingest.sentry.io/2"].concat()),
        ("service-key", ["DD_API", "_KEY={", &h(32), "}"].concat()),
        ("supabase-token", ["{sb", "p_", &h(40), "}"].concat()),
        ("planetscale-token", ["{pscale", "_tkn_", &l(43), "}"].concat()),
        ("databricks-token", ["{da", "pi", &h(32), "}"].concat()),
        ("vault-token", ["{hv", "s.", &l(90), "}"].concat()),
        ("terraform-token", [&l(14), ".{atlas", "v1.", &l(67), "}"].concat()),
        ("doppler-token", ["{dp", ".pt.", &l(43), "}"].concat()),
        ("pulumi-token", ["{pu", "l-", &h(40), "}"].concat()),
        ("slack-token", ["{xo", "xb-123456789012-", &l(24), "}"].concat()),
        ("slack-token", ["{xa", "pp-1-A012-", &l(30), "}"].concat()),
        ("slack-webhook", ["https://hooks.slack", ".com/services/{T", &c(8), "/B", &c(8), "/", &l(24), "}"].concat()),
        ("discord-token", ["{M", &l(25), ".", &l(6), ".", &l(38), "}"].concat()),
        ("discord-webhook", ["https://discord", ".com/api/webhooks/123456789012345678/{", &l(68), "}"].concat()),
        ("telegram-token", ["https://api.telegram.org/bot{12345678", "90:AA", &l(33), "}/getMe"].concat()),
        ("twilio-key", ["{S", "K", &h(32), "}"].concat()),
        ("twilio-key", ["{A", "C", &h(32), "}"].concat()),
        ("sendgrid-key", ["{S", "G.", &l(22), ".", &l(43), "}"].concat()),
        ("mailgun-key", ["{ke", "y-", &h(32), "}"].concat()),
        ("mailchimp-key", ["{", &h(32), "-u", "s12}"].concat()),
        ("brevo-key", ["{xkey", "sib-", &h(64), "-", &l(16), "}"].concat()),
        ("stripe-key", ["{sk", "_live_", &l(24), "}"].concat()),
        ("stripe-key", ["{rk", "_live_", &l(24), "}"].concat()),
        ("stripe-key", ["{wh", "sec_", &l(32), "}"].concat()),
        ("square-token", ["{sq0", "atp-", &l(22), "}"].concat()),
        ("shopify-token", ["{shp", "at_", &h(32), "}"].concat()),
        ("npm-token", ["{np", "m_", &l(36), "}"].concat()),
        ("pypi-token", ["{pypi-", "AgEIcHlwaS5vcmc", &l(60), "}"].concat()),
        ("rubygems-key", ["{ruby", "gems_", &h(48), "}"].concat()),
        ("crates-token", ["{ci", "o", &l(32), "}"].concat()),
        ("docker-token", ["{dckr", "_pat_", &l(27), "}"].concat()),
        ("sentry-token", ["{sntr", "ys_", &l(80), "}"].concat()),
        ("grafana-token", ["{gl", "sa_", &l(32), "_", &h(8), "}"].concat()),
        ("newrelic-key", ["{NR", "AK-", &c(27), "}"].concat()),
        ("postman-key", ["{PM", "AK-", &h(24), "-", &h(34), "}"].concat()),
        ("buildkite-token", ["{bk", "ua_", &h(40), "}"].concat()),
        ("circleci-token", ["{CCI", "PAT_", &l(22), "_", &h(40), "}"].concat()),
        ("atlassian-token", ["{AT", "ATT3", &l(180), "=", &c(8), "}"].concat()),
        ("linear-key", ["{lin", "_api_", &l(40), "}"].concat()),
        ("notion-token", ["{nt", "n_", &l(46), "}"].concat()),
        ("notion-token", ["{sec", "ret_", &l(43), "}"].concat()),
        ("airtable-token", ["{pa", "t", &l(14), ".", &h(64), "}"].concat()),
        ("figma-token", ["{fi", "gd_", &l(40), "}"].concat()),
        ("hubspot-token", ["{pat", "-na1-", &h(8), "-", &h(4), "-", &h(4), "-", &h(4), "-", &h(12), "}"].concat()),
        ("age-key", ["{AGE-SECRET", "-KEY-1", &c(58), "}"].concat()),
        ("mapbox-token", ["{sk", ".ey", "J", &l(60), ".", &l(22), "}"].concat()),
        ("jwt", format!("{{{jwt}}}")),
        ("url-password", ["postgres://app:{", "hunter2", "}@db.internal:5432/app"].concat()),
        ("url-password", ["redis:\\/\\/:{", "hunter2", "}@cache"].concat()),
        ("authorization", ["Authorization: Bearer {", &l(24), "}"].concat()),
        ("authorization", ["\"authorization\":\"Basic {", &l(24), "==}\""].concat()),
        ("authorization", ["-H 'Authorization: token {", &h(40), "}'"].concat()),
        ("api-key", ["x-api-", "key: {", &l(32), "}"].concat()),
        (PRIVATE_KEY, format!("{{{}}}", pem("RSA PRIVATE KEY", "\n", 20))),
        (PRIVATE_KEY, format!("\"key\":\"{{{}}}\\n\"", pem("PRIVATE KEY", "\\n", 20))),
        (PRIVATE_KEY, format!("{{{}}}", pem("OPENSSH PRIVATE KEY", "\r\n", 1))),
        (PRIVATE_KEY, format!("-{{{}}}", pem("EC PRIVATE KEY", "\n-", 6))),
        (PRIVATE_KEY, format!("+{{{}}}", pem("PGP PRIVATE KEY BLOCK", "\n+", 6))),
    ]
}

fn pem(label: &str, newline: &str, lines: usize) -> String {
    let body: String = (0..lines).map(|_| base64(64) + newline).collect();
    ["-----BEG", "IN ", label, "-----", newline, &body, "-----E", "ND ", label, "-----"].concat()
}

/// The text without braces, and what it becomes.
fn example(name: &str, text: &str) -> (String, String) {
    let (before, rest) = text.split_once('{').unwrap();
    let (secret, after) = rest.rsplit_once('}').unwrap();
    (format!("{before}{secret}{after}"), format!("{before}[REDACTED:{name}]{after}"))
}

fn streamed(redactor: &Redactor, pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
    let (mut stream, mut out) = (redactor.stream(), Vec::new());
    for piece in pieces {
        stream.push(piece.as_ref(), &mut out);
    }
    stream.finish(&mut out);
    out
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn tokens_are_known_by_their_shape() {
    let redactor = Redactor::default();
    for (name, text) in examples() {
        let (text, expected) = example(name, &text);
        for (before, after) in [("", ""), ("see ", " there"), ("a\n", "\nb"), ("k=", "&c"), ("(", ")"), ("é", "é")] {
            let (text, expected) = (format!("{before}{text}{after}"), format!("{before}{expected}{after}"));
            assert_eq!(redactor.text(&text), expected, "{name}");
        }
    }
    let named: BTreeSet<&str> = examples().into_iter().map(|(name, _)| name).collect();
    let shapes: BTreeSet<&str> = SHAPES.iter().map(|(name, _)| *name).collect();
    assert_eq!(named, shapes, "each shape has an example");
}

#[test]
fn a_line_that_a_diff_takes_away_hides_no_token() {
    let key = ["AK", "IA", &capitals(16)].concat();
    for before in ["-", "+", "a\n-", "a\\n-", "__", "--"] {
        assert_eq!(Redactor::default().text(&format!("{before}{key}")), format!("{before}[REDACTED:aws-access-key]"));
    }
}

#[test]
fn what_a_text_shows_to_be_secret_is_known_in_parts_of_it() {
    let key = pem("RSA PRIVATE KEY", "\n", 3);
    let line = key.lines().nth(1).unwrap();
    let quoted = format!("3: {line}");
    assert_eq!(Redactor::default().text(&quoted), quoted);
    assert_eq!(Redactor::default().knowing([key.as_str()]).text(&quoted), "3: [REDACTED:private-key]");
    assert_eq!(redactor(&[("DEPLOY", &key)]).text(&quoted), "3: [REDACTED:private-key]");
    let url = ["https://me:", &letters(12), "@localhost"].concat();
    assert_eq!(redactor(&[("UPSTREAM", &url)]).text(&letters(12)), "[REDACTED:url-password]");
}

#[test]
fn a_torn_key_takes_no_half_of_the_next_secret() {
    let torn = pem("RSA PRIVATE KEY", "\n", 3)
        .replace("-----END RSA PRIVATE KEY-----", &["sk", "_live_", &letters(24)].concat());
    for size in [1, 7, 1000] {
        let out = shown(&streamed(&Redactor::default(), (torn.clone() + " rest").as_bytes().chunks(size)));
        assert_eq!(out, "[REDACTED:private-key] rest", "pieces of {size}");
    }
}

#[test]
fn an_escape_before_a_token_is_no_part_of_a_word() {
    let redactor = Redactor::default();
    let key = ["sk-", "ant-", &letters(40)].concat();
    for before in ["line\\n", "\\t", "q=%20", "\x1b[1;32m", "\\u001b", "\\u003d", "\""] {
        assert_eq!(redactor.text(&format!("{before}{key}\"")), format!("{before}[REDACTED:anthropic-key]\""));
    }
}

#[test]
fn what_only_looks_like_a_secret_is_left() {
    let redactor = redactor(&[("SOME_TOKEN", "V4lue-of-a-secret")]);
    let base64: String = base64(4000);
    let cases = [
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8".to_owned(),
        hex(64),
        "550e8400-e29b-41d4-a716-446655440000".to_owned(),
        format!("data:image/png;base64,iVBORw0KGgo{base64}=="),
        format!("\"integrity\": \"sha512-{}==\"", letters(86)),
        "task-list-with-a-very-long-name-indeed, risk-assessment-for-everything, desk-lamp".to_owned(),
        ".sk-fading-circle .sk-circle12:before { }".to_owned(),
        "key-value-store, key-0123, a_monkey-0123456789abcdef0123456789abcdef".to_owned(),
        "let npm_config_registry = secret_name; hf_hub; r8_unorm; AKIA; eyJ; gsk_".to_owned(),
        "http://localhost:8080/@scope/name https://example.com:443/a@b mailto:a@example.com git@github.com:a/b"
            .to_owned(),
        "postgres://app:${PASSWORD}@db postgres://app:{password}@db postgres://app:<password>@db".to_owned(),
        "Authorization: Bearer <token>; authorization is required; Bearer of bad news".to_owned(),
        "SGVsbG8.gif SG.abc AC130 SKU-123 dapi.py xoxo".to_owned(),
        "if text.contains(\"-----BEGIN RSA PRIVATE KEY-----\") { return true; } // and much more text follows here"
            .to_owned(),
        pem("CERTIFICATE", "\n", 20),
        pem("PUBLIC KEY", "\n", 3),
        "aws_secret_access_key = os.environ[\"AWS_SECRET_ACCESS_KEY\"]".to_owned(),
        "headers[\"x-auth-token\"] = self.credentials.token; {'x-api-key': process.env.API_KEY}".to_owned(),
        "x-api-key: $API_KEY, 2024.06.01-12:30:45, 1234567890:AB".to_owned(),
        "h1:9fceb02d0ae598e95dc970b74767f19372d61af8= golang.org/x/crypto v0.0.0-20210921155107-089bfa567519"
            .to_owned(),
    ];
    for text in cases {
        assert!(matches!(redactor.text(&text), Cow::Borrowed(_)), "{} became {}", text, redactor.text(&text));
    }
}

#[test]
fn variables_named_like_secrets_hold_them() {
    let value = "V4lue-of-a-secret";
    let named = [
        "API_KEY",
        "OPENAI_API_KEY",
        "GITHUB_TOKEN",
        "GITHUBTOKEN",
        "CLIENT_SECRET",
        "DB_PASSWORD",
        "PGPASSWORD",
        "MYSQL_PWD",
        "ROOT_PASSWD",
        "AWS_CREDENTIALS",
        "BASIC_AUTH",
        "PRIVATE_KEY",
        "AUTH_COOKIE",
        "SESSION_SECRET",
        "SENTRY_DSN",
        "DATABASE_URL",
        "my_service_token",
        "npm-token",
        "SSHPASS",
        "SLACK_WEBHOOK_URL",
    ];
    for name in named {
        let text = redactor(&[(name, value)]).text(value).into_owned();
        assert_eq!(text, format!("[REDACTED:{name}]"));
    }
    for name in
        ["HOME_PAGE", "EDITOR", "KEYBOARD", "MONKEY", "PWD", "LS_COLORS", "SECRET_NAME", "TOKEN_FILE", "COMPASS_NORTH"]
    {
        assert_eq!(redactor(&[(name, value)]).text(value), value, "{name}");
    }
}

#[test]
fn harmless_values_of_such_variables_are_left() {
    let harmless = [
        ("SHORT_TOKEN", "seven77"),
        ("USE_TOKEN", "disabled"),
        ("MAX_TOKENS", "1000000000"),
        ("SSH_AUTH_SOCK", "/tmp/ssh-XXXXabc/agent.123"),
        ("PRIVATE_KEY", "/home/me/.ssh/id_ed25519"),
        ("GOOGLE_CREDENTIALS", "./keys/service-account.json"),
        ("TLS_KEY", "/certs/server.key"),
        ("DESKTOP_SESSION", "ubuntu-wayland"),
        ("XDG_SESSION_TYPE", "wayland1"),
        ("TOKEN_URL", "https://login.example.com/oauth/token"),
        ("DATABASE_URL", "postgres://localhost/app"),
        ("AUTH_MODE", "OauthDevice2"),
    ];
    for (name, value) in harmless {
        assert_eq!(redactor(&[(name, value)]).text(value), value, "{name}");
    }
    let user = redactor(&[("USER", "margaret7"), ("DB_PASSWORD", "margaret7")]);
    assert_eq!(user.text("by margaret7"), "by margaret7");
    let slash = redactor(&[("AWS_SECRET_ACCESS_KEY", "/K7MDENG+bPxRfiCYzzz")]);
    assert_eq!(slash.text("/K7MDENG+bPxRfiCYzzz"), "[REDACTED:AWS_SECRET_ACCESS_KEY]", "no path");
}

#[test]
fn a_value_is_found_in_every_form_that_json_gives_it() {
    let value = "p\"a\\s/s\tw<ö>\nrd\u{1}";
    let redactor = redactor(&[("DB_PASSWORD", value)]);
    let forms = [
        value.to_owned(),
        r#"p\"a\\s/s\tw<ö>\nrd\u0001"#.to_owned(),
        r#"p\"a\\s\/s\tw<ö>\nrd\u0001"#.to_owned(),
        r#"p\"a\\s/s\tw<\u00f6>\nrd\u0001"#.to_owned(),
        r#"p\"a\\s\/s\tw\u003C\u00F6\u003E\nrd\u0001"#.to_owned(),
        r#"p\\\"a\\\\s/s\\tw<ö>\\nrd\\u0001"#.to_owned(),
        serde_json::to_string(value).unwrap().trim_matches('"').to_owned(),
    ];
    for form in forms {
        assert_eq!(redactor.text(&format!("<{form}>")), "<[REDACTED:DB_PASSWORD]>", "{form}");
    }
}

#[test]
fn the_longer_value_wins() {
    let long = format!("{}-and-more", letters(300));
    let redactor = redactor(&[
        ("A_TOKEN", "inner-s3cret"),
        ("B_TOKEN", "outer-inner-s3cret-outer"),
        ("C_TOKEN", "inner-s3cret-2"),
        ("D_TOKEN", &long),
        ("E_TOKEN", "  padded-s3cret\n"),
    ]);
    let cases = [
        ("inner-s3cret", "[REDACTED:A_TOKEN]"),
        ("outer-inner-s3cret-outer", "[REDACTED:B_TOKEN]"),
        ("inner-s3cret-2", "[REDACTED:C_TOKEN]"),
        ("xinner-s3cretinner-s3cret-2x", "x[REDACTED:A_TOKEN][REDACTED:C_TOKEN]x"),
        (&long, "[REDACTED:D_TOKEN]"),
        ("padded-s3cret", "[REDACTED:E_TOKEN]"),
    ];
    for (text, expected) in cases {
        assert_eq!(redactor.text(text), expected);
    }
}

#[test]
fn a_variable_wins_over_a_shape() {
    let token = ["gh", "p_", &letters(36)].concat();
    let redactor = redactor(&[("GH_TOKEN", &token)]);
    assert_eq!(redactor.text(&format!("Authorization: Bearer {token}")), "Authorization: Bearer [REDACTED:GH_TOKEN]");
}

#[test]
fn marks_stay_and_hide_nothing() {
    let redactor = redactor(&[("API_TOKEN", "REDACTED:API"), ("B_TOKEN", "s3cret-value")]);
    for mark in ["[REDACTED:API_TOKEN]", "[REDACTED:B_TOKEN]", "[REDACTED:github-token]"] {
        assert_eq!(redactor.text(mark), mark);
    }
    assert_eq!(redactor.text("[REDACTED:s3cret-value]"), "[REDACTED:[REDACTED:B_TOKEN]]");
}

#[test]
fn debug_shows_no_value() {
    let shown = format!("{:?}", redactor(&[("API_TOKEN", "s3cret-value")]));
    assert!(shown.contains("API_TOKEN") && !shown.contains("s3cret"), "{shown}");
}

#[test]
fn a_stream_finds_what_two_pieces_share() {
    let value = "multi\nline\ns3cret";
    let redactor = redactor(&[("API_TOKEN", "s3cret-value"), ("MULTI_SECRET", value)]);
    let mut text = format!("a s3cret-value b\n{value}\nmulti\nline\nless s3cret-val");
    let mut expected = "a [REDACTED:API_TOKEN] b\n[REDACTED:MULTI_SECRET]\nmulti\nline\nless s3cret-val".to_owned();
    for (name, example_text) in examples() {
        let (plain, redacted) = example(name, &example_text);
        text += &format!("\n{plain} \n");
        expected += &format!("\n{redacted} \n");
    }
    for size in [1, 2, 3, 7, 64, 1000, usize::MAX] {
        let pieces = text.as_bytes().chunks(size.min(text.len()));
        assert_eq!(shown(&streamed(&redactor, pieces)), expected, "pieces of {size}");
    }
    assert_eq!(redactor.text(&text), expected);
}

#[test]
fn a_stream_gives_whole_lines_at_once() {
    let redactor = redactor(&[("API_TOKEN", "s3cret-value")]);
    let (mut stream, mut out) = (redactor.stream(), Vec::new());
    stream.push(b"one\ntwo s3cret", &mut out);
    assert_eq!(shown(&out), "one\n");
    stream.push(b"-value\nthree", &mut out);
    assert_eq!(shown(&out), "one\ntwo [REDACTED:API_TOKEN]\n");
    stream.finish(&mut out);
    assert_eq!(shown(&out), "one\ntwo [REDACTED:API_TOKEN]\nthree");
}

#[test]
fn a_key_longer_than_what_is_held_back_is_masked() {
    let redactor = Redactor::default();
    for newline in ["\n", "\\n"] {
        let text = format!("before {} after\n", pem("RSA PRIVATE KEY", newline, 20_000));
        for size in [100, 4096, 100_000] {
            let out = shown(&streamed(&redactor, text.as_bytes().chunks(size)));
            assert_eq!(out, "before [REDACTED:private-key] after\n", "pieces of {size}");
        }
    }
    let torn = format!("{} and then no end, but text", &pem("RSA PRIVATE KEY", "\n", 5)[..300]);
    assert_eq!(redactor.text(&torn), "[REDACTED:private-key], but text");
}

#[test]
fn a_line_without_end_is_given_on_and_kept_flat() {
    let redactor = redactor(&[("API_TOKEN", "s3cret-value")]);
    let unit = format!("{{\"a\":\"{}\",\"Authorization\":\"Bearer {}\"}}s3cret-value,", base64(500), letters(40));
    let masked = redactor.text(&unit).into_owned();
    assert_eq!(masked.matches("[REDACTED").count(), 2);
    let (mut stream, mut out) = (redactor.stream(), Vec::new());
    for _ in 0..2000 {
        stream.push(unit.as_bytes(), &mut out);
        assert!(stream.held.len() <= LONGEST_LINE + unit.len());
    }
    stream.finish(&mut out);
    assert_eq!(shown(&out), masked.repeat(2000));
    let token = ["gh", "p_", &letters(300_000)].concat();
    let out = shown(&streamed(&redactor, format!("a {token} b").as_bytes().chunks(5000)));
    assert_eq!(out, "a [REDACTED:github-token] b");
}

#[test]
fn bytes_that_are_no_text_pass() {
    let redactor = redactor(&[("API_TOKEN", "s3cret-value")]);
    let bytes: Vec<u8> = (0..=255).cycle().take(200_000).collect();
    assert_eq!(streamed(&redactor, bytes.chunks(777)), bytes);
    assert_eq!(streamed(&redactor, [&b"\xff\xfes3cret-value\xff\n"[..]]), b"\xff\xfe[REDACTED:API_TOKEN]\xff\n");
}

/// Pieces of secrets, of their surroundings and of marks, in any order.
fn confusing() -> impl Strategy<Value = String> {
    let token = ["gh", "p_", &letters(36)].concat();
    let aws = ["AK", "IA", &capitals(16)].concat();
    let label = ["-----BEG", "IN PRIVATE KEY-----"].concat();
    let end = ["-----E", "ND PRIVATE KEY-----"].concat();
    let jwt = ["ey", "J", &letters(12), ".ey", "J", &letters(12), ".", &letters(12)].concat();
    let piece = prop_oneof![
        prop::sample::select(vec![token, aws, label, end, jwt, base64(40), letters(20), hex(32)]),
        prop::sample::select(vec!["s3cret-value", "s3cret-", "value", "multi\nline", "multi\n", "line", "line-2"])
            .prop_map(str::to_owned),
        prop::sample::select(vec![
            "[REDACTED:",
            "[REDACTED:A_TOKEN]",
            "]",
            "-",
            "_",
            "sk-",
            "://a:",
            "@",
            "\\n",
            "\n",
            " ",
            "key-"
        ])
        .prop_map(str::to_owned),
        prop::sample::select(vec![
            "Authorization: Bearer ",
            "x-api-key: ",
            "AccountKey=",
            "secret_access_key=",
            "é",
            "\"",
            "."
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

static CONFUSED: LazyLock<Redactor> =
    LazyLock::new(|| redactor(&[("A_TOKEN", "s3cret-value"), ("B_TOKEN", "multi\nline"), ("C_TOKEN", "line-2]x")]));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_second_time_changes_nothing(text in confusing()) {
        let once = CONFUSED.text(&text).into_owned();
        prop_assert_eq!(CONFUSED.text(&once), once.as_str());
        prop_assert!(!once.contains("s3cret-value"));
    }

    #[test]
    fn a_stream_gives_what_the_whole_gives(text in confusing(), size in 1..40_usize) {
        let out = shown(&streamed(&CONFUSED, text.as_bytes().chunks(size)));
        prop_assert_eq!(out, CONFUSED.text(&text).into_owned());
    }

    #[test]
    fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        streamed(&CONFUSED, bytes.chunks(7));
        CONFUSED.text(&shown(&bytes));
    }
}
