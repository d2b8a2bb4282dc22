//! The github provider against a project on loopback: a server that executes what it is asked against an excerpt of GitHub's
//! schema, keeps the project's state and can be told to fail.

mod errors;
mod limits;
mod races;
mod resolve;
mod runs;
mod schema;
pub mod server;

use server::{Project, TOKEN};

use crate::support::World;

/// The rules and tests of most worlds, and this project as the board.
pub fn world(project: &Project) -> World {
    let world = World::new("")
        .env("KANBAN_PROVIDER", "github")
        .env("KANBAN_SOURCE", "Me/1")
        .env("GH_TOKEN", TOKEN)
        .env("GITHUB_GRAPHQL_URL", project.url());
    std::fs::remove_file(world.repo("board.md")).ok();
    world
}
