// SPDX-License-Identifier: MIT OR Apache-2.0
//! What live systems see of a test's registry.

use test_gui::{Served, Session, Tiny, World};

/// Prints the status of the answer to a request without a login.
const ASK: &str = "
import sys, urllib.error, urllib.request
try:
    print(urllib.request.urlopen(sys.argv[1]).status)
except urllib.error.HTTPError as error:
    print(error.code)
";

fn ask(session: &mut Session<'_>, served: &Served) -> String {
    let address = format!("http://{}/v2/", served.address());
    let output = session.run(&["python3", "-c", ASK, &address]);
    match output.status {
        0 => output.stdout.trim().to_owned(),
        _ => output.stderr,
    }
}

#[test]
fn a_live_system_reaches_the_registry_while_it_runs() {
    let Some(world) = World::enter("served") else {
        return;
    };
    let image = Tiny::working().write(world.inner());
    let Some(mut served) = Served::image(&world, &image, Some(("ada", "secret"))) else {
        return;
    };
    let mut session = world.stock().start();
    assert_eq!(ask(&mut session, &served), "401");
    served.stop();
    let refused = ask(&mut session, &served);
    assert!(refused.contains("refused"), "{refused}");
    served.start_again();
    assert_eq!(ask(&mut session, &served), "401");
    session.cancel();
    session.wait_exit().assert_clean();
}
