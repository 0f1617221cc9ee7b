// SPDX-License-Identifier: MIT OR Apache-2.0
//! Files that are refused, with the whole message.

use super::*;

const IMAGE: &str = "Write it in full, for example registry.example/os/debian:13.";
const NO_LIST: &str = "Write `[first, second]`, or one entry per line after `- `.";

/// Text of the file; what, why, next.
#[rustfmt::skip]
fn table() -> Vec<(String, [String; 3])> {
    let rows: Vec<(&str, &str, &str, &str)> = vec![
        // Keys
        ("suite: trixie\nprodukt: {}\n", "line 2, column 1: `produkt` is not a known key.", "Perhaps `product` was meant.", "Write `product`, or remove the key."),
        ("zzz: 1", "line 1, column 1: `zzz` is not a known key.", "No key here has a similar name.", "Remove it; known here are `product`, `branding`, `suite`, `mirrors`, `registries`, `containers`, `images`, `calamares`, `packages`, `debs`, `firmware`, `live`, `recipe`, `secureBoot`, `compression`, `tree`."),
        ("product:\n  # x\n  name: A\n  short_name: A\n", "line 4, column 3: `product.short_name` is not a known key.", "Perhaps `shortName` was meant.", "Write `shortName`, or remove the key."),
        ("product: {name: A, nmae: B}\n", "line 1, column 20: `product.nmae` is not a known key.", "Perhaps `name` was meant.", "Write `name`, or remove the key."),
        ("branding:\n  sidebar:\n    backgruond: \"#000000\"\n", "line 3, column 5: `branding.sidebar.backgruond` is not a known key.", "Perhaps `background` was meant.", "Write `background`, or remove the key."),
        ("images:\n  catalogue:\n  - name: A\n    refrence: r.example/a\n", "line 4, column 5: `images.catalogue[0].refrence` is not a known key.", "Perhaps `reference` was meant.", "Write `reference`, or remove the key."),
        ("registries:\n  a: {baseUrl: r.example}\n", "line 2, column 7: `registries.a.baseUrl` is not a known key.", "Perhaps `base_url` was meant.", "Write `base_url`, or remove the key."),
        ("calamares:\n  registry_auth:\n    registries:\n      r.example:\n        insecur: true\n", "line 5, column 9: `calamares.registry_auth.registries.r.example.insecur` is not a known key.", "Perhaps `insecure` was meant.", "Write `insecure`, or remove the key."),
        // Types
        ("a", "a mapping of keys is expected here, not a text.", "", "Write keys and values: `key: value`, one per line."),
        ("product: A", "line 1, column 1: `product`: a mapping of keys is expected here, not a text.", "", "Write its keys below it, indented."),
        ("product:\n  version: 13.10\n", "line 2, column 3: `product.version`: a text is expected here, not a number.", "", "Put the value into quotes."),
        ("images:\n  version: 13\n", "line 2, column 3: `images.version`: a text is expected here, not a number.", "", "Put the value into quotes."),
        ("secureBoot: yes", "line 1, column 1: `secureBoot`: true or false is expected here, not a text.", "", "Write `true` or `false`."),
        ("packages: vim", "line 1, column 1: `packages`: a list is expected here, not a text.", "", NO_LIST),
        ("images:\n  catalogue: {name: A}\n", "line 2, column 3: `images.catalogue`: a list is expected here, not a mapping.", "", NO_LIST),
        ("live: {bootTimeout: soon}", "line 1, column 8: `live.bootTimeout`: a whole number from 0 to 600 is expected here, not a text.", "", "Write such a number, without quotes."),
        ("live:\n  bootTimeout: 601", "line 2, column 3: `live.bootTimeout`: a whole number from 0 to 600 is expected here, not 601.", "", "Write such a number, without quotes."),
        ("live:\n  bootTimeout: -1", "line 2, column 3: `live.bootTimeout`: a whole number from 0 to 600 is expected here, not -1.", "", "Write such a number, without quotes."),
        ("images: {embed: default}", "line 1, column 10: `images.embed`: true, false or a list of images is expected here, not a text.", "", "Write `true`, `false`, or `[name, …]`."),
        ("images: {embed: [{a: b}]}", "line 1, column 18: `images.embed[0]`: the name of an image is expected here, not a mapping.", "", "Write a name of `containers`, or a whole reference."),
        ("firmware: true", "line 1, column 1: `firmware`: a list of sets, `all` or `none` is expected here, not true or false.", "", "Write for example `[wifi, microcode]`."),
        ("firmware: [1]", "line 1, column 12: `firmware[0]`: the name of a set is expected here, not a number.", "", "Write for example `[wifi, microcode]`."),
        // Words
        ("suite: bookworm", "line 1, column 1: `suite`: `bookworm` is not a known value.", "It is misspelt or not supported.", "Write one of `trixie`, `forky`."),
        ("suite: trixi", "line 1, column 1: `suite`: `trixi` is not a known value.", "Perhaps `trixie` was meant.", "Write one of `trixie`, `forky`."),
        ("compression: zst", "line 1, column 1: `compression`: `zst` is not a known value.", "Perhaps `zstd` was meant.", "Write one of `zstd`, `xz`."),
        ("firmware:\n- wifi\n- grafics\n", "line 3, column 3: `firmware[1]`: `grafics` is not a known value.", "Perhaps `graphics` was meant.", "Write one of `wifi`, `network`, `graphics`, `sound`, `microcode`."),
        ("firmware: evrything", "line 1, column 1: `firmware`: `evrything` is not a known value.", "It is misspelt or not supported.", "Write one of `all`, `none`, `wifi`, `network`, `graphics`, `sound`, `microcode`."),
        // Product
        ("product:\n  name: The \"OS\"\n", "line 2, column 3: `product.name`: `The \"OS\"` cannot be shown everywhere.", "'\"' has a meaning of its own in the boot menu or in live-build's settings.", "Leave that character out."),
        ("product: {name: 'a ${x}'}", "line 1, column 11: `product.name`: `a ${x}` cannot be shown everywhere.", "'$' has a meaning of its own in the boot menu or in live-build's settings.", "Leave that character out."),
        ("product:\n  shortName: \"a\\nb\"\n", "line 2, column 3: `product.shortName`: `a�b` cannot be shown everywhere.", "'\\n' has a meaning of its own in the boot menu or in live-build's settings.", "Leave that character out."),
        ("product: {publisher: ''}", "line 1, column 11: `product.publisher`: `` cannot be shown everywhere.", "It is empty, or has a blank at one of its ends.", "Write one or more words."),
        ("product: {id: Example_OS}", "line 1, column 11: `product.id`: `Example_OS` cannot be part of file names, volume name and host name.", "An id has 1 to 24 characters out of a-z, 0-9 and -, with no - at its ends.", "Write for example `example-os`."),
        ("product: {name: 日本}", "line 1, column 11: `product.name`: no id can be made from this name.", "File names, volume and host name have letters a-z, digits and dashes only.", "Add `id` beside it, for example `id: example-os`."),
        ("product: {version: 13 beta}", "line 1, column 11: `product.version`: `13 beta` is no version.", "A version has up to 32 letters, digits and ._+~- and begins with a letter or digit; it is part of file names.", "Write for example \"13.1\"."),
        ("product: {url: www.example.org}", "line 1, column 11: `product.url`: `www.example.org` is no web address.", "It does not begin with http:// or https://.", "Write it in full, for example https://www.example.org/."),
        ("product: {supportUrl: 'https://joe:pw@a.example/'}", "line 1, column 11: `product.supportUrl`: `***@a.example/` is no web address.", "It holds a user name or password, and whoever has the medium could read them.", "Remove what stands before the @."),
        // Branding
        ("branding: {sidebar: {text: white}}", "line 1, column 22: `branding.sidebar.text`: `white` is no colour.", "A colour is a # and six hex digits: two each of red, green and blue.", "Write for example \"#16222e\", in quotes."),
        ("branding:\n  sidebar:\n    text: #ffffff\n", "line 3, column 5: `branding.sidebar.text`: the colour is missing.", "Without quotes, the # of a colour begins a comment.", "Put the value into quotes, for example \"#16222e\"."),
        ("branding:\n  component: mine\n  logo: logo.svg\n", "line 3, column 3: `branding.logo`: it does not go with `component`.", "A component of Calamares has pictures and colours of its own.", "Remove `logo` and change the component, or remove `component`."),
        ("branding: {splash: ''}", "line 1, column 12: `branding.splash`: `` is no path.", "It is empty or holds a control character.", "Write the path of a file, from the directory of this one."),
        // Packages
        ("mirrors: {snapshot: yesterday}", "line 1, column 11: `mirrors.snapshot`: `yesterday` is no snapshot.", "A snapshot is a time in UTC, or the address of a directory with `debian` and `debian-security`.", "Write for example 20261101T000000Z; http://snapshot.debian.org lists them."),
        ("mirrors: {debian: 'http://a.example/x', snapshot: 'http://b.example'}", "line 1, column 41: `mirrors.snapshot`: an address goes with neither `debian` nor `security`.", "It is the directory in which both are.", "Remove them, or write a time such as 20261101T000000Z."),
        ("mirrors: {debian: 'http://a.example/?x'}", "line 1, column 11: `mirrors.debian`: `http://a.example/?x` is no mirror.", "Only host and directory can be named.", "Write for example http://deb.debian.org/debian."),
        ("packages:\n- vim\n- vim=1.0\n", "line 3, column 3: `packages[1]`: `vim=1.0` is no name of a Debian package.", "Package names have two or more characters out of a-z, 0-9, +, - and ., without a version or suite.", "Write the name alone, as `apt-cache search` shows it."),
        ("debs: [a_1_arm64.deb]", "line 1, column 8: `debs[0]`: `a_1_arm64.deb` is no package file for this medium.", "Its name does not end in _amd64.deb or _all.deb.", "Name files as dpkg-deb makes them: name_version_amd64.deb."),
        ("debs:\n- a/a_1_all.deb\n- b/a_1_all.deb\n", "line 3, column 3: `debs[1]`: this file has the name of `debs[0]`.", "All of them are put into one directory.", "Remove one of the two."),
        // Images
        ("images: {default: debian}", "line 1, column 10: `images.default`: there is no container `debian`.", "Nothing is below `containers`.", "Write a name of `containers`, or a whole reference such as registry.example/os/debian:13."),
        ("containers: {bootc_base: r.example/a}\nimages:\n  default: bootc-base\n", "line 3, column 3: `images.default`: there is no container `bootc-base`.", "Perhaps `bootc_base` was meant.", "Write a name of `containers`, or a whole reference such as registry.example/os/debian:13."),
        ("images:\n  default: debian:13\n", "line 2, column 3: `images.default`: `debian:13` is no image in a registry.", "The name has no registry host and is therefore ambiguous; write `docker.io/library/debian:13`.", IMAGE),
        ("images: {default: 'oci:/x:1'}", "line 1, column 10: `images.default`: `oci:/x:1` is no image in a registry.", "It is read through `oci:`, which the installed system could not update from.", IMAGE),
        ("images: {default: 'joe:pw@r.example/a:1'}", "line 1, column 10: `images.default`: `***@r.example/a:1` is no image in a registry.", "A reference cannot hold a user name or password; put them into an auth file.", IMAGE),
        ("images: {default: 'r.example/x:{version}'}", "line 1, column 10: `images.default`: a template cannot stand here.", "Variables in braces are filled in below `containers` only.", "Give the template a name below `containers`, and write that name."),
        ("containers:\n  a: \"{registri}/x\"\n", "line 2, column 3: `containers.a`: there is no variable `{registri}`.", "Perhaps `{registry}` was meant.", "Write {registry}, {namespace} or {version}."),
        ("containers:\n  a: \"{registry/x\"\n", "line 2, column 3: `containers.a`: a `{` has no `}`.", "", "Write variables as {registry}, {namespace} and {version}."),
        ("containers:\n  a/b: r.example/x\n", "line 2, column 3: `containers.a/b`: `a/b` cannot be a name here.", "Names have letters, digits, `_`, `-` and `.`; a slash would make it a reference.", "Rename it."),
        ("registries: {a: {base_url: r.example}}\ncontainers:\n  x: \"{registry}/A:1\"\n", "line 3, column 3: `containers.x`: `r.example/A:1` is no image in a registry.", "Repository names are lower case; write `a`.", IMAGE),
        ("containers: {a: \"{registry}/x\"}\nimages:\n  default: a\n", "line 3, column 3: `images.default`: nothing fills {registry} of the container `a`.", "Nothing is below `registries`.", "Add one: `registries: {production: {base_url: registry.example, namespace: debian}}`."),
        ("registries: {a: {base_url: a.example}, b: {base_url: b.example}}\ncontainers: {x: \"{registry}/x\"}\nimages:\n  default: x\n", "line 4, column 3: `images.default`: nothing fills {registry} of the container `x`.", "There are several `registries`, and none was chosen.", "Add `images.registry` with the name of one of them."),
        ("registries: {p: {base_url: a.example}}\ncontainers: {a: \"{registry}/{namespace}/x\"}\nimages:\n  embed: [a]\n", "line 4, column 11: `images.embed[0]`: nothing fills {namespace} of the container `a`.", "`registries.p` has no `namespace`.", "Add it there, or take it out of the template."),
        ("registries: {p: {base_url: a.example, namespace: n}}\ncontainers: {a: \"{registry}/{namespace}/x:{version}\"}\nimages:\n  catalogue:\n    - name: A\n      reference: a\n", "line 6, column 7: `images.catalogue[0].reference`: nothing fills {version} of the container `a`.", "`images.version` is missing.", "Add it, for example `version: \"13\"`."),
        ("images: {registry: production}", "line 1, column 10: `images.registry`: there is no registry `production`.", "Nothing is below `registries`.", "Add it: `registries: {production: {base_url: registry.example}}`."),
        ("registries: {production: {base_url: a.example}, development: {base_url: b.example}}\nimages:\n  registry: producton\n", "line 3, column 3: `images.registry`: `producton` is not a known value.", "Perhaps `production` was meant.", "Write one of `production`, `development`."),
        ("registries:\n  a:\n    base_url: https://a.example\n", "line 3, column 5: `registries.a.base_url`: `https://a.example` is no registry.", "A registry is written as host, host:port or host/namespace, without https://.", "Write for example `registry.example` or `registry.example:5000/team`."),
        ("registries:\n  a: {namespace: x}\n", "line 2, column 3: `registries.a`: `base_url` is missing.", "It fills {registry} in `containers`.", "Add it, for example `base_url: registry.example`."),
        ("registries: {a: {base_url: r.example, namespace: /x}}", "line 1, column 39: `registries.a.namespace`: `/x` is no namespace.", "A namespace is what stands between the registry and the name of the image, in lower case and without slashes at its ends.", "Write for example `debian`."),
        ("images: {version: a b}", "line 1, column 10: `images.version`: `a b` cannot be a tag.", "A tag has letters, digits, `_`, `.` and `-`, and does not begin with `.` or `-`.", "Write for example \"13\"."),
        ("images:\n  catalogue:\n  - reference: r.example/a\n", "line 3, column 5: `images.catalogue[0]`: `name` is missing.", "An image of the catalogue has a name and a reference.", "Add `name`, or remove the entry."),
        ("images:\n  catalogue:\n  - name: A\n    reference: r.example/a\n  - name: B\n", "line 5, column 5: `images.catalogue[1]`: `reference` is missing.", "An image of the catalogue has a name and a reference.", "Add `reference`, or remove the entry."),
        ("images:\n  catalogue:\n  - name: A\n    name[DE]: B\n", "line 4, column 5: `images.catalogue[0].name[DE]`: `DE` is no language.", "Languages here are written like de, de_AT or sr@latin.", "Correct what is between the brackets."),
        ("images:\n  catalogue:\n  - name[de]: B\n", "line 3, column 5: `images.catalogue[0]`: `name` is there in translations only.", "People with another language would see nothing.", "Add `name` without brackets."),
        ("images: {catalogue: [{name: '{{ x }}', reference: r.example/a}]}", "line 1, column 23: `images.catalogue[0].name`: `{{ x }}` cannot be shown on the page.", "`{{` begins a variable in bootc.conf, where the text is copied to.", "Leave the braces out."),
        ("images: {catalogue: [{name: A, icon: 'a b', reference: r.example/a}]}", "line 1, column 32: `images.catalogue[0].icon`: `a b` is no icon.", "An icon is an image file, or a name in the icon theme (letters, digits, `_` and `-`).", "Write for example `computer`, or `./icon.svg`."),
        ("images:\n  allowOther: false\n", "line 2, column 3: `images.allowOther`: there is no image to choose.", "No other image may be named, and there is neither a default nor a catalogue.", "Add images to `images.catalogue`, or an `images.default`."),
        ("images:\n  embed: true\n", "line 2, column 3: `images.embed`: there is no default image to put on the medium.", "`true` means the image of `images.default`, which is missing.", "Add `images.default`, or list the images: `embed: [name, …]`."),
        // Calamares
        ("calamares: {enabled: false}", "line 1, column 13: `calamares.enabled`: Calamares cannot be left out.", "A medium with Calamares is the only thing that is built today.", "Write `true`, or remove the key."),
        ("calamares:\n  installation_approach: kickstart\n", "line 2, column 3: `calamares.installation_approach`: this approach does not exist here.", "It hands the whole installation to Anaconda, which would partition the disk again and is not in a Debian live system.", "Remove the key, or write `direct`: the image's own bootc then installs it."),
        ("calamares: {installation_approach: ignition}", "line 1, column 13: `calamares.installation_approach`: this approach does not exist here.", "It hands the whole installation to Ignition, which would partition the disk again and is not in a Debian live system.", "Remove the key, or write `direct`: the image's own bootc then installs it."),
        ("calamares: {installation_approach: dirct}", "line 1, column 13: `calamares.installation_approach`: `dirct` is not a known value.", "Perhaps `direct` was meant.", "Write one of `direct`, `systemd`."),
        ("calamares: {container_config: {transport: oci}}", "line 1, column 32: `calamares.container_config.transport`: `oci` is not a known value.", "The installed system updates from where the image is named, which must be a registry.", "Write `registry`; to have images on the medium, use `images.embed`."),
        ("calamares: {container_config: {stateroot: a/b}}", "line 1, column 32: `calamares.container_config.stateroot`: `a/b` cannot be the name of a stateroot.", "It is the name of a directory: letters, digits, `_`, `-` and `.`, and it begins with one of the first three.", "Leave the key out; the name is then `default`."),
        ("calamares: {registry_auth: {registries: {'https://a.example': {}}}}", "line 1, column 42: `calamares.registry_auth.registries.https://a.example`: `https://a.example` is no registry.", "A registry is written as host, host:port or host/namespace, without https://.", "Write for example `registry.example` or `registry.example:5000/team`."),
        ("calamares:\n  registry_auth:\n    registries:\n      a.example:\n        username: joe\n        password: pw\n", "line 5, column 9: `calamares.registry_auth.registries.a.example.username`: a login cannot be put on the medium.", "Whoever holds the medium can read everything on it.", "Remove it: the page asks for a user name and password when the registry wants them."),
        ("calamares: {registry_auth: {registries: {a.example: {mirrors: ['http://b.example']}}}}", "line 1, column 64: `calamares.registry_auth.registries.a.example.mirrors[0]`: `http://b.example` is no registry.", "A registry is written as host, host:port or host/namespace, without https://.", "Write for example `registry.example` or `registry.example:5000/team`."),
        ("calamares: {kernelArguments: ['quiet splash']}", "line 1, column 31: `calamares.kernelArguments[0]`: `quiet splash` is no kernel argument.", "An argument has letters, digits and _.,:=/@%+~-[] and begins with a letter or digit; blanks and quotes have a meaning for boot loaders.", "Write one argument per entry, such as `quiet` or `console=ttyS0,115200`."),
        // Live session
        ("live:\n  kernelArguments: [quiet, 'a=$b']\n", "line 2, column 28: `live.kernelArguments[1]`: `a=$b` is no kernel argument.", "An argument has letters, digits and _.,:=/%+~- and begins with a letter or digit; blanks and quotes have a meaning for boot loaders.", "Write one argument per entry, such as `quiet` or `console=ttyS0,115200`."),
        ("live: {locale: de_DE}", "line 1, column 8: `live.locale`: `de_DE` is no locale.", "A locale has a language, a country and the character set, which can only be UTF-8.", "Write for example `de_DE.UTF-8`, or `C.UTF-8`."),
        ("live: {keyboard: {layout: 'de;x'}}", "line 1, column 19: `live.keyboard.layout`: `de;x` is no name of a keyboard.", "Layouts and variants have the names of XKB, such as `de` and `nodeadkeys`.", "Look it up in `localectl list-x11-keymap-layouts`."),
        ("live: {timezone: ../../etc/passwd}", "line 1, column 8: `live.timezone`: `../../etc/passwd` is no time zone.", "Time zones have the names of the tz database.", "Write for example `Europe/Berlin`, or `UTC`."),
        ("tree: ''", "line 1, column 1: `tree`: `` is no path.", "It is empty or holds a control character.", "Write the path of a file, from the directory of this one."),
    ];
    rows.into_iter()
        .map(|(text, what, why, next)| (text.to_owned(), [what, why, next].map(str::to_owned)))
        .collect()
}

#[test]
fn refused_with_line_key_and_next_step() {
    let table = table();
    assert!(table.len() >= 40);
    let mut wrong = Vec::new();
    for (text, expected) in table {
        let error = match parse(&text) {
            Err(error) => error,
            Ok(distro) => panic!("accepted:\n{text}\n{distro:?}"),
        };
        assert_eq!(error.code, Code::ConfigInvalid, "{text}");
        let expected = expected.each_ref().map(String::as_str);
        if told(&error) != expected {
            wrong.push(format!("{text}\n{:#?}\n{expected:#?}", told(&error)));
        }
        assert!(error.what.starts_with(PATH), "{error}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_is_no_yaml_has_a_line() {
    for (text, place) in [
        ("suite: trixie\nproduct: [\n", "line 2, column 10"),
        ("a: 1\n b: 2\n", "line 2, column 3"),
        ("suite: trixie\nsuite: forky\n", "line 2, column 1"),
        ("\tsuite: trixie\n", "line 1, column 2"),
        ("product: {name: A, id: b, name: C}\n", "line 1, column 27"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.code, Code::ConfigInvalid);
        assert_eq!(
            error.what,
            format!("{PATH}, {place}: this is not valid YAML.")
        );
        assert_eq!(error.next, "Correct the line.");
        assert_eq!(error.details.len(), 1);
    }
}

/// A login that does not belong there is in no message.
#[test]
fn logins_are_refused_and_not_repeated() {
    for key in ["auth", "username", "password", "passwordFile"] {
        let text = format!(
            "calamares: {{registry_auth: {{registries: {{a.example: {{{key}: s3cret}}}}}}}}"
        );
        let error = parse(&text).unwrap_err();
        assert!(
            error.what.contains("a login cannot be put on the medium"),
            "{error}"
        );
        assert!(error.what.contains(key), "{error}");
        assert!(!format!("{error:?}").contains("s3cret"), "{error}");
    }
}

#[test]
fn a_file_that_is_not_there() {
    let error = Distro::read(Path::new("nowhere/distro.yaml")).unwrap_err();
    assert_eq!(error.code, Code::ConfigInvalid);
    assert_eq!(error.what, "nowhere/distro.yaml: the file cannot be read.");
    assert_eq!(
        error.next,
        "Check the path, or make a file with `debian-bootc-image-builder init`."
    );
}
