//! `croissant.json`: the dataset for tools that read MLCommons Croissant 1.0
//! (<https://docs.mlcommons.org/croissant/docs/croissant-spec.html>), such as `mlcroissant`.

use lake::{DatasetFile, DatasetManifest, FileStat};
use serde_json::{Map, Value, json};
use table::{Column, Kind};

use crate::card::{LICENSE, in_order};
use crate::hashing::{Hashing, columns};

/// The description of a version, whose `beside` holds the matrices already.
pub(crate) fn croissant(manifest: &DatasetManifest) -> Vec<u8> {
    let columns = columns(Hashing::from_arguments(&manifest.arguments).as_ref());
    let matrices = manifest.beside.iter().filter(|(name, _)| name.starts_with("features/"));
    let distribution: Vec<Value> = manifest
        .files
        .iter()
        .map(|file| object(&file.path, &file.stat, "application/x-parquet"))
        .chain(matrices.map(|(name, stat)| object(name, stat, "application/octet-stream")))
        .collect();
    let records: Vec<Value> = std::iter::once(splits(manifest))
        .chain(manifest.files.iter().map(|file| rows(file, manifest, &columns)))
        .collect();
    let described = json!({
        "@context": context(),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": manifest.dataset,
        "description": format!(
            "{} tweets without music, of {} consumed ({} unique). README.md tells how they were made and what one may do with them.",
            manifest.ledger.kept, manifest.ledger.consumed, manifest.ledger.unique
        ),
        "license": LICENSE,
        "url": LICENSE,
        "citeAs": format!("Offkey dataset {}/{}", manifest.dataset, manifest.version),
        "version": format!("1.0.0+{}", manifest.version),
        "datePublished": manifest.times.last.map(lake::format_micros),
        "distribution": distribution,
        "recordSet": records,
    });
    let mut bytes = serde_json::to_vec_pretty(&described).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn object(path: &str, stat: &FileStat, format: &str) -> Value {
    json!({
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "contentSize": format!("{} B", stat.size),
        "encodingFormat": format,
        "sha256": stat.sha256,
    })
}

/// The names of the splits and what they are for.
fn splits(manifest: &DatasetManifest) -> Value {
    let data: Vec<Value> = in_order(manifest)
        .map(|(name, _)| {
            let kind = match name {
                "train" => "cr:TrainingSplit",
                "validation" => "cr:ValidationSplit",
                _ => "cr:TestSplit",
            };
            json!({"splits/name": name, "splits/url": kind})
        })
        .collect();
    json!({
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [
            {"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"},
            {"@type": "cr:Field", "@id": "splits/url", "name": "url", "dataType": "sc:URL"},
        ],
        "data": data,
    })
}

/// The rows of a file: `train`, or `train-00000` where the split has several.
fn rows(file: &DatasetFile, manifest: &DatasetManifest, columns: &[Column]) -> Value {
    let alone = manifest.files.iter().filter(|other| other.split == file.split).count() == 1;
    let number = file.path.trim_start_matches("data/").split("-of-").next().unwrap_or_default();
    let name = if alone { &file.split } else { number };
    let field = |column: &Column| {
        let (kind, repeated) = kind(column.kind);
        let mut field = Map::new();
        field.insert("@type".into(), json!("cr:Field"));
        field.insert("@id".into(), json!(format!("{name}/{}", column.name)));
        field.insert("name".into(), json!(column.name));
        field.insert("description".into(), json!(column.doc));
        field.insert("dataType".into(), json!(kind));
        if repeated {
            field.insert("repeated".into(), json!(true));
        }
        let source = json!({"fileObject": {"@id": file.path}, "extract": {"column": column.name}});
        field.insert("source".into(), source);
        Value::Object(field)
    };
    json!({
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": format!("{} rows of {}", file.stat.rows, file.split),
        "field": columns.iter().map(field).collect::<Vec<_>>(),
    })
}

/// The type of a value, and whether there are many.
fn kind(kind: Kind) -> (&'static str, bool) {
    match kind {
        Kind::String => ("sc:Text", false),
        Kind::Strings => ("sc:Text", true),
        Kind::I32s => ("cr:Int32", true),
        Kind::F32s => ("cr:Float32", true),
        Kind::Time => ("sc:DateTime", false),
        Kind::Bool => ("sc:Boolean", false),
        Kind::F32 => ("cr:Float32", false),
        Kind::F64 => ("cr:Float64", false),
        Kind::I64 => ("cr:Int64", false),
        Kind::U32 => ("cr:UInt32", false),
    }
}

/// The context that the specification gives.
fn context() -> Value {
    let mut all = json!({
        "@language": "en",
        "@vocab": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/",
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "dct": "http://purl.org/dc/terms/",
        "conformsTo": "dct:conformsTo",
        "examples": {"@id": "cr:examples", "@type": "@json"},
        "rai": "http://mlcommons.org/croissant/RAI/",
        "sc": "https://schema.org/",
    });
    for name in [
        "citeAs",
        "column",
        "equivalentProperty",
        "extract",
        "field",
        "fileProperty",
        "fileObject",
        "fileSet",
        "format",
        "includes",
        "isLiveDataset",
        "jsonPath",
        "key",
        "md5",
        "parentField",
        "path",
        "recordSet",
        "references",
        "regex",
        "repeated",
        "replace",
        "samplingRate",
        "separator",
        "source",
        "subField",
        "transform",
    ] {
        all[name] = json!(format!("cr:{name}"));
    }
    all
}
