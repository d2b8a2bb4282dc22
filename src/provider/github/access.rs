//! Which project, where it is asked for and with which token. Pure.

use std::fmt;

/// GitHub's own; an Enterprise server has another.
pub const ENDPOINT: &str = "https://api.github.com/graphql";

/// One project and the way to it. Shown as its one name, however it was written.
#[derive(Debug, Clone)]
pub struct Access {
    /// A user or an organisation.
    pub owner: String,
    pub number: u32,
    pub endpoint: String,
    pub token: Token,
}

/// A token and the variable that it came from. Never shown.
#[derive(Clone)]
pub struct Token {
    pub text: String,
    pub variable: &'static str,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.variable)
    }
}

impl Token {
    /// What a workflow gets by itself; it is bound to one repository, and no project is in any.
    pub fn is_of_actions(&self) -> bool {
        self.variable == "GITHUB_TOKEN" && self.text.starts_with("ghs_")
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = match self.endpoint.as_str() {
            ENDPOINT => "github.com",
            other => {
                other.trim_start_matches("https://").trim_start_matches("http://").split('/').next().unwrap_or(other)
            }
        };
        write!(f, "{host}/{}/{}", self.owner.to_lowercase(), self.number)
    }
}

/// The owner and number that `owner/number` or a project's address names; else what is expected.
pub fn project(text: &str, endpoint: &str) -> Result<(String, u32), String> {
    let wanted = "a project: `owner/number` or its address, https://github.com/users/OWNER/projects/NUMBER";
    let words: Vec<&str> = match text.strip_prefix("https://") {
        Some(address) => match address.split('/').collect::<Vec<_>>().as_slice() {
            [host, "users" | "orgs", owner, "projects", number, ..]
                if *host == "github.com" || endpoint != ENDPOINT =>
            {
                vec![owner, number.split(['?', '#']).next().unwrap_or_default()]
            }
            [_, "users" | "orgs", _, "projects", ..] => {
                return Err("on github.com: GITHUB_GRAPHQL_URL names the API of another server".to_owned());
            }
            _ => return Err(wanted.to_owned()),
        },
        None => text.split('/').collect(),
    };
    let named = |owner: &str| {
        !owner.is_empty() && owner.chars().all(|char| char.is_ascii_alphanumeric() || char == '-' || char == '_')
    };
    match words.as_slice() {
        [owner, number] if named(owner) => match number.parse() {
            Ok(number) if number > 0 => Ok(((*owner).to_owned(), number)),
            _ => Err(wanted.to_owned()),
        },
        _ => Err(wanted.to_owned()),
    }
}

/// A token goes over a secure line, or stays on this machine.
pub fn endpoint(text: &str) -> Result<String, String> {
    let host = |rest: &str| rest.split(['/', ':']).next().unwrap_or_default().to_owned();
    match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) if !host(rest).is_empty() => Ok(text.to_owned()),
        (_, Some(rest)) if ["127.0.0.1", "localhost"].contains(&host(rest).as_str()) => Ok(text.to_owned()),
        _ => Err("an address that begins with https://".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_named_in_two_ways() {
        let other = "https://git.example.com/api/graphql";
        for (text, at, owner, number) in [
            ("me/1", ENDPOINT, "me", 1),
            ("My-Org/12", ENDPOINT, "My-Org", 12),
            ("https://github.com/users/me/projects/1", ENDPOINT, "me", 1),
            ("https://github.com/orgs/us/projects/7/views/2?pane=info", ENDPOINT, "us", 7),
            ("https://github.com/orgs/us/projects/7?query=is%3Aopen", ENDPOINT, "us", 7),
            ("https://git.example.com/orgs/us/projects/7", other, "us", 7),
        ] {
            assert_eq!(project(text, at), Ok((owner.to_owned(), number)), "{text}");
        }
        for text in [
            "",
            "me",
            "me/0",
            "me/x",
            "me/1/2",
            "/1",
            "m e/1",
            "../1",
            "https://github.com/me/repo",
            "http://github.com/users/me/projects/1",
        ] {
            assert!(project(text, ENDPOINT).unwrap_err().starts_with("a project: "), "{text}");
        }
        let elsewhere = project("https://git.example.com/orgs/us/projects/7", ENDPOINT).unwrap_err();
        assert!(elsewhere.contains("GITHUB_GRAPHQL_URL"), "the token must not go to a server that a source names");
    }

    #[test]
    fn every_way_to_name_it_comes_to_one_name() {
        let named = |text: &str, endpoint: &str| {
            let (owner, number) = project(text, endpoint).unwrap();
            let token = Token { text: "secret-token".into(), variable: "GH_TOKEN" };
            let access = Access { owner, number, endpoint: endpoint.into(), token };
            assert!(!format!("{access:?}").contains("secret-token"));
            access.to_string()
        };
        assert_eq!(named("Me/1", ENDPOINT), "github.com/me/1");
        assert_eq!(named("https://github.com/users/me/projects/1/views/1", ENDPOINT), "github.com/me/1");
        assert_eq!(named("me/1", "https://git.example.com/api/graphql"), "git.example.com/me/1");
    }

    #[test]
    fn a_token_goes_over_a_secure_line_or_stays_here() {
        for good in [ENDPOINT, "https://git.example.com/api/graphql", "http://127.0.0.1:8080/graphql"] {
            assert_eq!(endpoint(good), Ok(good.to_owned()));
        }
        for bad in ["", "git.example.com", "http://git.example.com/api", "http://127.0.0.1.example.com/", "https://"] {
            assert!(endpoint(bad).is_err(), "{bad}");
        }
    }
}
