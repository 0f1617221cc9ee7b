// SPDX-License-Identifier: MIT OR Apache-2.0
//! An address where nobody listens.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::{AsRawFd, OwnedFd};

use anyhow::{Context, Result};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, getsockname, socket};

/// A loopback address that refuses connections as long as this lives. Its port is
/// taken but not listened on. One that was listened on and closed would be free
/// for others, and open still in a process that another thread starts just then.
#[derive(Debug)]
pub struct Refusing {
    address: SocketAddr,
    _socket: OwnedFd,
}

impl Refusing {
    /// Takes a port.
    ///
    /// # Errors
    /// When there is none.
    pub fn new() -> Result<Self> {
        let socket = socket(
            AddressFamily::Inet,
            SockType::Stream,
            SockFlag::SOCK_CLOEXEC,
            None,
        )
        .context("making a socket")?;
        let any = SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));
        bind(socket.as_raw_fd(), &any).context("taking a port")?;
        let name: SockaddrIn = getsockname(socket.as_raw_fd()).context("asking for the port")?;
        Ok(Self {
            address: SocketAddrV4::from(name).into(),
            _socket: socket,
        })
    }

    /// `127.0.0.1:port`, as the first part of a reference.
    pub fn host(&self) -> String {
        self.address.to_string()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::ErrorKind;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn it_refuses_and_nobody_can_take_it() {
        let refusing = Refusing::new().unwrap();
        let error = TcpStream::connect(refusing.host()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let error = TcpListener::bind(refusing.host()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
    }
}
