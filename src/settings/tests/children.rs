//! What codex, shell tests and hooks inherit.

use super::*;

/// One who inherits.
type Heir = (&'static str, fn(&Environment) -> Vec<(OsString, OsString)>);

const HEIRS: [Heir; 3] = [
    ("codex", Environment::codex),
    ("tests", |env| env.tests(Path::new("/workspace"))),
    ("hooks", |env| env.hooks(Path::new("/workspace"))),
];

/// Of this environment, the names that an heir gets, in order.
fn inherited(heir: &Heir, variables: &[(&str, &str)], given: &[&str]) -> Vec<String> {
    let all = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let given: Vec<String> = given.iter().map(|name| (*name).to_owned()).collect();
    let names = heir.1(&Environment::new(all, &given)).into_iter().map(|(name, _)| name.into_string().unwrap());
    names.collect()
}

fn gets(heir: &Heir, variables: &[(&str, &str)], given: &[&str], name: &str) -> bool {
    inherited(heir, variables, given).iter().any(|inherited| inherited == name)
}

#[test]
fn board_tokens_and_secrets_go_only_to_whom_they_belong() {
    const SECRET: &str = "s3cr3t-value-of-some-length";
    #[rustfmt::skip]
    let table = [
        // name, value                              codex  tests  hooks
        ("PATH",                   "/usr/bin",      true,  true,  true),
        ("HOME",                   "/home/me",      true,  true,  true),
        ("LANG",                   "de_DE.UTF-8",   true,  true,  true),
        ("CODEX_HOME",             "/home/me/.c",   true,  true,  true),
        ("GH_TOKEN",               SECRET,          false, false, true),
        ("GITHUB_TOKEN",           SECRET,          false, false, true),
        ("GH_ENTERPRISE_TOKEN",    SECRET,          false, false, true),
        ("GITHUB_ENTERPRISE_TOKEN", SECRET,         false, false, true),
        // Codex needs its own key.
        ("OPENAI_API_KEY",         SECRET,          true,  false, true),
        ("CODEX_API_KEY",          SECRET,          true,  false, true),
        ("DB_PASSWORD",            SECRET,          true,  false, true),
        // A secret under a name that does not say so.
        ("DEPLOY_URL",             "https://me:s3cr3t-value-of-some-length@localhost/", true, false, true),
    ];
    for (name, value, codex, tests, hooks) in table {
        let all = [("DB_SECRET", SECRET), (name, value)];
        for (heir, expected) in HEIRS.iter().zip([codex, tests, hooks]) {
            assert_eq!(gets(heir, &all, &[], name), expected, "{name} for {}", heir.0);
        }
    }
}

/// As PM2 7 starts a program, less what belongs to the user.
const PM2: [(&str, &str); 16] = [
    ("pm_id", "0"),
    ("pm_exec_path", "/app"),
    ("pm_pid_path", "/app/pid"),
    ("pm_uptime", "1"),
    ("name", "kanban"),
    ("status", "launching"),
    ("namespace", "default"),
    ("exec_mode", "fork_mode"),
    ("kill_timeout", "20000"),
    ("unique_id", "1-2-3"),
    ("windowsHide", "true"),
    ("merge_logs", "true"),
    ("NODE_APP_INSTANCE", "0"),
    ("NODE_CHANNEL_FD", "3"),
    ("NODE_CHANNEL_SERIALIZATION_MODE", "json"),
    ("PM2_USAGE", "CLI"),
];

#[test]
fn nobody_inherits_what_pm2_sets_for_itself() {
    let users = [("HOME", "/home/me"), ("NODE_ENV", "production"), ("NODE_OPTIONS", "--no-warnings"), ("PATH", "/bin")];
    let all: Vec<_> = users.into_iter().chain(PM2).collect();
    for heir in &HEIRS {
        assert_eq!(inherited(heir, &all, &[]), users.map(|(name, _)| name), "{}", heir.0);
    }
}

#[test]
fn outside_pm2_its_names_are_the_users_own() {
    let all: Vec<_> = PM2.into_iter().filter(|(name, _)| *name != "pm_id").collect();
    for heir in &HEIRS {
        let names = inherited(heir, &all, &[]);
        for name in ["name", "status", "namespace", "windowsHide"] {
            assert!(names.iter().any(|inherited| inherited == name), "{name} for {}", heir.0);
        }
        // A channel belongs to the process that got it, whoever made it.
        assert!(!names.iter().any(|name| name.starts_with("NODE_CHANNEL_")), "{names:?}");
    }
}

#[test]
fn what_judges_finds_no_program_where_codex_works() {
    let path = "/workspace/node_modules/.bin:relative:/usr/bin::.:/workspace:/workspaces/bin";
    let env = Environment::new([("PATH".into(), path.into())].into(), &[]);
    let found: Vec<OsString> = HEIRS.iter().map(|(_, heir)| heir(&env)[0].1.clone()).collect();
    assert_eq!(found, [path, "/usr/bin:/workspaces/bin", "/usr/bin:/workspaces/bin"]);
}

#[test]
fn the_setting_gives_and_withholds_by_name() {
    let all = [("GH_TOKEN", "a-token-of-some-length"), ("LANG", "C"), ("NODE_CHANNEL_FD", "3"), ("PATH", "/bin")];
    for heir in &HEIRS {
        assert_eq!(inherited(heir, &all, &["GH_TOKEN"]), ["GH_TOKEN", "LANG", "PATH"], "{}", heir.0);
        assert!(!gets(heir, &all, &["!LANG"], "LANG"), "{}", heir.0);
        assert!(!gets(heir, &all, &["!GH_TOKEN"], "GH_TOKEN"), "{}", heir.0);
        // Of two that contradict each other the careful one counts.
        assert!(!gets(heir, &all, &["GH_TOKEN", "!GH_TOKEN"], "GH_TOKEN"), "{}", heir.0);
        assert!(!gets(heir, &all, &["OTHER"], "OTHER"), "a name gives nothing that is not there");
    }
}

#[test]
fn the_setting_is_read_from_all_three() {
    let world =
        World::new().env("GH_TOKEN", "a-token-of-some-length").config("env: [GH_TOKEN, '!LANG']\n").env("LANG", "C");
    let names: Vec<_> = world.settings().env.codex().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["GH_TOKEN"]);
}

#[test]
fn what_is_not_text_is_handed_on_as_it_is() {
    use std::os::unix::ffi::OsStringExt;
    let name = OsString::from_vec(b"ODD\xff".to_vec());
    let value = OsString::from_vec(b"\xfe\xff".to_vec());
    let all = [(name.clone(), value.clone())].into();
    assert_eq!(Environment::new(all, &[]).codex(), [(name, value)]);
}
