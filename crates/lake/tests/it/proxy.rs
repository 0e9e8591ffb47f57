//! A network that fails on request, between an S3 client and a server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a request asks of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Put,
    Get,
    List,
    Create,
    Part,
    Complete,
    Abort,
    ListUploads,
    Delete,
}

/// A request, as far as a fault may depend on it.
#[derive(Clone, Debug)]
pub struct Request {
    pub call: Call,
    pub key: String,
    /// How many of this call and key there were, with this one.
    pub nth: usize,
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is answered as it should be.
    None,
    /// The server is not asked; this is the status and the code of the answer.
    Status(u16, &'static str),
    /// The server is not asked; this is the body of the answer, whose status is 200.
    Say(&'static str),
    /// The connection breaks before the server is asked.
    Reset,
    /// The connection breaks before the client has the answer.
    LoseAnswer,
    /// The connection breaks in the answer's body, behind so many bytes.
    Cut(usize),
    /// A bit of the answer's body is wrong.
    Flip(usize),
}

type Rule = Box<dyn FnMut(&Request) -> Fault + Send>;

/// The network.
#[derive(Clone)]
pub struct Proxy {
    rule: Arc<Mutex<Rule>>,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Proxy {
    /// Serves for as long as the process lives.
    pub fn start(listener: TcpListener, server: SocketAddr) -> Self {
        let proxy = Self { rule: Arc::new(Mutex::new(Box::new(|_| Fault::None))), seen: Arc::default() };
        let serving = proxy.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let proxy = serving.clone();
                // A client that goes away is its own affair.
                std::thread::spawn(move || drop(proxy.serve(client, server)));
            }
        });
        proxy
    }

    /// From now on requests fail as `rule` says.
    pub fn fail(&self, rule: impl FnMut(&Request) -> Fault + Send + 'static) {
        *self.rule.lock().unwrap() = Box::new(rule);
    }

    /// From now on nothing fails.
    pub fn heal(&self) {
        self.fail(|_| Fault::None);
    }

    /// How many requests of a kind there were for keys that end so.
    pub fn count(&self, call: Call, key: &str) -> usize {
        self.seen.lock().unwrap().iter().filter(|r| r.call == call && r.key.ends_with(key)).count()
    }

    fn serve(&self, client: TcpStream, server: SocketAddr) -> std::io::Result<()> {
        let mut reader = BufReader::new(client.try_clone()?);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let (first, headers) = head.split_once("\r\n").unwrap();
        let length = headers.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<u64>().unwrap())
        });
        let mut body = Vec::new();
        reader.take(length.unwrap_or(0)).read_to_end(&mut body)?;
        let request = self.note(first);
        let fault = (self.rule.lock().unwrap())(&request);
        match fault {
            Fault::Reset => return Ok(()),
            Fault::Status(status, code) => {
                let body = format!(
                    "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as asked</Message></Error>"
                );
                return answer(client, status, &body);
            }
            Fault::Say(body) => return answer(client, 200, body),
            Fault::None | Fault::LoseAnswer | Fault::Cut(_) | Fault::Flip(_) => {}
        }
        let mut server = TcpStream::connect(server)?;
        server.write_all(format!("{first}\r\nConnection: close\r\n{headers}").as_bytes())?;
        server.write_all(&body)?;
        let mut answer = Vec::new();
        server.read_to_end(&mut answer)?;
        let behind_head = answer.windows(4).position(|w| w == b"\r\n\r\n").map_or(answer.len(), |n| n + 4);
        match fault {
            Fault::LoseAnswer => return Ok(()),
            Fault::Cut(n) => answer.truncate(behind_head + n),
            Fault::Flip(n) => {
                let body = &mut answer[behind_head..];
                if let Some(byte) = body.get_mut(n) {
                    *byte ^= 0x10;
                }
            }
            _ => {}
        }
        (&client).write_all(&answer)
    }

    fn note(&self, first: &str) -> Request {
        let mut words = first.split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let (key, query) = target.split_once('?').unwrap_or((target, ""));
        let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
        let call = match method {
            "PUT" if has("partNumber") => Call::Part,
            "PUT" => Call::Put,
            "POST" if has("uploads") => Call::Create,
            "POST" => Call::Complete,
            "DELETE" if has("uploadId") => Call::Abort,
            "DELETE" => Call::Delete,
            _ if has("list-type") => Call::List,
            _ if has("uploads") => Call::ListUploads,
            _ => Call::Get,
        };
        // A listing is known by its prefix.
        let prefix = query.split('&').find_map(|pair| pair.strip_prefix("prefix="));
        let key =
            prefix.map_or_else(|| key.to_owned(), |prefix| decoded(prefix).trim_end_matches('/').to_owned());
        let mut seen = self.seen.lock().unwrap();
        let nth = 1 + seen.iter().filter(|r| r.call == call && r.key == key).count();
        seen.push(Request { call, key, nth });
        seen.last().unwrap().clone()
    }
}

fn answer(mut client: TcpStream, status: u16, body: &str) -> std::io::Result<()> {
    let length = body.len();
    client.write_all(
        format!("HTTP/1.1 {status} X\r\nContent-Type: application/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
            .as_bytes(),
    )
}

/// Without the percent signs of a query.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| {
        let byte = u8::from_str_radix(&part[..2], 16).unwrap();
        out + &char::from(byte).to_string() + &part[2..]
    })
}
