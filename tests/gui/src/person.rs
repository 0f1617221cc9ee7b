// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a person enters, and the ways through Calamares' own pages.

use crate::gui::{Around, Gui};
use crate::want::Want;

/// More than Calamares has in any test.
const MOST_PAGES: usize = 12;

/// Somebody who installs a system.
#[derive(Clone, Debug)]
pub struct Person {
    /// For the first field of the users page.
    pub full_name: String,
    /// The name of the account.
    pub login: String,
    /// The name of the computer.
    pub hostname: String,
    /// The password of the account and of root.
    pub password: String,
}

impl Default for Person {
    fn default() -> Self {
        Self {
            full_name: "Ada Lovelace".to_owned(),
            login: "ada".to_owned(),
            hostname: "engine".to_owned(),
            password: "correct horse 9 battery".to_owned(),
        }
    }
}

impl<A: Around> Gui<A> {
    /// Presses Next.
    #[track_caller]
    pub fn next(&mut self) {
        self.press(self.words().next);
    }

    /// Presses Next on each page, as soon as the page allows it, until a widget
    /// with this name shows.
    #[track_caller]
    pub fn next_until(&mut self, name: &str) {
        for _ in 0..MOST_PAGES {
            if self.find(name).is_some() {
                return;
            }
            self.next();
        }
        self.fail(&format!(
            "{name:?} is on none of the next {MOST_PAGES} pages"
        ));
    }

    /// Fills in the users page: with root's password like the account's where
    /// the page can do that, else once more.
    #[track_caller]
    pub fn enter_person(&mut self, person: &Person) {
        let words = self.words();
        let fields = [
            (words.full_name, &person.full_name),
            (words.login, &person.login),
            (words.hostname, &person.hostname),
        ];
        for (label, text) in fields {
            self.type_into(Want::field_after(label), text);
        }
        let password = |n| Want::field_after(words.password).nth(n);
        let same = Want::named(words.reuse_password).role("check box");
        if let Some(same_box) = self.find(same.clone())
            && !same_box.is("checked")
        {
            self.press_widget(same.clone());
            self.wait(same.with_state("checked"));
        }
        let mut index = 0;
        while self.find(password(index)).is_some() {
            self.type_into(password(index), &person.password);
            index += 1;
        }
    }

    /// On the summary: starts the installation, and answers with yes where
    /// settings.conf has a last question (`prompt-install`).
    #[track_caller]
    pub fn install(&mut self) {
        self.press(self.words().install);
        if self.prompts() {
            self.confirm_install();
        }
    }

    /// Answers the question whether to install now with yes.
    #[track_caller]
    pub fn confirm_install(&mut self) {
        self.wait(Want::dialog());
        self.press(self.words().install_now);
    }

    /// Presses Cancel and confirms.
    #[track_caller]
    pub fn cancel(&mut self) {
        self.press(self.words().cancel);
        self.confirm_cancel();
    }

    /// Answers the question whether to give up with yes.
    #[track_caller]
    pub fn confirm_cancel(&mut self) {
        self.wait(Want::named(self.words().cancel_question).role("dialog"));
        self.press(self.words().yes);
    }

    /// Waits for the last page and asserts that it tells of success.
    #[track_caller]
    pub fn wait_installed(&mut self) {
        let words = self.words();
        self.wait_enabled(words.done);
        if self.find(Want::containing(words.all_done)).is_none() {
            self.fail("the installation did not succeed");
        }
    }

    /// Waits for the dialog that tells of a failure; gives all that
    /// shows then.
    #[track_caller]
    pub fn wait_failed(&mut self) -> String {
        self.wait(Want::named(self.words().error).role("dialog"));
        self.dump()
    }
}
