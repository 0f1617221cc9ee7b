// SPDX-License-Identifier: MIT OR Apache-2.0
//! The page's QObject.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use conf::Icon;
use contract::check_answer::CheckAnswer;
use contract::error::{Code, Error, Result};
use cxx_qt::{CxxQtType, Threading};
use cxx_qt_lib::QString;
use frontend::check::{self, Question, Stop};
use frontend::session::Session as Choice;
use secrecy::SecretString;
use serde_json::json;

use crate::ffi::bridge::ImagePage;
use crate::guard::{guarded, panic_if_asked};
use crate::jobs::{Session, Shared};

/// States of the page, as QML sees them.
mod state {
    /// Nothing is chosen.
    pub(super) const EMPTY: &str = "empty";
    /// Chosen and not yet checked.
    pub(super) const UNCHECKED: &str = "unchecked";
    /// The registry is being asked.
    pub(super) const CHECKING: &str = "checking";
    /// It can be installed.
    pub(super) const CHECKED: &str = "checked";
    /// It cannot; `failure` says why.
    pub(super) const FAILED: &str = "failed";
}

/// Fields behind the properties of `ImagePage`.
#[derive(Default)]
#[allow(unreachable_pub)] // A type of the bridge, all of which is `pub`.
pub struct Page {
    pub(crate) reference: QString,
    pub(crate) catalogue: QString,
    pub(crate) allow_other: bool,
    pub(crate) state: QString,
    pub(crate) valid: bool,
    pub(crate) facts: QString,
    pub(crate) failure: QString,
    pub(crate) needs_login: bool,
    pub(crate) login_host: QString,
    pub(crate) keep_login: bool,
    pub(crate) skip_when_valid: bool,
    shared: Option<Arc<Shared>>,
    /// Ends the running check.
    stop: Stop,
    /// Number of the last check; the answer to an earlier one is not shown.
    serial: u64,
}

impl ImagePage {
    pub(crate) fn configure(
        mut self: Pin<&mut Self>,
        session: &Session,
        path: &QString,
        language: &QString,
    ) {
        let shared = Arc::clone(&session.0);
        let path = (!path.is_empty()).then(|| PathBuf::from(path.to_string()));
        let done = guarded(|| {
            *shared.choice() = Choice::configured(path.as_ref());
            self.as_mut().rust_mut().shared = Some(Arc::clone(&shared));
            let choice = shared.choice();
            let allow_other = choice.config().page.allow_other;
            let skip_when_valid = choice.config().page.skip_when_valid;
            let keep = choice.config().keep_credentials.unwrap_or(false);
            let reference = QString::from(choice.reference());
            let broken = choice.broken().cloned();
            // Whoever hears of a change may want the choice, too.
            drop(choice);
            self.as_mut().set_allow_other(allow_other);
            self.as_mut().set_skip_when_valid(skip_when_valid);
            self.as_mut().set_keep_login(keep);
            self.as_mut().show_reference(reference);
            broken
        });
        self.as_mut().translate(language);
        match done {
            Ok(None) => {}
            Ok(Some(error)) | Err(error) => self.fail(&error),
        }
    }

    pub(crate) fn translate(self: Pin<&mut Self>, language: &QString) {
        let Some(shared) = self.shared.clone() else {
            return;
        };
        let language = language.to_string();
        let entries: Vec<_> = shared
            .choice()
            .config()
            .page
            .catalogue
            .iter()
            .map(|entry| {
                let (file, name) = match &entry.icon {
                    Some(Icon::File(path)) => (path.display().to_string(), ""),
                    Some(Icon::Theme(name)) => (String::new(), name.as_str()),
                    None => (String::new(), ""),
                };
                json!({
                    "name": entry.name.get(&language),
                    "description": entry.description.as_ref().map_or("", |text| text.get(&language)),
                    "iconFile": file,
                    "iconName": name,
                    "reference": entry.reference,
                })
            })
            .collect();
        self.set_catalogue(QString::from(&serde_json::Value::from(entries).to_string()));
    }

    pub(crate) fn set_reference(mut self: Pin<&mut Self>, reference: QString) {
        if self.reference == reference {
            return;
        }
        let done = guarded(|| {
            if let Some(shared) = &self.shared {
                shared.choice().choose(&reference.to_string());
            }
            self.as_mut().show_reference(reference);
        });
        if let Err(error) = done {
            self.fail(&error);
        }
    }

    pub(crate) fn set_keep_login(mut self: Pin<&mut Self>, keep: bool) {
        if let Some(shared) = &self.shared {
            shared.choice().keep_login(keep);
        }
        if self.keep_login != keep {
            self.as_mut().rust_mut().keep_login = keep;
            self.keep_login_changed();
        }
    }

    pub(crate) fn log_in(mut self: Pin<&mut Self>, username: &QString, password: &QString) {
        let done = guarded(|| {
            let password = SecretString::from(password.to_string());
            let Some(shared) = self.shared.clone() else {
                return Err(not_configured());
            };
            let logged_in = shared.choice().log_in(&username.to_string(), password);
            logged_in
        });
        match done.and_then(|result| result) {
            Ok(()) => self.check(),
            Err(error) => self.as_mut().fail(&error),
        }
    }

    pub(crate) fn check(mut self: Pin<&mut Self>) {
        if let Err(error) = guarded(|| self.as_mut().begin_check()).and_then(|begun| begun) {
            self.fail(&error);
        }
    }

    pub(crate) fn stop_check(mut self: Pin<&mut Self>) {
        self.as_mut().rust_mut().serial += 1;
        self.stop.stop();
    }

    fn begin_check(mut self: Pin<&mut Self>) -> Result<()> {
        let Some(shared) = self.shared.clone() else {
            return Err(not_configured());
        };
        panic_if_asked(shared.debug, "check");
        let question = shared.choice().question()?;
        self.as_mut().stop_check();
        let stop = Stop::default();
        self.as_mut().rust_mut().stop = stop.clone();
        let serial = self.serial;
        self.as_mut().set_valid(false);
        self.as_mut().set_state(QString::from(state::CHECKING));
        let page = self.qt_thread();
        std::thread::Builder::new()
            .name("check".into())
            .spawn(move || {
                let answer = guarded(|| {
                    panic_if_asked(shared.debug, "checking");
                    check::check(&shared.program, &question, &stop)
                });
                let answer = answer.and_then(|answer| answer);
                // Fails when the page is gone, which then needs no answer.
                drop(page.queue(move |page| page.answered(serial, &question, answer)));
            })
            .map(drop)
            .map_err(|err| {
                Error::new(Code::Io, "The check could not be started.").detail(err.to_string())
            })
    }

    /// In the GUI's thread again.
    fn answered(
        mut self: Pin<&mut Self>,
        serial: u64,
        question: &Question,
        answer: Result<CheckAnswer>,
    ) {
        if serial != self.serial {
            return;
        }
        let shown = guarded(|| match answer {
            Ok(answer) => {
                // For QML: the engine's object as it is.
                let json = serde_json::to_string(&answer).unwrap_or_default();
                self.as_mut().set_facts(QString::from(&json));
                if let Some(shared) = &self.shared {
                    shared.choice().checked(question, answer);
                }
                self.as_mut().set_failure(QString::default());
                self.as_mut().set_needs_login(false);
                self.as_mut().set_state(QString::from(state::CHECKED));
                self.as_mut().set_valid(true);
            }
            Err(error) => self.as_mut().fail(&error),
        });
        if let Err(error) = shown {
            self.fail(&error);
        }
    }

    /// Shows another reference, of which nothing is known yet.
    fn show_reference(mut self: Pin<&mut Self>, reference: QString) {
        self.as_mut().stop_check();
        let host = self.shared.as_ref().and_then(|s| s.choice().host());
        let state = if reference.is_empty() {
            state::EMPTY
        } else {
            state::UNCHECKED
        };
        self.as_mut().rust_mut().reference = reference;
        self.as_mut().reference_changed();
        self.as_mut()
            .set_login_host(QString::from(&host.unwrap_or_default()));
        self.as_mut().set_needs_login(false);
        self.as_mut().set_valid(false);
        self.as_mut().set_facts(QString::default());
        self.as_mut().set_failure(QString::default());
        self.set_state(QString::from(state));
    }

    fn fail(mut self: Pin<&mut Self>, error: &Error) {
        let login = matches!(error.code, Code::RegistryAuth | Code::RegistryAuthRequired);
        let json = serde_json::to_string(error).unwrap_or_default();
        self.as_mut().set_valid(false);
        self.as_mut().set_facts(QString::default());
        self.as_mut().set_failure(QString::from(&json));
        if login {
            self.as_mut().set_needs_login(true);
        }
        self.set_state(QString::from(state::FAILED));
    }
}

fn not_configured() -> Error {
    Error::new(Code::Internal, "The page is not configured yet.")
}
