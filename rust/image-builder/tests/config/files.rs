// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether named files are looked at.

use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n rest";
const SVG: &[u8] = b"<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
const DEB: &[u8] = b"!<arch>\ndebian-binary   rest";
const PEM: &[u8] = b"Some text\n-----BEGIN CERTIFICATE-----\n";

const KEY: &[u8] = b"-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENmPF4ZwjQgMpWP/FqXXCq3xMlc3l
jvMWJ0czelU4sz8F62cDbBMAg5cx9u1F7ke82w99WsiTAezVXBJnx9d0qQ==
-----END PUBLIC KEY-----
";

/// A directory with one good file of each kind.
fn directory() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for (name, bytes) in [
        ("a.png", PNG),
        ("a.svg", SVG),
        ("a_1_all.deb", DEB),
        ("ca.pem", PEM),
        ("cosign.pub", KEY),
        ("other", b"something else"),
        ("other_1_all.deb", b"<html>"),
        ("empty.svg", b""),
    ] {
        std::fs::write(at(name), bytes).unwrap();
    }
    for (name, text) in [
        ("mine", "componentName: mine\n"),
        ("named", "componentName: other\n"),
        ("nameless", "strings: {}\n"),
        ("broken", "componentName: [\n"),
    ] {
        std::fs::create_dir(at(name)).unwrap();
        std::fs::write(at(name).join("branding.desc"), text).unwrap();
    }
    std::fs::create_dir(at("bare")).unwrap();
    dir
}

fn check(dir: &Path, text: &str) -> Result<(), Error> {
    let file = dir.join("distro.yaml");
    std::fs::write(&file, text).unwrap();
    let distro = Distro::read(&file).unwrap_or_else(|e| panic!("{text}\n{e}"));
    distro.check_files()
}

#[test]
fn good_files() {
    let dir = directory();
    for text in [
        "",
        "branding: {logo: a.svg, icon: a.png, welcome: a.svg, slides: [a.svg, a.png], splash: a.png}",
        "branding: {component: mine, splash: a.png}",
        "branding: {component: bare/../mine}",
        "debs: [a_1_all.deb]",
        "tree: bare",
        "images: {catalogue: [{name: A, icon: a.svg, reference: r.example/a}, {name: B, icon: computer, reference: r.example/b}]}",
        "calamares: {registry_auth: {registries: {r.example: {ca: ca.pem}}}}",
        "calamares: {registry_auth: {registries: {r.example: {signatureKeys: [cosign.pub]}}}}",
    ] {
        check(dir.path(), text).unwrap_or_else(|e| panic!("{text}\n{e}"));
    }
    Distro::default().check_files().unwrap();
}

#[test]
fn bad_files_are_named_with_their_line() {
    let dir = directory();
    // `D` is the directory.
    #[rustfmt::skip]
    let table = [
        ("branding:\n  logo: none.svg\n", "line 2, column 3: `branding.logo`: the file D/none.svg cannot be read.", "Correct the path; it starts at the directory of this file."),
        ("branding:\n  icon: bare\n", "line 2, column 3: `branding.icon`: the file D/bare cannot be read.", "Correct the path; it starts at the directory of this file."),
        ("branding:\n  welcome: other\n", "line 2, column 3: `branding.welcome`: D/other is no SVG or PNG picture.", "Convert it to SVG or PNG."),
        ("branding: {logo: empty.svg}", "line 1, column 12: `branding.logo`: D/empty.svg is no SVG or PNG picture.", "Convert it to SVG or PNG."),
        ("branding:\n  slides:\n  - a.svg\n  - other\n", "line 4, column 5: `branding.slides[1]`: D/other is no SVG or PNG picture.", "Convert it to SVG or PNG."),
        ("branding:\n  splash: a.svg\n", "line 2, column 3: `branding.splash`: D/a.svg is no PNG picture.", "Convert it to PNG."),
        ("branding:\n  component: none\n", "line 2, column 3: `branding.component`: the directory D/none cannot be read.", "Correct the path; it starts at the directory of this file."),
        ("branding: {component: bare}", "line 1, column 12: `branding.component`: D/bare/branding.desc cannot be read.", "Name the directory that holds branding.desc."),
        ("branding: {component: named}", "line 1, column 12: `branding.component`: the component calls itself `other`.", "Write `componentName: named` in branding.desc."),
        ("branding: {component: nameless}", "line 1, column 12: `branding.component`: D/nameless/branding.desc has no `componentName`.", "Write `componentName: nameless` in branding.desc."),
        ("branding: {component: broken}", "line 1, column 12: `branding.component`: D/broken/branding.desc is not valid YAML.", "Correct that file."),
        ("images:\n  catalogue:\n  - name: A\n    icon: ./other\n    reference: r.example/a\n", "line 4, column 5: `images.catalogue[0].icon`: D/other is no SVG or PNG picture.", "Convert it to SVG or PNG."),
        ("calamares: {registry_auth: {registries: {r.example: {signatureKeys: [ca.pem]}}}}", "line 1, column 70: `calamares.registry_auth.registries.r.example.signatureKeys[0]`: D/ca.pem is no public key.", "Name the public key of whoever signs the images."),
        ("calamares:\n  registry_auth:\n    registries:\n      r.example:\n        ca: other\n", "line 5, column 9: `calamares.registry_auth.registries.r.example.ca`: D/other holds no certificate in PEM.", "Convert it: openssl x509 -in FILE -inform DER -out FILE.pem."),
        ("debs:\n- a_1_all.deb\n- none_1_all.deb\n", "line 3, column 3: `debs[1]`: the file D/none_1_all.deb cannot be read.", "Correct the path; it starts at the directory of this file."),
        ("debs: [other_1_all.deb]", "line 1, column 8: `debs[0]`: D/other_1_all.deb is no Debian package.", "Fetch or build it again."),
        ("tree: other", "line 1, column 1: `tree`: the directory D/other cannot be read.", "Correct the path; it starts at the directory of this file."),
    ];
    let place = dir.path().display().to_string();
    for (text, what, next) in table {
        let error = check(dir.path(), text).expect_err(text);
        assert_eq!(error.code, Code::ConfigInvalid, "{text}");
        let what = what.replace("D/", &format!("{place}/"));
        assert_eq!(error.what, format!("{place}/distro.yaml, {what}"), "{text}");
        assert_eq!(error.next, next, "{text}");
        assert!(!error.why.is_empty() || text.contains("broken"), "{text}");
    }
}
