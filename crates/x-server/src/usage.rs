//! `GET /2/usage/tweets`: what was read this month.

use serde_json::{Map, Value, json};

use crate::clock::format_time;
use crate::ledger::Served;
use crate::names::Dialect;
use crate::params::{Invalid, Params};
use crate::server::{Reply, Server};

const FIELDS: &[&str] = &[
    "cap_reset_day",
    "daily_client_app_usage",
    "daily_project_usage",
    "project_cap",
    "project_id",
    "project_usage",
];
const CAP: u64 = 3_000_000;

/// Answers with what the ledger says was handed over. Numbers in the tweet dialect, strings in the post dialect.
pub(crate) fn usage(server: &Server, params: &Params) -> Result<Reply, Invalid> {
    params.check_names(&["days", "usage.fields"])?;
    params.number("days", 1..=90, 7)?;
    let mut fields = params.list("usage.fields");
    if let Some(wrong) = fields.iter().find(|name| !FIELDS.contains(name)) {
        let all = FIELDS.join(",");
        return Err(Invalid::new(format!(
            "The `usage.fields` query parameter value [{wrong}] is not one of [{all}]"
        ))
        .of("usage.fields", wrong));
    }
    fields.extend(["project_cap", "project_id", "project_usage"]);
    let totals = server.ledger.totals();
    let used = totals.search + totals.stream;
    let strings = server.settings.dialect == Dialect::Post;
    let number = |number: u64| if strings { Value::from(number.to_string()) } else { Value::from(number) };
    let today = format_time(server.clock.now().div_euclid(86_400_000) * 86_400_000);
    let days = json!([{"date": today, "usage": number(used)}]);
    let mut data = Map::new();
    for name in FIELDS.iter().filter(|name| fields.contains(name)) {
        let value = match *name {
            "cap_reset_day" => json!(1),
            "daily_client_app_usage" => {
                json!([{"client_app_id": "1", "usage": days, "usage_result_count": 1}])
            }
            "daily_project_usage" => json!({"project_id": number(1), "usage": days}),
            "project_cap" => number(CAP),
            "project_id" => json!("1"),
            _ => number(used),
        };
        data.insert((*name).to_owned(), value);
    }
    Ok(Reply::json(json!({"data": data}).to_string().into(), Served::default()))
}
