// SPDX-License-Identifier: MIT OR Apache-2.0
//! Small images, made here and pushed over the registry's own HTTP interface.

#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use imageref::Reference;
use registry::{
    CancellationToken, ClientConfig, OciLayout, Platform, PullObserver, PullReport, Registry,
    RegistryError, RetryPolicy,
};
use serde_json::{Value, json};
use sha2::Digest as _;

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

pub fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in sha2::Sha256::digest(bytes) {
        text += &format!("{byte:02x}");
    }
    text
}

/// Bytes that look random and are always the same.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// An image in memory. Its layers are not really archives: nobody here unpacks.
#[derive(Clone)]
pub struct TestImage {
    pub layers: Vec<Vec<u8>>,
    pub config: Vec<u8>,
    pub manifest: Vec<u8>,
}

impl TestImage {
    pub fn new(architecture: &str, layers: Vec<Vec<u8>>) -> Self {
        let diff_ids: Vec<String> = layers.iter().map(|l| digest(l)).collect();
        let config = json!({
            "architecture": architecture,
            "os": "linux",
            "created": "2026-01-02T03:04:05Z",
            "config": {"Labels": {
                "containers.bootc": "1",
                "org.opencontainers.image.version": "42.1",
            }},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        Self::with_config(config.to_string().into_bytes(), layers)
    }

    pub fn with_config(config: Vec<u8>, layers: Vec<Vec<u8>>) -> Self {
        let descriptors: Vec<Value> = layers
            .iter()
            .map(|l| json!({"mediaType": LAYER, "digest": digest(l), "size": l.len()}))
            .collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": digest(&config),
                "size": config.len(),
            },
            "layers": descriptors,
            "annotations": {"made.by": "test"},
        });
        Self {
            layers,
            config,
            manifest: manifest.to_string().into_bytes(),
        }
    }

    /// Three layers of different sizes, the lowest of `size` bytes.
    pub fn amd64(size: usize) -> Self {
        let layers = vec![noise(1, size), noise(2, size / 3), noise(3, 777)];
        Self::new("amd64", layers)
    }

    pub fn digest(&self) -> String {
        digest(&self.manifest)
    }

    pub fn size(&self) -> u64 {
        self.layers.iter().map(|l| l.len() as u64).sum()
    }
}

/// Pushes to a registry.
pub struct Pusher {
    http: reqwest::Client,
    base: String,
    login: Option<(String, String)>,
}

impl Pusher {
    pub fn new(host: &str, repository: &str) -> Self {
        // Sets up the TLS provider, which the client asks for even without TLS.
        Registry::new(ClientConfig::default()).unwrap();
        Self {
            http: reqwest::Client::new(),
            base: format!("http://{host}/v2/{repository}"),
            login: None,
        }
    }

    pub fn login(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    fn request(&self, method: reqwest::Method, url: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, url);
        match &self.login {
            Some((user, password)) => request.basic_auth(user, Some(password)),
            None => request,
        }
    }

    pub async fn blob(&self, bytes: &[u8]) {
        let start = format!("{}/blobs/uploads/", self.base);
        let answer = self.request(reqwest::Method::POST, &start).send().await;
        let answer = answer.unwrap().error_for_status().unwrap();
        let place = answer.headers()["location"].to_str().unwrap();
        let end = format!("{place}&digest={}", digest(bytes).replace(':', "%3A"));
        let request = self
            .request(reqwest::Method::PUT, &end)
            .body(bytes.to_vec());
        request.send().await.unwrap().error_for_status().unwrap();
    }

    pub async fn manifest(&self, reference: &str, media_type: &str, bytes: &[u8]) {
        let url = format!("{}/manifests/{reference}", self.base);
        let answer = self
            .request(reqwest::Method::PUT, &url)
            .header("content-type", media_type)
            .body(bytes.to_vec())
            .send()
            .await
            .unwrap();
        let status = answer.status();
        assert!(status.is_success(), "{status}: {:?}", answer.text().await);
    }

    pub async fn image(&self, tag: &str, image: &TestImage) {
        for blob in image.layers.iter().chain([&image.config]) {
            self.blob(blob).await;
        }
        self.manifest(tag, MANIFEST, &image.manifest).await;
    }
}

/// A client that is quick to try again, for plain HTTP at these hosts.
pub fn config(insecure: &[&str]) -> ClientConfig {
    ClientConfig {
        insecure_hosts: insecure.iter().map(|h| (*h).to_owned()).collect(),
        retry: RetryPolicy {
            base_delay: Duration::from_millis(1),
            rate_limit_delay: Duration::from_millis(1),
            ..RetryPolicy::default()
        },
        ..ClientConfig::default()
    }
}

pub fn client(insecure: &[&str]) -> Registry {
    Registry::new(config(insecure)).unwrap()
}

pub fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

pub fn amd64() -> Platform {
    "linux/amd64".parse().unwrap()
}

/// Resolves and pulls.
pub async fn pull(
    client: &Registry,
    from: &str,
    to: &Path,
    observer: &dyn PullObserver,
) -> Result<PullReport, RegistryError> {
    let image = client.resolve(&reference(from), &amd64()).await?;
    let layout = OciLayout::create(to)?;
    client
        .pull(&image, &layout, observer, &CancellationToken::new())
        .await
}

/// Keeps what it was told.
#[derive(Default)]
pub struct Recorder {
    pub bytes: Mutex<BTreeMap<usize, u64>>,
    pub rewound: Mutex<u64>,
    pub done: Mutex<Vec<usize>>,
    pub retries: Mutex<Vec<String>>,
}

impl Recorder {
    pub fn total(&self) -> u64 {
        self.bytes.lock().unwrap().values().sum::<u64>() - *self.rewound.lock().unwrap()
    }

    pub fn done(&self) -> Vec<usize> {
        let mut done = self.done.lock().unwrap().clone();
        done.sort_unstable();
        done
    }
}

impl PullObserver for Recorder {
    fn bytes(&self, layer: usize, n: u64) {
        *self.bytes.lock().unwrap().entry(layer).or_default() += n;
    }

    fn rewound(&self, _layer: usize, n: u64) {
        *self.rewound.lock().unwrap() += n;
    }

    fn layer_done(&self, layer: usize, path: &Path) {
        assert!(path.is_file(), "{} is not there yet", path.display());
        self.done.lock().unwrap().push(layer);
    }

    fn retry(&self, _layer: usize, _attempt: u32, error: &RegistryError, _delay: Duration) {
        let text = format!("{:?}: {error}", error.kind());
        self.retries.lock().unwrap().push(text);
    }
}

/// All files of a layout's blob directory, by name, checked against it.
pub fn blobs(layout: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(layout.join("blobs/sha256")).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if !name.ends_with(".partial") {
            let content = std::fs::read(entry.path()).unwrap();
            assert_eq!(digest(&content), format!("sha256:{name}"));
        }
        names.push(name);
    }
    names.sort();
    names
}

/// Runs a test on two threads; skips it without a registry.
pub fn with_registry<F: std::future::Future<Output = ()>>(
    test: impl FnOnce(testkit::registry::Registry) -> F,
) {
    if !testkit::registry::available() {
        return;
    }
    run(test(testkit::registry::Registry::start().unwrap()));
}

pub fn run<F: std::future::Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// How a pull that went well is told in tables.
pub fn retries(number: u32) -> String {
    match number {
        1 => "ok, 1 retry".to_owned(),
        n => format!("ok, {n} retries"),
    }
}

/// What the test `name` of this binary prints after `outcome: ` when it runs
/// alone, in a process with this `environment` and no other proxy: `what` is
/// the variable that tells it that it is that process, and what to do.
pub fn in_child(name: &str, what: (&str, &str), environment: &[(&str, &str)]) -> String {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]);
    command.env(what.0, what.1);
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    let output = command.envs(environment.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let outcome = text.lines().find_map(|l| l.strip_prefix("outcome: "));
    outcome.unwrap_or_else(|| panic!("{output:?}")).to_owned()
}
