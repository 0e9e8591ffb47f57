//! A lake in a bucket, of Amazon's or any server that speaks S3.
//!
//! Settings come from the environment as for every AWS tool: `AWS_ENDPOINT_URL`, `AWS_REGION`,
//! credentials, `AWS_PROFILE`. With an endpoint of its own, buckets are addressed by path.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::interceptors::InterceptorContext;
use aws_sdk_s3::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::location::join_key;
use crate::store::{Condition, Entry, Tag};
use crate::{Error, Result};

/// Size of an upload's parts; 10,000 of them are the most S3 takes, so 80 GB an object.
const PART: usize = 8 << 20;
/// Parts of one upload under way at once: with `PART` this bounds its memory.
const IN_FLIGHT: usize = 3;
/// How often a broken download is taken up again where it broke.
const RESUMES: u32 = 4;
/// How often a small object is read until it comes whole.
const GETS: u32 = 3;

/// A prefix in a bucket.
#[derive(Clone)]
pub struct S3 {
    bucket: String,
    prefix: String,
    client: Client,
    runtime: Arc<Runtime>,
}

impl std::fmt::Debug for S3 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

impl S3 {
    pub(crate) fn new(bucket: &str, prefix: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("s3")
            .enable_all()
            .build()
            .map_err(|e| Error::Configuration(format!("cannot start the S3 client: {e}")))?;
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let shared = runtime.block_on(async {
            aws_config::defaults(BehaviorVersion::latest())
                .http_client(http)
                .retry_config(
                    RetryConfig::standard().with_max_attempts(4).with_max_backoff(Duration::from_secs(5)),
                )
                .timeout_config(
                    TimeoutConfig::builder()
                        .connect_timeout(Duration::from_secs(5))
                        .read_timeout(Duration::from_secs(30))
                        .operation_attempt_timeout(Duration::from_secs(120))
                        .build(),
                )
                .load()
                .await
        });
        let mut config = Builder::from(&shared)
            .force_path_style(shared.endpoint_url().is_some())
            .retry_classifier(TooManyRequests);
        if shared.region().is_none() {
            config = config.region(Region::new("us-east-1"));
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            client: Client::from_conf(config.build()),
            runtime: Arc::new(runtime),
        })
    }

    fn full(&self, key: &str) -> String {
        join_key(&self.prefix, key)
    }

    fn place(&self, key: &str) -> String {
        format!("s3://{}/{}", self.bucket, self.full(key))
    }

    fn told<E>(&self, doing: &str, key: &str, error: &SdkError<E>) -> Error
    where
        SdkError<E>: ProvideErrorMetadata,
        E: std::error::Error + 'static,
    {
        tell(doing, &self.place(key), error)
    }

    pub(crate) fn get(&self, key: &str) -> Result<Option<(Vec<u8>, Tag)>> {
        let mut tries = 0;
        loop {
            let Some(mut reader) = self.open(key)? else { return Ok(None) };
            let mut bytes = Vec::new();
            let tag = Tag(reader.etag.clone());
            tries += 1;
            match reader.read_to_end(&mut bytes) {
                Ok(_) => return Ok(Some((bytes, tag))),
                // It was swapped meanwhile, or its bytes came through wrong: small objects are just read again.
                Err(e) if tries < GETS => tracing::warn!(key, error = %e, "read again"),
                Err(e) => return Err(Error::Storage(format!("cannot read {}: {e}", self.place(key)))),
            }
        }
    }

    pub(crate) fn read(&self, key: &str) -> Result<Box<dyn Read + Send>> {
        match self.open(key)? {
            Some(reader) => Ok(Box::new(reader)),
            None => Err(Error::Missing(format!("{} is not there", self.place(key)))),
        }
    }

    pub(crate) fn read_range(&self, key: &str, offset: u64, size: u64) -> Result<Vec<u8>> {
        let range = format!("bytes={offset}-{}", (offset + size).saturating_sub(1));
        let sent = self.client.get_object().bucket(&self.bucket).key(self.full(key)).range(range).send();
        let got = match self.runtime.block_on(sent) {
            Ok(got) => got,
            Err(e) if e.as_service_error().is_some_and(|e| e.is_no_such_key()) => {
                return Err(Error::Missing(format!("{} is not there", self.place(key))));
            }
            // The object ends before the range begins.
            Err(e) if e.raw_response().is_some_and(|answer| answer.status().as_u16() == 416) => {
                return Ok(Vec::new());
            }
            Err(e) => return Err(self.told("cannot read", key, &e)),
        };
        let from = format!("bytes {offset}-");
        let in_range = got.content_range.as_ref().is_some_and(|range| range.starts_with(&from));
        let bytes = self.runtime.block_on(got.body.collect()).map(|body| body.into_bytes().to_vec());
        let bytes =
            bytes.map_err(|e| Error::Storage(format!("cannot read {}: {}", self.place(key), causes(&e))))?;
        // A server that knows no ranges sends the whole object.
        let skipped = if in_range { 0 } else { offset };
        let least = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(bytes.len());
        Ok(bytes[least(skipped)..least(skipped + size)].to_vec())
    }

    fn open(&self, key: &str) -> Result<Option<S3Reader>> {
        let sent = self.client.get_object().bucket(&self.bucket).key(self.full(key)).send();
        match self.runtime.block_on(sent) {
            Ok(got) => Ok(Some(S3Reader {
                store: self.clone(),
                key: key.to_owned(),
                length: got.content_length.and_then(|n| u64::try_from(n).ok()),
                etag: got.e_tag.unwrap_or_default(),
                body: got.body,
                held: Vec::new(),
                taken: 0,
                offset: 0,
                resumes: 0,
            })),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_no_such_key()) => Ok(None),
            Err(e) => Err(self.told("cannot read", key, &e)),
        }
    }

    pub(crate) fn put(&self, key: &str, bytes: &[u8], condition: &Condition) -> Result<()> {
        let mut request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(self.full(key))
            .body(ByteStream::from(bytes.to_vec()));
        request = match condition {
            Condition::Always => request,
            Condition::Absent => request.if_none_match("*"),
            Condition::Unchanged(tag) => request.if_match(&tag.0),
        };
        self.runtime.block_on(request.send()).map(drop).map_err(|e| self.told("cannot write", key, &e))
    }

    pub(crate) fn create(&self, key: &str) -> Result<S3Upload> {
        Ok(S3Upload { store: self.clone(), key: key.to_owned(), buffer: Vec::new(), multipart: None })
    }

    pub(crate) fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        let whole = self.full(&format!("{}/", prefix.trim_end_matches('/')));
        let cut = self.full("").len();
        let mut pages =
            self.client.list_objects_v2().bucket(&self.bucket).prefix(whole).into_paginator().send();
        let mut entries = Vec::new();
        while let Some(page) = self.runtime.block_on(pages.next()) {
            let page = page.map_err(|e| self.told("cannot list", prefix, &e))?;
            for object in page.contents() {
                let Some(key) = object.key().and_then(|k| k.get(cut..)) else { continue };
                entries.push(Entry {
                    key: key.to_owned(),
                    size: object.size().and_then(|s| u64::try_from(s).ok()).unwrap_or(0),
                    modified: object.last_modified().map_or(0, |t| t.secs()),
                });
            }
        }
        Ok(entries)
    }

    pub(crate) fn delete(&self, key: &str) -> Result<()> {
        let sent = self.client.delete_object().bucket(&self.bucket).key(self.full(key)).send();
        self.runtime.block_on(sent).map(drop).map_err(|e| self.told("cannot remove", key, &e))
    }

    pub(crate) fn sweep_unfinished(&self, prefix: &str, older_than_secs: i64) -> Result<u64> {
        let now = UNIX_EPOCH.elapsed().map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX));
        let sent = self.client.list_multipart_uploads().bucket(&self.bucket).prefix(self.full(prefix)).send();
        let open = match self.runtime.block_on(sent) {
            Ok(open) => open,
            // Not every server offers the listing; a bucket's lifecycle rule does the same.
            Err(e) if e.code() == Some("NotImplemented") => return Ok(0),
            Err(e) => return Err(self.told("cannot list unfinished uploads of", prefix, &e)),
        };
        let mut swept = 0;
        for upload in open.uploads() {
            let (Some(key), Some(id)) = (upload.key(), upload.upload_id()) else { continue };
            if upload.initiated().is_some_and(|t| now - t.secs() > older_than_secs) {
                let sent =
                    self.client.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(id).send();
                self.runtime.block_on(sent).map_err(|e| self.told("cannot abort an upload of", key, &e))?;
                swept += 1;
            }
        }
        Ok(swept)
    }

    pub(crate) fn keeps_conditions(&self) -> Result<bool> {
        let key = format!(
            "_meta/probes/{}-{}",
            std::process::id(),
            UNIX_EPOCH.elapsed().map_or(0, |d| d.as_nanos())
        );
        let refused = |condition: &Condition| match self.put(&key, b"again", condition) {
            Err(Error::Conflict(_)) => Ok(true),
            Err(e) => Err(e),
            Ok(()) => Ok(false),
        };
        // Without a condition: the answer to this one may be lost, and its repetition must not count as refused.
        self.put(&key, b"probe", &Condition::Always)?;
        let kept = refused(&Condition::Absent)? && refused(&Condition::Unchanged(Tag("\"0\"".into())))?;
        self.delete(&key)?;
        Ok(kept)
    }
}

/// Amazon throttles by 503; servers that do it by 429 are waited for as well.
#[derive(Debug)]
struct TooManyRequests;

impl ClassifyRetry for TooManyRequests {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response().map(|response| response.status().as_u16()) {
            Some(429) => RetryAction::throttling_error(),
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "429 is throttling"
    }
}

fn tell<E>(doing: &str, place: &str, error: &SdkError<E>) -> Error
where
    SdkError<E>: ProvideErrorMetadata,
    E: std::error::Error + 'static,
{
    let status = error.raw_response().map(|r| r.status().as_u16());
    let code = error.code().unwrap_or_default().to_owned();
    match (status, code.as_str()) {
        (_, "NoSuchBucket") => Error::Missing(format!("{doing} {place}: there is no such bucket")),
        (Some(412), _) | (Some(409), "ConditionalRequestConflict") => {
            Error::Conflict(format!("{doing} {place}: another run wrote it"))
        }
        (Some(401 | 403), _) => Error::Credentials(format!("{doing} {place}: refused ({code})")),
        (Some(status), _) => Error::Storage(format!("{doing} {place}: the server answers {status} {code}")),
        (None, _) => {
            let told = causes(error);
            if ["credential provider", "credentials provider", "no providers in chain"]
                .iter()
                .any(|c| told.contains(c))
            {
                Error::Credentials(format!("{doing} {place}: no credentials found"))
            } else {
                Error::Storage(format!("{doing} {place}: {told}"))
            }
        }
    }
}

/// An error and what caused it, in a line.
fn causes(error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(Some(error), |e| e.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ").lines().collect::<Vec<_>>().join(" ")
}

/// A download that is taken up again where it broke, as long as the object is the same.
struct S3Reader {
    store: S3,
    key: String,
    etag: String,
    length: Option<u64>,
    body: ByteStream,
    held: Vec<u8>,
    taken: usize,
    offset: u64,
    resumes: u32,
}

impl S3Reader {
    /// The next bytes of the body; empty at its end.
    fn next(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match self.store.runtime.block_on(self.body.next()) {
                Some(Ok(bytes)) => return Ok(bytes.to_vec()),
                None => return Ok(Vec::new()),
                // An error behind the last byte is of the checksum: there is nothing to go on with.
                Some(Err(e)) if self.resumes < RESUMES && self.length != Some(self.offset) => {
                    tracing::warn!(key = self.key, offset = self.offset, error = %e, "download broke, taken up again");
                    self.resumes += 1;
                    std::thread::sleep(Duration::from_millis(100) * self.resumes);
                    self.resume()?;
                }
                Some(Err(e)) => {
                    let told = format!("{} broke off: {}", self.store.place(&self.key), causes(&e));
                    return Err(io::Error::other(told));
                }
            }
        }
    }

    fn resume(&mut self) -> io::Result<()> {
        let sent = self
            .store
            .client
            .get_object()
            .bucket(&self.store.bucket)
            .key(self.store.full(&self.key))
            .range(format!("bytes={}-", self.offset))
            .if_match(&self.etag)
            .send();
        let got = self
            .store
            .runtime
            .block_on(sent)
            .map_err(|e| io::Error::other(self.store.told("cannot read", &self.key, &e)))?;
        // A server that knows no ranges sends the object from its beginning, one that knows no conditions
        // sends another object.
        let from = format!("bytes {}-", self.offset);
        let same = got.e_tag.as_ref() == Some(&self.etag);
        if !same || !got.content_range.is_some_and(|range| range.starts_with(&from)) {
            let place = self.store.place(&self.key);
            return Err(io::Error::other(format!(
                "{place} broke off, and the server does not go on with it"
            )));
        }
        self.body = got.body;
        Ok(())
    }
}

impl Read for S3Reader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.held.len() {
            self.held = self.next()?;
            self.taken = 0;
            self.offset += self.held.len() as u64;
        }
        let n = buf.len().min(self.held.len() - self.taken);
        buf[..n].copy_from_slice(&self.held[self.taken..self.taken + n]);
        self.taken += n;
        Ok(n)
    }
}

/// One PUT for what fits a part, else an upload in parts; nothing is there until it is finished.
pub(crate) struct S3Upload {
    store: S3,
    key: String,
    buffer: Vec<u8>,
    multipart: Option<Multipart>,
}

struct Multipart {
    id: String,
    slots: Arc<Semaphore>,
    parts: Vec<JoinHandle<Result<CompletedPart>>>,
}

impl Write for S3Upload {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let n = buf.len().min(PART - self.buffer.len());
        self.buffer.extend_from_slice(&buf[..n]);
        if self.buffer.len() == PART {
            self.send_part().map_err(io::Error::other)?;
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl S3Upload {
    fn send_part(&mut self) -> Result<()> {
        let bytes = std::mem::take(&mut self.buffer);
        let store = self.store.clone();
        let (bucket, key, place) = (store.bucket.clone(), store.full(&self.key), store.place(&self.key));
        if self.multipart.is_none() {
            let sent = store
                .client
                .create_multipart_upload()
                .bucket(&bucket)
                .key(&key)
                .checksum_algorithm(ChecksumAlgorithm::Crc32)
                .send();
            let created =
                store.runtime.block_on(sent).map_err(|e| tell("cannot start an upload of", &place, &e))?;
            let id = created.upload_id.unwrap_or_default();
            self.multipart =
                Some(Multipart { id, slots: Arc::new(Semaphore::new(IN_FLIGHT)), parts: Vec::new() });
        }
        let Some(multipart) = &mut self.multipart else { return Ok(()) };
        let number = i32::try_from(multipart.parts.len() + 1).unwrap_or(i32::MAX);
        // Waiting here, before the part is handed over, is what holds the writer back.
        let slot = store.runtime.block_on(multipart.slots.clone().acquire_owned());
        let id = multipart.id.clone();
        let client = store.client.clone();
        multipart.parts.push(store.runtime.spawn(async move {
            let _slot = slot;
            let done = client
                .upload_part()
                .bucket(bucket)
                .key(key)
                .upload_id(id)
                .part_number(number)
                .checksum_algorithm(ChecksumAlgorithm::Crc32)
                .body(ByteStream::from(bytes))
                .send()
                .await
                .map_err(|e| tell("cannot upload a part of", &place, &e))?;
            Ok(CompletedPart::builder()
                .part_number(number)
                .set_e_tag(done.e_tag)
                .set_checksum_crc32(done.checksum_crc32)
                .build())
        }));
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        if self.multipart.is_none() {
            let bytes = std::mem::take(&mut self.buffer);
            return self.store.put(&self.key, &bytes, &Condition::Always);
        }
        if !self.buffer.is_empty() {
            self.send_part()?;
        }
        let Some(multipart) = &mut self.multipart else { return Ok(()) };
        let mut parts = Vec::with_capacity(multipart.parts.len());
        for part in &mut multipart.parts {
            let done = self.store.runtime.block_on(part);
            parts.push(done.map_err(|e| Error::Storage(format!("an upload broke: {e}")))??);
        }
        let sent = self
            .store
            .client
            .complete_multipart_upload()
            .bucket(&self.store.bucket)
            .key(self.store.full(&self.key))
            .upload_id(&multipart.id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
            .send();
        self.store.runtime.block_on(sent).map_err(|e| self.store.told("cannot complete", &self.key, &e))?;
        self.multipart = None;
        Ok(())
    }
}

impl Drop for S3Upload {
    fn drop(&mut self) {
        let Some(mut multipart) = self.multipart.take() else { return };
        let sent = self
            .store
            .client
            .abort_multipart_upload()
            .bucket(&self.store.bucket)
            .key(self.store.full(&self.key))
            .upload_id(&multipart.id)
            .send();
        let aborted = self.store.runtime.block_on(async {
            // A part that arrived behind the abort would stay.
            let under_way = async {
                for part in multipart.parts.iter_mut().filter(|part| !part.is_finished()) {
                    let _ = part.await;
                }
            };
            if tokio::time::timeout(Duration::from_secs(1), under_way).await.is_err() {
                multipart.parts.iter().for_each(JoinHandle::abort);
            }
            tokio::time::timeout(Duration::from_secs(2), sent).await
        });
        if !matches!(aborted, Ok(Ok(_))) {
            tracing::warn!(
                key = self.key,
                "an upload could not be aborted; the sweep or the bucket's lifecycle rule removes it"
            );
        }
    }
}
