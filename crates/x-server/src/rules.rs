//! The rules of the filtered stream.

use std::sync::{Mutex, RwLock};

use serde_json::{Map, Value, json};

use crate::clock::{first_id, format_time};
use crate::corpus::{Corpus, Tweet};
use crate::ledger::Served;
use crate::names::Dialect;
use crate::params::{Invalid, Params};
use crate::query::{Place, Query};
use crate::server::{Reply, Server};

/// A rule that is in force.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub id: u64,
    pub value: String,
    pub tag: Option<String>,
    query: Query,
}

/// All rules, and the number that the next one gets.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    rules: RwLock<Vec<Rule>>,
    made: Mutex<u64>,
}

impl Rules {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.read().is_empty()
    }

    /// Id and tag of each rule that a tweet meets.
    pub fn matching(&self, tweet: &Tweet, corpus: &Corpus, out: &mut Vec<(u64, Option<String>)>) {
        out.clear();
        let rules = self.read();
        out.extend(
            rules
                .iter()
                .filter(|rule| rule.query.matches(tweet, corpus))
                .map(|rule| (rule.id, rule.tag.clone())),
        );
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Vec<Rule>> {
        self.rules.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Vec<Rule>> {
        self.rules.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn show(rule: &Rule) -> Value {
    let mut shown = json!({"id": rule.id.to_string(), "value": rule.value});
    if let Some(tag) = &rule.tag {
        shown["tag"] = tag.as_str().into();
    }
    shown
}

/// Answers `GET /2/tweets/search/stream/rules`.
pub(crate) fn list(server: &Server, params: &Params) -> Result<Reply, Invalid> {
    params.check_names(&["ids", "max_results", "pagination_token"])?;
    let most = params.number("max_results", 1..=1_000, 1_000)?;
    let start = match params.get("pagination_token") {
        None => 0,
        Some(token) => token
            .strip_prefix("rules")
            .filter(|_| token.len() == 16)
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| {
                Invalid::new("The `pagination_token` query parameter is not valid")
                    .of("pagination_token", token)
            })?,
    };
    let ids = params.list("ids");
    let rules = server.rules.read();
    let chosen: Vec<&Rule> =
        rules.iter().filter(|rule| ids.is_empty() || ids.contains(&rule.id.to_string().as_str())).collect();
    let page: Vec<Value> = chosen.iter().skip(start).take(most).map(|rule| show(rule)).collect();
    let mut meta = json!({"result_count": page.len()});
    // 2.167 has no `sent` here.
    if server.settings.dialect == Dialect::Tweet {
        meta["sent"] = format_time(server.clock.now()).into();
    }
    if start + page.len() < chosen.len() {
        meta["next_token"] = format!("rules{:011}", start + page.len()).into();
    }
    let mut answer = json!({"meta": meta});
    if !page.is_empty() {
        answer["data"] = page.into();
    }
    Ok(Reply::json(answer.to_string().into(), Served::default()))
}

/// Answers `POST /2/tweets/search/stream/rules`.
pub(crate) fn change(server: &Server, params: &Params, body: &[u8]) -> Result<Reply, Invalid> {
    params.check_names(&["dry_run", "delete_all"])?;
    let flag = |name: &str| match params.get(name) {
        None | Some("false" | "False") => Ok(false),
        Some("true" | "True") => Ok(true),
        Some(other) => {
            Err(Invalid::new(format!("The `{name}` query parameter value [{other}] is not a boolean"))
                .of(name, other))
        }
    };
    let (dry, all) = (flag("dry_run")?, flag("delete_all")?);
    if all {
        let mut rules = server.rules.write();
        let deleted = rules.len();
        if !dry {
            rules.clear();
        }
        return Ok(deleted_reply(server, deleted, Vec::new()));
    }
    let body: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| Invalid::new("the request body is not a JSON object"))?;
    match (body.get("add"), body.get("delete")) {
        (Some(Value::Array(added)), None) if !added.is_empty() => Ok(add(server, added, dry)),
        (None, Some(Value::Object(delete))) => remove(server, delete, dry),
        _ => Err(Invalid::new("the request body must have either `add` with at least one rule or `delete`")),
    }
}

fn add(server: &Server, added: &[Value], dry: bool) -> Reply {
    let dialect = server.settings.dialect;
    let limits = &server.settings.limits;
    let mut rules = server.rules.write();
    let mut kept = rules.clone();
    let (mut shown, mut errors) = (Vec::new(), Vec::new());
    for wanted in added {
        let value = wanted.get("value").and_then(Value::as_str).unwrap_or_default();
        let tag = wanted.get("tag").and_then(Value::as_str).map(str::to_owned);
        if let Some(same) = kept.iter().find(|rule| rule.value == value) {
            errors.push(json!({"value": value, "id": same.id.to_string(), "title": "DuplicateRule", "type": dialect.problem("duplicate-rules")}));
            continue;
        }
        let query = match Query::parse(value, Place::Stream, limits.rule_length) {
            Ok(query) => query,
            Err(detail) => {
                errors.push(json!({"value": value, "detail": detail, "details": [detail], "title": "UnprocessableEntity",
                    "type": dialect.problem("invalid-rules")}));
                continue;
            }
        };
        if kept.len() >= limits.rules_cap {
            errors.push(
                json!({"value": value, "title": "RulesCapExceeded", "type": dialect.problem("rule-cap"),
                "detail": format!("Rules cannot exceed {} rules for your project.", limits.rules_cap)}),
            );
            continue;
        }
        let mut made = server.rules.made.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *made += 1;
        let rule = Rule { id: first_id(server.clock.now()) | *made, value: value.to_owned(), tag, query };
        shown.push(show(&rule));
        kept.push(rule);
    }
    if !dry {
        *rules = kept;
    }
    let (created, invalid) = (shown.len(), errors.len());
    let mut answer = json!({"meta": {"sent": format_time(server.clock.now()),
        "summary": {"created": created, "not_created": invalid, "valid": created, "invalid": invalid}}});
    if !shown.is_empty() {
        answer["data"] = shown.into();
    }
    if !errors.is_empty() {
        answer["errors"] = errors.into();
    }
    Reply::json(answer.to_string().into(), Served::default())
}

fn remove(server: &Server, delete: &Map<String, Value>, dry: bool) -> Result<Reply, Invalid> {
    let list = |name: &str| delete.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let (ids, values) = (list("ids"), list("values"));
    if ids.is_empty() && values.is_empty() {
        return Err(Invalid::new("`delete` must have `ids` or `values`"));
    }
    let mut rules = server.rules.write();
    let mut kept = rules.clone();
    let mut errors = Vec::new();
    // Clients send the ids as strings or as numbers.
    let wanted = ids.iter().map(|id| (id.as_str().map_or_else(|| id.to_string(), str::to_owned), true));
    let wanted =
        wanted.chain(values.iter().map(|value| (value.as_str().unwrap_or_default().to_owned(), false)));
    let mut deleted = 0;
    for (name, by_id) in wanted {
        let found =
            kept.iter().position(|rule| if by_id { rule.id.to_string() == name } else { rule.value == name });
        if let Some(index) = found {
            kept.remove(index);
            deleted += 1;
        } else {
            let parameter = if by_id { "ids" } else { "values" };
            errors.push(json!({"errors": [{"parameters": {parameter: [name]}, "message": "Rule does not exist"}], "title": "Invalid Request",
                "detail": "One or more parameters to your request was invalid.", "type": server.settings.dialect.problem("invalid-request")}));
        }
    }
    if !dry {
        *rules = kept;
    }
    Ok(deleted_reply(server, deleted, errors))
}

fn deleted_reply(server: &Server, deleted: usize, errors: Vec<Value>) -> Reply {
    let mut answer = json!({"meta": {"sent": format_time(server.clock.now()),
        "summary": {"deleted": deleted, "not_deleted": errors.len()}}});
    if !errors.is_empty() {
        answer["errors"] = errors.into();
    }
    Reply::json(answer.to_string().into(), Served::default())
}

/// Answers `GET /2/tweets/search/stream/rules/counts`: numbers in the tweet dialect, strings in the post dialect.
pub(crate) fn counts(server: &Server, params: &Params) -> Result<Reply, Invalid> {
    params.check_names(&["rules_count.fields"])?;
    let count = server.rules.read().len();
    let cap = server.settings.limits.rules_cap;
    let number = |number: usize| match server.settings.dialect {
        Dialect::Tweet => Value::from(number),
        Dialect::Post => Value::from(number.to_string()),
    };
    let app = json!({"client_app_id": "1", "rule_count": count});
    let answer = json!({"data": {"cap_per_client_app": number(cap), "cap_per_project": number(cap), "client_app_rules_count": app,
        "all_project_client_apps": [app], "project_rules_count": number(count)}});
    Ok(Reply::json(answer.to_string().into(), Served::default()))
}
