//! The text stage against labels that people bring.

use std::fs;
use std::io::Write;

use serde::Serialize;
use serde_json::{Value, json};
use task::{Exit, Failure, Outcome};
use text::Options;
use text::evaluate::{RecordError, language, music, tokens};

use crate::args::{EvaluateArgs, Labels};
use crate::rules::Line;

/// Prints the table; the summary line that follows is its numbers.
pub(crate) fn run(args: &EvaluateArgs) -> Outcome<Value> {
    let lines = fs::read_to_string(&args.file)
        .map_err(|e| Failure::new(Exit::MissingInput, format!("cannot read {}: {e}", args.file.display())))?;
    match args.task {
        Labels::Music => {
            let line = Line::new(&args.music)?;
            let report =
                music(&lines, &line.music, line.threshold, line.switches).map_err(|e| told(args, &e))?;
            show(&report.table(), &report)
        }
        Labels::Language => {
            let report = language(&lines).map_err(|e| told(args, &e))?;
            show(&report.table(), &report)
        }
        Labels::Tokens => {
            let report = tokens(&lines, Options::default()).map_err(|e| told(args, &e))?;
            show(&report.table(), &report)
        }
    }
}

fn told(args: &EvaluateArgs, error: &RecordError) -> Failure {
    Failure::new(Exit::BadInput, format!("{}: {error}", args.file.display()))
        .hint("a record a line: {\"text\",\"music\":0|1|null}, {\"text\",\"lang\"} or {\"text\",\"tokens\"}")
}

fn show(table: &str, report: &impl Serialize) -> Outcome<Value> {
    let cannot = |e: std::io::Error| Failure::new(Exit::Storage, format!("cannot print the table: {e}"));
    std::io::stdout().lock().write_all(table.as_bytes()).map_err(cannot)?;
    let mut summary = json!({ "stage": "evaluate" });
    if let (Some(summary), Ok(Value::Object(numbers))) =
        (summary.as_object_mut(), serde_json::to_value(report))
    {
        summary.extend(numbers);
    }
    Ok(summary)
}
