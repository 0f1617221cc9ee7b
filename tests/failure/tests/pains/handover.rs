// SPDX-License-Identifier: MIT OR Apache-2.0
//! The deployment as a complete root for other programs, and its end.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use contract::error::Code;
use contract::event::{Event, Task};
use failure::{Disk, Fs, Installer, MIB, Run, Running, Tiny, World, bootc};
use nix::mount::{MsFlags, mount};
use nix::sys::signal::Signal;
use serde_json::Value;
use testkit::cmd::CommandExt;

mod interrupted;

const IMAGE: &str = "r.example/os/tiny:v1";
const DIR: &str = "/run/bootc-installer";
const ROOT: &str = "/run/bootc-installer/deployment";
const STATE: &str = "/run/bootc-installer/handover.json";

/// The directory of the deployment on the target.
const DEPLOYMENT: &str = "ostree/deploy/default/deploy/1.0";
const VAR: &str = "ostree/deploy/default/var";

/// An image that leaves a deployment which programs run in.
fn source(world: &World) -> String {
    Tiny::new(bootc::DEPLOYS).write(world).reference()
}

/// The plan of an installation that hands its deployment over.
fn plan(world: &World, root: &Path, source: &str, options: &[&str]) -> String {
    let installer = world
        .installer()
        .args(["plan", "--no-lookup", "--image", IMAGE, "--root"]);
    let text = installer
        .arg(root)
        .args(["--source", source])
        .args(options)
        .output();
    let mut plan: Value = serde_json::from_str(&text).unwrap();
    plan["finish"]["handOver"] = true.into();
    plan.to_string()
}

fn install<'w>(world: &'w World, plan: &str) -> Installer<'w> {
    let installer = world.installer().args(["install", "--plan-fd", "3"]);
    let installer = installer.args(["--events", "-", "--log-dir"]);
    installer.arg(world.dir().join("logs")).plan(plan)
}

/// Hands over what is installed on the disk; its owner is this test.
#[track_caller]
fn handed_over(world: &World, disk: &Disk) -> Run {
    let plan = plan(
        world,
        disk.path(),
        &source(world),
        &["--bootloader", "none"],
    );
    let run = install(world, &plan).run();
    let hand_over = run.assert_done().hand_over.clone().unwrap();
    assert_eq!(hand_over.root, Path::new(ROOT));
    assert_eq!(hand_over.state, Path::new(STATE));
    run
}

fn close(world: &World) -> Installer<'_> {
    world.installer().args(["close", "--events", "-"])
}

/// Runs a script in the root.
#[track_caller]
fn inside(script: &str) -> String {
    let mut chroot = Command::new("chroot");
    chroot.arg(ROOT).args(["/bin/sh", "-ec", script]);
    chroot.read().unwrap()
}

/// Asserts that a closed target left nothing behind.
#[track_caller]
fn assert_closed(world: &World, disk: &Disk) {
    assert_nothing_handed_over();
    assert!(!disk.is_mounted());
    world.assert_only_mounted(&[]);
}

#[track_caller]
fn assert_nothing_handed_over() {
    assert!(!Path::new(DIR).exists(), "{DIR} is left");
    let mounts = mounts();
    assert!(!mounts.iter().any(|line| line.contains(DIR)), "{mounts:#?}");
}

fn mounts() -> Vec<String> {
    let table = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    table.lines().map(str::to_owned).collect()
}

/// Fields of a line: mount point, options, and the optional ones.
fn fields(line: &str) -> (&str, &str, &str) {
    let (left, _) = line.split_once(" - ").unwrap();
    let mut words = left.splitn(7, ' ');
    let mount_point = words.nth(4).unwrap();
    let options = words.next().unwrap();
    (mount_point, options, words.next().unwrap_or(""))
}

fn mode(path: &str) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn tmpfs_at(path: &Path) {
    let flags = MsFlags::empty();
    mount(Some("tmpfs"), path, Some("tmpfs"), flags, None::<&str>).unwrap();
}

fn unmount(path: &Path) {
    testkit::unmount(path).unwrap();
}

/// A target with file systems of their own for /boot, the ESP and /home, as
/// Calamares mounts them: below a mount that is shared.
struct Target {
    root: Disk,
    boot: Disk,
    esp: Disk,
    home: Disk,
}

impl Target {
    fn make(world: &World) -> Self {
        let root = world.small_disk();
        let place = root.path().to_owned();
        let shared = MsFlags::MS_SHARED;
        mount(None::<&str>, &place, None::<&str>, shared, None::<&str>).unwrap();
        let below = |fs, place: PathBuf| {
            let mut disk = world.disk(fs, 128 * MIB);
            fs::create_dir(&place).unwrap();
            disk.move_to(&place);
            disk
        };
        Self {
            boot: below(Fs::Ext4, place.join("boot")),
            esp: below(Fs::Ext2, place.join("boot/efi")),
            home: below(Fs::Ext4, place.join("home")),
            root,
        }
    }

    fn disks(&self) -> [&Disk; 4] {
        [&self.root, &self.boot, &self.esp, &self.home]
    }
}

#[test]
fn other_programs_configure_the_deployment_and_all_of_it_is_closed() {
    let Some(world) = World::enter(&["chroot"]).map(World::with_own_run) else {
        return;
    };
    let target = Target::make(&world);
    let root = target.root.path();
    let options = ["--bootloader", "none"];
    let plan = plan(&world, root, &source(&world), &options);
    let run = install(&world, &plan).run();
    run.assert_done();
    assert_eq!(run.tasks().last(), Some(&Task::Handover), "{run}");
    assert!(!run.tasks().contains(&Task::Finish), "{run}");
    assert!(!root.join(".bootc-scratch").exists());
    assert_eq!(run.warnings(), [""; 0]);

    assert_eq!(mode(DIR), 0o700);
    assert_eq!(mode(STATE), 0o600);
    // As a module that adds a user does, and one that sets the host's name.
    inside(
        "echo tester:x:1000:1000::/home/tester:/bin/sh >> /etc/passwd
         mkdir -p /home/tester /root
         echo mine > /home/tester/file
         echo host > /etc/hostname
         echo log > /var/log/tool.log
         echo kernel > /boot/entry
         echo loader > /boot/efi/loader
         echo scratch > /tmp/scratch
         echo run > /run/pid
         [ -d /proc/1 ] && [ -c /dev/null ] && [ -d /sys/class ] && [ -d /sysroot/ostree ]",
    );
    let refused = "if (echo bad > /usr/content) 2>/dev/null; then echo written; fi";
    assert_eq!(inside(refused), "");
    assert_eq!(mode(&format!("{ROOT}/tmp")), 0o1777);
    assert_eq!(mode(&format!("{ROOT}/var/tmp")), 0o1777);

    // In no peer group, least of all in the target's.
    let all = mounts();
    for line in all.iter().filter(|line| line.contains(ROOT)) {
        let (place, options, group) = fields(line);
        assert_eq!(group, "", "{line}");
        let usr = place == format!("{ROOT}/usr");
        assert_eq!(options.split(',').any(|o| o == "ro"), usr, "{line}");
    }
    // What is mounted on one side does not show on the other.
    let probe = root.join(VAR).join("cache");
    tmpfs_at(&probe);
    tmpfs_at(&Path::new(ROOT).join("var/log"));
    for line in mounts() {
        let place = Path::new(fields(&line).0);
        assert!(!place.ends_with("deployment/var/cache"), "{line}");
        assert!(!place.starts_with(root.join(VAR).join("log")), "{line}");
    }
    unmount(&probe);

    let run = close(&world).run();
    let closed = run.assert_closed();
    assert!(closed.hand_over, "{run}");
    assert_eq!(closed.targets, [root]);
    assert!(root.exists(), "a directory that a person made stays");
    assert_nothing_handed_over();
    world.assert_only_mounted(&[]);
    for disk in target.disks() {
        assert!(!disk.is_mounted());
    }

    for disk in target.disks() {
        disk.mount("ro");
    }
    let text = |path: &str| fs::read_to_string(root.join(path)).unwrap_or_default();
    assert_eq!(text(&format!("{DEPLOYMENT}/etc/hostname")), "host\n");
    assert!(text(&format!("{DEPLOYMENT}/etc/passwd")).contains("tester"));
    assert_eq!(text(&format!("{DEPLOYMENT}/usr/content")), "image\n");
    assert_eq!(text("home/tester/file"), "mine\n");
    assert_eq!(text("boot/entry"), "kernel\n");
    assert_eq!(text("boot/efi/loader"), "loader\n");
    assert!(root.join(VAR).join("roothome").is_dir());
    for dir in ["run", "tmp", "proc", "dev", "sys", "boot", "var"] {
        let left = fs::read_dir(root.join(DEPLOYMENT).join(dir)).unwrap();
        assert_eq!(left.count(), 0, "{dir}");
    }
    for disk in target.disks().into_iter().rev() {
        if disk.path() == target.esp.path() || disk.path() == target.boot.path() {
            continue;
        }
        if disk.path() != root {
            disk.unmount();
        }
    }
    target.esp.unmount();
    target.boot.unmount();
    target.root.unmount();

    let again = close(&world).run();
    let closed = again.assert_closed();
    assert!(closed.is_empty(), "{again}");
    assert!(again.stdout.contains("nothing to close"), "{again}");
}

/// Its own /var is where the files are.
#[test]
fn files_in_var_are_in_the_stateroot() {
    let Some(world) = World::enter(&["chroot"]).map(World::with_own_run) else {
        return;
    };
    let disk = world.small_disk();
    handed_over(&world, &disk);
    inside("mkdir -p /home/tester; echo mine > /home/tester/file; echo x > /var/lib/state");
    close(&world).arg("--no-trim").run().assert_closed();
    assert_closed(&world, &disk);
    disk.mount("ro");
    let text = |path: &str| fs::read_to_string(disk.path().join(VAR).join(path)).unwrap();
    assert_eq!(text("home/tester/file"), "mine\n");
    assert_eq!(text("lib/state"), "x\n");
}

/// The real image, with the tools that Calamares' modules run.
#[test]
fn users_are_added_to_the_real_image() {
    let Some(world) = World::enter(&["chroot"]).map(World::with_own_run) else {
        return;
    };
    let image = test_image::standard().unwrap();
    let disk = world.disk(Fs::Ext4, 4 * failure::GIB);
    let options = ["--bootloader", "none"];
    let plan = plan(&world, disk.path(), &image.reference(), &options);
    let run = install(&world, &plan).run();
    let deployment = disk.path().join(&run.assert_done().deployment);
    inside(
        "useradd -m -U -s /bin/bash tester
         echo tester:secret | chpasswd
         systemctl enable systemd-networkd.service 2>&1
         systemd-machine-id-setup 2>&1 || :
         [ -O /home/tester ] || [ -d /home/tester ]",
    );
    close(&world).run().assert_closed();
    assert_closed(&world, &disk);
    disk.mount("ro");
    let passwd = fs::read_to_string(deployment.join("etc/passwd")).unwrap();
    assert!(passwd.contains("tester"), "{passwd}");
    assert!(disk.path().join(VAR).join("home/tester").is_dir());
}

/// A service that starts meanwhile gets a mount namespace of its own, with a
/// copy of every mount. The copies go together with ours, or they would keep
/// the target's disk in use.
#[test]
fn namespaces_of_services_do_not_keep_the_target() {
    let Some(world) = World::enter(&[]).map(World::with_own_run) else {
        return;
    };
    let disk = world.small_disk();
    let change = |path: &Path, flags| {
        mount(None::<&str>, path, None::<&str>, flags, None::<&str>).unwrap();
    };
    // As systemd has it on every machine.
    change(Path::new("/"), MsFlags::MS_SHARED | MsFlags::MS_REC);
    handed_over(&world, &disk);
    let ours = |lines: &[String]| {
        let of_target = |line: &&String| line.contains(disk.device().to_str().unwrap());
        lines.iter().filter(of_target).count()
    };
    std::thread::scope(|scope| {
        let (started, start) = std::sync::mpsc::channel();
        let (closed, end) = std::sync::mpsc::channel::<()>();
        let service = scope.spawn(move || {
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).unwrap();
            change(Path::new("/"), MsFlags::MS_SLAVE | MsFlags::MS_REC);
            started.send(mounts()).unwrap();
            end.recv().unwrap();
            mounts()
        });
        let before = start.recv().unwrap();
        assert!(ours(&before) > 3, "{before:#?}");
        close(&world).run().assert_closed();
        closed.send(()).unwrap();
        let after = service.join().unwrap();
        assert_eq!(ours(&after), 0, "{after:#?}");
        assert!(!after.iter().any(|line| line.contains(DIR)), "{after:#?}");
    });
    assert_closed(&world, &disk);
}

/// A program that is about to end is waited for, one that stays is named.
#[test]
fn root_that_is_in_use_is_closed_all_the_same() {
    let Some(world) = World::enter(&[]).map(World::with_own_run) else {
        return;
    };
    let disk = world.small_disk();
    for ends in [true, false] {
        disk.remake();
        handed_over(&world, &disk);
        let open = File::open(format!("{ROOT}/var/lib")).unwrap();
        let mut running = close(&world).start();
        running
            .until(|event| matches!(event, Event::Message { text, .. } if text.contains("in use")));
        let open = if ends {
            drop(open);
            None
        } else {
            Some(open)
        };
        let run = running.finish();
        assert!(run.assert_closed().hand_over);
        let own = format!("(pid {}", std::process::id());
        let texts = run.warnings().join("\n");
        assert!(texts.contains(&own), "{run}");
        assert_eq!(texts.contains("still in use"), !ends, "{run}");
        assert_closed(&world, &disk);
        drop(open);
    }
}

#[test]
fn close_waits_for_a_process() {
    let Some(world) = World::enter(&[]).map(World::with_own_run) else {
        return;
    };
    let disk = world.small_disk();
    handed_over(&world, &disk);
    let mut process = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    let pid = process.id().to_string();
    let mut running = close(&world).args(["--after-pid", &pid]).start();
    running.until(|event| matches!(event, Event::Start { .. }));
    assert!(Path::new(STATE).exists() && disk.is_mounted());
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(running.finish().assert_closed().hand_over);
    assert_closed(&world, &disk);
    // It is gone already.
    close(&world)
        .args(["--after-pid", &pid])
        .run()
        .assert_closed();
}
