// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mirrors that are none, each on a port of its own.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// A release file that nobody signed.
const IN_RELEASE: &str = "Origin: Debian\nSuite: stable\nCodename: trixie\n\
    Date: Thu, 01 Jan 2026 00:00:00 UTC\nComponents: main\n";

/// What a mirror answers.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// 404 for everything.
    Nothing,
    /// A page that asks for a login, for everything.
    Page,
    /// Bytes that are no text, for everything.
    Noise,
    /// Release files, and 404 for what they promise.
    ReleaseFiles,
    /// Release files that were valid until 2020, and 404 for the rest.
    Expired,
}

/// A mirror; it is gone when dropped.
pub(crate) struct Mirror {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Mirror {
    pub(crate) fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let over = Arc::new(AtomicBool::new(false));
        let (paths, end) = (Arc::clone(&asked), Arc::clone(&over));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                // One that goes away in the middle is no matter of the test's.
                if let Ok(path) = stream.and_then(|stream| serve(stream, answer)) {
                    paths.lock().unwrap().push(path);
                }
            }
        });
        Self {
            address,
            asked,
            over,
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/debian", self.address)
    }

    /// The paths that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes it.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn serve(mut stream: TcpStream, answer: Answer) -> std::io::Result<String> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let expired = format!("{IN_RELEASE}Valid-Until: Wed, 01 Jan 2020 00:00:00 UTC\n");
    let (status, body): (&str, &[u8]) = match answer {
        Answer::Page => ("200 OK", b"<html><title>Please log in</title></html>"),
        Answer::Noise => ("200 OK", &[0xff, 0xfe, 0, 1, 2]),
        Answer::ReleaseFiles if path.ends_with("/InRelease") => ("200 OK", IN_RELEASE.as_bytes()),
        Answer::Expired if path.ends_with("/InRelease") => ("200 OK", expired.as_bytes()),
        Answer::Nothing | Answer::ReleaseFiles | Answer::Expired => ("404 Not Found", b""),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(body)?;
    Ok(path)
}
