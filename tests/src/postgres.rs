//! A PostgreSQL of a test's own, which it may stop and start again: by the scripts that every test's server comes from.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
};

/// Tells where the server is, and then waits until nobody holds it any more.
const HELD: &str = r#"printf '%s\n' "$DATABASE_URL" "$PGDATA" "$PATH" && exec cat >/dev/null"#;

/// How a server is told to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It ends what it does and says so to everybody.
    Fast,
    /// It ends at once, as after a crash, and recovers when it starts again.
    Immediate,
}

/// The server. It ends when this is dropped, or with this process.
pub struct Postgres {
    /// Its database, as a user who may make others.
    pub url: String,
    data: String,
    path: String,
    script: Child,
    hold: Option<ChildStdin>,
}

fn scripts() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../infra/scripts")
}

impl Postgres {
    /// Starts one. None where tests do without PostgreSQL altogether, which is where there is no `DATABASE_URL`.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        if std::env::var_os("DATABASE_URL").is_none() {
            eprintln!("no DATABASE_URL: `make test` starts a PostgreSQL and sets it");
            return None;
        }
        let mut script = Command::new(scripts().join("with-postgres"))
            .args(["bash", "-c", HELD])
            .env_remove("DATABASE_URL")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the script runs");
        let mut lines = BufReader::new(script.stdout.take().expect("a pipe")).lines();
        let mut line = || lines.next()?.ok();
        let (Some(url), Some(data), Some(path)) = (line(), line(), line()) else {
            panic!("PostgreSQL did not start: the script said why");
        };
        Some(Self {
            url,
            data,
            path,
            hold: script.stdin.take(),
            script,
        })
    }

    /// Stops it.
    ///
    /// # Panics
    /// When it does not stop.
    pub async fn stop(&self, ending: Ending) {
        let mode = match ending {
            Ending::Fast => "fast",
            Ending::Immediate => "immediate",
        };
        self.told(&["stop", "-m", mode]).await;
    }

    /// Starts it again, where it was; it answers when this returns.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_again(&self) {
        self.told(&["start"]).await;
    }

    async fn told(&self, arguments: &[&str]) {
        let status = tokio::process::Command::new(scripts().join("postgres"))
            .args(arguments)
            .env("PGDATA", &self.data)
            .env("PATH", &self.path)
            .stdin(Stdio::null())
            .status()
            .await
            .expect("the script runs");
        assert!(status.success(), "postgres {arguments:?}: {status}");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.hold.take());
        // Waited for, so that a test that has ended leaves nothing behind; there is nobody to tell of an error.
        let _ = self.script.wait();
    }
}
