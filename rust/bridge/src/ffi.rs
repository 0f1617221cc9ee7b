// SPDX-License-Identifier: MIT OR Apache-2.0
//! The border itself.
#![allow(unreachable_pub)] // What cxx and cxx-qt generate is `pub`.

/// What C++ and QML see.
#[cxx_qt::bridge(namespace = "bootc")]
pub(crate) mod bridge {
    /// An error as it is shown; every field is plain text.
    struct Failure {
        code: String,
        what: String,
        why: String,
        next: String,
        /// One fact a line.
        details: String,
    }

    /// The parts of an installation, in their order: `frontend::progress::Stage`.
    enum Stage {
        Fetch,
        Deploy,
        Configure,
        HandOver,
    }

    /// What the engine does: `contract::event::Task`.
    enum Task {
        Check,
        Partition,
        Prepare,
        Pull,
        Unpack,
        Deploy,
        Boot,
        Configure,
        Handover,
        Finish,
        /// One that only a newer engine knows.
        Unknown,
    }

    /// A moment of the installation.
    struct Status {
        stage: Stage,
        /// Done part of the stage, 0 to 1.
        fraction: f64,
        /// The running one.
        task: Task,
        bytes: u64,
        /// 0 when not known.
        bytes_total: u64,
        steps: u64,
        steps_total: u64,
        /// Bytes per second, 0 when not known.
        rate: u64,
        /// Seconds, negative when not known.
        eta: i64,
        ended: bool,
        failed: bool,
        /// When failed.
        failure: Failure,
        /// When handed over: the deployment as a complete root.
        root: String,
    }

    unsafe extern "C++" {
        include!("cxx-qt-lib/qstring.h");
        #[namespace = ""]
        type QString = cxx_qt_lib::QString;
    }

    extern "RustQt" {
        /// The state of the page, for QML and for the view step. Texts of
        /// errors are English; QML translates them by code.
        #[qobject]
        #[qproperty(QString, reference, READ, WRITE = set_reference, NOTIFY)]
        #[qproperty(QString, catalogue)]
        #[qproperty(bool, allow_other, cxx_name = "allowOther")]
        #[qproperty(QString, state)]
        #[qproperty(bool, valid)]
        #[qproperty(QString, facts)]
        #[qproperty(QString, failure)]
        #[qproperty(bool, needs_login, cxx_name = "needsLogin")]
        #[qproperty(QString, login_host, cxx_name = "loginHost")]
        #[qproperty(bool, keep_login, cxx_name = "keepLogin", READ, WRITE = set_keep_login, NOTIFY)]
        #[qproperty(bool, skip_when_valid, cxx_name = "skipWhenValid")]
        type ImagePage = super::Page;

        #[cxx_name = "setReference"]
        fn set_reference(self: Pin<&mut ImagePage>, reference: QString);

        #[cxx_name = "setKeepLogin"]
        fn set_keep_login(self: Pin<&mut ImagePage>, keep: bool);

        /// Asks the registry about the chosen image; `state` tells how it goes.
        #[qinvokable]
        fn check(self: Pin<&mut ImagePage>);

        /// Logs in at `loginHost` and checks again.
        #[qinvokable]
        #[cxx_name = "logIn"]
        fn log_in(self: Pin<&mut ImagePage>, username: &QString, password: &QString);

        /// Reads bootc.conf (an empty path: there is none). Texts of the
        /// catalogue are given in `language`, for example `de_AT`.
        fn configure(
            self: Pin<&mut ImagePage>,
            session: &Session,
            path: &QString,
            language: &QString,
        );

        /// Gives the texts of the catalogue in another language.
        fn translate(self: Pin<&mut ImagePage>, language: &QString);

        /// Ends a running check; for when Calamares ends.
        #[cxx_name = "stopCheck"]
        fn stop_check(self: Pin<&mut ImagePage>);
    }

    impl cxx_qt::Threading for ImagePage {}

    extern "Rust" {
        /// What was chosen and what is running, shared by page and jobs. May be
        /// used from any thread.
        type Session;

        /// `engine` is the path of bootc-installer; with `debug` panics may be
        /// asked for by the environment.
        #[cxx_name = "newSession"]
        fn new_session(engine: &str, debug: bool) -> Box<Session>;

        /// Whether the chosen image must be downloaded.
        #[cxx_name = "isRemote"]
        fn is_remote(self: &Session) -> bool;

        /// The reference that was chosen, or the configuration's.
        fn reference(self: &Session) -> String;

        /// Bytes that a target needs, 0 when the image was not checked.
        #[cxx_name = "spaceBytes"]
        fn space_bytes(self: &Session) -> u64;

        /// Looks the configured image up; blocks, a few seconds at most. An empty
        /// `code` is success, `CANCELLED` means that it took too long.
        #[cxx_name = "lookUp"]
        fn look_up(self: &Session) -> Failure;

        /// Begins the installation. `global_storage` is JSON without the
        /// partitions' passphrases.
        fn start(self: &Session, global_storage: &str);

        /// Where the installation is.
        fn status(self: &Session) -> Status;

        /// Asks the installation to stop and clean up.
        fn stop(self: &Session);
        /// Warnings of the engine, one a line.
        fn warnings(self: &Session) -> String;
    }
}

pub(crate) use super::jobs::{Session, new_session};
pub(crate) use super::page::Page;
