//! One private PostgreSQL and one private Redis per test run, each test with a database of its own.
//!
//! They listen on free ports of 127.0.0.1, keep their data in a temporary folder, and end with this
//! process, however it ends: a shell waits on a pipe that only we hold open. Servers that stand
//! already are named by `DOORBUSTER_TEST_POSTGRES` and `DOORBUSTER_TEST_REDIS`.

use doorbuster::ledger::{Database, DatabaseOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{
    env,
    ffi::OsString,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::sync::OnceCell;

/// A database of this test's own, with the schema in place. Returns its address.
pub(crate) async fn postgres() -> String {
    let template = template().await;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    let name = format!("test_{}_{number}", std::process::id());
    create(&name, Some(template)).await;
    address_of(&name)
}

/// An empty database, without any table.
pub(crate) async fn empty_postgres() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    let name = format!("empty_{}_{number}", std::process::id());
    create(&name, None).await;
    address_of(&name)
}

/// The address of a Redis that only this test run uses.
pub(crate) fn redis() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| env::var("DOORBUSTER_TEST_REDIS").unwrap_or_else(|_| start_redis()))
}

/// The migrated database that the others are copied from: copying takes a moment, migrating longer.
async fn template() -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let name = format!("template_{}", std::process::id());
            create(&name, None).await;
            let database = Database::open(&DatabaseOptions::new(address_of(&name)))
                .await
                .expect("the template opens");
            database.migrate().await.expect("the schema applies to an empty database");
            database.store().close().await;
            name
        })
        .await
}

async fn create(name: &str, template: Option<&str>) {
    let mut admin =
        PgConnection::connect(&address_of("postgres")).await.expect("the test server answers");
    let template = template.unwrap_or("template0");
    // The system gives ids of processes again: what stands there is of one that has ended.
    let left = format!("drop database if exists {name} with (force)");
    sqlx::raw_sql(AssertSqlSafe(left)).execute(&mut admin).await.expect("nothing is left");
    let sql = format!("create database {name} template {template}");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.expect("a database is made");
    admin.close().await.expect("the connection closes");
}

/// Changes a database behind the service's back, as no code of ours would.
pub(crate) async fn damage(url: &str, sql: &'static str) {
    let mut hand = PgConnection::connect(url).await.expect("the test server answers");
    let changed = sqlx::raw_sql(sql).execute(&mut hand).await.expect("the statement runs");
    assert_eq!(changed.rows_affected(), 1, "{sql}");
    hand.close().await.expect("the connection closes");
}

fn address_of(database: &str) -> String {
    let base = server();
    let (server, _) = base.rsplit_once('/').expect("an address ends in a database's name");
    format!("{server}/{database}")
}

fn server() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS
        .get_or_init(|| env::var("DOORBUSTER_TEST_POSTGRES").unwrap_or_else(|_| start_postgres()))
}

fn start_postgres() -> String {
    let bin = postgres_programs();
    let folder = private_folder("postgres");
    let data = folder.join("data");
    if we_are_root() {
        run(Command::new("chown").arg("postgres").arg(&folder));
    }
    let auth = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-instructions"];
    run(as_nobody_special(&bin.join("initdb")).args(auth).arg("--pgdata").arg(&data));
    for _ in 0..5 {
        let port = free_port();
        // Fsync stays on: what these tests call durable is durable.
        let options = format!(
            "-p {port} -k {} -c listen_addresses=127.0.0.1 -c fsync=on -c max_connections=300",
            folder.display()
        );
        let started = as_nobody_special(&bin.join("pg_ctl"))
            .args(["-w", "-s", "-o", &options, "-l"])
            .arg(folder.join("log"))
            .arg("-D")
            .arg(&data)
            .arg("start")
            .stdout(Stdio::null())
            .status();
        if started.is_ok_and(|status| status.success()) {
            let file = fs::read_to_string(data.join("postmaster.pid")).expect("the server runs");
            end_with_us(file.lines().next().expect("its first line is the pid"), &folder);
            return format!("postgres://postgres@127.0.0.1:{port}/postgres");
        }
    }
    panic!("PostgreSQL does not start: see {}", folder.join("log").display());
}

#[expect(clippy::zombie_processes, reason = "the guard ends it, and a panic ends the run")]
fn start_redis() -> String {
    let folder = private_folder("redis");
    for _ in 0..5 {
        let port = free_port();
        let child = Command::new(redis_program())
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"])
            .arg(port.to_string())
            .arg("--dir")
            .arg(&folder)
            .stdout(Stdio::null())
            .spawn();
        let mut child = child.unwrap_or_else(|error| missing("redis-server", &error.to_string()));
        for _ in 0..200 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                end_with_us(&child.id().to_string(), &folder);
                return format!("redis://127.0.0.1:{port}");
            }
            if child.try_wait().is_ok_and(|ended| ended.is_some()) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        drop(child.kill());
    }
    panic!("redis-server does not start on any of five free ports");
}

/// Stops the server with this pid and removes its folder when this process is gone.
pub(super) fn end_with_us(pid: &str, folder: &Path) {
    let script = "trap '' INT TERM; cat >/dev/null; kill -QUIT \"$1\" 2>/dev/null \
                  || kill \"$1\" 2>/dev/null; sleep 1; rm -rf \"$2\"";
    let guard = Command::new("sh")
        .args(["-c", script, "sh", pid])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell stands guard over the server");
    // Never dropped: the pipe closes with the process.
    std::mem::forget(guard);
}

/// PostgreSQL refuses to run as root.
pub(super) fn as_nobody_special(program: &Path) -> Command {
    if we_are_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program).current_dir("/");
        command
    } else {
        Command::new(program)
    }
}

pub(super) fn we_are_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("`id` tells who we are");
    id.stdout.trim_ascii() == b"0"
}

/// What `tests/run` found; else, Debian keeps them apart by version, and elsewhere they are in the
/// path.
pub(super) fn postgres_programs() -> PathBuf {
    if let Some(found) = env::var_os("DOORBUSTER_TEST_POSTGRES_BIN") {
        return found.into();
    }
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin"));
    let mut found: Vec<PathBuf> = found.filter(|bin| bin.join("initdb").exists()).collect();
    found.sort();
    let in_path = env::var_os("PATH").unwrap_or_default();
    let in_path = env::split_paths(&in_path).find(|folder| folder.join("initdb").exists());
    in_path.or_else(|| found.pop()).unwrap_or_else(|| missing("initdb", "PostgreSQL is not there"))
}

/// What `tests/run` found; a Valkey does as well.
pub(crate) fn redis_program() -> OsString {
    env::var_os("DOORBUSTER_TEST_REDIS_BIN").unwrap_or_else(|| "redis-server".into())
}

pub(super) fn private_folder(of: &str) -> PathBuf {
    let folder = env::temp_dir().join(format!("doorbuster-{of}-{}", std::process::id()));
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).expect("the temporary folder takes a folder");
    folder
}

pub(super) fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("it has an address").port()
}

pub(super) fn run(command: &mut Command) {
    let done = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?} failed: {said}");
}

fn missing(program: &str, why: &str) -> ! {
    panic!("`{program}` is needed for these tests ({why}); run ./tests/run, which brings it")
}
