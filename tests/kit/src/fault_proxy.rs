// SPDX-License-Identifier: MIT OR Apache-2.0
//! A proxy in front of a registry that does on purpose what networks and
//! servers do by accident. One request per connection, plain HTTP/1.1.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use nix::sys::socket::{setsockopt, sockopt};

/// A request as it reached the proxy.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, …
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case, values as sent.
    pub headers: Vec<(String, String)>,
    /// What was sent along, which is not passed on.
    pub body: Vec<u8>,
    /// How many requests for the same target came before.
    pub nth: usize,
}

impl Request {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether a layer or configuration is asked for.
    pub fn is_blob(&self) -> bool {
        self.target.contains("/blobs/")
    }
}

/// What happens to a request.
#[derive(Debug, Clone)]
pub enum Fault {
    /// Nothing.
    None,
    /// The connection is reset after this many bytes of the body, of which the
    /// last ones may be lost with it.
    Reset(u64),
    /// The connection is closed in order after this many bytes of the body.
    Close(u64),
    /// Nothing more comes after this many bytes of the body, and the
    /// connection stays open.
    Stall(u64),
    /// One bit of the body at this offset is wrong.
    Flip(u64),
    /// The `Range` of the request is ignored.
    NoRange,
    /// The `Range` of the request is ignored, and the connection is reset after
    /// this many bytes of the body.
    NoRangeReset(u64),
    /// These bytes are added to the body, without a `Content-Length`.
    Append(Vec<u8>),
    /// This is answered instead: status line, headers with `\r\n` at the end of
    /// each, body.
    Answer(&'static str, String, Vec<u8>),
}

/// First byte of a TLS connection (RFC 8446, section 5.1): somebody tries
/// whether this is a server for TLS, which it is not.
const TLS_HANDSHAKE: u8 = 22;

type Script = dyn Fn(&Request) -> Fault + Send + Sync;

/// A running proxy; it stops taking connections when dropped.
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    upstream: SocketAddr,
    script: Box<Script>,
    requests: Mutex<Vec<Request>>,
    stop: AtomicBool,
}

impl FaultProxy {
    /// Starts a proxy on a free loopback port. `script` says for each request
    /// what is to happen to it.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(
        upstream: SocketAddr,
        script: impl Fn(&Request) -> Fault + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("listening")?;
        let address = listener.local_addr().context("asking for the port")?;
        let shared = Arc::new(Shared {
            upstream,
            script: Box::new(script),
            requests: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let for_thread = shared.clone();
        let accepting = std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if for_thread.stop.load(Ordering::SeqCst) {
                    return;
                }
                let shared = for_thread.clone();
                // A connection that breaks is this proxy's trade.
                std::thread::spawn(move || shared.serve(client).ok());
            }
        });
        Ok(Self {
            address,
            shared,
            accepting: Some(accepting),
        })
    }

    /// `127.0.0.1:port`, as the first part of a reference.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// All requests so far, in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().clone()
    }
}

impl std::fmt::Debug for FaultProxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultProxy")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for the next connection.
        if TcpStream::connect(self.address).is_ok()
            && let Some(thread) = self.accepting.take()
        {
            thread.join().ok();
        }
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Request>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let mut first = [0];
        if client.peek(&mut first)? == 1 && first[0] == TLS_HANDSHAKE {
            return client.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        }
        let mut reader = BufReader::new(client.try_clone()?);
        let (first, headers) = read_head(&mut reader)?;
        let length = headers.iter().find(|(n, _)| n == "content-length");
        let length = length.and_then(|(_, v)| v.parse().ok()).unwrap_or(0);
        let mut body = Vec::new();
        reader.take(length).read_to_end(&mut body)?;
        let mut words = first.split(' ').map(str::to_owned);
        let mut request = Request {
            method: words.next().unwrap_or_default(),
            target: words.next().unwrap_or_default(),
            headers,
            body,
            nth: 0,
        };
        {
            let mut requests = self.lock();
            let same = |r: &&Request| r.target == request.target;
            request.nth = requests.iter().filter(same).count();
            requests.push(request.clone());
        }
        let fault = (self.script)(&request);
        if let Fault::Answer(status, headers, body) = &fault {
            let length = body.len();
            write!(
                client,
                "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n"
            )?;
            return client.write_all(body);
        }
        let no_range = matches!(fault, Fault::NoRange | Fault::NoRangeReset(_));
        let mut upstream = TcpStream::connect(self.upstream)?;
        write!(upstream, "{first}\r\n")?;
        for (name, value) in &request.headers {
            if name != "connection" && !(no_range && name == "range") {
                write!(upstream, "{name}: {value}\r\n")?;
            }
        }
        write!(upstream, "connection: close\r\n\r\n")?;

        let mut answer = BufReader::new(upstream);
        let (status, headers) = read_head(&mut answer)?;
        write!(client, "{status}\r\n")?;
        let endless = matches!(fault, Fault::Append(_));
        for (name, value) in &headers {
            if name != "connection" && !(endless && name == "content-length") {
                write!(client, "{name}: {value}\r\n")?;
            }
        }
        write!(client, "connection: close\r\n\r\n")?;
        relay(&mut answer, client, &fault)
    }
}

fn relay(answer: &mut impl Read, mut client: TcpStream, fault: &Fault) -> io::Result<()> {
    match fault {
        Fault::Reset(after) | Fault::NoRangeReset(after) => {
            io::copy(&mut answer.take(*after), &mut client)?;
            // Closed with a linger time of nothing, a connection is reset.
            let linger = nix::libc::linger {
                l_onoff: 1,
                l_linger: 0,
            };
            setsockopt(&client, sockopt::Linger, &linger)?;
        }
        Fault::Close(after) => {
            io::copy(&mut answer.take(*after), &mut client)?;
        }
        Fault::Stall(after) => {
            io::copy(&mut answer.take(*after), &mut client)?;
            // Until the other side gives up.
            io::copy(&mut client, &mut io::sink())?;
        }
        Fault::Flip(at) => {
            io::copy(&mut answer.take(*at), &mut client)?;
            let mut byte = [0];
            answer.read_exact(&mut byte)?;
            client.write_all(&[byte[0] ^ 1])?;
            io::copy(answer, &mut client)?;
        }
        Fault::Append(more) => {
            io::copy(answer, &mut client)?;
            client.write_all(more)?;
        }
        Fault::None | Fault::NoRange | Fault::Answer(..) => {
            io::copy(answer, &mut client)?;
        }
    }
    Ok(())
}

/// Reads up to the empty line: the first line, then names in lower case with
/// their values.
fn read_head(reader: &mut impl BufRead) -> io::Result<(String, Vec<(String, String)>)> {
    let mut line = || -> io::Result<String> {
        let mut text = String::new();
        if reader.read_line(&mut text)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(text.trim_end().to_owned())
    };
    let first = line()?;
    let mut headers = Vec::new();
    loop {
        let text = line()?;
        let Some((name, value)) = text.split_once(':') else {
            return Ok((first, headers));
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}
