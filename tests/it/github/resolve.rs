//! Executes requests on a project's state.

#![expect(clippy::unwrap_used, reason = "helpers of tests, which clippy does not take for tests")]

use std::cell::RefCell;

use apollo_compiler::executable::{Selection, SelectionSet};
use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::{Value, json};

use super::server::{Comment, Kind, State};

const LIMIT: u64 = 5000;

/// The answer's JSON. An error's type is before its message, as in `NOT_FOUND: …`.
pub fn execute(
    schema: &Valid<Schema>,
    document: &Valid<ExecutableDocument>,
    variables: &Value,
    state: &mut State,
) -> Value {
    let state = RefCell::new(state);
    let operation = document.operations.get(None).unwrap();
    let root = Object { state: &state, what: if operation.is_mutation() { What::Mutation } else { What::Query } };
    let variables = JsonValue::from(variables.clone());
    let execution = Execution::new(schema, document).enable_schema_introspection(true);
    let executed = execution.raw_variable_values(variables.as_object().unwrap()).execute_sync(&root);
    let mut answer = match executed {
        Ok(response) => serde_json::to_value(response).unwrap(),
        Err(error) => json!({ "errors": [{ "message": error.message().to_string() }] }),
    };
    for error in answer.get_mut("errors").and_then(Value::as_array_mut).into_iter().flatten() {
        let message = error["message"].as_str().unwrap().trim_start_matches("resolver error: ").to_owned();
        error["message"] = json!(message);
        if let Some((kind, message)) = message.split_once(": ").filter(|(kind, _)| kind.to_uppercase() == *kind) {
            (error["type"], error["message"]) = (json!(kind), json!(message));
        }
    }
    answer
}

/// Points by GitHub's formula: the requests that each connection needs, were all of them full, by a hundred. More than 500,000
/// nodes are refused there; here that is a fault of the program.
pub fn cost(document: &Valid<ExecutableDocument>, variables: &Value) -> u64 {
    let (mut requests, mut nodes) = (0, 0);
    let operation = document.operations.get(None).unwrap();
    count(&operation.selection_set, document, variables, 1, &mut requests, &mut nodes);
    assert!(nodes <= 500_000, "{nodes} nodes");
    ((requests as f64 / 100.0).round() as u64).max(1)
}

fn count(
    set: &SelectionSet,
    document: &ExecutableDocument,
    variables: &Value,
    times: u64,
    requests: &mut u64,
    nodes: &mut u64,
) {
    for selection in &set.selections {
        match selection {
            Selection::Field(field) => {
                let given = |name: &str| {
                    let value = field.specified_argument_by_name(name)?;
                    Some(match value.as_variable() {
                        Some(variable) => variables[variable.as_str()].clone(),
                        None => json!(value.to_i32()),
                    })
                };
                let size = given("first").or_else(|| given("last")).and_then(|size| size.as_u64());
                let ids = given("ids").and_then(|ids| ids.as_array().map(|ids| ids.len() as u64));
                if let Some(size) = size {
                    assert!((1..=100).contains(&size), "{}: {size}", field.name);
                    *requests += times;
                    *nodes += times * size;
                }
                if let Some(ids) = ids {
                    assert!(ids <= 100, "{}: {ids} ids", field.name);
                }
                let below = times * size.or(ids).unwrap_or(1);
                count(&field.selection_set, document, variables, below, requests, nodes);
            }
            Selection::InlineFragment(inline) => {
                count(&inline.selection_set, document, variables, times, requests, nodes)
            }
            Selection::FragmentSpread(spread) => {
                let fragment = document.fragments.get(&spread.fragment_name).unwrap();
                count(&fragment.selection_set, document, variables, times, requests, nodes);
            }
        }
    }
}

struct Object<'s> {
    state: &'s RefCell<&'s mut State>,
    what: What,
}

#[derive(Clone)]
enum What {
    Query,
    Mutation,
    Owner,
    Project,
    Field,
    Item {
        id: String,
        listed: bool,
    },
    Content(String),
    /// With its `__typename`.
    Json(Value),
}

fn fault(kind: &str, message: &str) -> FieldError {
    FieldError { message: format!("{kind}: {message}") }
}

fn gone(id: &str) -> FieldError {
    fault("NOT_FOUND", &format!("Could not resolve to a node with the global id of '{id}'"))
}

impl ObjectValue for Object<'_> {
    fn type_name(&self) -> &str {
        match &self.what {
            What::Query => "Query",
            What::Mutation => "Mutation",
            What::Owner => "User",
            What::Project => "ProjectV2",
            What::Field => "ProjectV2SingleSelectField",
            What::Item { .. } => "ProjectV2Item",
            What::Content(id) => match self.item(id, |state, at| state.items[at].kind) {
                Some(Kind::PullRequest) => "PullRequest",
                Some(Kind::Draft) => "DraftIssue",
                Some(Kind::Issue) | None => "Issue",
            },
            What::Json(value) => value["__typename"].as_str().unwrap(),
        }
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let given = serde_json::to_value(info.arguments()).unwrap();
        match &self.what {
            What::Query => self.query(info.field_name(), &given),
            What::Mutation => self.change(info.field_name(), &given["input"]),
            What::Owner if given["number"] == 1 => Ok(self.object(What::Project)),
            What::Owner => Err(fault("NOT_FOUND", "Could not resolve to a ProjectV2 with the number 2.")),
            What::Project => self.project(info.field_name(), &given),
            What::Field => Ok(match info.field_name() {
                "id" => ResolvedValue::leaf("FIELD_1"),
                _ => self.json(self.options()),
            }),
            What::Item { id, listed } => self.of_item(id, *listed, info.field_name(), &given),
            What::Content(id) => self.of_content(id, info.field_name(), &given),
            What::Json(value) => Ok(self.json(value[info.field_name()].clone())),
        }
    }
}

impl<'s> Object<'s> {
    fn object<'a>(&self, what: What) -> ResolvedValue<'a>
    where
        's: 'a,
    {
        ResolvedValue::object(Object { state: self.state, what })
    }

    fn json<'a>(&self, value: Value) -> ResolvedValue<'a>
    where
        's: 'a,
    {
        match value {
            Value::Object(object) if object.contains_key("item") => {
                self.object(What::Item { id: object["item"].as_str().unwrap().to_owned(), listed: true })
            }
            Value::Object(_) => self.object(What::Json(value)),
            Value::Array(values) => {
                ResolvedValue::list(values.into_iter().map(|value| self.json(value)).collect::<Vec<_>>())
            }
            leaf => ResolvedValue::leaf(leaf),
        }
    }

    fn item<T>(&self, id: &str, read: impl FnOnce(&mut State, usize) -> T) -> Option<T> {
        let mut state = self.state.borrow_mut();
        let at = state.items.iter().position(|item| item.id == id)?;
        Some(read(&mut state, at))
    }

    fn options(&self) -> Value {
        let option = |id: &str, name: &str| json!({ "__typename": "ProjectV2SingleSelectFieldOption", "id": id, "name": name, "color": "GRAY", "description": "" });
        self.state.borrow().options.iter().map(|choice| option(&choice.id, &choice.name)).collect()
    }

    fn node(&self, id: &str) -> Option<What> {
        match id.strip_prefix("content:") {
            Some(item) => self.item(item, |_, _| What::Content(item.to_owned())),
            None => self.item(id, |_, _| What::Item { id: id.to_owned(), listed: false }),
        }
    }

    fn query<'a>(&self, field: &str, given: &Value) -> Result<ResolvedValue<'a>, FieldError>
    where
        's: 'a,
    {
        Ok(match field {
            "repositoryOwner" if given["login"].as_str().unwrap().eq_ignore_ascii_case("me") => {
                self.object(What::Owner)
            }
            "repositoryOwner" => ResolvedValue::null(),
            "node" => {
                let id = given["id"].as_str().unwrap();
                self.object(self.node(id).ok_or_else(|| gone(id))?)
            }
            "nodes" => {
                let ids: Vec<String> = serde_json::from_value(given["ids"].clone()).unwrap();
                let found = |id: &String| self.node(id).map(|what| self.object(what)).ok_or_else(|| gone(id));
                ResolvedValue::List(Box::new(ids.iter().map(found).collect::<Vec<_>>().into_iter()))
            }
            _ => {
                let state = self.state.borrow();
                let used: u64 = state.asked.iter().map(|(_, cost)| cost).sum();
                let cost = state.asked.last().map_or(0, |(_, cost)| *cost);
                let remaining = LIMIT.saturating_sub(used);
                drop(state);
                self.json(json!({ "__typename": "RateLimit", "limit": LIMIT, "cost": cost, "remaining": remaining, "resetAt": "2030-01-01T00:00:00Z" }))
            }
        })
    }

    fn project<'a>(&self, field: &str, given: &Value) -> Result<ResolvedValue<'a>, FieldError>
    where
        's: 'a,
    {
        Ok(match field {
            "id" => ResolvedValue::leaf("PROJECT_1"),
            "closed" => ResolvedValue::leaf(self.state.borrow().closed),
            "viewerCanUpdate" => ResolvedValue::leaf(self.state.borrow().can_update),
            "field" if given["name"] == "Status" => self.object(What::Field),
            "field" => ResolvedValue::null(),
            _ => {
                let (start, size) = (number(&given["after"]), given["first"].as_u64().unwrap() as usize);
                let state = self.state.borrow();
                let shown: Vec<String> = state
                    .items
                    .iter()
                    .filter(|item| !item.archived && !item.unlisted)
                    .map(|item| item.id.clone())
                    .collect();
                drop(state);
                let page = &shown[start.min(shown.len())..(start + size).min(shown.len())];
                let nodes = page.iter().map(|id| json!({ "item": id }));
                self.object(What::Json(json!({
                    "__typename": "ProjectV2ItemConnection",
                    "pageInfo": forward(start + page.len(), shown.len()),
                    "nodes": nodes.collect::<Vec<_>>(),
                })))
            }
        })
    }

    fn of_item<'a>(&self, id: &str, listed: bool, field: &str, given: &Value) -> Result<ResolvedValue<'a>, FieldError>
    where
        's: 'a,
    {
        let (archived, hidden) =
            self.item(id, |state, at| (state.items[at].archived, state.items[at].hidden)).ok_or_else(|| gone(id))?;
        Ok(match field {
            "id" => ResolvedValue::leaf(id),
            "isArchived" => ResolvedValue::leaf(archived),
            "project" => self.object(What::Project),
            "content" if hidden => ResolvedValue::null(),
            "content" => self.object(What::Content(id.to_owned())),
            _ => {
                let value = self.item(id, |state, at| {
                    let item = &state.items[at];
                    if given["name"] == "Title" {
                        return json!({ "__typename": "ProjectV2ItemFieldTextValue", "text": item.title });
                    }
                    let option = if listed { &item.listed } else { &item.option };
                    let choice = state.options.iter().find(|choice| Some(&choice.id) == option.as_ref());
                    choice.map_or(
                        Value::Null,
                        |choice| json!({ "__typename": "ProjectV2ItemFieldSingleSelectValue", "name": choice.name }),
                    )
                });
                self.json(value.unwrap())
            }
        })
    }

    fn of_content<'a>(&self, id: &str, field: &str, given: &Value) -> Result<ResolvedValue<'a>, FieldError>
    where
        's: 'a,
    {
        let value = self.item(id, |state, at| {
            let item = &state.items[at];
            match field {
                "id" => json!(format!("content:{id}")),
                "title" => json!(item.title),
                "body" => json!(item.body),
                "url" => json!(format!("https://github.com/me/repo/issues/{at}")),
                "labels" => {
                    let (start, size) = (number(&given["after"]), given["first"].as_u64().unwrap() as usize);
                    let page: Vec<_> = item.labels.iter().skip(start).take(size).collect();
                    let nodes = page.iter().map(|name| json!({ "__typename": "Label", "name": name }));
                    json!({
                        "__typename": "LabelConnection",
                        "pageInfo": forward(start + page.len(), item.labels.len()),
                        "nodes": nodes.collect::<Vec<_>>(),
                    })
                }
                _ => {
                    let end = given["before"].as_str().map_or(item.comments.len(), |_| number(&given["before"]));
                    let start = end.saturating_sub(given["last"].as_u64().unwrap() as usize);
                    let node = |comment: &Comment| json!({ "__typename": "IssueComment", "id": comment.id, "body": comment.body, "viewerDidAuthor": comment.mine });
                    let info = json!({ "__typename": "PageInfo", "hasNextPage": false, "hasPreviousPage": start > 0, "startCursor": start.to_string() });
                    json!({
                        "__typename": "IssueCommentConnection",
                        "pageInfo": info,
                        "nodes": item.comments[start..end].iter().map(node).collect::<Vec<_>>(),
                    })
                }
            }
        });
        Ok(self.json(value.ok_or_else(|| gone(id))?))
    }

    fn change<'a>(&self, field: &str, input: &Value) -> Result<ResolvedValue<'a>, FieldError>
    where
        's: 'a,
    {
        let text = |name: &str| input[name].as_str().unwrap_or_default().to_owned();
        let content = |id: &str| id.trim_start_matches("content:").to_owned();
        match field {
            "updateProjectV2ItemFieldValue" => {
                let (id, option) =
                    (text("itemId"), input["value"]["singleSelectOptionId"].as_str().unwrap().to_owned());
                let moved = self.item(&id, |state, at| {
                    if !state.options.iter().any(|choice| choice.id == option) {
                        return Err(FieldError {
                            message: "The single select option Id does not belong to the field".into(),
                        });
                    }
                    if state.items[at].archived {
                        return Err(FieldError { message: "The item is archived and cannot be updated".into() });
                    }
                    state.items[at].option = Some(option.clone());
                    if !state.lagging {
                        state.items[at].listed = Some(option);
                    }
                    Ok(())
                });
                moved.ok_or_else(|| gone(&id))??;
            }
            "addComment" => {
                let id = content(&text("subjectId"));
                let added = self.item(&id, |state, at| {
                    let comment = Comment { id: state.new_id("IC"), body: text("body"), mine: true };
                    state.items[at].comments.push(comment);
                });
                added.ok_or_else(|| gone(&id))?;
            }
            "updateIssueComment" => {
                let mut state = self.state.borrow_mut();
                let mut comments = state.items.iter_mut().flat_map(|item| &mut item.comments);
                let comment = comments.find(|comment| comment.id == text("id")).ok_or_else(|| gone(&text("id")))?;
                if !comment.mine {
                    return Err(fault("FORBIDDEN", "somebody else wrote it"));
                }
                comment.body = text("body");
            }
            "updateProjectV2DraftIssue" => {
                let id = content(&text("draftIssueId"));
                self.item(&id, |state, at| state.items[at].body = text("body")).ok_or_else(|| gone(&id))?;
            }
            _ => {
                let mut state = self.state.borrow_mut();
                let given = input["singleSelectOptions"].as_array().unwrap().clone();
                let made = given.iter().map(|option| {
                    let id = option["id"].as_str().map_or_else(|| state.new_id("opt"), str::to_owned);
                    super::server::Choice { id, name: option["name"].as_str().unwrap().to_owned() }
                });
                let made = made.collect();
                state.options = made;
            }
        }
        let typename = match field {
            "updateProjectV2ItemFieldValue" => "UpdateProjectV2ItemFieldValuePayload",
            "addComment" => "AddCommentPayload",
            "updateIssueComment" => "UpdateIssueCommentPayload",
            "updateProjectV2DraftIssue" => "UpdateProjectV2DraftIssuePayload",
            _ => "UpdateProjectV2FieldPayload",
        };
        Ok(self.object(What::Json(json!({ "__typename": typename }))))
    }
}

/// A cursor as the place that it stands for.
fn number(cursor: &Value) -> usize {
    cursor.as_str().map_or(0, |cursor| cursor.parse().unwrap())
}

fn forward(end: usize, all: usize) -> Value {
    json!({ "__typename": "PageInfo", "hasNextPage": end < all, "hasPreviousPage": false, "endCursor": end.to_string() })
}
