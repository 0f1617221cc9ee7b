// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words of Calamares' own pages.

/// What Calamares writes in one language.
#[derive(Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Words {
    pub back: &'static str,
    pub next: &'static str,
    pub cancel: &'static str,
    pub install: &'static str,
    /// The answer to the question whether to install now.
    pub install_now: &'static str,
    pub done: &'static str,
    pub yes: &'static str,
    pub no: &'static str,
    pub close: &'static str,
    /// Labels of the users page; passwords come twice below theirs.
    pub full_name: &'static str,
    pub login: &'static str,
    pub hostname: &'static str,
    pub password: &'static str,
    pub reuse_password: &'static str,
    /// Above the summary.
    pub summary: &'static str,
    /// In the text of the last page.
    pub all_done: &'static str,
    pub failed: &'static str,
    /// The title of the dialog that tells of a failure.
    pub error: &'static str,
    /// The title of the question whether to give up.
    pub cancel_question: &'static str,
}

/// English.
pub const ENGLISH: Words = Words {
    back: "Back",
    next: "Next",
    cancel: "Cancel",
    install: "Install",
    install_now: "Install Now",
    done: "Done",
    yes: "Yes",
    no: "No",
    close: "Close",
    full_name: "What is your name?",
    login: "What name do you want to use to log in?",
    hostname: "What is the name of this computer?",
    password: "Choose a password to keep your account safe.",
    reuse_password: "Use the same password for the administrator account.",
    summary: "This is an overview of what will happen once you start the install procedure.",
    all_done: "All done.",
    failed: "Installation Failed",
    error: "Error",
    cancel_question: "Cancel Installation?",
};

/// German.
pub const GERMAN: Words = Words {
    back: "Zurück",
    next: "Weiter",
    cancel: "Abbrechen",
    install: "Installieren",
    install_now: "Jetzt installieren",
    done: "Erledigt",
    yes: "Ja",
    no: "Nein",
    close: "Schließen",
    full_name: "Wie ist Ihr Vor- und Nachname?",
    login: "Welchen Namen möchten Sie zum Anmelden benutzen?",
    hostname: "Wie ist der Name dieses Computers?",
    password: "Wählen Sie ein Passwort, um Ihr Konto zu sichern.",
    reuse_password: "Nutze das gleiche Passwort auch für das Administratorkonto.",
    summary: "Dies ist eine Übersicht der Aktionen, die nach dem Starten des \
              Installationsprozesses durchgeführt werden.",
    all_done: "Alles erledigt.",
    failed: "Installation fehlgeschlagen",
    error: "Fehler",
    cancel_question: "Installation abbrechen?",
};
