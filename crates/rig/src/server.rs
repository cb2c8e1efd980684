//! One Redis, or one Sentinel.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use redis::{FromRedisValue, RedisResult};
use tempfile::TempDir;

use crate::{PATIENCE, eventually, free_port, installed::redis_server};

/// A server as a process.
pub struct Server {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    folder: TempDir,
    args: Vec<String>,
    env: Vec<(String, String)>,
    process: Option<Child>,
}

impl Server {
    /// Starts one with these arguments; without `--save` among them it stores nothing on disk.
    ///
    /// # Panics
    /// When it does not answer, as all that follows.
    #[must_use]
    pub fn start(args: &[&str]) -> Self {
        Self::start_with(args, Vec::new())
    }

    /// The same in an environment.
    #[must_use]
    pub fn start_with(args: &[&str], env: Vec<(String, String)>) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self::run_in(folder("bangban-redis."), args, env)
    }

    /// A Sentinel that watches a server under the name `main`. It passes over a replica that was cut off for ten times as long
    /// as a master may be silent, before that one died.
    #[must_use]
    pub fn sentinel(master: u16, quorum: u16) -> Self {
        let folder = folder("bangban-sentinel.");
        let config = folder.path().join("sentinel.conf");
        let text = format!(
            "sentinel monitor main 127.0.0.1 {master} {quorum}\n\
             sentinel down-after-milliseconds main 2000\n\
             sentinel failover-timeout main 2000\n"
        );
        std::fs::write(&config, text).expect("written");
        let args = vec![config.display().to_string(), "--sentinel".to_owned()];
        Self::run_in(folder, args, Vec::new())
    }

    fn run_in(folder: TempDir, args: Vec<String>, env: Vec<(String, String)>) -> Self {
        let mut server = Self {
            port: free_port(),
            folder,
            args,
            env,
            process: None,
        };
        server.run();
        server
    }

    /// Starts it (again), with whatever is in its folder.
    pub fn run(&mut self) {
        let log = std::fs::File::create(self.log()).expect("a log");
        let port = self.port.to_string();
        let mut command = Command::new(redis_server());
        command
            .args(&self.args)
            .args(["--port", &port, "--bind", "127.0.0.1", "--dir"])
            .arg(self.folder.path());
        let has = |name| self.args.iter().any(|arg| arg == name);
        if !has("--save") && !has("--sentinel") {
            command.args(["--save", ""]);
        }
        command
            .envs(self.env.iter().cloned())
            .stdout(log)
            .stderr(Stdio::null());
        let process = command.spawn().expect("redis-server runs");
        let id = format!("process_id:{}\r\n", process.id());
        self.process = Some(process);
        // It and no other, which may have come to this port before.
        eventually("redis-server answers", PATIENCE, || {
            self.try_ask::<String>(&["PING"]).ok()?;
            let told: String = self.try_ask(&["INFO", "server"]).ok()?;
            told.contains(&id).then_some(())
        });
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    pub(crate) fn try_ask<T: FromRedisValue>(&self, words: &[&str]) -> RedisResult<T> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_connection_with_timeout(PATIENCE)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        redis::cmd(words[0]).arg(&words[1..]).query(&mut connection)
    }

    /// The answer to a command.
    pub fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        self.try_ask(words)
            .unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// A value of INFO. A server that changes its role closes connections, so it is asked more than once.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn info(&self, section: &str, name: &str) -> String {
        let info: String = eventually("INFO", PATIENCE, || self.try_ask(&["INFO", section]).ok());
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no {name} in {info}"))
            .trim()
            .to_owned()
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().expect("a running server");
        let status = Command::new("kill")
            .args(["-s", signal, &process.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(status.success(), "{signal} was not sent");
    }

    /// Until it is the master: the others have to notice that its own is gone, and to vote, again where a vote has failed.
    ///
    /// # Panics
    /// When it does not become it.
    pub fn is_promoted(&self) {
        eventually("the replica is promoted", PATIENCE, || {
            (self.info("replication", "role") == "master").then_some(())
        });
    }

    /// As a replica in a Cluster: from here on it takes its master's place when that is gone. Before it waits for it, as for one
    /// that is started again, or that the machine kept waiting.
    pub fn may_take_over(&self) {
        self.ask::<()>(&["CONFIG", "SET", "cluster-replica-no-failover", "no"]);
    }

    /// From here on its replica learns nothing any more, and it acknowledges writes all the same.
    pub fn cuts_off_its_replica(&self) {
        self.ask::<()>(&["ACL", "SETUSER", "default", "-psync", "-sync"]);
        self.ask::<u32>(&["CLIENT", "KILL", "TYPE", "replica"]);
    }

    /// How many bytes of writes it has acknowledged that its replica does not know.
    ///
    /// # Panics
    /// When the servers do not say.
    #[must_use]
    pub fn unknown_to(&self, replica: &Self) -> u64 {
        let offset = |server: &Self, name| -> u64 {
            let text = server.info("replication", name);
            text.parse().expect("a number")
        };
        let acknowledged = offset(self, "master_repl_offset");
        acknowledged.saturating_sub(offset(replica, "slave_repl_offset"))
    }

    /// Stops it (SIGSTOP): it keeps its connections and answers nothing.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// Ends it as a power cut does.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("killed");
            process.wait().expect("gone");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn folder(prefix: &str) -> TempDir {
    let made = tempfile::Builder::new().prefix(prefix).tempdir();
    made.expect("a folder")
}
