// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pulls with layouts at hand that have a part of the image.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::path::Path;

use common::*;
use registry::{
    CancellationToken, ClientConfig, ErrorKind, NoObserver, OciArchive, OciLayout, PullObserver,
    PullReport, Registry, Selector,
};
use testkit::fault_proxy::{Fault, FaultProxy};

/// A layout with these blobs, each under the name of its digest in `names`.
fn layout(dir: &Path, names: &[&[u8]], blobs: &[&[u8]]) -> OciLayout {
    let layout = OciLayout::create(dir).unwrap();
    for (name, blob) in names.iter().zip(blobs) {
        let path = layout.blob_path(&digest(name).parse().unwrap());
        std::fs::write(path, blob).unwrap();
    }
    layout
}

/// An image in a registry behind a proxy, and places for layouts.
struct Setup {
    image: TestImage,
    proxy: FaultProxy,
    dirs: [tempfile::TempDir; 3],
    _server: testkit::registry::Registry,
}

impl Setup {
    async fn new(server: testkit::registry::Registry) -> Self {
        // More than one batch of a copy.
        let image = TestImage::amd64(3_000_000);
        Pusher::new(&server.host(), "app").image("v1", &image).await;
        Self {
            image,
            proxy: FaultProxy::start(server.address(), |_| Fault::None).unwrap(),
            dirs: std::array::from_fn(|_| tempfile::tempdir().unwrap()),
            _server: server,
        }
    }

    fn layer(&self, index: usize) -> &[u8] {
        &self.image.layers[index]
    }

    fn medium(&self) -> &Path {
        self.dirs[0].path()
    }

    fn client(&self, layouts: Vec<OciLayout>) -> Registry {
        Registry::new(ClientConfig {
            layouts,
            ..config(&[&self.proxy.host()])
        })
        .unwrap()
    }

    /// Pulls into the last place, which must then hold all of the image.
    async fn pulled(&self, layouts: Vec<OciLayout>, observer: &dyn PullObserver) -> PullReport {
        let name = format!("{}/app:v1", self.proxy.host());
        let to = self.dirs[2].path();
        let report = pull(&self.client(layouts), &name, to, observer)
            .await
            .unwrap();
        assert_eq!(blobs(to).len(), 5);
        report
    }

    /// Which layers the registry was asked for.
    fn asked(&self) -> Vec<usize> {
        let requests = self.proxy.requests();
        let asked = |layer: &Vec<u8>| requests.iter().any(|r| r.target.contains(&digest(layer)));
        (0..3).filter(|i| asked(&self.image.layers[*i])).collect()
    }
}

#[test]
fn only_what_is_in_no_layout_is_downloaded() {
    with_registry(|server| async move {
        let setup = Setup::new(server).await;
        let (a, c) = (setup.layer(0), setup.layer(2));
        let first = layout(setup.medium(), &[a], &[a]);
        let second = layout(setup.dirs[1].path(), &[c], &[c]);
        let recorder = Recorder::default();
        let report = setup.pulled(vec![first, second], &recorder).await;
        assert_eq!(report.downloaded, setup.layer(1).len() as u64);
        assert_eq!(report.copied, (a.len() + c.len()) as u64);
        assert_eq!((report.present, report.resumed), (0, 0));
        assert_eq!(setup.asked(), [1]);
        assert_eq!(recorder.total(), setup.image.size());
        assert_eq!(recorder.done(), [0, 1, 2]);
    });
}

#[test]
fn a_layout_that_has_everything_is_told_from_one_that_does_not() {
    with_registry(|server| async move {
        let setup = Setup::new(server).await;
        let image = &setup.image;
        let mut all: Vec<&[u8]> = image.layers.iter().map(Vec::as_slice).collect();
        let layers = layout(setup.medium(), &all, &all);
        let name = reference(&format!("{}/app:v1", setup.proxy.host()));
        let client = setup.client(Vec::new());
        let resolved = client.resolve(&name, &amd64()).await.unwrap();
        assert!(!layers.holds(&resolved), "no manifest");
        all.extend([image.config.as_slice(), image.manifest.as_slice()]);
        let whole = layout(setup.medium(), &all, &all);
        assert!(whole.holds(&resolved));
        assert!(resolved.layers.iter().all(|l| whole.has_layer(l)));
        // Nothing but the manifest is asked for.
        let report = setup.pulled(vec![whole.clone()], &NoObserver).await;
        assert_eq!((report.downloaded, report.copied), (0, image.size()));
        assert_eq!(setup.asked(), [0; 0]);
        // A copy that was cut off.
        let path = whole.blob_path(&resolved.layers[1].digest);
        std::fs::write(path, &image.layers[1][1..]).unwrap();
        assert!(!whole.holds(&resolved) && !whole.has_layer(&resolved.layers[1]));
    });
}

#[test]
fn a_damaged_copy_is_downloaded_instead() {
    with_registry(|server| async move {
        let setup = Setup::new(server).await;
        let (a, b) = (setup.layer(0), setup.layer(1));
        let mut flipped = a.to_vec();
        flipped[2_999_999] ^= 1;
        let bad = layout(setup.medium(), &[a, b], &[&flipped, &b[1..]]);
        let recorder = Recorder::default();
        let report = setup.pulled(vec![bad.clone()], &recorder).await;
        assert_eq!(report.downloaded, setup.image.size());
        assert_eq!((report.copied, report.resumed, report.retries), (0, 0, 0));
        assert_eq!(recorder.total(), setup.image.size());
        assert_eq!(*recorder.rewound.lock().unwrap(), 3_000_000);
        assert_eq!(setup.asked(), [0, 1, 2]);

        // The next layout may have a good one; half a download does no harm.
        std::fs::remove_dir_all(setup.dirs[2].path()).unwrap();
        let to = OciLayout::create(setup.dirs[2].path()).unwrap();
        let partial = to.blob_path(&digest(a).parse().unwrap());
        std::fs::write(partial.with_extension("partial"), [7; 1000]).unwrap();
        let good = layout(setup.dirs[1].path(), &[a], &[a]);
        let recorder = Recorder::default();
        let report = setup.pulled(vec![bad, good], &recorder).await;
        assert_eq!(report.copied, a.len() as u64);
        assert_eq!(report.downloaded, setup.image.size() - a.len() as u64);
        assert_eq!(recorder.total(), setup.image.size());
    });
}

#[test]
fn copying_stops_when_told() {
    with_registry(|server| async move {
        let setup = Setup::new(server).await;
        let a = setup.layer(0);
        let medium = layout(setup.medium(), &[a], &[a]);
        let client = setup.client(vec![medium]);
        let name = reference(&format!("{}/app:v1", setup.proxy.host()));
        let image = client.resolve(&name, &amd64()).await.unwrap();
        struct StopAtOnce(CancellationToken);
        impl PullObserver for StopAtOnce {
            fn bytes(&self, _: usize, _: u64) {
                self.0.cancel();
            }
        }
        let cancel = CancellationToken::new();
        let stop = StopAtOnce(cancel.clone());
        let to = OciLayout::create(setup.dirs[2].path()).unwrap();
        let error = client.pull(&image, &to, &stop, &cancel).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(to.resolve(&Selector::Only, &amd64()).is_err());
        let report = setup.pulled(Vec::new(), &NoObserver).await;
        assert!(report.copied == 0 && report.downloaded > 0, "{report:?}");
    });
}

/// The archive that skopeo makes of an image of a registry.
fn archive(dir: &Path, host: &str, tag: &str) -> std::path::PathBuf {
    let path = dir.join(format!("{tag}.oci.tar"));
    let output = std::process::Command::new("skopeo")
        .args(["copy", "--quiet", "--src-tls-verify=false"])
        .arg(format!("docker://{host}/app:{tag}"))
        .arg(format!("oci-archive:{}:app", path.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    path
}

#[test]
fn an_image_that_differs_from_an_archive_in_two_layers_downloads_two() {
    with_registry(|server| async move {
        testkit::apt::ensure(&["skopeo"]).unwrap();
        // skopeo would compress what does not look as if it were.
        let gzip = |n, size: usize| [b"\x1f\x8b\x08".to_vec(), noise(n, size - 3)].concat();
        let layers: Vec<Vec<u8>> = (1..=4).map(|n| gzip(n, 900_000)).collect();
        let old = TestImage::new("amd64", layers.clone());
        let mut new = layers.clone();
        new[1] = gzip(11, 500_000);
        new[3] = gzip(13, 400_000);
        let new = TestImage::new("amd64", new);
        let pusher = Pusher::new(&server.host(), "app");
        pusher.image("v1", &old).await;
        pusher.image("v2", &new).await;
        let dirs: [tempfile::TempDir; 3] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
        let path = archive(dirs[0].path(), &server.host(), "v1");
        let proxy = FaultProxy::start(server.address(), |_| Fault::None).unwrap();
        let client = |archive: &Path| {
            Registry::new(ClientConfig {
                archives: vec![OciArchive::open(archive).unwrap()],
                ..config(&[&proxy.host()])
            })
            .unwrap()
        };
        let name = format!("{}/app:v2", proxy.host());
        let recorder = Recorder::default();
        let report = pull(&client(&path), &name, dirs[1].path(), &recorder).await;
        let report = report.unwrap();
        assert_eq!((report.downloaded, report.copied), (900_000, 1_800_000));
        assert_eq!(recorder.total(), new.size());
        let requests = proxy.requests();
        let asked = |layer: &Vec<u8>| requests.iter().any(|r| r.target.contains(&digest(layer)));
        let asked: Vec<bool> = new.layers.iter().map(asked).collect();
        assert_eq!(asked, [false, true, false, true]);
        assert_eq!(blobs(dirs[1].path()).len(), 6);

        // A layer that was damaged within the archive comes from the registry.
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes
            .windows(64)
            .position(|w| *w == layers[2][..64])
            .unwrap();
        bytes[at + 800_000] ^= 1;
        let damaged = dirs[0].path().join("damaged.oci.tar");
        std::fs::write(&damaged, bytes).unwrap();
        let report = pull(&client(&damaged), &name, dirs[2].path(), &NoObserver).await;
        let report = report.unwrap();
        assert_eq!((report.downloaded, report.copied), (1_800_000, 900_000));
    });
}
