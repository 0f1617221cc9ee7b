// SPDX-License-Identifier: MIT OR Apache-2.0
//! What Calamares leaves out of its storage is looked up.

use super::*;

/// `blkid -p -o export` of the devices in the fixture `german-no-udev`.
fn probed(device: &Path) -> Result<Tags> {
    Ok(blkid::parse(match device.to_str().unwrap() {
        "/dev/vda2" => "UUID=b0070000-0000-4000-8000-000000000002\nTYPE=ext4\n",
        "/dev/vda3" => "UUID=11111111-aaaa-4bbb-8ccc-000000000003\nTYPE=crypto_LUKS\n",
        "/dev/vda4" => "UUID=5a9a0000-0000-4000-8000-000000000004\nTYPE=swap\n",
        "/dev/vda5" => "TYPE=vfat\nPART_ENTRY_UUID=0a0a0000-0000-4000-8000-000000000005\n",
        other => panic!("{other} was probed"),
    }))
}

/// After partitioning in German and without udev: no UUIDs, translated names,
/// free space in the list.
#[test]
fn what_calamares_leaves_out() {
    let storage = read(fixture!("german-no-udev"));
    let err = fstab(&storage).unwrap_err();
    assert!(err.what.contains("/dev/vda2"), "{err}");
    let err = kargs(&storage, MODELS).unwrap_err();
    assert!(err.what.contains("/dev/vda3"), "{err}");

    let storage = storage.complete(probed).unwrap();
    assert_eq!(
        lines(&storage),
        [
            "UUID=b0070000-0000-4000-8000-000000000002 /boot ext4 defaults 2",
            "PARTUUID=0a0a0000-0000-4000-8000-000000000005 /srv vfat defaults 2",
            "/dev/mapper/luks-11111111-aaaa-4bbb-8ccc-000000000003 /var/log btrfs compress=zstd:1,subvol=/@log 0",
            "UUID=5a9a0000-0000-4000-8000-000000000004 none swap defaults 0",
        ]
    );
    assert_eq!(
        kargs(&storage, MODELS).unwrap(),
        [
            "rd.luks.name=11111111-aaaa-4bbb-8ccc-000000000003=luks-11111111-aaaa-4bbb-8ccc-000000000003",
            "rd.vconsole.keymap=de",
        ]
    );

    // What is complete is not probed; what nothing is found on stays.
    for text in [fixture!("uefi-luks"), fixture!("manual-btrfs")] {
        let complete = |_: &Path| panic!("probed");
        assert_eq!(read(text).complete(complete).unwrap(), read(text));
    }
    let storage = read(fixture!("german-no-udev"));
    let nothing = storage.clone().complete(|_| Ok(Tags::default()));
    assert_eq!(nothing.unwrap(), storage);
    assert!(
        storage
            .complete(|_| Err(Error::new(Code::Io, "No.")))
            .is_err()
    );
}

/// A container that nobody has opened is not mounted by its UUID.
#[test]
fn a_closed_container() {
    let storage = read(
        r#"{"partitions":[{"device":"/dev/sda5","mountPoint":"/data","fs":"ext4","uuid":"",
            "luksMapperName":""}]}"#,
    );
    let luks = |_: &Path| Ok(blkid::parse("UUID=1-2\nTYPE=crypto_LUKS\n"));
    let err = kargs(&storage.complete(luks).unwrap(), MODELS).unwrap_err();
    assert_eq!(err.code, Code::CalamaresInvalid);
    assert!(err.what.contains("/dev/sda5"), "{err}");
}
