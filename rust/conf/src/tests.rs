// SPDX-License-Identifier: MIT OR Apache-2.0
#![allow(clippy::unwrap_used)]
use super::*;
use secrecy::ExposeSecret;

fn parse_text(text: &str) -> Result<Config> {
    parse(
        Path::new("/etc/bootc.conf"),
        Zeroizing::new(text.to_owned()),
    )
}

#[test]
fn everything() {
    let config = parse_text(
        r#"
installationApproach: "systemd"
variables: { registry: quay.io, image: "os/debian" }
containerUrl: "{{ registry }}/{{image}}:13"
stateroot: "default"
remote: "default"
transport: "registry"
noSignatureVerification: false
downloadPath: "/mnt/big/scratch"
layouts: [images, auto, "/m/{{ registry }}", ./auto]
keepCredentials: true
keepRegistries: false
registryAuth:
  registries:
    "quay.io":
      auth: "dXNlcjpwYXNz"
    "registry.example.com:5000":
      insecure: true
      mirrors: ["mirror.example/a"]
    "private.example/team":
      username: joe
      password: "s3cret"
      ca: certs/ca.pem
    "file.example":
      username: joe
      passwordFile: /run/secret
installOptions:
  target_disk: "/dev/sda"
  rootfs_type: "ext4"
  bootloader: "grub"
  kargs: ["quiet", "console={{ registry }}"]
  kargsDelete: [splash]
"#,
    )
    .unwrap();
    assert_eq!(
        config.container_url.as_deref(),
        Some("quay.io/os/debian:13")
    );
    assert_eq!(config.stateroot.as_deref(), Some("default"));
    assert_eq!(config.transport, Some(Transport::Registry));
    assert_eq!(
        config.download_path.as_deref(),
        Some(Path::new("/mnt/big/scratch"))
    );
    assert_eq!(
        config.layouts,
        ["/etc/images", "auto", "/m/quay.io", "/etc/./auto"].map(Path::new)
    );
    assert_eq!(
        (config.keep_credentials, config.keep_registries),
        (Some(true), Some(false))
    );
    assert_eq!(config.bootloader, Some(BootloaderChoice::Grub));
    assert_eq!(config.kargs, ["quiet", "console=quay.io"]);
    assert_eq!(config.kargs_delete, ["splash"]);
    let prefixes: Vec<&str> = config
        .registries
        .iter()
        .map(|r| r.prefix.as_str())
        .collect();
    assert_eq!(
        prefixes,
        [
            "quay.io",
            "registry.example.com:5000",
            "private.example/team",
            "file.example"
        ]
    );
    let [quay, plain, team, file] = config.registries.as_slice() else {
        panic!()
    };
    assert!(matches!(&quay.login, Some(Login::Encoded(s)) if s.expose_secret() == "dXNlcjpwYXNz"));
    assert!(plain.insecure && plain.login.is_none());
    assert_eq!(plain.mirrors, ["mirror.example/a"]);
    assert!(
        matches!(&team.login, Some(Login::Password { username, password })
        if username == "joe" && password.expose_secret() == "s3cret")
    );
    assert_eq!(team.ca.as_deref(), Some(Path::new("/etc/certs/ca.pem")));
    assert!(
        matches!(&file.login, Some(Login::PasswordFile { path, .. }) if path == Path::new("/run/secret"))
    );
    assert_eq!(config.warnings.len(), 3, "{:?}", config.warnings);
    assert!(config.warnings[0].contains("systemd` means `direct`"));

    let debug = format!("{config:?}");
    assert!(
        !debug.contains("s3cret") && !debug.contains("dXNl"),
        "{debug}"
    );
}

#[test]
fn foreign_spellings_and_sections_are_accepted() {
    let arch = std::env::consts::ARCH;
    let config = parse_text(&format!(
        "downloadPath: x\ninstallOptions:\n  targetArch: {arch}\n  rootfsType: xfs\n  bootloader: none\n\
         kickstartOptions: {{ services: [sshd] }}\nignitionOptions:\n  version: '3.4.0'\nintegration: {{ a: b }}\n\
         transport: oci\n"
    ))
    .unwrap();
    assert_eq!(config.download_path.as_deref(), Some(Path::new("/etc/x")));
    assert_eq!(config.bootloader, Some(BootloaderChoice::None));
    assert_eq!(config.transport, Some(Transport::Oci));
    assert_eq!(config.warnings.len(), 4, "{:?}", config.warnings);
    assert!(parse_text("").unwrap().container_url.is_none());
    assert!(parse_text("# nothing\n").unwrap().registries.is_empty());
}

#[test]
fn mistakes_are_named() {
    // text, what the message must hold
    let table: &[(&str, &[&str])] = &[
        (
            "containerURL: a.b/c",
            &["line 1", "`containerURL`", "`containerUrl`"],
        ),
        (
            "zzz: 1\nstateroot: x",
            &["line 1", "`zzz`", "known here are", "`stateroot`"],
        ),
        (
            "\ninstallOptions:\n  bootlaoder: grub",
            &["line 3", "`installOptions.bootlaoder`", "`bootloader`"],
        ),
        (
            "registryAuth:\n  registries:\n    quay.io:\n      insecur: true",
            &[
                "line 4",
                "`registryAuth.registries.quay.io.insecur`",
                "`insecure`",
            ],
        ),
        (
            "registryAuth:\n  registrys: {}",
            &["line 2", "`registries`"],
        ),
        (
            "registryAuth:\n  registries:\n    https://quay.io: {}",
            &["line 3", "no registry", "without https://"],
        ),
        (
            "registryAuth: { registries: { q.io: { insecure: yes } } }",
            &["`registryAuth.registries.q.io.insecure`", "true or false"],
        ),
        (
            "registryAuth: { registries: { q.io: { username: a } } }",
            &["credentials do not fit together", "passwordFile"],
        ),
        (
            "registryAuth: { registries: { q.io: { auth: hushhush, username: a } } }",
            &["credentials do not fit together"],
        ),
        (
            "registryAuth: { registries: { q.io: { username: a, password: 4711 } } }",
            &["a text is expected here, not a number", "quotes"],
        ),
        (
            "registryAuth: [a]",
            &["a mapping of keys is expected here, not a list"],
        ),
        ("- a", &["a mapping of keys is expected"]),
        (
            "installOptions:\n  kargs: quiet",
            &["line 2", "a list is expected", "not a text"],
        ),
        (
            "layouts: /m/images",
            &["line 1", "a list is expected", "not a text"],
        ),
        ("layout: [/m/images]", &["`layout`", "`layouts`"]),
        (
            "installOptions:\n  bootloader: grup",
            &["line 2", "`grup`", "`grub`"],
        ),
        ("installOptions:\n  rootfs_type: zfs", &["`zfs`", "`ext4`"]),
        (
            "installOptions:\n  target_arch: s390x",
            &["`s390x` is not the architecture"],
        ),
        (
            "installOptions:\n  rootfsType: xfs\n  rootfs_type: xfs",
            &["line 2", "the same key is there as `rootfs_type`"],
        ),
        (
            "containerUrl: '{{ registy }}/a'\nvariables: { registry: b.c }",
            &["line 1", "`registy`", "`registry`"],
        ),
        (
            "containerUrl: '{{ a }}/b'",
            &["`a` is not defined", "variables"],
        ),
        ("containerUrl: '{{ a'", &["has no `}}`"]),
        ("installationApproach: kickstart", &["line 1", "Anaconda"]),
        ("installationApproach: ignition", &["Ignition"]),
        ("installationApproach: systmd", &["`systemd`"]),
        ("transport: oci-archive", &["`oci-archive`", "skopeo"]),
        ("transport: registri", &["`registry`"]),
        ("containerUrl: [", &["not valid YAML", "line"]),
        (
            "stateroot: a\nstateroot: b",
            &["not valid YAML", "stateroot"],
        ),
        (
            "page:\n  catalog: []",
            &["line 2", "`page.catalog`", "`catalogue`"],
        ),
        (
            "page:\n  catalogue:\n    - name: A\n      reference: a.b/c\n    - name: B\n      referense: a.b/c",
            &["line 6", "`page.catalogue[1].referense`", "`reference`"],
        ),
        (
            "page:\n  catalogue:\n  - name: A\n    reference: a.b/c\n    nam[de]: B",
            &["line 5", "`page.catalogue[0].nam[de]`", "`name`"],
        ),
        (
            "page:\n  catalogue:\n  - name: A\n    reference: debian",
            &[
                "line 4",
                "`page.catalogue[0].reference`",
                "`debian` is no image",
                "docker.io/library/debian",
            ],
        ),
        (
            "page: { catalogue: [{ name: A, reference: 'oci-archive:/x' }] }",
            &["`page.catalogue[0].reference`", "`oci-archive`"],
        ),
        (
            "page: { catalogue: [{ name: A, reference: '{{ r }}/c' }] }",
            &["`page.catalogue[0].reference`", "`r` is not defined"],
        ),
        (
            "page: { catalogue: [{ reference: a.b/c }] }",
            &["`name` is missing"],
        ),
        (
            "page: { catalogue: [{ 'name[de]': A, reference: a.b/c }] }",
            &["translations only"],
        ),
        (
            "page:\n  catalogue:\n    - name: A\n      name[de-AT]: B\n      reference: a.b/c",
            &["line 4", "`page.catalogue[0].name[de-AT]`", "no locale"],
        ),
        ("page: { catalogue: { name: A } }", &["a list is expected"]),
        (
            "page: { catalogue: [a] }",
            &["`page.catalogue[0]`", "a mapping of keys is expected"],
        ),
        (
            "page:\n  allowOther: 'no'",
            &["line 2", "true or false is expected"],
        ),
        (
            "page:\n  allowOther: false",
            &["line 2", "no image to choose"],
        ),
        (
            "variables:\n  tag: 13.10\n",
            &["line 2", "`variables.tag`", "as 13.1.", "into quotes"],
        ),
        ("variables: { tag: 0xd }", &["YAML reads this as 13"]),
        ("variables: { tag: 1e3, other: 1000.0 }", &["into quotes"]),
        ("variables: { tag: True }", &["YAML reads this as true"]),
        ("variables: { tag: }", &["`variables.tag`", "not nothing"]),
        ("variables: { tag: [13] }", &["`variables.tag`", "a list"]),
    ];
    for (text, parts) in table {
        let err = parse_text(text).unwrap_err();
        assert_eq!(err.code, Code::ConfigInvalid, "{text}");
        let message = format!("{err} {}", err.details.join(" "));
        assert!(message.contains("/etc/bootc.conf"), "{text}: {message}");
        for part in *parts {
            assert!(message.contains(part), "{text}: {part}: {message}");
        }
        for secret in ["4711", "hushhush"] {
            assert!(!message.contains(secret), "{message}");
        }
    }
}

#[test]
fn variables_that_are_no_texts_count_as_they_are_written() {
    for (variables, expected) in [
        ("{ tag: 13 }", "13"),
        ("{tag: 13}", "13"),
        ("{ a: 14, tag: 13, tags: 15 }", "13"),
        ("\n  tag: 13", "13"),
        ("\n  \"tag\": 13 # the stable one", "13"),
        ("\n  old: 13.1\n  tag: 13.5", "13.5"),
        ("{ tag: -1 }", "-1"),
        ("{ tag: true }", "true"),
        ("{ tag: '13.10' }", "13.10"),
        ("{ tag: 007 }", "007"),
    ] {
        let text =
            format!("containerUrl: \"r.example/os:{{{{ tag }}}}\"\nvariables: {variables}\n");
        let config = parse_text(&text).unwrap();
        let expected = format!("r.example/os:{expected}");
        assert_eq!(config.container_url, Some(expected), "{text}");
    }
}

#[test]
fn aliases_stand_for_what_they_name() {
    let config = parse_text(
        "layouts: &l [/a, &b /b]\ninstallOptions: {kargs: *l, kargsDelete: [*b]}\n\
         registryAuth: {registries: {a.io: &r {insecure: true}, b.io: *r}}\n",
    )
    .unwrap();
    assert_eq!(config.kargs, ["/a", "/b"]);
    assert_eq!(config.kargs_delete, ["/b"]);
    assert!(config.registries.iter().all(|entry| entry.insecure));
    assert_eq!(config.registries.len(), 2);

    // Merging is no part of YAML 1.2, and never was of this format.
    let merge = "registryAuth: {registries: {a.io: &r {insecure: true}, b.io: {<<: *r}}}";
    let error = parse_text(merge).unwrap_err();
    assert!(
        error.what.contains("`registryAuth.registries.b.io.<<`"),
        "{error}"
    );

    // A mistake in what is named is where it is written.
    let error =
        parse_text("layouts: &l\n- 1\nsource: x\ninstallOptions: {kargs: *l}\n").unwrap_err();
    assert!(error.what.contains("line 2, column 3"), "{error}");

    let mut bomb = "integration:\n- &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..60 {
        let items = format!("*a{}, ", n - 1).repeat(10);
        bomb += &format!("- &a{n} [{items}]\n");
    }
    assert_eq!(parse_text(&bomb).unwrap().warnings.len(), 1);
    let error = parse_text(&format!("{bomb}layouts: [*a59]\n")).unwrap_err();
    assert!(
        error.what.contains("`layouts[0]`: a text is expected"),
        "{error}"
    );
}

#[test]
fn keys_that_are_no_texts_are_told() {
    for (text, part) in [
        ("1: a", "`1` is not a known key"),
        ("true: a", "`true` is not a known key"),
        ("[a]: a", "is not a known key"),
        (
            "variables: {1: a}",
            "`variables.1`: a text is expected as the key",
        ),
        (
            "registryAuth: {registries: {5000: {}}}",
            "`registryAuth.registries.5000`: a text is expected as the key",
        ),
    ] {
        let error = parse_text(text).unwrap_err();
        assert!(error.what.contains(part), "{text}: {error}");
        assert!(error.what.contains("line 1, column "), "{text}: {error}");
    }
}

#[test]
fn what_the_page_offers() {
    let config = parse_text(
        r#"
variables: { registry: r.example }
containerUrl: r.example/os:1
page:
    catalogue:
        - name: "Desktop"
          name[de]: "Schreibtisch"
          name[de_CH]: "Schreibtisch {{ registry }}"
          description: "For every day"
          icon: icons/desktop.svg
          reference: "{{ registry }}/os/desktop:13"
        - name: Server
          icon: network-server
          reference: "oci:/run/medium:server"
        - { name: Third, icon: third.png, reference: "r.example/third" }
    allowOther: false
    skipWhenValid: true
"#,
    )
    .unwrap();
    assert!(!config.page.allow_other && config.page.skip_when_valid);
    assert!(config.warnings.is_empty());
    let [desktop, server, third] = config.page.catalogue.as_slice() else {
        panic!()
    };
    assert_eq!(desktop.reference, "r.example/os/desktop:13");
    assert_eq!(desktop.name.default, "Desktop");
    assert_eq!(desktop.name.get("de_CH"), "Schreibtisch r.example");
    assert_eq!(
        desktop.description.as_ref().unwrap().get("de"),
        "For every day"
    );
    assert_eq!(
        [&desktop.icon, &server.icon, &third.icon],
        [
            &Some(Icon::File("/etc/icons/desktop.svg".into())),
            &Some(Icon::Theme("network-server".into())),
            &Some(Icon::File("/etc/third.png".into())),
        ]
    );
    assert_eq!(server.reference, "oci:/run/medium:server");
    assert!(server.description.is_none());

    let usual = parse_text("page:\n").unwrap().page;
    assert_eq!(usual, Page::default());
    assert!(usual.allow_other && !usual.skip_when_valid && usual.catalogue.is_empty());
}

#[test]
fn the_nearest_translation() {
    let text = Localized {
        default: "default".into(),
        translations: ["de", "de_CH", "pt_BR", "sr", "sr@latin", "ca@valencia"]
            .map(|locale| (locale.to_owned(), locale.to_owned()))
            .into(),
    };
    for (locale, found) in [
        ("de", "de"),
        ("de_AT", "de"),
        ("de_CH.UTF-8", "de_CH"),
        ("de-CH", "de_CH"),
        ("de_DE@euro", "de"),
        ("pt_BR", "pt_BR"),
        ("pt_PT", "default"),
        ("sr@latin", "sr@latin"),
        ("sr_RS.UTF-8@latin", "sr@latin"),
        ("sr_RS", "sr"),
        ("ca_ES@valencia", "ca@valencia"),
        ("ca", "default"),
        ("C", "default"),
        ("", "default"),
    ] {
        assert_eq!(text.get(locale), found, "{locale}");
    }
}

#[test]
fn unreadable_file() {
    let err = read(Path::new("/nonexistent/bootc.conf")).unwrap_err();
    assert_eq!(err.code, Code::ConfigInvalid);
    assert!(err.what.contains("/nonexistent/bootc.conf"));
}
