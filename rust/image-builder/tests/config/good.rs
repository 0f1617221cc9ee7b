// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that are understood, and what they mean.

use super::*;

/// A file and what it changes of the defaults.
type Row = (&'static str, fn(&mut Distro));

#[test]
fn each_key_changes_what_it_says() {
    #[rustfmt::skip]
    let table: Vec<Row> = vec![
        ("", |_| {}),
        ("# nothing\n", |_| {}),
        ("---\n{}\n", |_| {}),
        ("product:\nbranding:\nmirrors:\nregistries:\ncontainers:\nimages:\ncalamares:\nlive:\n", |_| {}),
        ("product: {name: Example OS}", |d| {
            d.product.name = "Example OS".into();
            d.product.short_name = "Example".into();
            d.product.id = "example-os".into();
        }),
        ("product: {name: 日本, id: nihon}", |d| {
            d.product.name = "日本".into();
            d.product.short_name = "日本".into();
            d.product.id = "nihon".into();
        }),
        ("product: {name: A, shortName: B, version: '13', id: c, url: 'http://a.example', supportUrl: 'https://b.example/x', publisher: D}", |d| {
            d.product = Product {
                name: "A".into(), short_name: "B".into(), version: "13".into(), id: "c".into(),
                url: "http://a.example".into(), support_url: "https://b.example/x".into(), publisher: "D".into(),
            };
        }),
        ("branding: {logo: logo.svg, icon: ./i.png, welcome: /x/w.svg, slides: [b.svg, a.svg], sidebar: {background: '#16222e', text: '#FFFFFF'}, splash: s.png}", |d| {
            d.branding = Branding {
                component: None,
                logo: Some("/d/logo.svg".into()), icon: Some("/d/i.png".into()), welcome: Some("/x/w.svg".into()),
                slides: vec!["/d/b.svg".into(), "/d/a.svg".into()],
                sidebar_background: Some("#16222e".into()), sidebar_text: Some("#FFFFFF".into()),
                splash: Some("/d/s.png".into()),
            };
        }),
        ("branding: {component: mine/, splash: s.png}", |d| {
            d.branding.component = Some("/d/mine".into());
            d.branding.splash = Some("/d/s.png".into());
        }),
        ("suite: forky", |d| d.suite = "forky".into()),
        ("mirrors: {debian: 'http://m.example/x/debian/'}", |d| {
            d.mirrors.debian = "http://m.example/x/debian".into();
            d.mirrors.security = "http://m.example/x/debian-security".into();
        }),
        ("mirrors: {snapshot: 20261101T000000Z}", |d| {
            d.mirrors.debian = "http://snapshot.debian.org/archive/debian/20261101T000000Z".into();
            d.mirrors.security = "http://snapshot.debian.org/archive/debian-security/20261101T000000Z".into();
            d.mirrors.snapshot = Some("20261101T000000Z".into());
        }),
        ("mirrors: {debian: 'http://m.example/a/debian', snapshot: 20261101T000000Z}", |d| {
            d.mirrors.debian = "http://m.example/a/debian/20261101T000000Z".into();
            d.mirrors.security = "http://m.example/a/debian-security/20261101T000000Z".into();
            d.mirrors.snapshot = Some("20261101T000000Z".into());
        }),
        ("mirrors: {snapshot: 'http://m.example/frozen/'}", |d| {
            d.mirrors.debian = "http://m.example/frozen/debian".into();
            d.mirrors.security = "http://m.example/frozen/debian-security".into();
            d.mirrors.snapshot = Some("http://m.example/frozen/".into());
        }),
        ("mirrors: {security: 'http://m.example/s/'}", |d| d.mirrors.security = "http://m.example/s".into()),
        ("packages: [vim, g++]", |d| d.packages = vec!["vim".into(), "g++".into()]),
        ("debs: [a_1_all.deb, /x/b_1_amd64.deb]", |d| d.debs = vec!["/d/a_1_all.deb".into(), "/x/b_1_amd64.deb".into()]),
        ("firmware: all", |d| d.firmware = Firmware::ALL.to_vec()),
        ("firmware: none", |_| {}),
        ("firmware: []", |_| {}),
        ("firmware: sound", |d| d.firmware = vec![Firmware::Sound]),
        ("firmware: [microcode, wifi, microcode]", |d| d.firmware = vec![Firmware::Wifi, Firmware::Microcode]),
        ("secureBoot: false", |d| d.secure_boot = false),
        ("compression: xz", |d| d.compression = Compression::Xz),
        ("compression: zstd", |_| {}),
        ("tree: t/../u", |d| d.tree = Some("/d/t/../u".into())),
        ("live: {locale: de_DE.UTF-8, keyboard: {layout: de, variant: nodeadkeys}, timezone: Europe/Berlin, geoip: 'https://geoip.example/v1', kernelArguments: [quiet, 'console=ttyS0,115200'], bootTimeout: 0}", |d| {
            d.live.locale = "de_DE.UTF-8".into();
            d.live.keyboard_layout = "de".into();
            d.live.keyboard_variant = "nodeadkeys".into();
            d.live.timezone = "Europe/Berlin".into();
            d.live.geoip = Some("https://geoip.example/v1".into());
            d.live.kernel_arguments = vec!["quiet".into(), "console=ttyS0,115200".into()];
            d.live.boot_timeout = 0;
        }),
        ("calamares: {enabled: true, installation_approach: systemd, container_config: {stateroot: os, remote: os, transport: registry}, kernelArguments: ['ip=[fd00::1]:x']}", |d| {
            d.calamares.stateroot = Some("os".into());
            d.calamares.kernel_arguments = vec!["ip=[fd00::1]:x".into()];
        }),
        ("calamares: {container_config: {remote: fedora}}", |d| {
            d.warnings = vec!["/d/distro.yaml: `calamares.container_config.remote` has no effect: container images have no ostree remote.".into()];
        }),
        ("calamares: {registry_auth: {registries: {r.example/a: {insecure: true, ca: ca.pem, mirrors: [m.example]}, s.example: }}}", |d| {
            let named = |prefix: &str| RegistryEntry { prefix: prefix.into(), ..RegistryEntry::default() };
            d.calamares.registries = vec![
                RegistryEntry {
                    insecure: true, ca: Some("/d/ca.pem".into()), mirrors: vec!["m.example".into()],
                    ..named("r.example/a")
                },
                named("s.example"),
            ];
        }),
        ("images: {default: 'r.example/a'}", |d| d.images.default = Some("r.example/a:latest".into())),
        ("images: {default: 'docker://r.example/a:1', embed: true}", |d| {
            d.images.default = Some("r.example/a:1".into());
            d.images.embed = vec!["r.example/a:1".into()];
        }),
        ("images: {embed: false}", |_| {}),
        ("images: {default: r.example/a:1, allowOther: false}", |d| {
            d.images.default = Some("r.example/a:1".into());
            d.images.allow_other = false;
        }),
        ("images: {embed: [r.example/a:1, r.example/a:1]}", |d| {
            d.images.embed = vec!["r.example/a:1".into()];
            d.warnings = vec!["/d/distro.yaml: `images.embed`: r.example/a:1 is put on the medium, but it is neither the default nor in the catalogue.".into()];
        }),
        ("images:\n  catalogue:\n  - name: A\n    name[de]: B\n    description: C\n    description[pt_BR]: D\n    icon: ./i.svg\n    reference: r.example/a:1\n  - {name: E, icon: computer, reference: r.example/e:1}\n  embed: [r.example/e:1]\n", |d| {
            let texts = |default: &str, list: &[(&str, &str)]| Localized {
                default: default.into(),
                translations: list.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            };
            d.images.catalogue = vec![
                CatalogueEntry {
                    name: texts("A", &[("de", "B")]), description: Some(texts("C", &[("pt_BR", "D")])),
                    icon: Some(Icon::File("/d/i.svg".into())), reference: "r.example/a:1".into(),
                },
                CatalogueEntry {
                    name: texts("E", &[]), description: None,
                    icon: Some(Icon::Theme("computer".into())), reference: "r.example/e:1".into(),
                },
            ];
            d.images.embed = vec!["r.example/e:1".into()];
        }),
    ];
    for (text, change) in table {
        let mut expected = Distro {
            path: Some(PATH.into()),
            ..Distro::default()
        };
        change(&mut expected);
        assert_eq!(good(text), expected, "{text}");
    }
}

/// How a name becomes a reference.
#[test]
fn templates() {
    let file = |registries: &str, template: &str, images: &str| {
        format!(
            "registries: {registries}\ncontainers: {{base: \"{template}\"}}\nimages: {{default: base, {images}}}\n"
        )
    };
    let two = "{dev: {base_url: 'dev.example:5000'}, prod: {base_url: quay.io, namespace: a/b}}";
    let one = "{prod: {base_url: quay.io, namespace: n}}";
    for (text, expected) in [
        (
            file(one, "{registry}/{namespace}/os:{version}", "version: '13'"),
            "quay.io/n/os:13",
        ),
        (file(one, "{ registry }/os", ""), "quay.io/os:latest"),
        (
            file(two, "{registry}/{namespace}/os", "registry: prod"),
            "quay.io/a/b/os:latest",
        ),
        (
            file(
                two,
                "{registry}/os:{version}-x",
                "registry: dev, version: '1'",
            ),
            "dev.example:5000/os:1-x",
        ),
        (
            file(two, "fixed.example/os:{version}", "version: '1'"),
            "fixed.example/os:1",
        ),
        (
            file("{}", "fixed.example/os", ""),
            "fixed.example/os:latest",
        ),
        (
            file("{a: {base_url: r.example/team}}", "{registry}/os", ""),
            "r.example/team/os:latest",
        ),
        (
            file(
                one,
                "{registry}/os@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                "",
            ),
            "quay.io/os@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ),
    ] {
        assert_eq!(
            good(&text).images.default.as_deref(),
            Some(expected),
            "{text}"
        );
    }
    // What nothing uses need not be filled.
    assert_eq!(
        good("containers: {a: \"{registry}/{version}\"}")
            .images
            .default,
        None
    );
}

#[test]
fn the_image_of_the_command_line_counts() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("distro.yaml");
    std::fs::write(&file, "images: {default: r.example/a:1, embed: true}\n").unwrap();
    let load = |image| Distro::load(Some(&file), image);
    let distro = load(Some("r.example/b")).unwrap();
    assert_eq!(distro.images.default.as_deref(), Some("r.example/b:latest"));
    // `embed: true` means the default, whichever that is.
    assert_eq!(distro.images.embed, ["r.example/b:latest"]);
    assert_eq!(load(None).unwrap().images.embed, ["r.example/a:1"]);
    assert_eq!(distro.path.as_deref(), Some(file.as_path()));

    let error = load(Some("debian")).unwrap_err();
    assert_eq!(error.code, Code::Usage);
    assert_eq!(error.what, "`debian` is no image in a registry.");
    // It is missing in the file, and that is no error then.
    std::fs::write(&file, "images: {embed: true, allowOther: false}\n").unwrap();
    assert_eq!(
        load(Some("r.example/b:1")).unwrap().images.embed,
        ["r.example/b:1"]
    );
    assert!(load(None).is_err());
}

#[test]
fn a_container_is_named_on_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("registry.yaml");
    let text = "registries: {one: {base_url: r.example, namespace: debian}}
containers:
  container: \"{registry}/{namespace}/debian-bootc:{version}\"
  fixed: r.example/a:1
images: {version: \"13\"}
";
    std::fs::write(&file, text).unwrap();
    for (image, reference) in [
        ("container:latest", "r.example/debian/debian-bootc:latest"),
        ("container", "r.example/debian/debian-bootc:13"),
        ("fixed", "r.example/a:1"),
        ("r.example/b:2", "r.example/b:2"),
    ] {
        let distro = Distro::load(Some(&file), Some(image)).unwrap();
        assert_eq!(distro.images.default.as_deref(), Some(reference), "{image}");
    }
    let error = Distro::load(Some(&file), Some("contaner:latest")).unwrap_err();
    assert_eq!(error.code, Code::Usage);
    let error = Distro::load(Some(&file), Some("container:a b")).unwrap_err();
    assert_eq!(error.code, Code::ConfigInvalid);
}

#[test]
fn paths_of_a_relative_file_become_absolute() {
    let distro = Distro::read(Path::new("tests/fixtures/complete/distro.yaml")).unwrap();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/complete");
    assert_eq!(distro.path, Some(dir.join("distro.yaml")));
    assert_eq!(distro.tree, Some(dir.join("tree")));
    assert_eq!(distro.debs, [dir.join("example-keyring_1.0_all.deb")]);
}

#[test]
fn the_volume_id_fits() {
    for (id, volume) in [
        ("debian-bootc", "DEBIAN_BOOTC"),
        ("abcdefghijklmnopqrstuvwx", "ABCDEFGHIJKLMNOPQRSTUVWX"),
    ] {
        let product = good(&format!("product: {{id: {id}}}")).product;
        assert_eq!(product.volume_id(), volume);
        assert!(product.volume_id().len() <= 32);
    }
}
