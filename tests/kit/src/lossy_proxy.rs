// SPDX-License-Identifier: MIT OR Apache-2.0
//! A bad network in front of a server: a rate that all connections share, a
//! round-trip time, and connections that break at random after some bytes.
//!
//! It passes bytes on and knows nothing of what they mean, TLS as well as HTTP.
//! The randomness has a seed: the n-th connection always breaks after the same
//! number of bytes. For faults at certain requests there is
//! [`crate::fault_proxy`].

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::socket::{setsockopt, sockopt};

/// The network.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Network {
    /// Bytes per second towards the client, for all connections together;
    /// `None` for as fast as it goes.
    pub rate: Option<u64>,
    /// Waited for at each connection and each request.
    pub round_trip: Duration,
    /// How connections break, if they do.
    pub loss: Option<Loss>,
}

/// Connections that break.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Loss {
    /// What happens.
    pub how: Break,
    /// Bytes towards the client after which it happens, on average: they are
    /// drawn from an exponential distribution for each connection.
    pub mean: u64,
    /// Other numbers with another seed.
    pub seed: u64,
}

/// What happens to a connection that has had its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// It is reset; what the client has not read yet is lost.
    Reset,
    /// It is closed in order, too early.
    Close,
    /// It stays open, and nothing more comes.
    Stall,
}

/// What went through so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Connections that clients have made.
    pub connections: u64,
    /// Of them those that broke on purpose.
    pub breaks: u64,
    /// Bytes towards clients, with all protocol around them.
    pub down: u64,
}

/// Bytes that are passed on at a time.
const PIECE: usize = 16 * 1024;
/// How far a rate may catch up after a pause.
const BURST: Duration = Duration::from_millis(50);

/// A running proxy; it stops taking connections when dropped, and breaks
/// those that there are.
#[derive(Debug)]
pub struct LossyProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    network: Network,
    /// When the link is free again.
    free: Mutex<Instant>,
    connections: AtomicU64,
    breaks: AtomicU64,
    down: AtomicU64,
    stop: AtomicBool,
    /// Both ends of each connection, by its number.
    open: Mutex<BTreeMap<u64, [TcpStream; 2]>>,
}

impl LossyProxy {
    /// Starts a proxy on a free loopback port.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(upstream: SocketAddr, network: Network) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("listening")?;
        let address = listener.local_addr().context("asking for the port")?;
        let shared = Arc::new(Shared {
            upstream,
            network,
            free: Mutex::new(Instant::now()),
            connections: AtomicU64::new(0),
            breaks: AtomicU64::new(0),
            down: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            open: Mutex::default(),
        });
        let for_thread = shared.clone();
        let accepting = std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if for_thread.stop.load(Ordering::SeqCst) {
                    return;
                }
                let shared = for_thread.clone();
                let number = shared.connections.fetch_add(1, Ordering::SeqCst);
                // Connections that break are this proxy's trade.
                std::thread::spawn(move || shared.serve(&client, number).ok());
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

    /// What went through so far.
    pub fn counts(&self) -> Counts {
        Counts {
            connections: self.shared.connections.load(Ordering::SeqCst),
            breaks: self.shared.breaks.load(Ordering::SeqCst),
            down: self.shared.down.load(Ordering::SeqCst),
        }
    }
}

impl Drop for LossyProxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for the next connection.
        if TcpStream::connect(self.address).is_ok()
            && let Some(thread) = self.accepting.take()
        {
            thread.join().ok();
        }
        for stream in self.shared.lock_open().values().flatten() {
            stream.shutdown(Shutdown::Both).ok();
        }
    }
}

impl Shared {
    fn lock_open(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, [TcpStream; 2]>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, client: &TcpStream, number: u64) -> io::Result<()> {
        std::thread::sleep(self.network.round_trip);
        let upstream = TcpStream::connect(self.upstream)?;
        client.set_nodelay(true)?;
        upstream.set_nodelay(true)?;
        let both = [client.try_clone()?, upstream.try_clone()?];
        self.lock_open().insert(number, both);
        let done = std::thread::scope(|scope| {
            scope.spawn(|| self.up(client, &upstream).ok());
            let done = self.down(&upstream, client, number);
            // Ends the other thread. What is reset says no farewell: it only
            // stops listening, and goes when the last descriptor does.
            let how = match done {
                Ok(Some(Break::Reset)) => Shutdown::Read,
                _ => Shutdown::Both,
            };
            client.shutdown(how).ok();
            upstream.shutdown(Shutdown::Both).ok();
            done
        });
        self.lock_open().remove(&number);
        done.map(drop)
    }

    fn up(&self, mut client: &TcpStream, mut upstream: &TcpStream) -> io::Result<()> {
        let mut buffer = vec![0; PIECE];
        loop {
            let count = client.read(&mut buffer)?;
            if count == 0 {
                return upstream.shutdown(Shutdown::Write);
            }
            std::thread::sleep(self.network.round_trip);
            upstream.write_all(&buffer[..count])?;
        }
    }

    /// Whether and how the connection was broken.
    fn down(
        &self,
        mut upstream: &TcpStream,
        mut client: &TcpStream,
        number: u64,
    ) -> io::Result<Option<Break>> {
        let loss = self.network.loss;
        let mut left = loss.map_or(u64::MAX, |loss| budget(loss, number));
        let mut buffer = vec![0; PIECE];
        loop {
            let count = upstream.read(&mut buffer)?;
            if count == 0 {
                return Ok(None);
            }
            let pass = count.min(usize::try_from(left).unwrap_or(usize::MAX));
            self.wait_for_the_link(pass);
            client.write_all(&buffer[..pass])?;
            self.down.fetch_add(pass as u64, Ordering::SeqCst);
            left -= pass as u64;
            if let Some(loss) = loss.filter(|_| left == 0) {
                self.breaks.fetch_add(1, Ordering::SeqCst);
                break_off(client, loss.how)?;
                return Ok(Some(loss.how));
            }
        }
    }

    /// Waits as long as the link needs for these bytes, after all others.
    fn wait_for_the_link(&self, bytes: usize) {
        let Some(rate) = self.network.rate else {
            return;
        };
        let now = Instant::now();
        let until = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            let start = (*free).max(now.checked_sub(BURST).unwrap_or(now));
            *free = start + Duration::from_secs_f64(bytes as f64 / rate.max(1) as f64);
            *free
        };
        std::thread::sleep(until.saturating_duration_since(now));
    }
}

fn break_off(mut client: &TcpStream, how: Break) -> io::Result<()> {
    match how {
        Break::Close => Ok(()),
        Break::Reset => {
            // Closed with a linger time of nothing, a connection is reset.
            let linger = nix::libc::linger {
                l_onoff: 1,
                l_linger: 0,
            };
            Ok(setsockopt(&client, sockopt::Linger, &linger)?)
        }
        // Until the other side gives up, which the other thread reads as well.
        Break::Stall => io::copy(&mut client, &mut io::sink()).map(drop),
    }
}

/// Bytes that a connection gets, at least one.
fn budget(loss: Loss, number: u64) -> u64 {
    let random = split_mix(loss.seed ^ split_mix(number));
    // From 0 (not included) to 1.
    let uniform = ((random >> 11) + 1) as f64 / (1u64 << 53) as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let bytes = (-uniform.ln() * loss.mean as f64) as u64;
    bytes.max(1)
}

/// Well-mixed bits from any number (Steele, Lea, Flood: SplitMix64).
fn split_mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Sends this many bytes for each line that it is sent.
    fn server(bytes: usize) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for mut client in listener.incoming().map_while(Result::ok) {
                std::thread::spawn(move || {
                    let mut byte = [0];
                    while client.read_exact(&mut byte).is_ok() {
                        // The proxy may have closed.
                        if byte == *b"\n" && client.write_all(&vec![7; bytes]).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        address
    }

    fn ask(proxy: &LossyProxy) -> TcpStream {
        let mut client = TcpStream::connect(proxy.host()).unwrap();
        client.write_all(b"\n").unwrap();
        client
    }

    fn loss(how: Break, mean: u64) -> Network {
        Network {
            loss: Some(Loss { how, mean, seed: 1 }),
            ..Network::default()
        }
    }

    #[test]
    fn everything_passes_and_is_counted() {
        let proxy = LossyProxy::start(server(100_000), Network::default()).unwrap();
        for _ in 0..2 {
            let mut bytes = vec![0; 100_000];
            ask(&proxy).read_exact(&mut bytes).unwrap();
            assert!(bytes.iter().all(|byte| *byte == 7));
        }
        let counts = proxy.counts();
        assert_eq!((counts.connections, counts.breaks), (2, 0));
        // Counted right after they are sent.
        while proxy.counts().down < 200_000 {
            std::thread::yield_now();
        }
        assert_eq!(proxy.counts().down, 200_000);
    }

    #[test]
    fn the_rate_is_shared_and_each_request_takes_a_round_trip() {
        let network = Network {
            rate: Some(1_000_000),
            round_trip: Duration::from_millis(20),
            loss: None,
        };
        let proxy = LossyProxy::start(server(150_000), network).unwrap();
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| ask(&proxy).read_exact(&mut vec![0; 150_000]).unwrap());
            }
        });
        // 300 kB less the burst, and twice 20 ms.
        let least = Duration::from_millis(300 - 50 + 40);
        assert!(start.elapsed() >= least, "{:?}", start.elapsed());
    }

    #[test]
    fn connections_break_where_the_seed_says() {
        for how in [Break::Reset, Break::Close] {
            let network = loss(how, 50_000);
            let first = budget(network.loss.unwrap(), 0);
            let proxy = LossyProxy::start(server(10_000_000), network).unwrap();
            let mut bytes = Vec::new();
            let end = ask(&proxy).read_to_end(&mut bytes);
            match how {
                Break::Reset => {
                    assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
                    assert!(bytes.len() as u64 <= first);
                }
                _ => assert_eq!(end.unwrap() as u64, first),
            }
            let counts = proxy.counts();
            assert_eq!((counts.breaks, counts.down), (1, first));
        }
    }

    #[test]
    fn a_stall_keeps_the_connection_open() {
        let network = loss(Break::Stall, 50_000);
        let first = budget(network.loss.unwrap(), 0);
        let proxy = LossyProxy::start(server(10_000_000), network).unwrap();
        let mut client = ask(&proxy);
        let mut bytes = vec![0; usize::try_from(first).unwrap()];
        client.read_exact(&mut bytes).unwrap();
        client
            .set_read_timeout(Some(Duration::from_millis(50)))
            .unwrap();
        let end = client.read(&mut [0]).unwrap_err();
        assert_eq!(end.kind(), io::ErrorKind::WouldBlock);
        // Counted right after the last byte is sent.
        while proxy.counts().breaks == 0 {
            std::thread::yield_now();
        }
        assert_eq!(proxy.counts().breaks, 1);
    }

    #[test]
    fn budgets_have_the_mean_and_depend_on_the_seed() {
        let one = Loss {
            how: Break::Reset,
            mean: 25_000_000,
            seed: 1,
        };
        let draw = |loss| -> Vec<u64> { (0..10_000).map(|n| budget(loss, n)).collect() };
        let drawn = draw(one);
        let mean = drawn.iter().sum::<u64>() / 10_000;
        assert!((24_000_000..26_000_000).contains(&mean), "{mean}");
        // Of an exponential distribution this share is below its mean.
        let below = drawn.iter().filter(|b| **b < one.mean).count();
        assert!((6_200..6_450).contains(&below), "{below}");
        assert_eq!(drawn, draw(one));
        assert_ne!(drawn, draw(Loss { seed: 2, ..one }));
    }
}
