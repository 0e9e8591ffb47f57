//! `/_control/…`: what the library handle can do, over HTTP, for clients in other languages.
//!
//! - `GET ledger` (`?ids` for the ids too), `GET requests`, `GET matching?query=…&place=search|stream`
//! - `GET faults`, `PUT faults` (replaces the list), `POST faults` (adds to it)
//! - `GET clock`, `POST clock` with `{"set": "2026-11-20T12:00:00Z"}` or `{"advance": 20}` (seconds)

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Collected};
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::clock::{format_time, parse_time};
use crate::faults::Fault;
use crate::params::Params;
use crate::query::Place;
use crate::server::{Server, plain};
use crate::wire::Body;

pub(crate) async fn serve(server: &Server, request: Request<Incoming>) -> Response<Body> {
    let params = Params::parse(request.uri().query());
    let (head, body) = request.into_parts();
    let body = match body_of(body).await {
        Ok(body) => body,
        Err(problem) => return plain(StatusCode::BAD_REQUEST, &json!({"error": problem})),
    };
    match answer(server, &head.method, head.uri.path(), &params, &body) {
        Ok(Some(value)) => plain(StatusCode::OK, &value),
        Ok(None) => plain(StatusCode::NOT_FOUND, &json!({"error": "no such control endpoint"})),
        Err(problem) => plain(StatusCode::BAD_REQUEST, &json!({"error": problem})),
    }
}

async fn body_of(body: Incoming) -> Result<Bytes, String> {
    body.collect().await.map(Collected::to_bytes).map_err(|error| error.to_string())
}

fn answer(
    server: &Server,
    method: &Method,
    path: &str,
    params: &Params,
    body: &[u8],
) -> Result<Option<Value>, String> {
    let wrong = |error: serde_json::Error| error.to_string();
    let strings = |ids: Vec<u64>| ids.iter().map(u64::to_string).collect::<Vec<_>>();
    Ok(Some(match (method.as_str(), path.trim_start_matches("/_control/")) {
        ("GET", "ledger") => {
            let ledger = &server.ledger;
            let mut value = json!({"totals": ledger.totals(), "open_streams": server.connections.active()});
            if params.get("ids").is_some() {
                let counted = |all: Vec<(u64, u32)>| {
                    all.into_iter()
                        .map(|(id, times)| (id.to_string(), times.into()))
                        .collect::<serde_json::Map<_, Value>>()
                };
                value["served"] = strings(ledger.served()).into();
                value["searched"] = counted(ledger.searched()).into();
                value["streamed"] = counted(ledger.streamed()).into();
                value["invented"] = counted(ledger.invented()).into();
                value["posts"] = ledger
                    .posts()
                    .into_iter()
                    .map(|(uri, times)| (uri, times.into()))
                    .collect::<serde_json::Map<_, Value>>()
                    .into();
            }
            value
        }
        ("GET", "requests") => json!(server.ledger.requests()),
        ("GET", "matching") => {
            let place = if params.get("place") == Some("stream") { Place::Stream } else { Place::Search };
            strings(server.matching(params.get("query").unwrap_or_default(), place)?).into()
        }
        ("GET", "faults") => json!(server.faults.left()),
        ("PUT", "faults") => {
            server.faults.set(serde_json::from_slice(body).map_err(wrong)?);
            json!(server.faults.left())
        }
        ("POST", "faults") => {
            let added: Vec<Fault> = serde_json::from_slice(body).map_err(wrong)?;
            added.into_iter().for_each(|fault| server.faults.add(fault));
            json!(server.faults.left())
        }
        ("GET", "clock") => json!({"now": format_time(server.clock.now())}),
        ("POST", "clock") => {
            let wish: Value = serde_json::from_slice(body).map_err(wrong)?;
            match (
                wish.get("set").and_then(Value::as_str).map(parse_time),
                wish.get("advance").and_then(Value::as_u64),
            ) {
                (Some(Some(now)), None) => server.clock.set(now),
                (None, Some(seconds)) => server.clock.advance(Duration::from_secs(seconds)),
                _ => return Err("either {\"set\": TIME} or {\"advance\": SECONDS}".to_owned()),
            }
            json!({"now": format_time(server.clock.now())})
        }
        _ => return Ok(None),
    }))
}
