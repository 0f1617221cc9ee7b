// SPDX-License-Identifier: MIT OR Apache-2.0
//! Resolving and pulling from a real registry, as it should go.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use common::*;
use registry::{
    CancellationToken, Compression, ErrorKind, Missing, NoObserver, OciLayout, RegistryError,
    Selector,
};
use serde_json::json;

#[test]
fn an_image_comes_whole_and_is_found_in_the_layout() {
    with_registry(|server| async move {
        let image = TestImage::amd64(3_000_000);
        Pusher::new(&server.host(), "team/app")
            .image("v1", &image)
            .await;
        let dir = tempfile::tempdir().unwrap();
        let name = format!("{}/team/app:v1", server.host());
        let client = client(&[&server.host()]);
        let resolved = client.resolve(&reference(&name), &amd64()).await.unwrap();
        assert_eq!(resolved.manifest_digest.to_string(), image.digest());
        assert_eq!(resolved.manifest_bytes, image.manifest);
        assert_eq!(resolved.index_digest, None);
        assert_eq!(resolved.version(), Some("42.1"));
        assert_eq!(resolved.label("containers.bootc"), Some("1"));
        assert_eq!(
            resolved.config.created.as_deref(),
            Some("2026-01-02T03:04:05Z")
        );
        assert_eq!(resolved.compressed_size(), image.size());
        assert_eq!(resolved.annotations["made.by"], "test");
        assert_eq!(resolved.layers[0].compression, Compression::None);
        assert_eq!(
            resolved.layers[0].diff_id.to_string(),
            digest(&image.layers[0])
        );

        let recorder = Recorder::default();
        let report = pull(&client, &name, dir.path(), &recorder).await.unwrap();
        assert_eq!(report.downloaded, image.size());
        assert_eq!((report.present, report.resumed, report.retries), (0, 0, 0));
        assert_eq!(recorder.total(), image.size());
        assert_eq!(recorder.done(), [0, 1, 2]);
        assert_eq!(blobs(dir.path()).len(), 5);

        let layout = OciLayout::open(dir.path()).unwrap();
        let found = layout
            .resolve(&Selector::from_tag(Some("v1")), &amd64())
            .unwrap();
        assert_eq!(found.manifest_digest, resolved.manifest_digest);
        assert_eq!(found.layers, resolved.layers);
        assert_eq!(found.config, resolved.config);
        for layer in &found.layers {
            layout.verify_layer(layer).unwrap();
        }
    });
}

#[test]
fn what_is_there_is_verified_and_kept() {
    with_registry(|server| async move {
        let image = TestImage::amd64(2_000_000);
        Pusher::new(&server.host(), "app").image("v1", &image).await;
        let dir = tempfile::tempdir().unwrap();
        let name = format!("{}/app:v1", server.host());
        let client = client(&[&server.host()]);
        pull(&client, &name, dir.path(), &NoObserver).await.unwrap();

        // One layer damaged, one half there as if the power had gone.
        let layout = OciLayout::open(dir.path()).unwrap();
        let resolved = layout.resolve(&Selector::Only, &amd64()).unwrap();
        let path = |n: usize| layout.blob_path(&resolved.layers[n].digest);
        let mut damaged = image.layers[1].clone();
        damaged[5] ^= 0x80;
        std::fs::write(path(1), damaged).unwrap();
        let partial = path(0).with_extension("partial");
        std::fs::write(partial, &image.layers[0][..900_000]).unwrap();
        std::fs::remove_file(path(0)).unwrap();

        let recorder = Recorder::default();
        let report = pull(&client, &name, dir.path(), &recorder).await.unwrap();
        let whole = image.layers[1].len() as u64;
        assert_eq!(report.downloaded, 1_100_000 + whole);
        assert_eq!(report.resumed, 900_000);
        assert_eq!(report.present, image.layers[2].len() as u64);
        assert_eq!(recorder.total(), image.size());
        assert_eq!(blobs(dir.path()).len(), 5);
        assert_eq!(layout.images().unwrap().len(), 1);
    });
}

#[test]
fn a_bad_half_layer_is_fetched_again() {
    with_registry(|server| async move {
        let image = TestImage::amd64(1_000_000);
        Pusher::new(&server.host(), "app").image("v1", &image).await;
        let dir = tempfile::tempdir().unwrap();
        let name = format!("{}/app:v1", server.host());
        let layout = OciLayout::create(dir.path()).unwrap();
        let lowest = digest(&image.layers[0]).parse().unwrap();
        let partial = layout.blob_path(&lowest).with_extension("partial");
        std::fs::write(partial, vec![0; 300_000]).unwrap();

        let recorder = Recorder::default();
        let client = client(&[&server.host()]);
        let report = pull(&client, &name, dir.path(), &recorder).await.unwrap();
        assert_eq!(report.resumed, 300_000);
        assert_eq!(report.downloaded, image.size() + 700_000);
        assert_eq!(recorder.total(), image.size());
        assert_eq!(blobs(dir.path()).len(), 5);
    });
}

#[test]
fn a_layer_that_occurs_twice_is_fetched_once() {
    with_registry(|server| async move {
        let (a, b) = (noise(1, 5000), noise(2, 6000));
        let image = TestImage::new("amd64", vec![a.clone(), b, a, Vec::new()]);
        Pusher::new(&server.host(), "app").image("v1", &image).await;
        let dir = tempfile::tempdir().unwrap();
        let name = format!("{}/app:v1", server.host());
        let recorder = Recorder::default();
        let client = client(&[&server.host()]);
        let report = pull(&client, &name, dir.path(), &recorder).await.unwrap();
        assert_eq!(report.downloaded, 11_000);
        assert_eq!(recorder.done(), [0, 1, 2, 3]);
    });
}

#[test]
fn an_index_leads_to_the_platform() {
    with_registry(|server| async move {
        let push = Pusher::new(&server.host(), "multi");
        let small = |architecture| TestImage::new(architecture, vec![noise(1, 999)]);
        let images = [("arm64", small("arm64")), ("amd64", small("amd64"))];
        let mut entries = vec![json!({
            "mediaType": MANIFEST, "digest": digest(b"attestation"), "size": 11,
            "platform": {"os": "unknown", "architecture": "unknown"},
        })];
        // The registry wants all parts of an index to be there.
        entries.clear();
        for (architecture, image) in &images {
            push.image(&image.digest(), image).await;
            entries.push(json!({
                "mediaType": MANIFEST, "digest": image.digest(), "size": image.manifest.len(),
                "platform": {"os": "linux", "architecture": architecture},
            }));
        }
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries});
        let index = index.to_string().into_bytes();
        push.manifest("all", INDEX, &index).await;

        let client = client(&[&server.host()]);
        let by_tag = reference(&format!("{}/multi:all", server.host()));
        let by_digest = reference(&format!("{}/multi@{}", server.host(), digest(&index)));
        for reference in [by_tag, by_digest] {
            let image = client.resolve(&reference, &amd64()).await.unwrap();
            assert_eq!(image.manifest_digest.to_string(), images[1].1.digest());
            assert_eq!(image.reference_digest().to_string(), digest(&index));
        }
        let reference = reference(&format!("{}/multi:all", server.host()));
        let error = client
            .resolve(&reference, &"linux/riscv64".parse().unwrap())
            .await
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the image is not made for linux/riscv64, only for linux/arm64, linux/amd64"
        );
    });
}

#[test]
fn an_image_for_another_machine_is_refused_without_an_index_too() {
    with_registry(|server| async move {
        let image = TestImage::new("s390x", vec![noise(1, 10)]);
        Pusher::new(&server.host(), "app").image("v1", &image).await;
        let name = reference(&format!("{}/app:v1", server.host()));
        let error = client(&[&server.host()])
            .resolve(&name, &amd64())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoPlatform);
    });
}

#[test]
fn what_is_missing_is_named() {
    with_registry(|server| async move {
        let image = TestImage::amd64(10);
        Pusher::new(&server.host(), "app").image("v1", &image).await;
        let client = client(&[&server.host()]);
        let absent = digest(b"absent");
        for (rest, expected) in [
            ("app:v2".to_owned(), Missing::Manifest),
            (format!("app@{absent}"), Missing::Manifest),
            ("ap:v1".to_owned(), Missing::Manifest),
        ] {
            let name = format!("{}/{rest}", server.host());
            let error = client
                .resolve(&reference(&name), &amd64())
                .await
                .unwrap_err();
            match &error {
                // This registry says MANIFEST_UNKNOWN for an unknown repository.
                RegistryError::NotFound { missing, name: n } => {
                    assert_eq!(*missing, expected);
                    assert_eq!(*n, name);
                }
                other => panic!("{rest}: {other}"),
            }
        }
    });
}

#[test]
fn a_pull_stops_when_told_and_goes_on_later() {
    with_registry(|server| async move {
        let image = TestImage::amd64(4_000_000);
        Pusher::new(&server.host(), "app").image("v1", &image).await;
        let dir = tempfile::tempdir().unwrap();
        let name = format!("{}/app:v1", server.host());
        // The proxy never finishes the lowest layer, so that the pull cannot
        // be over before it is stopped.
        let lowest = digest(&image.layers[0]);
        let stalling =
            testkit::fault_proxy::FaultProxy::start(server.address(), move |request| match request
                .target
                .ends_with(&lowest)
            {
                true if request.nth == 0 => testkit::fault_proxy::Fault::Stall(2_000_000),
                _ => testkit::fault_proxy::Fault::None,
            })
            .unwrap();
        let through = format!("{}/app:v1", stalling.host());

        struct StopAt(u64, std::sync::atomic::AtomicU64, CancellationToken);
        impl registry::PullObserver for StopAt {
            fn bytes(&self, _: usize, n: u64) {
                let before = self.1.fetch_add(n, std::sync::atomic::Ordering::SeqCst);
                if before + n >= self.0 {
                    self.2.cancel();
                }
            }
        }
        let cancel = CancellationToken::new();
        let stop = StopAt(1_000_000, Default::default(), cancel.clone());
        let client = client(&[&server.host(), &stalling.host()]);
        let layout = OciLayout::create(dir.path()).unwrap();
        let resolved = client
            .resolve(&reference(&through), &amd64())
            .await
            .unwrap();
        let error = client
            .pull(&resolved, &layout, &stop, &cancel)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(layout.images().unwrap().is_empty());

        let report = pull(&client, &name, dir.path(), &NoObserver).await.unwrap();
        assert!(report.resumed > 0, "{report:?}");
        assert_eq!(
            report.downloaded + report.resumed + report.present,
            image.size()
        );
        assert_eq!(blobs(dir.path()).len(), 5);
    });
}
