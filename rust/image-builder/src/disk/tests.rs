// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;

fn request(image: &str, kinds: &[DiskKind]) -> DiskRequest {
    DiskRequest {
        distro: Distro::default(),
        image: image.into(),
        target_imgref: None,
        kinds: kinds.to_vec(),
        blueprint: Blueprint::default(),
        ignition: None,
        filesystem: None,
        size: None,
        output: "out".into(),
        result: None,
        owner: None,
    }
}

#[test]
fn kinds_with_other_kernel_arguments_have_a_disk_of_their_own() {
    let all = by_kargs(&[DiskKind::Qcow2, DiskKind::Ami, DiskKind::Raw, DiskKind::Raw]);
    let kinds: Vec<_> = all.into_values().collect();
    assert_eq!(
        kinds,
        [vec![DiskKind::Qcow2, DiskKind::Raw], vec![DiskKind::Ami]]
    );
}

#[test]
fn a_dry_run_has_every_disk_conversion_and_result() {
    let request = request(
        "r.example/os/debian:13",
        &[DiskKind::Qcow2, DiskKind::Ami, DiskKind::Vhd],
    );
    let text = DiskSteps::of(&request).unwrap().describe();
    for part in [
        "to-disk --image r.example/os/debian:13 --filesystem ext4",
        "--karg console=ttyS0,115200n8",
        "qemu-img convert -f raw -O qcow2",
        "qemu-img convert -f raw -O vpc",
        "> out/debian-13-amd64.qcow2",
        "> out/debian-13-amd64-ami.raw",
        "> out/debian-13-amd64.vhd",
        "> out/debian-13-amd64.cdx.json",
        "> out/debian-13-amd64.sha256sums",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(text.matches("to-disk").count(), 2, "{text}");
}

#[test]
fn an_image_of_the_storage_is_copied_first() {
    let mut request = request("containers-storage:r.example/a:1", &[DiskKind::Raw]);
    let steps = DiskSteps::of(&request).unwrap();
    let plan = steps.plan(&[]).unwrap();
    let updates = |plan: Plan| {
        let image = plan.image;
        image.target_imgref.unwrap_or(image.imgref).to_string()
    };
    assert_eq!(updates(plan), "r.example/a:1");
    let text = steps.describe();
    assert!(
        text.contains("skopeo copy containers-storage:r.example/a:1 oci:/"),
        "{text}"
    );
    // Nobody can update from there.
    request.image = "containers-storage:localhost/a:1".into();
    assert_eq!(DiskSteps::of(&request).unwrap_err().code, Code::Usage);
    request.target_imgref = Some("r.example/a:2".into());
    let plan = DiskSteps::of(&request).unwrap().plan(&[]).unwrap();
    assert_eq!(updates(plan), "r.example/a:2");
}

#[test]
fn an_image_that_cannot_be_meant_is_refused_before_all_else() {
    let error = DiskSteps::of(&request("no image", &[DiskKind::Raw])).unwrap_err();
    assert_eq!(error.code, Code::ImageRefused);
}
