// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc.conf` made from `distro.yaml`, as the installer reads it.

use super::*;
use ::conf as read;

const LAYOUT: &str = "/run/live/medium/images";

/// The installer's reading of what was made.
fn conf(text: &str) -> read::Config {
    let path = Path::new("/etc/calamares/modules/bootc.conf");
    let text = Zeroizing::new(text.to_owned());
    let config = read::parse(path, text.clone()).unwrap_or_else(|e| panic!("{}\n{e}", *text));
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    config
}

/// A file, and what the installer must find.
type Row = (&'static str, fn(&read::Config));

#[test]
fn the_installer_reads_it() {
    #[rustfmt::skip]
    let table: Vec<Row> = vec![
        ("", |c| {
            assert_eq!(c.container_url, None);
            assert_eq!(c.page, read::Page::default());
            // What is not said stays with the installer's defaults.
            assert_eq!((c.keep_credentials, c.keep_registries), (None, None));
            assert!(c.registries.is_empty() && c.kargs.is_empty() && c.stateroot.is_none());
        }),
        ("images: {default: r.example/a:1, allowOther: false}", |c| {
            assert_eq!(c.container_url.as_deref(), Some("r.example/a:1"));
            assert!(!c.page.allow_other);
            assert_eq!(c.layouts, [Path::new("auto")]);
        }),
        // What is on the medium stands in and saves downloads; it is no `source`,
        // which would count for every other image as well.
        ("images: {default: r.example/a:1, embed: true}", |c| {
            assert_eq!(c.container_url.as_deref(), Some("r.example/a:1"));
            assert_eq!(c.target_imgref, None);
            assert_eq!(c.source, None);
            assert_eq!(c.layouts, [LAYOUT, "auto"].map(Path::new));
        }),
        ("images: {catalogue: [{name: B, reference: r.example/b:1}], embed: [r.example/b:1]}", |c| {
            assert_eq!(c.layouts, [LAYOUT, "auto"].map(Path::new));
            assert_eq!(c.page.catalogue[0].reference, "r.example/b:1");
        }),
        ("calamares: {container_config: {stateroot: os}, kernelArguments: [quiet, 'console=ttyS0,115200']}", |c| {
            assert_eq!(c.stateroot.as_deref(), Some("os"));
            assert_eq!(c.kargs, ["quiet", "console=ttyS0,115200"]);
        }),
        ("calamares: {registry_auth: {registries: {b.example/x: {insecure: true, ca: certs/ca.pem, mirrors: [m.example, n.example/y]}, 'a.example:5000': {ca: other/ca.pem}, c.example: {ca: certs/ca.pem}}}}", |c| {
            let prefixes: Vec<&str> = c.registries.iter().map(|r| r.prefix.as_str()).collect();
            assert_eq!(prefixes, ["b.example/x", "a.example:5000", "c.example"]);
            let cas: Vec<_> = c.registries.iter().map(|r| r.ca.as_deref().unwrap()).collect();
            assert_eq!(cas, [
                Path::new("/etc/calamares-bootc/ca/1-ca.pem"),
                Path::new("/etc/calamares-bootc/ca/2-ca.pem"),
                Path::new("/etc/calamares-bootc/ca/1-ca.pem"),
            ]);
            assert!(c.registries[0].insecure && !c.registries[1].insecure);
            assert_eq!(c.registries[0].mirrors, ["m.example", "n.example/y"]);
            assert!(c.registries.iter().all(|r| r.login.is_none()));
        }),
        ("images:\n  catalogue:\n  - name: \"It's: \\\"A\\\" # {1}\"\n    name[de]: B\n    description: \"C\\nD\"\n    icon: '{{x}}/my icon.svg'\n    reference: r.example/a:1\n  - {name: 'yes', icon: computer, reference: r.example/b:1}\n", |c| {
            let [first, second] = c.page.catalogue.as_slice() else { panic!("{:?}", c.page) };
            assert_eq!((first.name.get("en"), first.name.get("de_AT")), ("It's: \"A\" # {1}", "B"));
            assert_eq!(first.description.as_ref().unwrap().get("de"), "C\nD");
            assert_eq!(first.icon, Some(read::Icon::File("/etc/calamares-bootc/icons/1-my_icon.svg".into())));
            assert_eq!(first.reference, "r.example/a:1");
            assert_eq!(second.name.get("de"), "yes");
            assert_eq!(second.description, None);
            assert_eq!(second.icon, Some(read::Icon::Theme("computer".into())));
        }),
    ];
    for (text, check) in table {
        let made = bootc_conf(&good(text), LAYOUT).unwrap();
        check(&conf(&made.text));
    }
}

#[test]
fn files_of_this_machine_are_listed() {
    let distro = good(
        "calamares: {registry_auth: {registries: {a.example: {ca: x/ca.pem}, b.example: {ca: y/ca.pem}, c.example: {ca: x/ca.pem}}}}\n\
         images: {catalogue: [{name: A, icon: x/ca.pem, reference: r.example/a}, {name: B, icon: computer, reference: r.example/b}]}\n",
    );
    let files: Vec<(PathBuf, String)> = [
        ("/d/x/ca.pem", "/etc/calamares-bootc/ca/1-ca.pem"),
        ("/d/y/ca.pem", "/etc/calamares-bootc/ca/2-ca.pem"),
        ("/d/x/ca.pem", "/etc/calamares-bootc/icons/1-ca.pem"),
    ]
    .map(|(from, to)| (from.into(), to.into()))
    .into();
    assert_eq!(bootc_conf(&distro, LAYOUT).unwrap().files, files);
}
