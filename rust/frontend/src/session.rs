// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the person chose, from the page to the jobs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use conf::Config;
use contract::check_answer::CheckAnswer;
use contract::error::{Code, Error, Result};
use imageref::ImageRef;
use secrecy::SecretString;

use crate::check::Question;
use crate::login::Login;
use crate::run::Request;

/// The state behind the page: configuration, choice, logins.
#[derive(Debug, Default)]
pub struct Session {
    config: Config,
    broken: Option<Error>,
    reference: String,
    logins: BTreeMap<String, Login>,
    keep_login: bool,
    answer: Option<CheckAnswer>,
}

impl Session {
    /// Reads bootc.conf. A broken one makes a session in which nothing can be
    /// checked; [`Session::broken`] says why.
    pub fn configured(path: Option<&PathBuf>) -> Self {
        let mut session = Self::default();
        match path.map_or_else(|| Err(no_config()), |path| conf::read(path)) {
            Ok(config) => {
                session.reference = default_reference(&config);
                session.keep_login = config.keep_credentials.unwrap_or(false);
                session.config = config;
            }
            Err(error) => session.broken = Some(error),
        }
        session
    }

    /// What is wrong with the configuration.
    pub fn broken(&self) -> Option<&Error> {
        self.broken.as_ref()
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The reference as it was chosen or typed.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// Chooses another reference; what was known of the old one is forgotten.
    pub fn choose(&mut self, reference: &str) {
        if self.reference != reference {
            self.reference = reference.to_owned();
            self.answer = None;
        }
    }

    /// `host[:port]` of the registry of the chosen reference.
    pub fn host(&self) -> Option<String> {
        match self.reference.trim().parse().ok()? {
            ImageRef::Registry(reference) => Some(reference.registry().to_owned()),
            _ => None,
        }
    }

    /// Whether the image must be downloaded, as far as is known. `on_medium` is asked
    /// about an image that was not checked: see [`crate::check::is_on_medium`].
    pub fn is_remote(&self, on_medium: impl FnOnce(&Question) -> bool) -> bool {
        if self.config.source.is_some() || self.host().is_none() {
            return false;
        }
        match &self.answer {
            // One that is wholly on the medium is used there.
            Some(known) => known.medium_bytes == 0 || known.download_bytes > 0,
            None if self.config.layouts.is_empty() => true,
            None => !self.question().is_ok_and(|question| on_medium(&question)),
        }
    }

    /// Logs in at the registry of the chosen reference.
    pub fn log_in(&mut self, username: &str, password: SecretString) -> Result<()> {
        let Some(host) = self.host() else {
            return Err(Error::new(
                Code::Usage,
                "No registry is named to log in at.",
            ));
        };
        let login = Login::new(&host, username, password)?;
        self.logins.insert(host, login);
        Ok(())
    }

    /// Whether a login for later updates is kept in the installed system.
    pub fn keep_login(&mut self, keep: bool) {
        self.keep_login = keep;
    }

    /// What to ask the engine about the chosen image.
    pub fn question(&self) -> Result<Question> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        Ok(Question {
            config: self.config_path(),
            image: self.image(),
            login: self.login(),
        })
    }

    /// Takes in what the check of `question` found out. Ignored when something
    /// else was chosen meanwhile.
    pub fn checked(&mut self, question: &Question, answer: CheckAnswer) {
        if question.image == self.image() {
            self.answer = Some(answer);
        }
    }

    /// What is known of the chosen image, once it was checked.
    pub fn answer(&self) -> Option<&CheckAnswer> {
        self.answer.as_ref()
    }

    /// The installation of what was chosen. Without a page it is what the
    /// configuration names, looked up at its start.
    pub fn request(&self, global_storage: SecretString) -> Result<Request> {
        let Question {
            config,
            image,
            login,
        } = self.question()?;
        Ok(Request {
            config,
            image,
            digest: self.answer.as_ref().map(|known| known.digest.clone()),
            index_digest: self
                .answer
                .as_ref()
                .and_then(|known| known.index_digest.clone()),
            keep_login: self.keep_login && login.is_some(),
            login,
            global_storage,
        })
    }

    fn config_path(&self) -> Option<PathBuf> {
        (!self.config.path.as_os_str().is_empty()).then(|| self.config.path.clone())
    }

    /// The reference for the engine; none where `containerUrl` is meant, which
    /// may say more than a reference (a transport, for example).
    fn image(&self) -> Option<String> {
        (self.config.container_url.as_ref() != Some(&self.reference))
            .then(|| self.reference.trim().to_owned())
    }

    fn login(&self) -> Option<Login> {
        self.logins.get(&self.host()?).cloned()
    }
}

/// What the page proposes: `containerUrl`, else the first entry of the
/// catalogue, else nothing.
fn default_reference(config: &Config) -> String {
    match (&config.container_url, config.page.catalogue.first()) {
        (Some(url), _) => url.clone(),
        (None, Some(first)) => first.reference.clone(),
        (None, None) => String::new(),
    }
}

fn no_config() -> Error {
    Error::new(
        Code::ConfigInvalid,
        "The configuration file bootc.conf is missing.",
    )
    .why("It is not among the modules' configuration files of this installer.")
    .next("Report it to whoever made this installation medium.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;

    #[test]
    fn an_image_on_the_medium_needs_no_registry() {
        let dir = tempfile::tempdir().unwrap();
        let conf = dir.path().join("bootc.conf");
        for (text, on_medium, remote) in [
            (
                "containerUrl: r.example/os:1\nlayouts: [images]\n",
                Some(true),
                false,
            ),
            (
                "containerUrl: r.example/os:1\nlayouts: [images]\n",
                Some(false),
                true,
            ),
            // Nobody needs to be asked.
            ("containerUrl: r.example/os:1\n", None, true),
            ("containerUrl: oci:/m/oci\nlayouts: [images]\n", None, false),
            (
                "containerUrl: r.example/os:1\nlayouts: [images]\nsource: oci:/m/oci\n",
                None,
                false,
            ),
        ] {
            fs::write(&conf, text).unwrap();
            let session = Session::configured(Some(&conf));
            assert!(session.broken().is_none(), "{:?}", session.broken());
            let mut asked = None;
            let found = session.is_remote(|question| {
                asked = on_medium;
                assert_eq!(question.config.as_ref(), Some(&conf));
                on_medium.unwrap()
            });
            assert_eq!((found, asked), (remote, on_medium), "{text}");
        }
    }
}
