//! A client that shows what was on the wire: chunks as they were framed, and how the connection ended.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::HashMap;
use std::io::ErrorKind;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use x_server::XServer;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The answer was complete.
    Whole,
    /// FIN before that.
    Eof,
    /// RST before that.
    Reset,
}

/// An answer read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
    pub end: End,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

/// A connection with one request on it.
pub struct Wire {
    socket: TcpStream,
    held: Vec<u8>,
    /// How often something was read from the socket.
    pub reads: usize,
    pub status: u16,
    pub headers: HashMap<String, String>,
    /// `None`: the headers never came; the connection ended so.
    pub early: Option<End>,
}

impl Wire {
    /// Sends a request and reads the head of the answer.
    pub async fn send(url: &str, method: &str, target: &str, token: Option<&str>, body: &str) -> Self {
        let address = url.trim_start_matches("http://");
        let mut socket = TcpStream::connect(address).await.unwrap();
        let authorization = token.map_or_else(String::new, |token| format!("authorization: {token}\r\n"));
        let target: String = target.replace(' ', "%20").replace('"', "%22");
        let request = format!(
            "{method} {target} HTTP/1.1\r\nhost: {address}\r\nuser-agent: wire-test\r\n{authorization}content-length: {}\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut wire =
            Self { socket, held: Vec::new(), reads: 0, status: 0, headers: HashMap::new(), early: None };
        let head = loop {
            if let Some(end) = find(&wire.held, b"\r\n\r\n") {
                break String::from_utf8(wire.held.drain(..end + 4).collect()).unwrap();
            }
            if let Err(end) = wire.fill().await {
                wire.early = Some(end);
                return wire;
            }
        };
        let mut lines = head.lines();
        wire.status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.filter_map(|line| line.split_once(": "));
        wire.headers = headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect();
        wire
    }

    async fn fill(&mut self) -> Result<(), End> {
        let mut buffer = vec![0; 65_536];
        match self.socket.read(&mut buffer).await {
            Ok(0) => Err(End::Eof),
            Ok(read) => {
                self.reads += 1;
                self.held.extend_from_slice(&buffer[..read]);
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Err(End::Reset),
            Err(error) => panic!("{error}"),
        }
    }

    /// The next chunk as the server framed it. `Err`: how it ended.
    pub async fn chunk(&mut self) -> Result<Vec<u8>, End> {
        assert_eq!(self.headers.get("transfer-encoding").map(String::as_str), Some("chunked"));
        loop {
            if let Some(line) = find(&self.held, b"\r\n") {
                let length =
                    usize::from_str_radix(std::str::from_utf8(&self.held[..line]).unwrap(), 16).unwrap();
                if self.held.len() >= line + 2 + length + 2 {
                    let chunk = self.held[line + 2..line + 2 + length].to_vec();
                    self.held.drain(..line + 2 + length + 2);
                    return if length == 0 { Err(End::Whole) } else { Ok(chunk) };
                }
            }
            self.fill().await?;
        }
    }

    /// The lines to come until there are so many, keep-alives included (as empty strings).
    pub async fn lines(&mut self, count: usize) -> Vec<String> {
        let mut bytes = Vec::new();
        while bytes.iter().filter(|byte| **byte == b'\n').count() < count {
            bytes.extend(self.chunk().await.unwrap());
        }
        let text = String::from_utf8(bytes).unwrap();
        text.split_inclusive("\r\n").map(|line| line.strip_suffix("\r\n").expect("CRLF").to_owned()).collect()
    }

    /// Whether nothing comes for a while.
    pub async fn is_quiet(&mut self) -> bool {
        self.held.is_empty() && tokio::time::timeout(Duration::from_millis(100), self.fill()).await.is_err()
    }

    /// Reads to the end.
    pub async fn rest(mut self) -> Answer {
        let (mut body, mut end) = (Vec::new(), self.early.unwrap_or(End::Whole));
        if self.early.is_some() {
        } else if self.headers.contains_key("transfer-encoding") {
            end = loop {
                match self.chunk().await {
                    Ok(chunk) => body.extend(chunk),
                    Err(end) => break end,
                }
            };
        } else {
            let length: usize =
                self.headers.get("content-length").map_or(0, |length| length.parse().unwrap());
            while self.held.len() < length {
                if let Err(cut) = self.fill().await {
                    end = cut;
                    break;
                }
            }
            body = std::mem::take(&mut self.held);
        }
        Answer { status: self.status, headers: self.headers, body, end }
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

pub fn bearer(double: &XServer) -> String {
    format!("Bearer {}", double.token)
}

pub async fn open(double: &XServer, target: &str) -> Wire {
    Wire::send(&double.url, "GET", target, Some(&bearer(double)), "").await
}

pub async fn get(double: &XServer, target: &str) -> Answer {
    open(double, target).await.rest().await
}

pub async fn send(double: &XServer, method: &str, target: &str, body: &str) -> Answer {
    Wire::send(&double.url, method, target, Some(&bearer(double)), body).await.rest().await
}

pub const RECENT: &str = "/2/tweets/search/recent";
pub const ALL: &str = "/2/tweets/search/all";
pub const RULES: &str = "/2/tweets/search/stream/rules";
pub const STREAM: &str = "/2/tweets/search/stream";

/// Adds one rule and opens the stream.
pub async fn stream(double: &XServer, rule: &str) -> Wire {
    let body = serde_json::json!({"add": [{"value": rule, "tag": "test"}]}).to_string();
    assert_eq!(send(double, "POST", RULES, &body).await.status, 200);
    let wire = open(double, STREAM).await;
    assert_eq!(wire.status, 200);
    wire
}

pub fn id(line: &str) -> u64 {
    let value: Value = serde_json::from_str(line).unwrap();
    value["data"]["id"].as_str().unwrap().parse().unwrap()
}
