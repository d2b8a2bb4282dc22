//! What is asked of GitHub, one document a request: a server that lacks a field of one still answers the others. Each is
//! checked against GitHub's published schema by a test. Pure.

/// A document and the name of its operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Document {
    pub name: &'static str,
    pub text: &'static str,
}

impl Document {
    /// Whether it changes anything.
    pub fn writes(self) -> bool {
        self.text.trim_start().starts_with("mutation")
    }
}

/// The project, its columns and a page of its items: where they are and their titles. No content is touched, which may lie in
/// repositories that the token can't see. An owner is a user or an organisation.
pub const BOARD: Document = Document {
    name: "Board",
    text: "
query Board($owner: String!, $number: Int!, $first: Int!, $after: String) {
  repositoryOwner(login: $owner) {
    ... on ProjectV2Owner {
      projectV2(number: $number) {
        id
        closed
        viewerCanUpdate
        field(name: \"Status\") { ... on ProjectV2SingleSelectField { id options { id name } } }
        items(first: $first, after: $after, orderBy: { field: POSITION, direction: ASC }) {
          pageInfo { hasNextPage endCursor }
          nodes {
            id
            isArchived
            title: fieldValueByName(name: \"Title\") { ... on ProjectV2ItemFieldTextValue { text } }
            status: fieldValueByName(name: \"Status\") { ... on ProjectV2ItemFieldSingleSelectValue { name } }
          }
        }
      }
    }
  }
  rateLimit { limit cost remaining resetAt }
}",
};

/// Cards by their items' ids, as they are now: a list of items can be minutes late.
pub const CARDS: Document = Document {
    name: "Cards",
    text: "
query Cards($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on ProjectV2Item {
      id
      isArchived
      status: fieldValueByName(name: \"Status\") { ... on ProjectV2ItemFieldSingleSelectValue { name } }
      content {
        __typename
        ... on DraftIssue { id title body }
        ... on Issue { id title body url }
        ... on PullRequest { id title body url }
        ... on Labelable { labels(first: 20) { pageInfo { hasNextPage endCursor } nodes { name } } }
      }
    }
  }
  rateLimit { limit cost remaining resetAt }
}",
};

/// The labels of an issue or pull request that has many.
pub const LABELS: Document = Document {
    name: "Labels",
    text: "
query Labels($id: ID!, $after: String) {
  node(id: $id) {
    ... on Labelable { labels(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { name } } }
  }
  rateLimit { limit cost remaining resetAt }
}",
};

/// A card before it is written on: where it is, what it says, the columns as they are named now, and its newest comments.
pub const CARD: Document = Document {
    name: "Card",
    text: "
query Card($id: ID!, $before: String) {
  node(id: $id) {
    ... on ProjectV2Item {
      id
      isArchived
      project {
        id
        field(name: \"Status\") { ... on ProjectV2SingleSelectField { id options { id name } } }
      }
      status: fieldValueByName(name: \"Status\") { ... on ProjectV2ItemFieldSingleSelectValue { name } }
      content {
        __typename
        ... on DraftIssue { id title body }
        ... on Issue { id title body comments(last: 50, before: $before) { ...page } }
        ... on PullRequest { id title body comments(last: 50, before: $before) { ...page } }
        ... on Labelable { labels(first: 20) { pageInfo { hasNextPage endCursor } nodes { name } } }
      }
    }
  }
  rateLimit { limit cost remaining resetAt }
}
fragment page on IssueCommentConnection {
  pageInfo { hasPreviousPage startCursor }
  nodes { id body viewerDidAuthor }
}",
};

pub const MOVE: Document = Document {
    name: "Move",
    text: "
mutation Move($project: ID!, $item: ID!, $field: ID!, $option: String!) {
  updateProjectV2ItemFieldValue(
    input: { projectId: $project, itemId: $item, fieldId: $field, value: { singleSelectOptionId: $option } }
  ) {
    projectV2Item { id }
  }
}",
};

pub const ADD_COMMENT: Document = Document {
    name: "AddComment",
    text: "
mutation AddComment($subject: ID!, $body: String!) {
  addComment(input: { subjectId: $subject, body: $body }) { commentEdge { node { id } } }
}",
};

pub const EDIT_COMMENT: Document = Document {
    name: "EditComment",
    text: "
mutation EditComment($id: ID!, $body: String!) {
  updateIssueComment(input: { id: $id, body: $body }) { issueComment { id } }
}",
};

pub const EDIT_DRAFT: Document = Document {
    name: "EditDraft",
    text: "
mutation EditDraft($id: ID!, $body: String!) {
  updateProjectV2DraftIssue(input: { draftIssueId: $id, body: $body }) { draftIssue { id } }
}",
};

/// The columns with all that setting them anew takes, and whether the server lets them keep their ids.
pub const COLUMNS: Document = Document {
    name: "Columns",
    text: "
query Columns($owner: String!, $number: Int!) {
  repositoryOwner(login: $owner) {
    ... on ProjectV2Owner {
      projectV2(number: $number) {
        field(name: \"Status\") { ... on ProjectV2SingleSelectField { id options { id name color description } } }
      }
    }
  }
  __type(name: \"ProjectV2SingleSelectFieldOptionInput\") { inputFields { name } }
  rateLimit { limit cost remaining resetAt }
}",
};

pub const SET_COLUMNS: Document = Document {
    name: "SetColumns",
    text: "
mutation SetColumns($field: ID!, $options: [ProjectV2SingleSelectFieldOptionInput!]!) {
  updateProjectV2Field(input: { fieldId: $field, singleSelectOptions: $options }) {
    projectV2Field { ... on ProjectV2SingleSelectField { options { id name } } }
  }
}",
};

pub const ALL: [Document; 10] =
    [BOARD, CARDS, LABELS, CARD, MOVE, ADD_COMMENT, EDIT_COMMENT, EDIT_DRAFT, COLUMNS, SET_COLUMNS];
