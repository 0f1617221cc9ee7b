// SPDX-License-Identifier: MIT OR Apache-2.0
//! `bootc-installer unattended`: what the medium does where nobody is.
//!
//! ```text
//! what was asked for ── recipe ── network ── plan ── installation ── end
//! kernel command line,  read or                        └ that of to-disk
//! credential, medium    fetched
//! ```
//!
//! Nothing is written before the plan is made, and the plan has one disk.

mod consoles;
mod end;
mod fetch;
mod origin;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use contract::error::{Code, Result};
use contract::event::{Event, EventSink, Level};
use host::cancel::Cancel;
use host::cmd::Tool;
use host::write::Root;
use recipe::{After, Recipe};

use super::args::{ImageArgs, UnattendedCommand};
use super::by_recipe::{self, Planned};
use super::{on_disk, output, stop};
use crate::report::{Lines, Output};
use origin::{Asked, Origin};

/// The medium's own configuration: registries, and the images on it.
const CONFIG: &str = "/etc/calamares-bootc/modules/bootc.conf";
/// Where systemd has the credentials of the machine.
const CREDENTIALS: &str = "/run/credentials/@system";
/// Connections of this system until it ends, below `/run`.
const CONNECTIONS: &str = "NetworkManager/system-connections";
/// Longest wait for a network, and for disks.
const NETWORK: Duration = Duration::from_secs(120);
const DISKS: Duration = Duration::from_secs(60);

/// Installs; the last event and the exit status tell how it ended.
pub(super) fn run(args: &UnattendedCommand) -> ExitCode {
    if args.dry_run {
        let prepared = prepare(args, &Cancel::new(), &|_, _| ());
        let printed = prepared.and_then(|prepared| super::print(&prepared.words));
        return super::ended(printed, false);
    }
    let sink = match output::open_or(args.events, lines) {
        Ok(sink) => sink,
        Err(error) => {
            super::complain(&error);
            return super::exit_code(&error);
        }
    };
    let mut after = None;
    let status = super::telling_to(&sink, |sink| install(args, sink, &mut after));
    // Every line is out before the machine is switched off.
    drop(sink);
    match after.map_or(Ok(()), end::end) {
        Ok(()) => status,
        Err(error) => super::ended(Err(error), false),
    }
}

/// Lines for people and journals, on every console as well.
fn lines() -> Box<dyn Output> {
    Box::new(Lines::new(consoles::writers()))
}

/// Gives the last event, and puts into `after` what is left to do.
fn install(
    args: &UnattendedCommand,
    sink: &dyn EventSink,
    after: &mut Option<After>,
) -> Result<Event> {
    let cancel = Cancel::new();
    stop::on_signals(&cancel)?;
    let tell = |id: &str, text: &str| {
        sink.send(Event::Message {
            level: Level::Info,
            id: id.into(),
            text: text.into(),
        });
    };
    let Prepared {
        planned,
        words,
        after: wanted,
    } = prepare(args, &cancel, &tell)?;
    for line in words.lines() {
        tell("plan", line);
    }
    let Planned { built, secrets, .. } = &planned;
    let summary = on_disk::play(built, secrets, &args.log_dir, sink, &cancel)?;
    *after = Some(wanted);
    Ok(Event::Done(summary))
}

/// What is known before anything is written.
struct Prepared {
    planned: Planned,
    /// What will be done.
    words: String,
    after: After,
}

fn prepare(
    args: &UnattendedCommand,
    cancel: &Cancel,
    tell: &dyn Fn(&str, &str),
) -> Result<Prepared> {
    let asked = Asked::of(&by_recipe::text(&args.cmdline)?)?;
    let origin = asked.origin(&credentials(args), &args.medium)?;
    tell("recipe", &format!("The recipe is {origin}."));
    if matches!(origin, Origin::Address(_)) {
        online(cancel)?;
    }
    let recipe = read(&origin, asked.sha256.as_deref(), &args.medium, cancel)?;
    let after = asked.after.unwrap_or(recipe.after);
    connect(&recipe, cancel)?;
    online(cancel)?;
    // Disks may still be coming up.
    waited("udevadm", &["settle", "--timeout"], DISKS, cancel)?;
    let base = ImageArgs {
        config: config(args),
        ..ImageArgs::default()
    };
    let planned = by_recipe::plan(&recipe, &base, cancel)?;
    let mut words = by_recipe::words(&recipe, &planned);
    words += &format!("{:<13} {}\n", "At the end:", after.name());
    Ok(Prepared {
        planned,
        words,
        after,
    })
}

/// The recipe, whose relative paths start where it is, or else on the medium.
fn read(origin: &Origin, sha256: Option<&str>, medium: &Path, cancel: &Cancel) -> Result<Recipe> {
    let (name, dir, text) = match origin {
        Origin::File(path) => {
            let dir = path.parent().unwrap_or(medium);
            (path.clone(), dir, by_recipe::text(path)?)
        }
        Origin::Credential(path) => {
            let name = PathBuf::from("the credential installer.recipe");
            (name, medium, by_recipe::text(path)?)
        }
        Origin::Address(address) => (address.into(), medium, fetch::file(address, cancel)?),
    };
    origin::verify(&name, text.as_bytes(), sha256)?;
    recipe::parse(&name, dir, &text)
}

/// Those that the unit was given, else all of the machine.
fn credentials(args: &UnattendedCommand) -> PathBuf {
    let given = args.credentials.clone();
    let given = given.or_else(|| std::env::var_os("CREDENTIALS_DIRECTORY").map(Into::into));
    given.unwrap_or_else(|| CREDENTIALS.into())
}

fn config(args: &UnattendedCommand) -> Option<PathBuf> {
    let usual = Path::new(CONFIG);
    let usual = || usual.exists().then(|| usual.to_owned());
    args.config.clone().or_else(usual)
}

/// Gives NetworkManager the connections of the recipe, until this system ends.
fn connect(recipe: &Recipe, cancel: &Cancel) -> Result<()> {
    let files = by_recipe::keyfiles(recipe)?;
    if files.is_empty() {
        return Ok(());
    }
    let run = Root::open(Path::new("/run"))?;
    for (name, text) in files {
        run.write(&Path::new(CONNECTIONS).join(name), text.as_bytes(), 0o600)?;
    }
    Tool::new("nmcli")
        .args(["connection", "reload"])
        .run(cancel)?;
    Ok(())
}

/// Waits until every connection is there or has failed. What that means is seen when
/// something is fetched: an image on the medium needs no network.
fn online(cancel: &Cancel) -> Result<()> {
    waited("nm-online", &["-s", "-q", "-t"], NETWORK, cancel)
}

/// Runs a program that waits; its failure is told by whoever needed it.
fn waited(name: &str, words: &[&str], limit: Duration, cancel: &Cancel) -> Result<()> {
    let tool = Tool::new(name).args(words).arg(limit.as_secs().to_string());
    match tool.run(cancel) {
        Err(error) if error.code == Code::Cancelled => Err(error),
        Err(error) => {
            tracing::info!(%error, "{name} gave up");
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}
