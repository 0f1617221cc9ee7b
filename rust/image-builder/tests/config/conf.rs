// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc.conf` made from `distro.yaml`, as the installer reads it.

use super::*;
use installer::config as read;

const LAYOUT: &str = "oci:/run/live/medium/images:a";

/// The installer's reading of what was made.
fn conf(text: &str) -> read::Config {
    let path = Path::new("/etc/calamares/modules/bootc.conf");
    let text = Zeroizing::new(text.to_owned());
    let config = read::parse(path, text.clone()).unwrap_or_else(|e| panic!("{}\n{e}", *text));
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    config
}

fn embedded(references: &[&str]) -> BTreeMap<String, String> {
    let pairs = references.iter().map(|r| ((*r).into(), LAYOUT.into()));
    pairs.collect()
}

/// A file, the images on the medium, and what the installer must find.
type Row = (&'static str, &'static [&'static str], fn(&read::Config));

#[test]
fn the_installer_reads_it() {
    #[rustfmt::skip]
    let table: Vec<Row> = vec![
        ("", &[], |c| {
            assert_eq!(c.container_url, None);
            assert_eq!(c.page, read::Page::default());
            // What is not said stays with the installer's defaults.
            assert_eq!((c.keep_credentials, c.keep_registries), (None, None));
            assert!(c.registries.is_empty() && c.kargs.is_empty() && c.stateroot.is_none());
        }),
        ("images: {default: r.example/a:1, allowOther: false}", &[], |c| {
            assert_eq!(c.container_url.as_deref(), Some("r.example/a:1"));
            assert!(!c.page.allow_other);
            assert_eq!(c.source, None);
        }),
        ("images: {default: r.example/a:1, allowOther: false, embed: true}", &["r.example/a:1"], |c| {
            // Updates come from the registry: a local containerUrl would need
            // a targetImgref, this one is it.
            assert_eq!(c.container_url.as_deref(), Some("r.example/a:1"));
            assert_eq!(c.target_imgref, None);
            assert_eq!(c.source.as_deref(), Some(LAYOUT));
        }),
        ("images: {default: r.example/a:1, allowOther: false, embed: true, catalogue: [{name: A, reference: r.example/a:1}]}", &["r.example/a:1"], |c| {
            assert_eq!(c.source.as_deref(), Some(LAYOUT));
        }),
        // With anything else to choose, `source` would install the wrong image.
        ("images: {default: r.example/a:1, embed: true}", &["r.example/a:1"], |c| {
            assert_eq!(c.container_url.as_deref(), Some("r.example/a:1"));
            assert_eq!(c.source, None);
        }),
        ("images: {default: r.example/a:1, allowOther: false, embed: true, catalogue: [{name: B, reference: r.example/b:1}]}", &["r.example/a:1"], |c| {
            assert_eq!(c.source, None);
        }),
        ("images: {catalogue: [{name: B, reference: r.example/b:1}], embed: [r.example/b:1]}", &["r.example/b:1"], |c| {
            assert_eq!(c.source, None);
            assert_eq!(c.page.catalogue[0].reference, "r.example/b:1");
        }),
        ("calamares: {container_config: {stateroot: os}, kernelArguments: [quiet, 'console=ttyS0,115200']}", &[], |c| {
            assert_eq!(c.stateroot.as_deref(), Some("os"));
            assert_eq!(c.kargs, ["quiet", "console=ttyS0,115200"]);
        }),
        ("calamares: {registry_auth: {registries: {b.example/x: {insecure: true, ca: certs/ca.pem, mirrors: [m.example, n.example/y]}, 'a.example:5000': {ca: other/ca.pem}, c.example: {ca: certs/ca.pem}}}}", &[], |c| {
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
        ("images:\n  catalogue:\n  - name: \"It's: \\\"A\\\" # {1}\"\n    name[de]: B\n    description: \"C\\nD\"\n    icon: '{{x}}/my icon.svg'\n    reference: r.example/a:1\n  - {name: 'yes', icon: computer, reference: r.example/b:1}\n", &[], |c| {
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
    for (text, on_medium, check) in table {
        let made = bootc_conf(&good(text), &embedded(on_medium));
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
    assert_eq!(bootc_conf(&distro, &embedded(&[])).files, files);
}

/// An image that is on the medium for nothing is told of.
#[test]
fn what_cannot_be_said_is_a_warning() {
    #[rustfmt::skip]
    let table: [(&str, &[&str], &[&str]); 5] = [
        ("images: {default: r.example/a:1}", &[], &[]),
        ("images: {default: r.example/a:1, allowOther: false}", &["r.example/a:1"], &[]),
        ("images: {default: r.example/a:1}", &["r.example/a:1"], &[
            "r.example/a:1 is on the medium, but is downloaded all the same: the installer would take what is on the medium for every other image, too. With `images.allowOther: false` and no other image in the catalogue it is taken from the medium.",
        ]),
        ("images: {catalogue: [{name: B, reference: r.example/b:1}]}", &["r.example/b:1"], &[
            "r.example/b:1 is on the medium, but is downloaded all the same: the installer takes only the default image from the medium.",
        ]),
        // One sentence for an image that is both.
        ("images: {default: r.example/a:1, catalogue: [{name: A, reference: r.example/a:1}]}", &["r.example/a:1"], &[
            "r.example/a:1 is on the medium, but is downloaded all the same: the installer would take what is on the medium for every other image, too. With `images.allowOther: false` and no other image in the catalogue it is taken from the medium.",
        ]),
    ];
    for (text, on_medium, warnings) in table {
        let made = bootc_conf(&good(text), &embedded(on_medium));
        assert_eq!(made.warnings, warnings, "{text}");
    }
}

/// What an installer with more abilities is told.
#[test]
fn abilities_change_the_text() {
    let distro = good(
        "images: {default: r.example/a:1, catalogue: [{name: B, reference: r.example/b:1}, {name: C, reference: r.example/c:1}]}",
    );
    let abilities = Abilities {
        source_of_default_only: true,
        catalogue_source: true,
    };
    let on_medium = embedded(&["r.example/a:1", "r.example/b:1"]);
    let made = bootc_conf_for(&distro, &on_medium, abilities);
    assert_eq!(made.warnings, [""; 0]);
    let value: serde_yaml::Value = serde_yaml::from_str(&made.text).unwrap();
    assert_eq!(value["source"].as_str(), Some(LAYOUT));
    assert_eq!(value["containerUrl"].as_str(), Some("r.example/a:1"));
    let catalogue = &value["page"]["catalogue"];
    assert_eq!(catalogue[0]["source"].as_str(), Some(LAYOUT));
    assert_eq!(catalogue[0]["reference"].as_str(), Some("r.example/b:1"));
    assert!(catalogue[1].get("source").is_none());
    // Today's installer gets nothing of it.
    let today = bootc_conf(&distro, &on_medium);
    assert!(!today.text.contains("source"), "{}", today.text);
    assert_eq!(today, bootc_conf_for(&distro, &on_medium, Abilities::TODAY));
}

/// Whether [`Abilities::TODAY`] is true: it must be changed together with the
/// installer.
#[test]
fn the_abilities_are_those_of_the_installer() {
    let text = "page: {catalogue: [{name: A, reference: r.example/a, source: 'oci:/x:1'}]}";
    let parsed = read::parse(Path::new("/x/bootc.conf"), Zeroizing::new(text.to_owned()));
    assert_eq!(parsed.is_ok(), Abilities::TODAY.catalogue_source);
}
