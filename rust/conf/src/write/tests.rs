// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is written is read as the same again.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use contract::customise_plan::UpdatesPlan;
use contract::plan::{AUTO, BootloaderChoice};
use secrecy::zeroize::Zeroizing;
use testkit::proptest::collection::{btree_map, vec};
use testkit::proptest::option::of;
use testkit::proptest::prelude::*;

use super::*;
use crate::parse;

const PATH: &str = "/etc/x/bootc.conf";

/// Texts that YAML reads as something else without quotes are among them.
fn text() -> impl Strategy<Value = String> {
    let odd = [
        "", " ", "~", "yes", "null", "true", "13", "0x1f", "1e3", "- a", "a: b", "a #b", "#", "'",
        "\"", "{}", "[", "&a", "*a", "!a", "|", ">", "%", "@", "`", "?", ":", "---", "a\nb", "a\n",
        "\n a", "\t", "\u{feff}", "<<", "=", "ä", "日本",
    ];
    let any = "[^\u{0}-\u{8}\u{b}-\u{1f}\u{7f}]{0,12}";
    prop_oneof![
        testkit::proptest::sample::select(odd.to_vec()).prop_map(str::to_owned),
        any
    ]
    .prop_filter("not written", |text| {
        !text.contains("{{") && !text.contains(SEPARATORS)
    })
}

fn path() -> impl Strategy<Value = PathBuf> {
    vec("[^/\u{0}-\u{1f}{]{1,8}", 1..4).prop_map(|parts| {
        let path = format!("/{}", parts.join("/"));
        Path::new(&path).components().collect()
    })
}

fn localized() -> impl Strategy<Value = Localized> {
    (
        text(),
        btree_map("[a-z]{2}(_[A-Z]{2})?(@latin)?", text(), 0..3),
    )
        .prop_map(|(default, translations)| Localized {
            default,
            translations,
        })
}

fn registries() -> impl Strategy<Value = Vec<RegistryEntry>> {
    let prefixes = ["quay.io", "r.example:5000", "r.example/team/a", "[::1]:443"];
    let login =
        (text(), path()).prop_map(|(username, path)| Login::PasswordFile { username, path });
    let keys = (
        of(login),
        any::<bool>(),
        of(path()),
        vec(text(), 0..3),
        vec(path(), 0..3),
    );
    let entry = keys.prop_map(
        |(login, insecure, ca, mirrors, signature_keys)| RegistryEntry {
            prefix: String::new(),
            login,
            insecure,
            ca,
            mirrors,
            signature_keys,
            signature_pems: Vec::new(),
        },
    );
    vec(entry, 0..prefixes.len()).prop_map(move |mut entries| {
        for (entry, prefix) in entries.iter_mut().zip(prefixes) {
            entry.prefix = prefix.to_owned();
        }
        entries
    })
}

fn page() -> impl Strategy<Value = Page> {
    let icon = prop_oneof![
        "[a-z-]{1,9}".prop_map(Icon::Theme),
        path().prop_map(Icon::File)
    ];
    let references = ["r.example/a:1", "oci:/x:1", "docker://quay.io/a/b"];
    let reference = testkit::proptest::sample::select(references.to_vec());
    let entry = (localized(), of(localized()), of(icon), reference).prop_map(
        |(name, description, icon, reference)| CatalogueEntry {
            name,
            description,
            icon,
            reference: reference.to_owned(),
        },
    );
    (vec(entry, 0..3), any::<(bool, bool)>()).prop_map(|(catalogue, (other, skip))| Page {
        allow_other: other || catalogue.is_empty(),
        catalogue,
        skip_when_valid: skip,
    })
}

fn config() -> impl Strategy<Value = Config> {
    let texts = (of(text()), of(text()), of(text()), of(text()));
    let layout = prop_oneof![Just(PathBuf::from(AUTO)), path()];
    let paths = (vec(layout, 0..3), of(path()), of(path()));
    let transport = of(prop_oneof![Just(Transport::Registry), Just(Transport::Oci)]);
    let flags = any::<[Option<bool>; 5]>();
    let loaders = [
        BootloaderChoice::Auto,
        BootloaderChoice::Grub,
        BootloaderChoice::Systemd,
        BootloaderChoice::None,
    ];
    let updates = [
        UpdatesPlan::Manual,
        UpdatesPlan::Automatic,
        UpdatesPlan::Required,
    ];
    let options = (
        of(testkit::proptest::sample::select(loaders.to_vec())),
        vec(text(), 0..3),
        vec(text(), 0..3),
        of(testkit::proptest::sample::select(updates.to_vec())),
    );
    (
        texts,
        paths,
        transport,
        flags,
        options,
        registries(),
        page(),
    )
        .prop_map(
            |(texts, paths, transport, flags, options, registries, page)| Config {
                path: PATH.into(),
                container_url: texts.0,
                target_imgref: texts.1,
                source: texts.2,
                layouts: paths.0,
                runtime_root: paths.1,
                transport,
                stateroot: texts.3,
                registries,
                keep_credentials: flags[0],
                keep_registries: flags[1],
                download_path: paths.2,
                no_signature_verification: flags[2],
                updates: options.3,
                bootloader: options.0,
                kargs: options.1,
                kargs_delete: options.2,
                enforce_sigpolicy: flags[3],
                disable_selinux: flags[4],
                page,
                warnings: Vec::new(),
            },
        )
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same(config in config()) {
        let text = write(&config).unwrap();
        let read = parse(Path::new(PATH), Zeroizing::new(text.clone()));
        let read = read.unwrap_or_else(|err| panic!("{text}\n{err}"));
        prop_assert_eq!(read, config, "{}", text);
    }
}

#[test]
fn what_is_as_usual_is_left_out() {
    assert_eq!(write(&Config::default()).unwrap(), "{}\n");
    let config = Config {
        container_url: Some("r.example/a:1".into()),
        kargs: vec!["quiet".into()],
        ..Config::default()
    };
    assert_eq!(
        write(&config).unwrap(),
        "containerUrl: r.example/a:1\ninstallOptions:\n  kargs:\n  - quiet\n"
    );
}

#[test]
fn what_would_be_something_else_is_not_written() {
    for login in [
        Login::Encoded("dXNlcjpwYXNz".into()),
        Login::Password {
            username: "joe".into(),
            password: "s3cret".into(),
        },
    ] {
        let entry = RegistryEntry {
            prefix: "r.example".into(),
            login: Some(login),
            ..RegistryEntry::default()
        };
        let config = Config {
            registries: vec![entry],
            ..Config::default()
        };
        let error = write(&config).unwrap_err().to_string();
        assert_eq!(error, "a login would be written");
    }
    for text in ["{{ x }}", "a\u{2028}b", "a\u{2029}"] {
        let config = Config {
            source: Some(text.into()),
            ..Config::default()
        };
        assert!(write(&config).is_err(), "{text:?}");
    }
}
