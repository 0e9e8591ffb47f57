//! Which streams are open, which were, and how to end them.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::clock::{Millis, format_time};
use crate::ledger::Served;
use crate::params::{Invalid, Params};
use crate::server::{Reply, Server};

const FIELDS: &[&str] =
    &["client_ip", "connected_at", "disconnect_reason", "disconnected_at", "endpoint_name", "id"];

#[derive(Debug)]
struct Connection {
    id: String,
    connected: Millis,
    ended: Option<(Millis, &'static str)>,
    kill: watch::Sender<bool>,
}

impl Connection {
    /// A connection whose client has gone is counted until the server has noticed.
    fn is_held(&self, now: Millis, linger: Millis) -> bool {
        match self.ended {
            None => true,
            Some((at, reason)) => reason == "client_disconnect" && now < at + linger,
        }
    }
}

/// Every stream since the start, in order.
#[derive(Debug, Default)]
pub(crate) struct Connections(Mutex<Vec<Connection>>);

/// A stream's own entry; dropped without `end`, the client has left.
pub(crate) struct Slot {
    server: Arc<Server>,
    index: usize,
    pub killed: watch::Receiver<bool>,
}

impl Slot {
    pub fn end(&self, reason: &'static str) {
        let mut all = self.server.connections.lock();
        let connection = &mut all[self.index];
        if connection.ended.is_none() {
            connection.ended = Some((self.server.clock.now(), reason));
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.end("client_disconnect");
    }
}

impl Connections {
    /// Takes a place, if one is free.
    pub fn open(&self, server: &Arc<Server>) -> Option<Slot> {
        let (now, settings) = (server.clock.now(), &server.settings);
        let mut all = self.lock();
        let held = all.iter().filter(|one| one.is_held(now, settings.linger)).count();
        if held >= settings.limits.connections {
            if !settings.replace_connections {
                return None;
            }
            end(&mut all, now, settings.linger, |_| true);
        }
        let (kill, killed) = watch::channel(false);
        let index = all.len();
        all.push(Connection {
            id: format!("00000000-0000-4000-8000-{index:012}"),
            connected: now,
            ended: None,
            kill,
        });
        Some(Slot { server: Arc::clone(server), index, killed })
    }

    /// How many streams are open.
    pub fn active(&self) -> usize {
        self.lock().iter().filter(|one| one.ended.is_none()).count()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Ends those that are held and meant; gives their ids.
fn end(
    all: &mut [Connection],
    now: Millis,
    linger: Millis,
    meant: impl Fn(&Connection) -> bool,
) -> Vec<String> {
    let held = all.iter_mut().filter(|one| one.is_held(now, linger) && meant(one));
    held.map(|one| {
        one.ended = Some((now, "operator_disconnect"));
        one.kill.send_replace(true);
        one.id.clone()
    })
    .collect()
}

/// Answers `GET /2/connections`.
pub(crate) fn list(server: &Server, params: &Params) -> Result<Reply, Invalid> {
    params.check_names(&["status", "endpoints", "max_results", "pagination_token", "connection.fields"])?;
    let status = params.get("status").unwrap_or("active");
    if !["active", "inactive", "all"].contains(&status) {
        return Err(Invalid::new(format!(
            "The `status` query parameter value [{status}] is not one of [active,inactive,all]"
        ))
        .of("status", status));
    }
    let mut fields = params.list("connection.fields");
    if let Some(wrong) = fields.iter().find(|name| !FIELDS.contains(name)) {
        let all = FIELDS.join(",");
        return Err(Invalid::new(format!(
            "The `connection.fields` query parameter value [{wrong}] is not one of [{all}]"
        ))
        .of("connection.fields", wrong));
    }
    fields.extend(["connected_at", "endpoint_name", "id"]);
    let most = params.number("max_results", 1..=100, 10)?;
    let endpoints = params.list("endpoints");
    let all = server.connections.lock();
    let chosen = all.iter().rev().filter(|one| match status {
        "active" => one.ended.is_none(),
        "inactive" => one.ended.is_some(),
        _ => true,
    });
    let chosen = chosen.filter(|_| endpoints.is_empty() || endpoints.contains(&"filtered_stream"));
    let rows: Vec<Value> = chosen.take(most).map(|one| show(one, &fields)).collect();
    let mut answer = json!({"meta": {"result_count": rows.len()}});
    if !rows.is_empty() {
        answer["data"] = rows.into();
    }
    Ok(Reply::json(answer.to_string().into(), Served::default()))
}

fn show(one: &Connection, fields: &[&str]) -> Value {
    let mut row = Map::new();
    let mut put = |name: &str, value: String| {
        if fields.contains(&name) {
            row.insert(name.to_owned(), value.into());
        }
    };
    put("id", one.id.clone());
    put("endpoint_name", "filtered_stream".to_owned());
    put("connected_at", format_time(one.connected));
    put("client_ip", "127.0.0.1".to_owned());
    if let Some((at, reason)) = one.ended {
        put("disconnected_at", format_time(at));
        put("disconnect_reason", reason.to_owned());
    }
    row.into()
}

/// Answers `DELETE /2/connections/all`, `/2/connections/{endpoint}` and `/2/connections` with `{"uuids":[…]}`.
pub(crate) fn kill(server: &Server, endpoint: Option<&str>, body: &[u8]) -> Result<Reply, Invalid> {
    let (now, linger) = (server.clock.now(), server.settings.linger);
    let mut all = server.connections.lock();
    let (killed, failed): (Vec<String>, Vec<String>) = match endpoint {
        Some("all" | "filtered_stream") => (end(&mut all, now, linger, |_| true), Vec::new()),
        Some(other) => {
            return Err(Invalid::new(format!(
                "The `endpoint_id` path parameter value [{other}] is not one of [all,filtered_stream]"
            ))
            .of("endpoint_id", other));
        }
        None => {
            let body: Value = serde_json::from_slice(body).unwrap_or_default();
            let ids = body
                .get("uuids")
                .and_then(Value::as_array)
                .ok_or_else(|| Invalid::new("the request body must have `uuids`"))?;
            let ids: Vec<&str> = ids.iter().filter_map(Value::as_str).collect();
            let killed = end(&mut all, now, linger, |one| ids.contains(&one.id.as_str()));
            let failed = ids
                .iter()
                .filter(|id| !killed.iter().any(|own| own == *id))
                .map(|id| (*id).to_owned())
                .collect();
            (killed, failed)
        }
    };
    let results = killed.iter().map(|id| json!({"uuid": id, "success": true}));
    let results: Vec<Value> = results
        .chain(failed.iter().map(|id| json!({"uuid": id, "success": false, "error_message": "not found"})))
        .collect();
    let answer =
        json!({"data": {"successful_kills": killed.len(), "failed_kills": failed.len(), "results": results}});
    Ok(Reply::json(answer.to_string().into(), Served::default()))
}
