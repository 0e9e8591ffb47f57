//! The error answers.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::faults::Refusal;
use crate::names::Dialect;
use crate::params::Invalid;

/// An error answer before it becomes HTTP.
pub(crate) struct Problem {
    pub status: StatusCode,
    pub content_type: &'static str,
    pub body: String,
}

const PROBLEM_JSON: &str = "application/problem+json";
const JSON: &str = "application/json; charset=utf-8";

impl Problem {
    fn new(status: u16, body: &Value) -> Self {
        Self { status: code(status), content_type: PROBLEM_JSON, body: body.to_string() }
    }

    /// 400 with what is wrong about which parameter.
    pub fn invalid(wrong: &Invalid, dialect: Dialect) -> Self {
        let parameters: serde_json::Map<_, _> =
            wrong.parameters.iter().map(|(name, values)| (name.clone(), json!(values))).collect();
        Self::new(
            400,
            &json!({"errors": [{"parameters": parameters, "message": wrong.message}], "title": "Invalid Request",
                "detail": "One or more parameters to your request was invalid.", "type": dialect.problem("invalid-request")}),
        )
    }

    /// 404 for a path that is none.
    pub fn not_found() -> Self {
        Self::new(
            404,
            &json!({"title": "Not Found", "detail": "Not Found", "type": "about:blank", "status": 404}),
        )
    }

    /// The error answers a fault or a rule of the server asks for.
    pub fn refusal(refusal: Refusal, dialect: Dialect) -> Self {
        let plain = |status: u16, title: &str| {
            Self::new(
                status,
                &json!({"title": title, "detail": title, "type": "about:blank", "status": status}),
            )
        };
        let connection = |status: u16, issue: &str, detail: &str| {
            Self::new(
                status,
                &json!({"title": "ConnectionException", "detail": detail, "connection_issue": issue, "type": dialect.problem("streaming-connection")}),
            )
        };
        match refusal {
            Refusal::RateLimit | Refusal::OnePerSecond => plain(429, "Too Many Requests"),
            Refusal::TooManyConnections => connection(
                429,
                "TooManyConnections",
                "This stream is currently at the maximum allowed connection limit.",
            ),
            Refusal::NoRules => connection(
                409,
                "RuleConfigurationIssue",
                "Must define rules using the POST /2/tweets/search/stream/rules endpoint",
            ),
            Refusal::Provisioning => connection(
                503,
                "ProvisioningSubscription",
                "Subscription change is currently being provisioned",
            ),
            Refusal::UsageCapped => Self::new(
                429,
                &json!({"account_id": "1", "product_name": "standard-basic", "title": "UsageCapExceeded", "period": "Monthly", "scope": "Product",
                    "detail": "Usage cap exceeded: Monthly product cap", "type": dialect.problem("usage-capped")}),
            ),
            Refusal::CreditsDepleted => Self::new(
                402,
                &json!({"title": "Payment Required", "detail": "credits depleted", "type": dialect.problem("credits-depleted")}),
            ),
            Refusal::Unauthorized => plain(401, "Unauthorized"),
            Refusal::ClientForbidden => Self::new(
                403,
                &json!({"client_id": "1", "title": "Client Forbidden", "reason": "client-not-enrolled", "required_enrollment": "Pay-per-use",
                    "detail": "When authenticating requests to the API v2 endpoints, you must use keys and tokens from a developer App that is attached to a Project.",
                    "registration_url": "https://developer.x.com/en/docs/projects/overview", "type": dialect.problem("client-forbidden")}),
            ),
            Refusal::UnsupportedAuthentication => Self::new(
                403,
                &json!({"title": "Unsupported Authentication", "status": 403,
                    "detail": "Authenticating with OAuth 1.0a User Context is forbidden for this endpoint. Supported authentication types are [OAuth 2.0 Application-Only].",
                    "type": dialect.problem("unsupported-authentication")}),
            ),
            Refusal::InvalidRequest => Self::invalid(
                &Invalid::new("Rules must contain a positive, stand-alone operator (at position 1)")
                    .of("query", "?"),
                dialect,
            ),
            Refusal::LegacyRateLimit => Self {
                status: code(429),
                content_type: JSON,
                body: json!({"errors": [{"code": 88, "message": "Rate limit exceeded"}]}).to_string(),
            },
            Refusal::EnhanceYourCalm => Self {
                status: code(420),
                content_type: JSON,
                body: json!({"error": "Enhance Your Calm"}).to_string(),
            },
            Refusal::Status(status) => Self {
                status: code(status),
                content_type: "text/html",
                body: format!(
                    "<html><head><title>{status}</title></head><body><h1>{status}</h1></body></html>"
                ),
            },
            Refusal::Disguised => {
                let own = Self::new(
                    503,
                    &json!({"title": "Service Unavailable", "detail": "Service Unavailable", "type": "about:blank", "status": 503}),
                );
                Self { status: StatusCode::OK, ..own }
            }
        }
    }
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
