// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the person chose, from the page to the jobs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use conf::Config;
use contract::error::{Code, Error, Result};
use contract::plan::LayoutPlace;
use imageref::ImageRef;
use secrecy::SecretString;
use source::medium::Medium;

use crate::check::{Facts, Question};
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
    facts: Option<Facts>,
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
            self.facts = None;
        }
    }

    /// `host[:port]` of the registry of the chosen reference.
    pub fn host(&self) -> Option<String> {
        match self.reference.trim().parse().ok()? {
            ImageRef::Registry(reference) => Some(reference.registry().to_owned()),
            _ => None,
        }
    }

    /// Whether the image must be downloaded, as far as is known.
    pub fn is_remote(&self) -> bool {
        let here = match &self.facts {
            // One that is wholly on the medium is used there.
            Some(facts) => facts.medium_bytes > 0 && facts.download_bytes == 0,
            None => self.is_on_medium(),
        };
        self.config.source.is_none() && self.host().is_some() && !here
    }

    /// Whether a layout on the medium has an image of this name. It may be
    /// older than that of the registry.
    fn is_on_medium(&self) -> bool {
        let Ok(ImageRef::Registry(reference)) = self.reference.trim().parse() else {
            return false;
        };
        let name = reference.to_string();
        // What is on other media has no images by their names.
        let layouts = self.config.layouts.iter().cloned();
        let medium = Medium::open(&layouts.map(LayoutPlace::from).collect::<Vec<_>>(), &[]);
        medium.layouts.iter().any(|layout| {
            layout.images().is_ok_and(|images| {
                images
                    .iter()
                    .any(|(named, _)| named.as_deref() == Some(name.as_str()))
            })
        })
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
    pub fn checked(&mut self, question: &Question, facts: Facts) {
        if question.image == self.image() {
            self.facts = Some(facts);
        }
    }

    /// What is known of the chosen image, once it was checked.
    pub fn facts(&self) -> Option<&Facts> {
        self.facts.as_ref()
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
            digest: self.facts.as_ref().map(|facts| facts.digest.clone()),
            index_digest: self.facts.as_ref().and_then(|f| f.index_digest.clone()),
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
    use registry::OciLayout;
    use std::fs;

    #[test]
    fn an_image_on_the_medium_needs_no_registry() {
        let dir = tempfile::tempdir().unwrap();
        let layout = dir.path().join("images");
        OciLayout::create(&layout).unwrap();
        let index = r#"{"schemaVersion":2,"manifests":[{
            "mediaType":"application/vnd.oci.image.manifest.v1+json",
            "digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000",
            "size":1,
            "annotations":{"org.opencontainers.image.ref.name":"r.example/os/a:1"}}]}"#;
        fs::write(layout.join("index.json"), index).unwrap();
        let conf = dir.path().join("bootc.conf");
        for (url, layouts, remote) in [
            ("r.example/os/a:1", "[images]", false),
            ("r.example/os/b:1", "[images]", true),
            ("r.example/os/a:1", "[elsewhere]", true),
            ("r.example/os/a:1", "[]", true),
        ] {
            fs::write(&conf, format!("containerUrl: {url}\nlayouts: {layouts}\n")).unwrap();
            let session = Session::configured(Some(&conf));
            assert!(session.broken().is_none(), "{:?}", session.broken());
            assert_eq!(session.is_remote(), remote, "{url} {layouts}");
        }
    }
}
