//! Cuts a stream of text into JSON values without trusting it: one value a line, or values that
//! span lines (pretty-printed, JSON arrays). Memory is bounded by the greatest value allowed.

use std::io::Read;
use std::ops::Deref;
use std::sync::{Arc, Mutex, Weak};

use memchr::{memchr, memchr_iter, memrchr};
use serde::de::IgnoredAny;
use tweet::VALUE_BYTES;

/// Bytes that a chunk is read by, unless the reader wants others. An input is known by its first chunk, which is read by these and
/// [`SPARE`]: with other numbers, what was taken once would be taken again.
const CHUNK: usize = 1 << 21;
/// Room beyond what a chunk must have: what a reader gives at once, such as a frame of a raw part, mostly fits in.
const SPARE: usize = 1 << 18;
/// Bytes kept of a value that is too long.
const KEPT_OF_TOO_LONG: usize = 64 << 10;

/// Whole values, in order.
#[derive(Debug, Default)]
pub struct Chunk {
    /// The bytes that `values` point into.
    pub bytes: Buffer,
    /// Where each value lies.
    pub values: Vec<Value>,
}

/// One value of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// First byte in the chunk.
    pub start: usize,
    /// Behind its last byte in the chunk.
    pub end: usize,
    /// Line of the stream it begins on, from 1.
    pub line: u64,
    /// Byte of the stream (decompressed, as UTF-8) it begins at, from 0.
    pub offset: u64,
    /// Why it cannot be read, if that is known already.
    pub fault: Option<Fault>,
}

/// What is known to be wrong with a value before it is parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// More bytes than any value may have; the chunk holds the first of them.
    TooLong {
        /// How many there were.
        length: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A value a line.
    Lines,
    /// Values over several lines, or the elements of arrays.
    Documents,
}

/// Bytes whose memory goes back to the reader that filled it, for the next chunk.
#[derive(Debug, Default)]
pub struct Buffer {
    room: Vec<u8>,
    len: usize,
    pool: Weak<Pool>,
}

type Pool = Mutex<Vec<Vec<u8>>>;

/// Most buffers that wait for being filled again.
const POOLED: usize = 8;

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self { len: bytes.len(), room: bytes, pool: Weak::new() }
    }
}

impl Buffer {
    /// Adds bytes at the end.
    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        if self.room.len() < end {
            self.room.resize(end, 0);
        }
        self.room[self.len..end].copy_from_slice(bytes);
        self.len = end;
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.room[..self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade()
            && let Ok(mut pool) = pool.lock()
            && pool.len() < POOLED
        {
            pool.push(std::mem::take(&mut self.room));
        }
    }
}

/// Reads values from a stream, in chunks.
pub struct Values<R> {
    reader: R,
    /// What was read and not handed out yet: the first `len` bytes.
    room: Vec<u8>,
    len: usize,
    pool: Arc<Pool>,
    ended: bool,
    failed: Option<std::io::Error>,
    /// Line and offset of the first byte held.
    line: u64,
    offset: u64,
    form: Option<Form>,
    in_array: bool,
    /// Bytes that a chunk has at least.
    chunk: usize,
    /// No chunk was taken yet.
    first: bool,
}

impl<R: Read> Values<R> {
    /// Nothing is read yet.
    pub fn new(reader: R) -> Self {
        Self {
            reader,
            room: Vec::new(),
            len: 0,
            pool: Arc::default(),
            ended: false,
            failed: None,
            line: 1,
            offset: 0,
            form: None,
            in_array: false,
            chunk: CHUNK,
            first: true,
        }
    }

    /// The same, in chunks of at least so many bytes.
    #[must_use]
    pub fn in_chunks(self, bytes: usize) -> Self {
        Self { chunk: bytes, ..self }
    }

    /// The next chunk; `None` at the end.
    ///
    /// The first one is the same however much the stream gives at once: by it an input is known.
    ///
    /// # Errors
    /// Of the stream, once: after all whole values before the place where it broke.
    pub fn next_chunk(&mut self) -> std::io::Result<Option<Chunk>> {
        let mut target = if self.first { self.chunk + SPARE } else { self.chunk };
        loop {
            self.fill(target);
            let form = match self.form {
                Some(form) => form,
                None => {
                    if self.held().starts_with(b"\xef\xbb\xbf") {
                        self.advance(3);
                    }
                    *self.form.insert(form_of(self.held()))
                }
            };
            // Behind the place where a stream broke there is no whole line.
            if self.failed.is_some() && form == Form::Lines {
                self.len = memrchr(b'\n', self.held()).map_or(0, |i| i + 1);
            }
            let (values, taken) = match form {
                Form::Lines => self.lines(),
                Form::Documents => self.documents(),
            };
            if !values.is_empty() {
                self.first = false;
                return Ok(Some(self.take(values, taken, form)));
            }
            self.advance(taken);
            if self.ended {
                return self.failed.take().map_or(Ok(None), Err);
            }
            if self.len >= VALUE_BYTES {
                return self.too_long().map(Some);
            }
            target = (self.len * 2).clamp(self.chunk, VALUE_BYTES);
        }
    }

    fn held(&self) -> &[u8] {
        &self.room[..self.len]
    }

    fn fill(&mut self, target: usize) {
        if self.ended || self.len >= target {
            return;
        }
        let most = if self.first { target } else { (target + SPARE).min(VALUE_BYTES) };
        if self.room.len() < most {
            self.room.resize(most, 0);
        }
        while self.len < target {
            match self.reader.read(&mut self.room[self.len..most]) {
                Ok(0) => self.ended = true,
                Ok(n) => self.len += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.failed = Some(e);
                    self.ended = true;
                }
            }
            if self.ended {
                break;
            }
        }
    }

    /// Drops `n` bytes from the front, keeping count.
    fn advance(&mut self, n: usize) {
        self.line += memchr_iter(b'\n', &self.room[..n]).count() as u64;
        self.offset += n as u64;
        self.room.copy_within(n..self.len, 0);
        self.len -= n;
    }

    /// Hands out the first `taken` bytes, whose values know their places among these alone.
    fn take(&mut self, mut values: Vec<Value>, taken: usize, form: Form) -> Chunk {
        let pooled = self.pool.lock().ok().and_then(|mut pool| pool.pop());
        let mut room = pooled.unwrap_or_default();
        let rest = &self.room[taken..self.len];
        if room.len() < rest.len() {
            room.resize(rest.len(), 0);
        }
        room[..rest.len()].copy_from_slice(rest);
        self.len -= taken;
        let room = std::mem::replace(&mut self.room, room);
        let bytes = Buffer { room, len: taken, pool: Arc::downgrade(&self.pool) };
        let (mut line, mut at) = (0, 0);
        for value in &mut values {
            if form == Form::Documents {
                value.line = line + memchr_iter(b'\n', &bytes[at..value.start]).count() as u64;
            }
            (line, at) = (value.line, value.start);
            value.line += self.line;
            value.offset = self.offset + value.start as u64;
        }
        self.line += line + memchr_iter(b'\n', &bytes[at..]).count() as u64;
        self.offset += taken as u64;
        Chunk { bytes, values }
    }

    fn lines(&self) -> (Vec<Value>, usize) {
        let held = self.held();
        let whole = if self.ended { held.len() } else { memrchr(b'\n', held).map_or(0, |i| i + 1) };
        let mut values = Vec::new();
        let (mut start, mut line) = (0, 0);
        while start < whole {
            let end = memchr(b'\n', &held[start..whole]).map_or(whole, |i| start + i);
            values.extend(trimmed(held, start, end).map(|value| Value { line, ..value }));
            start = end + 1;
            line += 1;
        }
        (values, whole)
    }

    fn documents(&mut self) -> (Vec<Value>, usize) {
        let held = &self.room[..self.len];
        let mut values = Vec::new();
        let mut at = 0;
        while at < held.len() {
            match held[at] {
                b'[' if !self.in_array => self.in_array = true,
                b']' if self.in_array => self.in_array = false,
                b',' if self.in_array => {}
                b if b.is_ascii_whitespace() => {}
                _ => match end_of_value(held, at) {
                    Some(end) => {
                        values.extend(trimmed(held, at, end));
                        at = end;
                        continue;
                    }
                    None if self.ended && self.failed.is_none() => {
                        values.extend(trimmed(held, at, held.len()));
                        return (values, held.len());
                    }
                    None if self.ended => return (values, held.len()),
                    None => return (values, at),
                },
            }
            at += 1;
        }
        (values, at)
    }

    /// Gives the head of a value that is too long and skips the rest of its line.
    fn too_long(&mut self) -> std::io::Result<Chunk> {
        let (line, offset) = (self.line, self.offset);
        let head = self.room[..KEPT_OF_TOO_LONG].to_vec();
        let mut length = 0;
        loop {
            if let Some(end) = memchr(b'\n', self.held()) {
                length += end as u64;
                self.advance(end);
                break;
            }
            length += self.len as u64;
            self.advance(self.len);
            if self.ended {
                break;
            }
            self.fill(self.chunk);
        }
        let fault = Some(Fault::TooLong { length });
        Ok(Chunk {
            values: vec![Value { start: 0, end: head.len(), line, offset, fault }],
            bytes: head.into(),
        })
    }
}

/// A value without the white space around it; blank lines keep a connection alive and are no values.
fn trimmed(bytes: &[u8], mut start: usize, mut end: usize) -> Option<Value> {
    while start < end && bytes[start].is_ascii_whitespace() {
        start += 1;
    }
    while start < end && bytes[end - 1].is_ascii_whitespace() {
        end -= 1;
    }
    (start < end).then_some(Value { start, end, line: 0, offset: 0, fault: None })
}

/// Tells the form of a stream by its head. A value that ends on a later line than it begins on is
/// pretty-printed. Where the first value is broken, or longer than the head, the lines tell: one that
/// is an object of its own, or one that can only stand inside a value.
fn form_of(head: &[u8]) -> Form {
    let head = head.trim_ascii_start();
    if head.starts_with(b"[") {
        return Form::Documents;
    }
    let mut values = serde_json::Deserializer::from_slice(head).into_iter::<IgnoredAny>();
    let broken_line = match values.next() {
        Some(Err(e)) if e.is_eof() => 2,
        Some(Err(e)) => e.line(),
        _ => {
            let pretty = memchr(b'\n', &head[..values.byte_offset()]).is_some();
            return if pretty { Form::Documents } else { Form::Lines };
        }
    };
    let mut lines = head.split(|b| *b == b'\n').skip(broken_line.max(2) - 1).take(FORM_LINES);
    lines.find_map(|line| form_by(line.trim_ascii())).unwrap_or(Form::Lines)
}

/// Lines behind a broken value that are asked for the form of the stream.
const FORM_LINES: usize = 1_000;

/// The form that a line can only stand in, if there is just one.
fn form_by(line: &[u8]) -> Option<Form> {
    if is_object(line) {
        return Some(Form::Lines);
    }
    let mut parts = serde_json::Deserializer::from_slice(line).into_iter::<IgnoredAny>();
    let first = parts.next()?.is_ok();
    let rest = line[parts.byte_offset()..].trim_ascii();
    let key = line[0] == b'"' && rest.starts_with(b":");
    let element = line[0] == b'{' && rest == b",";
    (first && (key || element)).then_some(Form::Documents)
}

fn is_object(text: &[u8]) -> bool {
    text.starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// Where the value that begins at `start` ends: behind its closing bracket, or, when it is broken,
/// before the place where the next value visibly begins. `None`: not in these bytes.
fn end_of_value(bytes: &[u8], start: usize) -> Option<usize> {
    match bytes[start] {
        b'{' | b'[' => {}
        b'"' => return end_of_string(bytes, start),
        _ => {
            let over = |b: &u8| matches!(b, b'\n' | b',' | b']');
            return bytes[start..].iter().position(over).map(|n| start + n.max(1));
        }
    }
    let mut values = serde_json::Deserializer::from_slice(&bytes[start..]).into_iter::<IgnoredAny>();
    match values.next()? {
        Ok(_) => Some(start + values.byte_offset()),
        Err(e) if e.is_eof() => None,
        Err(e) => {
            let lines = bytes[start..].split_inclusive(|b| *b == b'\n').take(e.line().saturating_sub(1));
            end_of_broken(bytes, start, start + lines.map(<[u8]>::len).sum::<usize>() + e.column())
        }
    }
}

/// Where a value ends whose syntax is wrong at `wrong`: before a line that begins an object no further
/// in than the value itself. Before the fault, and where nothing is indented, the line must be an
/// object of its own.
fn end_of_broken(bytes: &[u8], start: usize, wrong: usize) -> Option<usize> {
    let indent = start - memrchr(b'\n', &bytes[..start]).map_or(0, |i| i + 1);
    let mut inner_indent = None;
    for at in memchr_iter(b'\n', &bytes[start..]).map(|n| start + n) {
        let column = bytes[at + 1..].iter().position(|b| !matches!(b, b' ' | b'\t' | b'\r'))?;
        let next = at + 1 + column;
        if bytes[next] == b'\n' {
            continue;
        }
        let inner = *inner_indent.get_or_insert(column);
        let apart = || inner > indent || next >= wrong || is_object(line_at(bytes, next));
        if bytes[next] == b'{' && column <= indent && apart() {
            return Some(at);
        }
    }
    None
}

/// The line from `start` on, without the comma of an array's element.
fn line_at(bytes: &[u8], start: usize) -> &[u8] {
    let end = memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |i| start + i);
    let line = bytes[start..end].trim_ascii_end();
    line.strip_suffix(b",").unwrap_or(line)
}

/// Where the string that begins at `start` ends; no string holds a line break. `None`: not in these bytes.
fn end_of_string(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'"' => return Some(at + 1),
            b'\n' => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Read;

    use proptest::prelude::*;

    use super::{Fault, Values};

    /// (line, offset, bytes) of every value.
    fn all(bytes: &[u8]) -> Vec<(u64, u64, String)> {
        let mut values = Values::new(bytes);
        let mut out = Vec::new();
        while let Some(chunk) = values.next_chunk().unwrap() {
            for v in &chunk.values {
                out.push((
                    v.line,
                    v.offset,
                    String::from_utf8_lossy(&chunk.bytes[v.start..v.end]).into_owned(),
                ));
            }
        }
        out
    }

    fn texts(bytes: &[u8]) -> Vec<String> {
        all(bytes).into_iter().map(|v| v.2).collect()
    }

    #[test]
    fn lines_keep_their_place() {
        let got = all(b"\xef\xbb\xbf{\"a\":1}\r\n\r\r\n \n{\"b\":2}\nrubbish\n{\"c\"");
        let want = [(1, 3, "{\"a\":1}"), (4, 17, "{\"b\":2}"), (5, 25, "rubbish"), (6, 33, "{\"c\"")];
        assert_eq!(got, want.map(|(l, o, t)| (l, o, t.to_owned())));
    }

    #[test]
    fn a_cut_first_line_does_not_change_the_form() {
        assert_eq!(texts(b"{\"a\":\"b\n{\"b\":2}\n{\"c\":3}\n"), ["{\"a\":\"b", "{\"b\":2}", "{\"c\":3}"]);
    }

    #[test]
    fn no_broken_line_changes_the_form() {
        let good = "{\"b\":2}\n{\"c\":3}\n";
        for broken in [
            "{\"a\":",
            "{\"a\":\n{\"a\":",
            "{\"a\":\n\"a string\"",
            "{\"a\":\n\"a string\"\n\"another\"",
            "{\"a\":\nrubbish",
            "{\"a\":\n}",
            "{\"a\":\"b\n{\"a\":\"b",
            "{\"a\":1} {\"b\":2}",
            "not json at all",
            "{",
            "}",
        ] {
            let lines: Vec<&str> = broken.lines().chain(good.lines()).collect();
            assert_eq!(texts(format!("{broken}\n{good}").as_bytes()), lines);
        }
    }

    #[test]
    fn values_over_lines_are_known_by_their_lines() {
        for text in [
            "{\"data\":[\n{\"a\":1},\n{\"b\":2}\n]}",
            "{\n\"a\": 1,\n\"b\": {\n\"c\": []\n}\n}",
            "{\n  \"a\": [\n    {}\n  ]\n}",
        ] {
            assert_eq!(texts(text.as_bytes()), [text]);
            // The same where the value is longer than the head that the form is told by.
            assert_eq!(super::form_of(&text.as_bytes()[..text.len() - 1]), super::Form::Documents, "{text}");
        }
    }

    #[test]
    fn arrays_and_pretty_values_are_cut_into_their_values() {
        assert_eq!(texts(b"[{\"a\":1}, {\"b\":[2,{}]},\n3]"), ["{\"a\":1}", "{\"b\":[2,{}]}", "3"]);
        assert_eq!(
            texts(b"{\n  \"a\": \"}\\\"{\"\n}\n{\n  \"b\": 2\n}"),
            ["{\n  \"a\": \"}\\\"{\"\n}", "{\n  \"b\": 2\n}"]
        );
        assert_eq!(texts(b"[]\n[{\"a\":1}]\n"), ["{\"a\":1}"]);
        assert_eq!(
            texts(b"[\"a \\\" ], b\",{\"a\":1},\"cut\n,2]"),
            ["\"a \\\" ], b\"", "{\"a\":1}", "\"cut", "2"]
        );
    }

    #[test]
    fn a_broken_document_costs_no_other() {
        let text = b"[\n  {\n    \"a\": 1\n  },\n  {\n    \"b\": {\n  },\n  {\n    \"c\": \"x\n  },\n  {\n    \"d\": 4\n  }\n]\n";
        let got = texts(text);
        assert_eq!(got.first().map(String::as_str), Some("{\n    \"a\": 1\n  }"));
        assert_eq!(got.last().map(String::as_str), Some("{\n    \"d\": 4\n  }"));
        let text = b"[\n{\"a\":1},\n{\"b\":\n{\"c\":3},\nnot at all,\n{\"d\":4}\n]\n";
        assert_eq!(texts(text), ["{\"a\":1}", "{\"b\":", "{\"c\":3}", "not at all", "{\"d\":4}"]);
    }

    /// Names of raw parts depend on it: with another first chunk, what was taken once would be taken again.
    #[test]
    fn the_first_chunk_ends_where_it_always_did() {
        struct Drops<'a>(&'a [u8], usize);
        impl Read for Drops<'_> {
            fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
                let most = self.1.min(buf.len());
                self.0.read(&mut buf[..most])
            }
        }
        let text = format!("{{\"id\":1,\"text\":\"{}\"}}\n", "a".repeat(977)).repeat(5_000);
        for drop in [usize::MAX, 65_536, 30_011] {
            let mut values = Values::new(Drops(text.as_bytes(), drop));
            assert_eq!(values.next_chunk().unwrap().unwrap().bytes.len(), 2_358_528, "{drop}");
        }
        let array = format!("[{}1]", "{\"a\":\n1},".repeat(400_000));
        let len =
            |drop| Values::new(Drops(array.as_bytes(), drop)).next_chunk().unwrap().unwrap().bytes.len();
        assert_eq!(len(usize::MAX), len(30_011));
    }

    #[test]
    fn a_value_that_is_too_long_is_named_and_skipped() {
        let long = vec![b'x'; super::VALUE_BYTES + 5];
        let bytes = [b"{\"a\":1}\n".as_slice(), &long, b"\n{\"b\":2}\n"].concat();
        let mut values = Values::new(bytes.as_slice());
        let mut got = Vec::new();
        while let Some(chunk) = values.next_chunk().unwrap() {
            got.extend(chunk.values.iter().map(|v| (v.line, v.offset, v.fault.clone())));
        }
        let length = long.len() as u64;
        assert_eq!(got, [(1, 0, None), (2, 8, Some(Fault::TooLong { length })), (3, 9 + length, None)]);
    }

    #[test]
    fn a_stream_that_breaks_gives_its_whole_lines_first() {
        struct Breaks(usize);
        impl Read for Breaks {
            fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
                let text = b"{\"a\":1}\n{\"b\":2";
                if self.0 == text.len() {
                    return Err(std::io::Error::other("broken"));
                }
                buf[0] = text[self.0];
                self.0 += 1;
                Ok(1)
            }
        }
        let mut values = Values::new(Breaks(0));
        assert_eq!(values.next_chunk().unwrap().map(|c| c.values.len()), Some(1));
        assert!(values.next_chunk().is_err());
        assert!(values.next_chunk().unwrap().is_none());
    }

    /// Gives a few bytes a read.
    struct Trickle<'a>(&'a [u8], usize);
    impl Read for Trickle<'_> {
        fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
            let n = self.1.min(self.0.len()).min(buf.len());
            buf[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    proptest! {
        #[test]
        fn lines_come_back_whatever_the_reads(lines in prop::collection::vec("[a-z{}\",: ]{0,30}", 0..40), step in 1_usize..40) {
            // The first line decides the form; this is about lines.
            let text = format!("{{}}\n{}", lines.join("\n"));
            let want: Vec<String> = text.split('\n').map(|l| l.trim().to_owned()).filter(|l| !l.is_empty()).collect();
            let mut values = Values::new(Trickle(text.as_bytes(), step));
            let mut got = Vec::new();
            while let Some(chunk) = values.next_chunk()? {
                for v in &chunk.values {
                    let start = usize::try_from(v.offset)?;
                    prop_assert_eq!(&chunk.bytes[v.start..v.end], &text.as_bytes()[start..start + v.end - v.start]);
                    prop_assert_eq!(v.line, text[..start].matches('\n').count() as u64 + 1);
                    got.push(String::from_utf8_lossy(&chunk.bytes[v.start..v.end]).into_owned());
                }
            }
            prop_assert_eq!(got, want);
        }

        #[test]
        fn no_bytes_make_it_fail(bytes in prop::collection::vec(prop::sample::select(b"{}[]\",:\\ \n\rx1".to_vec()), 0..200)) {
            let mut values = Values::new(bytes.as_slice());
            while let Some(chunk) = values.next_chunk()? {
                prop_assert!(chunk.values.iter().all(|v| v.start < v.end && v.end <= chunk.bytes.len()));
            }
        }
    }
}
