// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the steps say is what they do.
#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use super::*;
use host::cancel::Cancel;

use crate::build::root::Shell;
use crate::build::run::Outcome;
use crate::build::step::{Description, Found};
use crate::build::work::Work;
use crate::build::{lb, publish};
use crate::config::Distro;
use crate::error::Code;
use crate::mirror::{self, Reach};
use crate::progress::Sink;
use crate::sbom::Hashes;

const PLAIN: &str = "secureBoot: false";
const FULL: &str = "images: {default: r.example/os:1, embed: true}\n\
                    live: {locale: de_DE.UTF-8}\nsecureBoot: true";
/// The programs of a build are called in these.
const WITH_LINES: [&str; 3] = [
    "make the live system",
    "make the product's layer",
    "make the medium",
];

/// Takes lines down instead of running them.
#[derive(Debug, Clone, Default)]
struct Notes(Rc<RefCell<Vec<String>>>);

impl Shell for Notes {
    fn run(
        &self,
        _work: &Path,
        lines: &str,
        _environment: &[(String, String)],
        _sink: &mut dyn Sink,
        _stop: &Cancel,
    ) -> Result<Outcome> {
        let lines = lines.split("; ").filter(|line| *line != "cd lb");
        self.0.borrow_mut().extend(lines.map(str::to_owned));
        Ok(Outcome {
            status: ExitStatus::from_raw(0),
            last: VecDeque::new(),
        })
    }
}

struct Site {
    dir: tempfile::TempDir,
    request: Request,
    plan: Plan,
    notes: Notes,
}

impl Site {
    fn of(text: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a_1_all.deb"), "").unwrap();
        fs::create_dir(dir.path().join("out")).unwrap();
        let request = Request {
            distro: Distro::parse(Path::new("distro.yaml"), text).unwrap(),
            output: dir.path().join("out"),
            work: Some(dir.path().join("work")),
            debs: None,
            check_images: false,
            result: None,
            owner: None,
        };
        Self {
            plan: Plan::of(&request).unwrap(),
            request,
            dir,
            notes: Notes::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Makes the package a real one, with a crate inside.
    fn pack(&self) {
        self.put(
            "pack/DEBIAN/control",
            "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: n <n@example.org>\n\
             Description: d\n",
        );
        self.put("pack/usr/share/doc/a/crates", "inner v1.2.3: MIT\n");
        let mut command = std::process::Command::new("dpkg-deb");
        let command = command.args(["--build", "--root-owner-group"]);
        let command = command.args([self.path("pack"), self.path("a_1_all.deb")]);
        assert!(command.output().unwrap().status.success());
    }

    /// As the first steps leave it.
    fn begun<'a>(
        &self,
        progress: &'a mut Progress,
        stop: &'a Cancel,
        proxy: Option<&str>,
    ) -> Context<'a> {
        let mut at = Context::new(progress, stop);
        at.found.set(Found {
            given: None,
            mirror: mirror::ArchiveState {
                key: "m".into(),
                epoch: 1,
            },
            epoch: 1,
            reach: Reach {
                proxy: proxy.map(str::to_owned),
                options: Vec::new(),
            },
            embedded: Vec::new(),
            work: Work::take(&self.path("work")).unwrap(),
        });
        at.debs.set(vec![self.path("a_1_all.deb")]);
        at.hashes.set(Hashes::default());
        at.loaders.set(Vec::new());
        at.root_key.set("r".into());
        at.root.set(Box::new(self.notes.clone()));
        at
    }

    /// Runs a step by the words that it begins with.
    fn run(&self, what: &str, at: &mut Context<'_>) -> Ran {
        let steps = self.plan.steps.iter();
        let mut steps = steps.filter(|step| step.describe().unwrap().what.starts_with(what));
        let step = steps.next().unwrap();
        assert!(steps.next().is_none(), "{what}");
        step.run(at).unwrap();
        Ran {
            said: step.describe().unwrap(),
            lines: self.notes.0.take(),
        }
    }
}

struct Ran {
    said: Description,
    lines: Vec<String>,
}

impl Ran {
    fn files(&self) -> BTreeSet<PathBuf> {
        let files = self.said.files.iter();
        files.map(|(path, _)| path.clone()).collect()
    }
}

/// Every file and link below a directory.
fn below(dir: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(below(&entry.path())),
            false => drop(found.insert(entry.path())),
        }
    }
    found
}

fn whats(text: &str, debs: Option<&str>) -> Vec<String> {
    let mut request = Site::of(text).request;
    request.work = Some("w".into());
    request.debs = debs.map(PathBuf::from);
    let steps = Plan::of(&request).unwrap().steps;
    let said = steps.iter().map(|step| step.describe().unwrap());
    said.map(|said| said.what).collect()
}

#[test]
fn the_list_is_that_of_the_request() {
    let head = "look at this machine, the mirror and the images";
    let lists = "read the lists of packages, and look for every package that is named";
    let root =
        "make the root for live-build, of trixie, unless one of the same packages is in the cache";
    let live = "make the live system, unless one of the same inputs is there";
    let tail = [
        "make the product's layer: names, pictures, settings",
        "make the medium",
        "write the results",
    ];
    let compilers = "make the root for compilers, of trixie, unless it is in the cache";
    let built = "build the installer's packages for trixie";
    assert_eq!(
        whats(PLAIN, None),
        [&[head, lists, compilers, built, root, live], &tail[..]].concat()
    );
    let given = "take the installer's packages from d";
    let pull = "pull r.example/os:1 into w/images";
    assert_eq!(
        whats(FULL, Some("d")),
        [&[head, lists, given, root, live, pull], &tail[..]].concat()
    );
}

#[test]
fn what_is_described_is_what_runs() {
    for text in [PLAIN, FULL] {
        let site = Site::of(text);
        site.pack();
        let (stop, mut progress) = (Cancel::new(), Progress::new(false));
        let log = publish::log_path(
            &site.request.distro,
            MediumKind::Calamares,
            &site.request.output,
        );
        progress.log_to(&log).unwrap();
        let mut at = site.begun(&mut progress, &stop, None);

        let live = site.run(WITH_LINES[0], &mut at);
        assert_eq!(live.lines, live.said.commands);
        assert_eq!(live.lines.last().unwrap(), "lb chroot");
        let config = site.path("work/lb/config");
        let debs = [config.join("packages.chroot/a_1_all.deb")].into();
        assert_eq!(below(&config), &live.files() | &debs);

        let layer = site.run(WITH_LINES[1], &mut at);
        assert_eq!(layer.lines, layer.said.commands);
        assert_eq!(layer.lines.len(), if text == FULL { 4 } else { 2 });
        assert_eq!(below(&site.path("work/layer")), layer.files());

        site.put("work/layer.squashfs", "");
        site.put("work/lb/binary/EFI/boot/grubx64.efi", "");
        let medium = site.run(WITH_LINES[2], &mut at);
        assert_eq!(medium.lines, medium.said.commands);
        assert_eq!(medium.lines.len(), if text == FULL { 6 } else { 3 });
        assert_eq!(
            below(&config),
            &(&live.files() | &medium.files()) | &debs,
            "{text}"
        );

        site.put(&format!("work/lb/{}", lb::ISO), "ISO");
        site.put(
            "work/lb/chroot/var/lib/dpkg/status",
            "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
        );
        let results = site.run("write the results", &mut at);
        assert_eq!(below(&site.request.output), results.files());
        assert_eq!(at.artefacts.get().unwrap().iso_bytes, 3);
        let sbom = fs::read_to_string(&at.artefacts.get().unwrap().sbom).unwrap();
        assert!(sbom.contains("pkg:cargo/inner@1.2.3"), "{sbom}");
        let artefacts = at.artefacts.get().unwrap();
        let told = fs::read_to_string(&artefacts.result).unwrap();
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["type"], "calamares");
        let iso = &told["artefacts"][0];
        assert_eq!(iso["kind"], "iso");
        assert_eq!(iso["path"], artefacts.iso.to_str().unwrap());
        assert_eq!(iso["sha256"], artefacts.iso_sha256);
        assert_eq!(iso["bytes"], 3);
        assert_eq!(told["artefacts"].as_array().unwrap().len(), 4);

        // The same inputs: found, and not made again.
        let again = site.run(WITH_LINES[0], &mut at);
        assert_eq!(again.lines, [""; 0]);
        let log = fs::read_to_string(log).unwrap();
        let stages = log.lines().filter_map(|line| line.strip_prefix("=== "));
        let stages: Vec<&str> = stages.filter(|line| !line.ends_with(" s")).collect();
        assert_eq!(
            stages,
            [
                "live system",
                "names, pictures and settings",
                "medium",
                "results",
                "live system: nothing changed",
            ]
        );
    }
}

#[test]
fn results_go_to_whom_they_are_for() {
    use std::os::unix::fs::MetadataExt;
    let mut site = Site::of(PLAIN);
    site.pack();
    site.request.result = Some(site.path("told.json"));
    let root = nix::unistd::geteuid().is_root();
    // Only root gives files away.
    site.request.owner = root.then_some((1234, 5678));
    site.plan = Plan::of(&site.request).unwrap();
    let (stop, mut progress) = (Cancel::new(), Progress::new(false));
    let log = publish::log_path(
        &site.request.distro,
        MediumKind::Calamares,
        &site.request.output,
    );
    progress.log_to(&log).unwrap();
    let mut at = site.begun(&mut progress, &stop, None);
    site.put(&format!("work/lb/{}", lb::ISO), "ISO");
    site.put(
        "work/lb/chroot/var/lib/dpkg/status",
        "Package: a\nStatus: install ok installed\nVersion: 1\nArchitecture: all\n",
    );
    let results = site.run("write the results", &mut at);
    let beside = fs::read(&at.artefacts.get().unwrap().result).unwrap();
    assert_eq!(fs::read(site.path("told.json")).unwrap(), beside);
    for path in results.files() {
        let meta = path.metadata().unwrap();
        let owner = (meta.uid(), meta.gid());
        assert!(!root || owner == (1234, 5678), "{}", path.display());
    }
}

#[test]
fn a_proxy_is_used_and_not_shown() {
    let site = Site::of(PLAIN);
    let (stop, mut progress) = (Cancel::new(), Progress::new(false));
    let proxy = "http://me:secret@proxy.example:3142";
    let mut at = site.begun(&mut progress, &stop, Some(proxy));
    let live = site.run(WITH_LINES[0], &mut at);
    site.put("work/layer.squashfs", "");
    let medium = site.run(WITH_LINES[2], &mut at);
    let plan = site.plan.describe().unwrap();
    assert!(!plan.contains("secret"), "{plan}");
    for ran in [live, medium] {
        let without = |line: &String| line.replace(&format!(" --apt-http-proxy {proxy}"), "");
        let lines: Vec<String> = ran.lines.iter().map(without).collect();
        assert_ne!(ran.lines, lines);
        assert_eq!(ran.said.commands, lines);
    }
}

#[test]
fn the_printed_plan_has_every_step_once() {
    for text in [PLAIN, FULL] {
        let plan = Site::of(text).plan;
        let printed = plan.describe().unwrap();
        let mut numbers = Vec::new();
        for line in printed.lines().filter(|line| !line.starts_with("     ")) {
            numbers.push(line.split_once(". ").unwrap().0.parse::<usize>().unwrap());
        }
        assert_eq!(numbers, (1..=plan.steps.len()).collect::<Vec<_>>());
        for step in &plan.steps {
            let said = step.describe().unwrap();
            assert!(printed.contains(&format!(". {said}")), "{said}");
        }
    }
}

#[test]
fn a_step_without_those_before_it_fails() {
    let site = Site::of(PLAIN);
    let (stop, mut progress) = (Cancel::new(), Progress::new(false));
    let mut at = Context::new(&mut progress, &stop);
    for step in site.plan.steps.iter().skip(5) {
        let error = step.run(&mut at).unwrap_err();
        assert_eq!(error.code, Code::BuildFailed, "{step:?}");
    }
    assert_eq!(site.notes.0.take(), [""; 0]);
}

#[test]
fn a_stop_ends_a_build_before_its_first_step() {
    let site = Site::of(PLAIN);
    let (stop, mut progress) = (Cancel::new(), Progress::new(false));
    stop.cancel();
    let error = site.plan.play(&mut progress, &stop).unwrap_err();
    assert_eq!(error.code, Code::Interrupted);
    assert!(!site.path("work").exists());
}

#[test]
fn the_other_medium_has_steps_of_its_own() {
    let of = |text: &str| {
        let mut request = Site::of(text).request;
        request.work = Some("w".into());
        request.debs = Some("d".into());
        Plan::debian_installer(&request).unwrap()
    };
    let said = |plan: &Plan| -> Vec<String> {
        let steps = plan.steps.iter();
        let said = steps.map(|step| step.describe().unwrap().what);
        said.collect()
    };
    let all = said(&of(FULL));
    let expected = [
        "look at this machine, the mirror and the images",
        "read the lists of packages, and look for the installer of trixie",
        "take the installer's packages from d",
        "make the root for live-build, of trixie, unless one of the same packages is in the cache",
        "fetch Debian's installer, its steps and the kernel of linux-image-amd64 into w/di/packages",
        "unpack the installer's initrd, its steps and the kernel's modules",
        "pull r.example/os:1 into w/images",
        "make the medium",
        "write the results",
    ];
    assert_eq!(all, expected);
    assert!(!said(&of(PLAIN)).iter().any(|what| what.starts_with("pull")));
    let printed = of(FULL).describe().unwrap();
    assert!(printed.contains("xorriso -as mkisofs"), "{printed}");
    assert!(
        printed.contains("trixie-amd64-debian-installer.iso"),
        "{printed}"
    );
}
