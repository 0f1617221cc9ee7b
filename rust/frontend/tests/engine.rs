// SPDX-License-Identifier: MIT OR Apache-2.0
//! The front end against programs that play the engine's part: good ones, bad
//! ones and none at all. With the real engine it is tested in tests/gui.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use contract::error::Code;
use frontend::check::{Question, Stop, check, check_within, is_on_medium};
use frontend::login::Login;
use frontend::program::Program;
use frontend::progress::Stage;
use frontend::run::{Request, Run, Snapshot};

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

const PLAN: &str = r#"{"version":1,"image":{"imgref":"a.b/c:1"},
    "source":{"type":"registry"},"runtimeRoot":{"type":"unpack"},
    "target":{"root":"/t"},"bootc":{"stateroot":"default"}}"#;

const DIGEST: &str = concat!(
    "sha256:",
    "0123456789abcdef0123456789abcdef",
    "0123456789abcdef0123456789abcdef"
);

const DONE: &str = r#"{"type":"Done","imgref":"a.b/c:1","digest":"sha256:0","deployment":"d",
    "stateroot":"default","bootloaders":[],"bytesDownloaded":1,
    "handOver":{"root":"/run/x","state":"/run/y"}}"#;

struct Engine {
    dir: tempfile::TempDir,
}

impl Engine {
    /// A shell script with this text; `$dir` is a directory of its own.
    fn new(script: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("engine");
        let text = format!("#!/bin/sh\ndir={}\n{script}\n", dir.path().display());
        testkit::program::write(&path, &text).unwrap();
        Self { dir }
    }

    /// One that makes a plan and then plays `install`.
    fn planning(install: &str) -> Self {
        let plan = PLAN.replace('\n', " ");
        Self::new(&format!(
            "if [ \"$1\" = plan ]; then cat > \"$dir/storage\"; echo '{plan}'; exit 0; fi\n{install}"
        ))
    }

    fn program(&self) -> Program {
        Program::new(self.path("engine"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

fn request() -> Request {
    Request {
        config: None,
        image: Some("a.b/c:1".into()),
        digest: DIGEST.parse().ok(),
        index_digest: None,
        login: None,
        keep_login: false,
        global_storage: r#"{"rootMountPoint":"/t"}"#.into(),
    }
}

fn played(engine: &Engine) -> Snapshot {
    let run = Run::start(engine.program(), request());
    run.wait(LONG)
}

fn failed(snapshot: &Snapshot) -> (Code, String) {
    let error = snapshot.ended.clone().unwrap().unwrap_err();
    (error.code, error.to_string())
}

#[test]
fn an_installation_to_its_end() {
    let done = DONE.replace('\n', " ");
    let engine = Engine::planning(&format!(
        r#"head -c 10000 <&4 > "$dir/plan"
           echo '{{"type":"TaskStart","task":"deploy","description":"x","id":"deploy"}}'
           echo 'not an event'
           echo '{{"type":"Message","level":"warning","id":"x","text":"careful"}}'
           echo '{done}'"#
    ));
    let run = Run::start(engine.program(), request());
    // The script reads until the pipe ends, which is when the run is stopped.
    wait_for(&engine.path("plan"));
    run.stop();
    let end = run.wait(LONG);
    let summary = end.ended.unwrap().unwrap();
    assert_eq!(summary.hand_over.unwrap().root, Path::new("/run/x"));
    assert_eq!(end.position.stage, Stage::Deploy);
    let warnings = run.warnings();
    assert!(warnings.iter().any(|w| w == "careful"), "{warnings:?}");
    assert!(
        warnings.iter().any(|w| w.contains("not understood")),
        "{warnings:?}"
    );
    assert_eq!(
        fs::read_to_string(engine.path("storage")).unwrap(),
        r#"{"rootMountPoint":"/t"}"#
    );
    let plan: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(engine.path("plan")).unwrap()).unwrap();
    assert_eq!(
        plan["image"]["digest"], DIGEST,
        "pinned to what was checked"
    );
}

/// Waits for a file that another process makes.
fn wait_for(path: &Path) {
    let deadline = std::time::Instant::now() + LONG;
    while !path.exists() {
        assert!(std::time::Instant::now() < deadline, "{}", path.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_stop_closes_the_pipe_and_waits_for_the_engines_word() {
    let engine = Engine::planning(
        r#"touch "$dir/begun"; cat <&4 > /dev/null
           echo '{"type":"Error","code":"CANCELLED","what":"a.","why":"b.","next":"c."}'; exit 130"#,
    );
    let run = Run::start(engine.program(), request());
    wait_for(&engine.path("begun"));
    assert!(run.snapshot().ended.is_none());
    run.stop();
    assert_eq!(failed(&run.wait(LONG)).0, Code::Cancelled);
}

#[test]
fn a_stop_before_the_engine_runs() {
    let engine = Engine::new(&format!(
        r#"if [ "$1" = plan ]; then
               while [ ! -e "$dir/go" ]; do sleep 0.01; done; echo '{}'; exit 0
           fi; touch "$dir/installed""#,
        PLAN.replace('\n', " ")
    ));
    let run = Run::start(engine.program(), request());
    run.stop();
    fs::write(engine.path("go"), "").unwrap();
    assert_eq!(failed(&run.wait(LONG)).0, Code::Cancelled);
    assert!(!engine.path("installed").exists());
}

#[test]
fn a_killed_engine() {
    let (code, text) = failed(&played(&Engine::planning("kill -9 $$")));
    assert_eq!(code, Code::Internal);
    assert!(text.contains("killed"), "{text}");
}

#[test]
fn an_engine_that_says_nothing() {
    let (code, text) = failed(&played(&Engine::planning("exit 3")));
    assert_eq!(code, Code::Internal);
    assert!(text.contains("unexpectedly"), "{text}");
}

#[test]
fn no_engine_at_all() {
    let run = Run::start(Program::new("/nonexistent/bootc-installer"), request());
    assert_eq!(failed(&run.wait(LONG)).0, Code::ToolMissing);
    let asked = check(
        &Program::new("/nonexistent/bootc-installer"),
        &Question::default(),
        &Stop::default(),
    );
    assert_eq!(asked.unwrap_err().code, Code::ToolMissing);
}

#[test]
fn a_plan_that_is_refused() {
    let engine = Engine::new(
        r#"echo '{"error":{"code":"CONFIG_INVALID","what":"a.","why":"b.","next":"c."}}'; exit 2"#,
    );
    assert_eq!(failed(&played(&engine)).0, Code::ConfigInvalid);
}

#[test]
fn a_plan_that_is_none() {
    for (script, code) in [
        ("echo '{}'", Code::PlanInvalid),
        ("exit 7", Code::Internal),
        ("kill -9 $$", Code::Internal),
    ] {
        assert_eq!(failed(&played(&Engine::new(script))).0, code, "{script}");
    }
}

#[test]
fn a_check_and_its_login() {
    let script = r#"echo "$@" > "$dir/args"; cat <&3 > "$dir/auth"
        echo '{"imgref":"a.b/c:1","digest":"DIGEST","architecture":"linux/amd64","layers":2}'"#;
    let engine = Engine::new(&script.replace("DIGEST", DIGEST));
    let question = Question {
        config: Some("/etc/bootc.conf".into()),
        image: Some("-x <b>".into()),
        login: Some(Login::new("a.b", "alice", "hunter2".into()).unwrap()),
    };
    let facts = check(&engine.program(), &question, &Stop::default()).unwrap();
    assert_eq!(
        (facts.digest.to_string().as_str(), facts.layers),
        (DIGEST, 2)
    );
    assert_eq!(
        fs::read_to_string(engine.path("args")).unwrap().trim_end(),
        "check --format json --config /etc/bootc.conf --image=-x <b> --auth-fd=3"
    );
    let auth = fs::read_to_string(engine.path("auth")).unwrap();
    assert!(auth.contains(r#""a.b":{"auth":"#), "{auth}");
}

#[test]
fn what_is_on_the_medium() {
    for (script, on_medium) in [
        (r#"echo "$@" > "$dir/args"; echo '{"onMedium":true}'"#, true),
        (
            r#"echo "$@" > "$dir/args"; echo '{"onMedium":false}'"#,
            false,
        ),
        // What cannot tell, an older one for example.
        (r#"echo "$@" > "$dir/args"; exit 2"#, false),
    ] {
        let engine = Engine::new(script);
        let question = Question {
            config: Some("/etc/bootc.conf".into()),
            ..Question::default()
        };
        assert_eq!(is_on_medium(&engine.program(), &question), on_medium);
        assert_eq!(
            fs::read_to_string(engine.path("args")).unwrap().trim_end(),
            "check --on-medium --format json --config /etc/bootc.conf"
        );
    }
    assert!(!is_on_medium(
        &Program::new("/nonexistent"),
        &Question::default()
    ));
}

#[test]
fn a_check_that_is_stopped() {
    let engine = Engine::new(r#"touch "$dir/begun"; exec sleep 1000"#);
    let stop = Stop::default();
    let of_thread = stop.clone();
    let program = engine.program();
    let asked = std::thread::spawn(move || check(&program, &Question::default(), &of_thread));
    wait_for(&engine.path("begun"));
    stop.stop();
    assert_eq!(asked.join().unwrap().unwrap_err().code, Code::Cancelled);
    // Before it has begun, too.
    let early = check(&engine.program(), &Question::default(), &stop);
    assert_eq!(early.unwrap_err().code, Code::Cancelled);
}

#[test]
fn a_check_that_takes_too_long() {
    let engine = Engine::new("exec sleep 1000");
    let asked = check_within(
        &engine.program(),
        &Question::default(),
        Duration::from_millis(50),
    );
    assert_eq!(asked.unwrap_err().code, Code::Cancelled);
    let answer = format!(r#"echo '{{"imgref":"a.b/c:1","digest":"{DIGEST}"}}'"#);
    let engine = Engine::new(&answer);
    let asked = check_within(&engine.program(), &Question::default(), LONG);
    assert_eq!(asked.unwrap().imgref.to_string(), "a.b/c:1");
}
