// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pictures of the machine's screen, from outside.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::qmp::Qmp;

/// Between two looks at a booting machine.
const INTERVAL: Duration = Duration::from_millis(700);
/// The first that a kernel says.
const KERNEL: &[u8] = b"Linux version";
const CONNECT: Duration = Duration::from_secs(30);

/// Takes numbered pictures.
#[derive(Debug)]
pub struct Camera {
    qmp: Qmp,
    dir: PathBuf,
    taken: usize,
}

impl Camera {
    /// Pictures of the machine behind this socket go to `dir`, numbered on
    /// from `taken`.
    ///
    /// # Errors
    /// When there is no machine behind it.
    pub fn new(socket: &Path, dir: &Path, taken: usize) -> Result<Self> {
        Ok(Self {
            qmp: Qmp::connect(socket, CONNECT)?,
            dir: dir.to_owned(),
            taken,
        })
    }

    /// How many there are by now.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// Takes one; it is called `NN-name.png`.
    ///
    /// # Errors
    /// When QEMU refuses it, or has ended.
    pub fn take(&mut self, name: &str) -> Result<PathBuf> {
        self.taken += 1;
        let file = self.dir.join(format!("{:02}-{name}.png", self.taken));
        self.qmp.screenshot(&file)?;
        Ok(file)
    }
}

/// Watches a machine boot and keeps one picture: that with the most on it.
/// Before the kernel is up this is the boot menu.
#[derive(Debug)]
pub struct Watch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts to look, as soon as there is a machine behind the socket, and
    /// stops when the kernel speaks on the console that is logged.
    ///
    /// # Errors
    /// When there can be no thread.
    pub fn start(socket: &Path, file: &Path, console: Option<&Path>) -> Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let (socket, file) = (socket.to_owned(), file.to_owned());
        let console = console.map(Path::to_owned);
        let thread = std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || {
                let mut most = 0;
                let mut qmp = None;
                while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    if console.as_deref().is_some_and(has_kernel) {
                        return;
                    }
                    // A machine that is gone, or not there yet, has no picture.
                    qmp = match qmp.take() {
                        None => Qmp::connect(&socket, Duration::ZERO).ok(),
                        Some(mut qmp) => look(&mut qmp, &file, &mut most).ok().map(|()| qmp),
                    };
                }
            })
            .map_err(Error::io("starting the thread that watches the screen"))?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

fn has_kernel(console: &Path) -> bool {
    let text = fs::read(console).unwrap_or_default();
    text.windows(KERNEL.len()).any(|window| window == KERNEL)
}

/// A picture of more bytes shows more.
fn look(qmp: &mut Qmp, file: &Path, most: &mut u64) -> Result<()> {
    let new = file.with_extension("new");
    qmp.screenshot(&new)?;
    let kept = fs::metadata(&new).and_then(|about| {
        if about.len() <= *most {
            return fs::remove_file(&new);
        }
        *most = about.len();
        fs::rename(&new, file)
    });
    kept.map_err(Error::io("keeping a picture"))
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic in there has been printed already.
            drop(thread.join());
        }
    }
}
