//! The rules of the filtered stream. All jobs of an app share one set: only rules with our tag are touched.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;
use task::{Exit, Failure, Outcome};
use tracing::info;

use crate::net::Api;
use crate::sink::short_hash;
use crate::trouble::Trouble;

const PATH: &str = "/2/tweets/search/stream/rules";
/// Tags of ours begin so.
const TAG: &str = "offkey:";

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    data: Vec<Rule>,
    errors: Vec<Refused>,
    meta: Meta,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta {
    next_token: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Rule {
    id: String,
    value: String,
    tag: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Refused {
    #[serde(rename = "type")]
    kind: Option<String>,
    title: Option<String>,
    detail: Option<String>,
    value: Option<String>,
}

/// Makes our rules these. Returns their ids.
pub(crate) async fn sync(api: &Api, rules: &[String]) -> Outcome<BTreeSet<String>> {
    let tag = |rule: &str| format!("{TAG}{}", short_hash(rule));
    let there = list(api).await?;
    let missing: Vec<&String> =
        rules.iter().filter(|rule| !there.iter().any(|r| r.value == **rule)).collect();
    let stale: Vec<&Rule> = there
        .iter()
        .filter(|r| r.tag.as_deref().is_some_and(|t| t.starts_with(TAG)) && !rules.contains(&r.value))
        .collect();
    if !missing.is_empty() {
        let add = json!({"add": missing.iter().map(|rule| json!({"value": rule, "tag": tag(rule)})).collect::<Vec<_>>()});
        // First a trial: nothing is deleted for rules that X does not take.
        change(api, &add.to_string(), true).await?;
        remove(api, &stale).await?;
        change(api, &add.to_string(), false).await?;
    } else {
        remove(api, &stale).await?;
    }
    let there = list(api).await?;
    let ids: BTreeSet<String> =
        there.iter().filter(|r| rules.contains(&r.value)).map(|r| r.id.clone()).collect();
    if ids.len() < rules.len() {
        return Err(Failure::new(Exit::SourceUnavailable, "rules that X took are not in force")
            .hint("another program deletes them, or X is slow: run again later"));
    }
    info!(rules = ids.len(), added = missing.len(), removed = stale.len(), "the stream's rules are in force");
    Ok(ids)
}

async fn list(api: &Api) -> Outcome<Vec<Rule>> {
    let mut all = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let answer = api
            .pace
            .patiently(|| async {
                let mut query = vec![("max_results", "1000")];
                query.extend(token.as_deref().map(|token| ("pagination_token", token)));
                read(&api.get(PATH, &query).await?)
            })
            .await?;
        all.extend(answer.data);
        match answer.meta.next_token {
            Some(next) if Some(&next) != token.as_ref() => token = Some(next),
            _ => return Ok(all),
        }
    }
}

async fn remove(api: &Api, stale: &[&Rule]) -> Outcome<()> {
    if stale.is_empty() {
        return Ok(());
    }
    let ids: Vec<&str> = stale.iter().map(|rule| rule.id.as_str()).collect();
    let body = json!({"delete": {"ids": ids}}).to_string();
    // One that is gone already is refused, and that is fine.
    api.pace.patiently(|| async { read(&api.post(PATH, &[], &body).await?) }).await.map(drop)
}

async fn change(api: &Api, body: &str, dry_run: bool) -> Outcome<()> {
    let query: &[(&str, &str)] = if dry_run { &[("dry_run", "true")] } else { &[] };
    let answer = api.pace.patiently(|| async { read(&api.post(PATH, query, body).await?) }).await?;
    for refused in answer.errors {
        let kind = refused.kind.as_deref().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        if kind == "duplicate-rules" || refused.title.as_deref() == Some("DuplicateRule") {
            continue;
        }
        let value = refused.value.unwrap_or_default();
        let why = refused.detail.or(refused.title).unwrap_or_default();
        return Err(match kind {
            "rule-cap" => Failure::new(Exit::Configuration, format!("X takes no more rules: {why}"))
                .hint("delete rules of other programs, or give fewer keywords"),
            _ => Failure::new(Exit::Usage, format!("X refuses the rule {value}: {why}"))
                .hint("change --track: see X's rule language for what stands alone"),
        });
    }
    Ok(())
}

fn read(body: &[u8]) -> Result<Answer, Trouble> {
    serde_json::from_slice(body).map_err(|_| Trouble::Server("X's answer about rules cannot be read".into()))
}
