// SPDX-License-Identifier: MIT OR Apache-2.0
//! A small file of a web server, by the same transport as images: certificates,
//! timeouts, and redirects that never lead from https to http.

use reqwest::Url;
use reqwest::header::HeaderMap;

use crate::error::{Missing, RegistryError};
use crate::http::classify::Context;
use crate::http::redirect::host_of;
use crate::http::transport::{TlsTrust, in_time};
use crate::pull::client::Registry;

impl Registry {
    /// The bytes behind an address with http or https, at most `max` of them. Who
    /// may have changed them on the way is for the caller to judge.
    ///
    /// # Errors
    /// As for a pull; [`RegistryError::Malformed`] for more bytes, and for what is no
    /// such address.
    pub async fn file(&self, address: &str, max: usize) -> Result<Vec<u8>, RegistryError> {
        let url = address.parse::<Url>().ok();
        let url = url.filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host());
        let Some(url) = url else {
            return Err(RegistryError::malformed(
                "the address",
                "it is no http or https",
            ));
        };
        let host = host_of(&url);
        let transport = self.transport();
        let context = Context {
            host: host.clone(),
            repository: String::new(),
            what: "the file".to_owned(),
            missing: Missing::Blob,
            has_credentials: false,
            timeouts: transport.timeouts(),
        };
        let trust = TlsTrust {
            insecure: self.config.insecure_hosts.contains(&host),
            registry: host,
        };
        let answer = transport
            .get(&trust, &context, url, &HeaderMap::new(), None)
            .await?;
        if answer.status() != 200 {
            return Err(answer.refusal(&context).await);
        }
        let mut response = answer.response;
        let mut bytes = Vec::new();
        loop {
            let chunk = in_time(&context, response.chunk()).await?;
            match chunk.map_err(|err| context.request(err))? {
                Some(chunk) if bytes.len() + chunk.len() > max => {
                    let problem = format!("it has more than {max} bytes");
                    return Err(RegistryError::malformed(&context.what, problem));
                }
                Some(chunk) => bytes.extend_from_slice(&chunk),
                None => return Ok(bytes),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;
    use crate::pull::client::ClientConfig;

    /// Answers one request with these bytes; gives the address.
    fn serve(answer: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            // The whole request is in one packet.
            assert!(stream.read(&mut request).unwrap() > 0);
            stream.write_all(answer.as_bytes()).unwrap();
        });
        format!("http://{address}/recipe.yaml")
    }

    fn fetch(address: &str, max: usize) -> Result<Vec<u8>, RegistryError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let registry = Registry::new(ClientConfig::default()).unwrap();
        runtime.block_on(registry.file(address, max))
    }

    #[test]
    fn a_file_of_a_web_server() {
        const GOOD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(fetch(&serve(GOOD), 5).unwrap(), b"hello");
        let error = fetch(&serve(GOOD), 4).unwrap_err();
        assert!(error.to_string().contains("more than 4 bytes"), "{error}");
        let gone = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
        assert!(matches!(
            fetch(&serve(gone), 9).unwrap_err(),
            RegistryError::NotFound { .. }
        ));
        let cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel";
        assert!(fetch(&serve(cut), 9).is_err());
        for address in ["ftp://a/b", "/recipe.yaml", "http://"] {
            let error = fetch(address, 9).unwrap_err();
            assert!(error.to_string().contains("no http"), "{address}: {error}");
        }
    }
}
