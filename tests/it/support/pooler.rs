//! A PgBouncer in transaction mode before the test run's PostgreSQL: two sessions per database, so
//! that every transaction of a client may get another one.

use std::{
    env, fs,
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
    sync::OnceLock,
    thread,
    time::Duration,
};

use super::servers::{as_nobody_special, end_with_us, free_port, private_folder, run, we_are_root};

/// The way through the pooler to a database of the test run's PostgreSQL.
pub(crate) fn to(direct: &str) -> String {
    let (server, database) = direct.rsplit_once('/').expect("an address ends in a database");
    let (user, server) = server.rsplit_once('@').expect("an address names a user");
    let user = user.trim_start_matches("postgres://");
    format!("postgres://{user}@{}/{database}", pooler(user, server))
}

/// `host:port` of the pooler.
fn pooler(user: &str, server: &str) -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| {
        env::var("DOORBUSTER_TEST_PGBOUNCER").unwrap_or_else(|_| start(user, server))
    })
}

fn start(user: &str, server: &str) -> String {
    let folder = private_folder("pgbouncer");
    let (host, server_port) = server.rsplit_once(':').expect("host and port");
    let (users, file) = (folder.join("users"), folder.join("pgbouncer.ini"));
    fs::write(&users, format!("\"{user}\" \"\"\n")).expect("written");
    for _ in 0..5 {
        let port = free_port();
        let text = format!(
            "[databases]\n* = host={host} port={server_port}\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {}\npool_mode = transaction\n\
             default_pool_size = 2\nmax_client_conn = 1000\n\
             logfile = {}\npidfile = {}\n",
            users.display(),
            folder.join("log").display(),
            folder.join("pid").display()
        );
        fs::write(&file, text).expect("written");
        if we_are_root() {
            run(Command::new("chown").args(["-R", "postgres"]).arg(&folder));
        }
        if let Some(pid) = try_start(&file, &folder.join("pid"), port) {
            end_with_us(&pid, &folder);
            return format!("127.0.0.1:{port}");
        }
    }
    panic!("PgBouncer does not start: see {}", folder.join("log").display());
}

/// Starts it in the background; its pid, once it listens.
fn try_start(file: &Path, pid: &Path, port: u16) -> Option<String> {
    let program = env::var_os("DOORBUSTER_TEST_PGBOUNCER_BIN");
    let program = program.unwrap_or_else(|| "/usr/sbin/pgbouncer".into());
    let started = as_nobody_special(Path::new(&program))
        .args(["-q", "-d"])
        .arg(file)
        .stdout(Stdio::null())
        .status()
        .expect("pgbouncer is needed for these tests; run ./tests/run, which brings it");
    if !started.success() {
        return None;
    }
    for _ in 0..500 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            let pid = fs::read_to_string(pid).ok()?;
            return Some(pid.trim().to_owned());
        }
        thread::sleep(Duration::from_millis(10));
    }
    None
}
