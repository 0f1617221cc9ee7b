// SPDX-License-Identifier: MIT OR Apache-2.0
//! Plays a plan: the steps of an installation, in their order.
//!
//! ```text
//! check ── prepare ── pull ∥ unpack ── deploy ── boot ── configure ── finish
//!   │         │                          │                            or handover
//!   │         └ scratch is made          └ the target holds a deployment
//!   └ nothing is written up to here
//! ```
//!
//! Whatever ends a step early (an error, a stop) leaves no mount, process or
//! loop device behind, because those live in the children's own namespaces
//! ([`sandbox`]) or are undone ([`crate::handover`]), and no scratch, because a process of its own removes it
//! ([`sandbox::scratch`]). The target is then not usable without a new file
//! system from `deploy` on; before that it is as it was.

mod disk;
mod fetch;
mod runtime;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use contract::disk_plan::DiskPlan;
use contract::error::{Code, Error, Result};
use contract::event::{EVENT_VERSION, Event, EventSink, Level, Summary, Task};
use contract::fault::Stopped;
use contract::firmware::Firmware;
use contract::plan::{FinishPlan, Plan, RuntimeRoot};
use host::cancel::Cancel;
use host::mountinfo;
use registry::policy::POLICY_PATH;
use sandbox::Sandbox;
use sandbox::scratch::Scratch;
use source::secret::Secrets;

use crate::boot::{self, BootDecision, BootFs, Situation, grub, grubcfg::Serial};
use crate::bootc::{self, BootcArgs, DeployInputs, policy};
use crate::check::{self, Checked};
use crate::customise;
use crate::deployment::{self, Deployment};
use crate::doctor;
use crate::finish;
use crate::handover;
use crate::space;
use disk::OnDisk;
use fetch::Fetched;
use runtime::Runtime;

/// What belongs to this run and not to the plan.
#[derive(Debug, Clone)]
pub struct Options {
    /// Directory for bootc's log.
    pub log_dir: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            log_dir: bootc::LOG_DIR.into(),
        }
    }
}

/// The first event of every stream.
pub fn start_event() -> Event {
    Event::Start {
        version: EVENT_VERSION.into(),
        program: env!("CARGO_PKG_VERSION").into(),
    }
}

/// Plays `plan` to its end. Sends every event but the first and the last: those
/// belong to whoever knows whether more comes.
///
/// # Errors
/// Any code of [`contract::error::CODES`]; `CANCELLED` when `cancel` was raised.
pub fn install(
    plan: &Plan,
    secrets: &Secrets,
    options: &Options,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<Summary> {
    let engine = Engine {
        plan,
        secrets,
        options,
        sink,
        cancel,
        touched: AtomicBool::new(false),
    };
    let done = match &plan.disk {
        Some(disk) => disk::privately(|| engine.run_on_disk(disk)),
        None => engine.run(),
    };
    done.map_err(|error| {
        if cancel.is_cancelled() {
            engine.stopped(error)
        } else {
            error
        }
    })
}

struct Engine<'a> {
    plan: &'a Plan,
    secrets: &'a Secrets,
    options: &'a Options,
    sink: &'a dyn EventSink,
    cancel: &'a Cancel,
    /// bootc has been started: the target is not as it was.
    touched: AtomicBool,
}

/// What there is before the last task.
struct Installed {
    deployment: Deployment,
    summary: Summary,
    /// Start of the last task: removing scratch is a part of it.
    start: Instant,
}

impl Engine<'_> {
    /// What a stop is to the person, whatever it did to the step that it met.
    fn stopped(&self, met: Error) -> Error {
        let is_file = self.plan.disk.as_ref().is_some_and(DiskPlan::is_file);
        let mut error = Error::from(Stopped).next(if is_file {
            "Nothing is left of the file: start again whenever you like."
        } else if self.touched.load(Ordering::Relaxed) {
            "To install after all, make a new file system on the target and start again."
        } else {
            "The target is as it was: start again whenever you like."
        });
        if met.code != Code::Cancelled {
            error = error.detail(format!("{} [{}]", met.what, met.code));
        }
        error.details.extend(met.details);
        error
    }

    fn run(&self) -> Result<Summary> {
        let (checked, given) = self.task(Task::Check, "Checking image and target", || {
            self.warn("handover", &handover::clear_stale()?);
            let checked = check::check(self.plan, self.secrets, self.cancel)?;
            self.warn("check", &checked.warnings);
            let trust = &checked.found.trust;
            self.info("signature", format!("Signature: {trust}."));
            // A runtime root that came with the medium can be judged now.
            let given = match Runtime::given(&self.plan.runtime_root) {
                Some(runtime) => Some(self.judge(runtime, &checked)?),
                None => None,
            };
            Ok((checked, given))
        })?;
        self.on_target(&checked, given, None)
    }

    /// All that is done to a target that was checked, and closing it.
    fn on_target(
        &self,
        checked: &Checked,
        given: Option<(Runtime, BootDecision)>,
        disk: Option<OnDisk>,
    ) -> Result<Summary> {
        let scratch = self.task(Task::Prepare, "Preparing the target", || {
            let target = &self.plan.target;
            Scratch::create_in(target.scratch.as_deref().unwrap_or(&target.root))
        })?;
        let done = self.with_scratch(&scratch, checked, given, disk.as_ref());
        // First what failed, then what could not be removed.
        let removed = scratch.remove();
        let Installed {
            deployment,
            mut summary,
            start,
        } = done?;
        removed?;
        let target = &checked.target;
        let last = self.last_task();
        self.running(last, start, || {
            let warnings = if last == Task::Handover {
                let (hand_over, warnings) = handover::hand_over(&deployment, target, self.cancel)?;
                summary.hand_over = Some(hand_over);
                warnings
            } else {
                finish::finish(&target.root, &self.finish_plan(), self.cancel)?
            };
            self.warn(last.name(), &warnings);
            disk.map_or(Ok(()), OnDisk::close)
        })?;
        summary.bootloaders.sort();
        Ok(summary)
    }

    /// A disk of ours is always closed.
    fn finish_plan(&self) -> FinishPlan {
        let mut finish = self.plan.finish.clone();
        finish.unmount |= self.plan.disk.is_some();
        finish
    }

    /// What becomes of the target.
    fn last_task(&self) -> Task {
        if self.plan.finish.hand_over {
            Task::Handover
        } else {
            Task::Finish
        }
    }

    /// Everything that needs the scratch directory.
    fn with_scratch(
        &self,
        scratch: &Scratch,
        checked: &Checked,
        given: Option<(Runtime, BootDecision)>,
        disk: Option<&OnDisk>,
    ) -> Result<Installed> {
        let fetched = fetch::fetch(self, scratch, checked)?;
        let (runtime, decision) = match given {
            Some(given) => given,
            None => self.judge(Runtime::unpacked(scratch), checked)?,
        };
        let sandbox = self.sandbox(&runtime, scratch, checked, &fetched)?;
        self.task(Task::Deploy, "Installing the image", || {
            self.deploy(&sandbox, checked, &fetched, &runtime, &decision)
        })?;
        let deployment = Deployment::find(
            &checked.target.root,
            &self.plan.bootc.stateroot,
            self.plan.image.origin(),
            decision.backend,
        )?;
        self.task(Task::Boot, "Installing the boot loader", || {
            self.install_boot_loader(&sandbox, scratch, checked, &runtime, &decision)?;
            disk.map_or(Ok(()), |disk| disk.write_esp(scratch, self.cancel))
        })?;
        self.task(Task::Configure, "Configuring the system", || {
            deployment::check_mount_points(self.plan, &deployment.dir)?;
            deployment.configure(self.plan, self.secrets)?;
            let trust = &checked.found.trust;
            self.warn("signature", &deployment.keep_keys(self.plan, trust)?);
            let image = (&runtime.root, &runtime.facts);
            let warnings = customise::customise(self.plan, &deployment, image, self.cancel)?;
            self.warn("updates", &warnings);
            Ok(())
        })?;
        let start = match self.last_task() {
            Task::Handover => self.start(Task::Handover, "Handing the system over"),
            last => self.start(last, "Writing everything to the disk"),
        };
        Ok(Installed {
            summary: Summary {
                imgref: self.plan.image.origin().to_string(),
                digest: checked.found.image.manifest_digest.to_string(),
                deployment: deployment.relative.display().to_string(),
                stateroot: self.plan.bootc.stateroot.to_string(),
                bootloaders: names(&decision),
                bytes_downloaded: fetched.downloaded,
                hand_over: None,
            },
            deployment,
            start,
        })
    }

    /// Would the image boot, and who installs the boot loader? Asked before
    /// bootc writes anything.
    fn judge(&self, runtime: Runtime, checked: &Checked) -> Result<(Runtime, BootDecision)> {
        let runtime = runtime.examined(self.cancel)?;
        let host_platform = registry::Platform::host();
        let image = doctor::ImageFacts {
            labels: &checked.found.image.config.labels,
            architecture: &checked.found.image.config.platform.architecture,
            host_architecture: &host_platform.architecture,
        };
        for finding in doctor::judge(&runtime.facts, &image)? {
            self.warn(finding.check.name, std::slice::from_ref(&finding.what));
        }
        customise::check(self.plan, &runtime.facts)?;
        // For its refusal: the sandbox is made when bootc is about to write.
        if let Some(own) = &runtime.facts.policy_json {
            policy::letting_in(sandbox::LAYOUT, own)?;
        }
        if let Some(dir) = runtime.root.directory() {
            deployment::check_mount_points(self.plan, dir)?;
        }
        let decision = boot::decide(
            self.plan.bootc.bootloader,
            Situation {
                image: &runtime.facts,
                host: &doctor::facts(Path::new("/"))?,
                places: &checked.places,
                boot_fs: &BootFs::of(&checked.target, &mountinfo::read()?),
                need: checked.need,
                arch: std::env::consts::ARCH,
            },
        )?;
        self.warn("boot-loader", &decision.warnings);
        if self.plan.finish.hand_over {
            handover::check(decision.backend)?;
        }
        Ok((runtime, decision))
    }

    fn sandbox(
        &self,
        runtime: &Runtime,
        scratch: &Scratch,
        checked: &Checked,
        fetched: &Fetched,
    ) -> Result<Sandbox> {
        let root = &checked.target.root;
        let mut sandbox = Sandbox::for_bootc(runtime.root.clone(), scratch, root, &fetched.layout);
        if let Some(own) = &runtime.facts.policy_json {
            let policy = policy::letting_in(sandbox::LAYOUT, own)?;
            sandbox = sandbox.file(POLICY_PATH, policy, 0o644);
        }
        if runtime.facts.bound_images {
            return runtime::reaching_registries(sandbox, self.plan, self.secrets);
        }
        Ok(sandbox)
    }

    fn deploy(
        &self,
        sandbox: &Sandbox,
        checked: &Checked,
        fetched: &Fetched,
        runtime: &Runtime,
        decision: &BootDecision,
    ) -> Result<()> {
        let layers: Vec<u64> = checked.found.image.layers.iter().map(|l| l.size).collect();
        let inputs = DeployInputs {
            args: BootcArgs {
                plan: &self.plan.bootc,
                imgref: self.plan.image.origin(),
                bootloader: decision.bootc,
                backend: decision.backend,
                bound_images: runtime.facts.bound_images,
                generic_image: self.is_generic(sandbox)?,
            },
            sandbox,
            target: &checked.target.root,
            layout: &fetched.layout,
            digest: &checked.found.image.manifest_digest.to_string(),
            layers: &layers,
            expected_growth: space::deployment_size(checked.found.size),
            log_dir: &self.options.log_dir,
        };
        self.touched.store(true, Ordering::Relaxed);
        let deployed = bootc::deploy(inputs, self.sink, self.cancel)?;
        self.info(
            "bootc-log",
            format!("bootc's log: {}", deployed.log.display()),
        );
        Ok(())
    }

    /// A disk in a file is for another machine.
    fn is_generic(&self, sandbox: &Sandbox) -> Result<bool> {
        match &self.plan.disk {
            Some(disk) if disk.is_file() => bootc::knows_generic_images(sandbox, self.cancel),
            _ => Ok(false),
        }
    }

    fn install_boot_loader(
        &self,
        sandbox: &Sandbox,
        scratch: &Scratch,
        checked: &Checked,
        runtime: &Runtime,
        decision: &BootDecision,
    ) -> Result<()> {
        let target = &checked.target;
        if decision.grub.is_empty() {
            self.tidy_partition_table(checked, decision);
            return Ok(());
        }
        let boot_fs = BootFs::of(target, &mountinfo::read()?);
        let kargs = boot::entries::first_options(&target.root)?;
        let job = grub::Job {
            target: &target.root,
            places: &checked.places,
            image: sandbox,
            os_id: runtime.facts.os_id.as_deref().unwrap_or("linux"),
            firmware_entry: firmware_entry(checked),
            boot_uuid: boot_fs.uuid.as_deref().unwrap_or_default(),
            boot_is_own: boot_fs.own,
            serial: Serial::from_kargs(kargs.split_whitespace()),
            temporary: &scratch.tmp(),
        };
        self.warn(
            "boot-loader",
            &grub::install(job, &decision.grub, self.cancel)?,
        );
        self.tidy_partition_table(checked, decision);
        Ok(())
    }

    /// Under BIOS alone: UEFI has its own use for types and flags.
    fn tidy_partition_table(&self, checked: &Checked, decision: &BootDecision) {
        let wanted = self.plan.target.tidy_partition_table
            && checked.need.firmware == Firmware::Bios
            && !checked.places.bios_elsewhere
            && decision.starts_bios();
        let boot = checked.target.boot.as_ref();
        for disk in checked.places.bios.iter().filter(|_| wanted) {
            self.warn("boot-loader", &boot::table::tidy(disk, boot, self.cancel));
        }
    }

    fn task<T>(
        &self,
        task: Task,
        description: &str,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let start = self.start(task, description);
        self.running(task, start, work)
    }

    fn start(&self, task: Task, description: &str) -> Instant {
        self.sink.send(Event::TaskStart {
            task,
            description: description.to_owned(),
            id: task.name().to_owned(),
        });
        Instant::now()
    }

    fn running<T>(
        &self,
        task: Task,
        start: Instant,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        self.cancel.check()?;
        let done = work()?;
        self.end(task, start);
        Ok(done)
    }

    fn end(&self, task: Task, start: Instant) {
        self.sink.send(Event::TaskEnd {
            task,
            elapsed_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
    }

    fn warn(&self, id: &str, warnings: &[String]) {
        for text in warnings {
            self.message(Level::Warning, id, text.clone());
        }
    }

    fn info(&self, id: &str, text: String) {
        self.message(Level::Info, id, text);
    }

    fn message(&self, level: Level, id: &str, text: String) {
        self.sink.send(Event::Message {
            level,
            id: id.to_owned(),
            text,
        });
    }
}

/// A named entry in this machine's firmware is for a disk that stays in it: not for a
/// disk in a file, whatever device it is behind.
fn firmware_entry(checked: &Checked) -> bool {
    let here = boot::firmware_of_this_machine() == Firmware::Uefi;
    here && !checked.places.in_file && checked.places.esp.is_some()
}

/// The boot loaders of a decision, as [`Summary::bootloaders`] names them.
fn names(decision: &BootDecision) -> Vec<String> {
    let by_bootc = match decision.bootc {
        boot::BootcBootloader::None => None,
        boot::BootcBootloader::Grub => Some("bootupd".to_owned()),
        boot::BootcBootloader::Systemd => Some("systemd-boot".to_owned()),
    };
    let by_us = decision.grub.iter().map(|step| {
        match step.firmware {
            Firmware::Bios => "grub-bios",
            Firmware::Uefi => "grub-uefi",
        }
        .to_owned()
    });
    by_bootc.into_iter().chain(by_us).collect()
}

/// Whether the plan has the image unpacked.
fn unpacks(plan: &Plan) -> bool {
    plan.runtime_root == RuntimeRoot::Unpack
}
