//! Redis servers as processes: on free ports, in folders of their own, gone when dropped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bangban_slots::{Servers, Settings};

/// Installs what the tests cannot do without, where that is possible; a test without its server fails.
fn installed<T>(package: &str, find: impl Fn() -> Option<T>) -> T {
    find().unwrap_or_else(|| {
        let packages = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/scripts/packages");
        let status = Command::new(packages)
            .args(["the tests of the gate", package])
            .status()
            .unwrap();
        assert!(
            status.success(),
            "{package} is needed for the tests of the gate"
        );
        find().unwrap_or_else(|| panic!("{package} was installed, but is not where it should be"))
    })
}

fn redis_server() -> PathBuf {
    installed("redis-server", || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .map(|folder| folder.join("redis-server"))
            .find(|program| program.exists())
    })
}

/// A library in one of the folders that are named after the machine.
fn library(package: &str, name: &str) -> String {
    installed(package, || {
        let folders = std::fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok);
        folders
            .map(|folder| folder.path().join(name))
            .find(|file| file.exists())
    })
    .display()
    .to_string()
}

pub fn free_port() -> u16 {
    // Below the ports that the kernel gives to clients.
    (0..1000)
        .map(|_| rand::random_range(20000..32000))
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

pub struct Server {
    pub port: u16,
    folder: tempfile::TempDir,
    args: Vec<String>,
    env: Vec<(String, String)>,
    process: Option<Child>,
}

impl Server {
    pub fn start(args: &[&str]) -> Self {
        Self::start_with(args, Vec::new())
    }

    pub fn start_with(args: &[&str], env: Vec<(String, String)>) -> Self {
        let mut server = Self {
            port: free_port(),
            folder: tempfile::Builder::new()
                .prefix("bangban-redis.")
                .tempdir()
                .unwrap(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env,
            process: None,
        };
        server.run();
        server
    }

    /// A Sentinel that watches a server under the name `main`.
    pub fn sentinel(master: u16, quorum: u16) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("bangban-sentinel.")
            .tempdir()
            .unwrap();
        let config = folder.path().join("sentinel.conf");
        let text = format!(
            "sentinel monitor main 127.0.0.1 {master} {quorum}\n\
             sentinel down-after-milliseconds main 500\n\
             sentinel failover-timeout main 2000\n"
        );
        std::fs::write(&config, text).unwrap();
        let args = vec![config.display().to_string(), "--sentinel".into()];
        let mut server = Self {
            port: free_port(),
            folder,
            args,
            env: Vec::new(),
            process: None,
        };
        server.run();
        server
    }

    /// Starts (again), with whatever is in its folder.
    pub fn run(&mut self) {
        let log = std::fs::File::create(self.folder.path().join("log")).unwrap();
        let mut command = Command::new(redis_server());
        command.args(&self.args).args([
            "--port",
            &self.port.to_string(),
            "--bind",
            "127.0.0.1",
            "--dir",
        ]);
        command.arg(self.folder.path());
        if !self.args.iter().any(|arg| arg == "--save")
            && !self.args.iter().any(|arg| arg == "--sentinel")
        {
            command.args(["--save", ""]);
        }
        command
            .envs(self.env.iter().cloned())
            .stdout(log)
            .stderr(Stdio::null());
        self.process = Some(command.spawn().unwrap());
        eventually("redis-server answers", Duration::from_secs(10), || {
            self.try_ask::<String>(&["PING"]).ok()
        });
    }

    fn try_ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(2))?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        redis::cmd(words[0]).arg(&words[1..]).query(&mut connection)
    }

    pub fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        self.try_ask(words)
            .unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    pub fn info(&self, section: &str, name: &str) -> String {
        let info: String = self.ask(&["INFO", section]);
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no {name} in {info}"))
            .trim()
            .to_owned()
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn settings(&self) -> Settings {
        settings(&self.url())
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().expect("a running server");
        let status = Command::new("kill")
            .args(["-s", signal, &process.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    pub fn pause(&self) {
        self.signal("STOP");
    }

    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// As a power cut does it.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

pub fn settings(url: &str) -> Settings {
    Settings::new(url.parse::<Servers>().unwrap())
}

/// Three masters, and a replica of the first.
pub struct Cluster {
    pub masters: Vec<Server>,
    pub replica: Server,
}

impl Cluster {
    pub fn start() -> Self {
        let node = || {
            let bus = free_port().to_string();
            Server::start(&[
                "--cluster-enabled",
                "yes",
                "--cluster-port",
                &bus,
                "--cluster-node-timeout",
                "1000",
                "--cluster-require-full-coverage",
                "no",
                "--repl-diskless-sync-delay",
                "0",
            ])
        };
        let masters: Vec<Server> = (0..3).map(|_| node()).collect();
        let mut create = Command::new("redis-cli");
        create.args(["--cluster", "create"]);
        create.args(
            masters
                .iter()
                .map(|master| format!("127.0.0.1:{}", master.port)),
        );
        let made = create.arg("--cluster-yes").output().unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stdout)
        );
        let replica = node();
        let first: String = masters[0].ask(&["CLUSTER", "MYID"]);
        // Until the masters agree, they take nobody in.
        eventually("the replica is taken in", Duration::from_secs(20), || {
            let mut join = Command::new("redis-cli");
            join.args([
                "--cluster",
                "add-node",
                &format!("127.0.0.1:{}", replica.port),
            ]);
            join.args([
                &format!("127.0.0.1:{}", masters[0].port),
                "--cluster-slave",
                "--cluster-master-id",
                &first,
            ]);
            join.output().unwrap().status.success().then_some(())
        });
        let cluster = Self { masters, replica };
        eventually("the Cluster is one", Duration::from_secs(20), || {
            let nodes = cluster.masters.iter().chain([&cluster.replica]);
            let agree = nodes.into_iter().all(|node| {
                let info: String = node.ask(&["CLUSTER", "INFO"]);
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:4")
            });
            (agree && cluster.replica.info("replication", "master_link_status") == "up")
                .then_some(())
        });
        cluster
    }

    pub fn settings(&self) -> Settings {
        let hosts: Vec<String> = self
            .masters
            .iter()
            .map(|master| format!("127.0.0.1:{}", master.port))
            .collect();
        settings(&format!("redis-cluster://{}", hosts.join(",")))
    }
}

/// Asks until there is an answer, and fails when it takes too long.
pub fn eventually<T>(what: &str, within: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A clock that reads its offset from a file, as often as it is asked.
pub fn with_faketime(file: &Path) -> Vec<(String, String)> {
    // Debian's Redis allocates with jemalloc, which asks for the time before libfaketime can tell it.
    let allocator = library("libtcmalloc-minimal4", "libtcmalloc_minimal.so.4");
    let faketime = library("libfaketime", "faketime/libfaketime.so.1");
    [
        ("LD_PRELOAD", format!("{allocator} {faketime}")),
        ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
        ("FAKETIME_NO_CACHE", "1".into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}
