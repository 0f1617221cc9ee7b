// SPDX-License-Identifier: MIT OR Apache-2.0
//! What stops an installation: signals, the end of the plan's pipe, the death
//! of the program that started this one.

use std::fs::File;
use std::io::{BufReader, Read};
use std::os::fd::RawFd;

use contract::error::{Code, Error, Result};
use host::cancel::Cancel;
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use serde_json::value::RawValue;

use contract::plan::Plan;

/// Raises `cancel` at SIGINT, SIGTERM and SIGHUP. The steps then end their
/// children and clean up, which another signal does not cut short.
pub(super) fn on_signals(cancel: &Cancel) -> Result<()> {
    host::signals::raise(cancel, || ())
        .map_err(|err| Error::new(Code::Io, "Signals cannot be watched.").detail(err.to_string()))
}

/// Reads a plan from an inherited pipe, and raises `cancel` when the pipe
/// closes or the parent dies.
pub(super) fn plan_from_fd(fd: RawFd, cancel: &Cancel) -> Result<Plan> {
    let failed = |err: std::io::Error| {
        Error::new(
            Code::PlanInvalid,
            format!("The plan on descriptor {fd} cannot be read."),
        )
        .why("The descriptor is not open, or not a pipe.")
        .detail(err.to_string())
    };
    // A parent that died before this call closed its pipe, too.
    if let Err(errno) = set_pdeathsig(Signal::SIGTERM) {
        tracing::warn!(%errno, "the death of the parent is seen by the pipe alone");
    }
    let pipe = File::open(format!("/proc/self/fd/{fd}")).map_err(failed)?;
    let mut pipe = BufReader::new(pipe);
    let text = document(&mut pipe).map_err(failed)?;
    let plan = Plan::from_json(text.get())?;
    let cancel = cancel.clone();
    std::thread::Builder::new()
        .name("plan pipe".into())
        .spawn(move || {
            let mut ignored = [0; 256];
            while !matches!(pipe.read(&mut ignored), Ok(0) | Err(_)) {}
            tracing::info!("the plan's pipe was closed: stopping");
            cancel.cancel();
        })
        .map_err(failed)?;
    Ok(plan)
}

/// The text of the first JSON document, whose end is known without the end of
/// the stream.
fn document(reader: &mut impl Read) -> std::io::Result<Box<RawValue>> {
    let mut stream = serde_json::Deserializer::from_reader(reader).into_iter();
    match stream.next() {
        Some(Ok(text)) => Ok(text),
        Some(Err(err)) => Err(err.into()),
        None => Err(std::io::ErrorKind::UnexpectedEof.into()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Write;
    use std::os::fd::AsRawFd;

    const PLAN: &str = r#"{"version":1,"image":{"imgref":"a.b/c:1"},
        "source":{"type":"registry"},"runtimeRoot":{"type":"unpack"},
        "target":{"root":"/t"},"bootc":{"stateroot":"default"}}"#;

    /// One test for both: the parent's death signal is a setting of the thread.
    #[test]
    fn the_pipe_delivers_the_plan_and_its_end_stops() {
        let (reader, writer) = nix::unistd::pipe().unwrap();
        let mut writer = File::from(writer);
        writer.write_all(PLAN.as_bytes()).unwrap();
        let cancel = Cancel::new();
        let plan = plan_from_fd(reader.as_raw_fd(), &cancel).unwrap();
        set_pdeathsig(None).unwrap();
        assert_eq!(plan.image.imgref.to_string(), "a.b/c:1");
        assert!(!cancel.is_cancelled());
        drop(writer);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(cancel.token().cancelled());
    }

    #[test]
    fn what_is_no_plan() {
        assert!(document(&mut &b""[..]).is_err());
        assert!(document(&mut &b"{"[..]).is_err());
        assert_eq!(document(&mut &b" {} more"[..]).unwrap().get(), "{}");
        assert!(plan_from_fd(987, &Cancel::new()).is_err());
    }
}
