//! A real S3 server for a test.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The one bucket that is there from the beginning.
pub const BUCKET: &str = "bucket";
/// Its credentials.
pub const KEY: &str = "offkey";
pub const SECRET: &str = "loopback";

/// `s3s-fs` over a folder of its own, until dropped.
pub struct Server {
    child: Child,
    folder: tempfile::TempDir,
    pub address: SocketAddr,
}

impl Server {
    /// `None`, and a word about it, where there is no server to start.
    pub fn start() -> Option<Self> {
        let Some(program) = std::env::var_os("OFFKEY_S3_SERVER") else {
            eprintln!("SKIPPED: no S3 server; name the program s3s-fs in OFFKEY_S3_SERVER");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        loop {
            // Another process may take the port in between; then the next one is tried.
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let mut child = Command::new(&program)
                .args(["--host", "127.0.0.1", "--port", &address.port().to_string()])
                .args(["--access-key", KEY, "--secret-key", SECRET])
                .arg(folder.path())
                .env("RUST_LOG", "error")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            while child.try_wait().unwrap().is_none() {
                if TcpStream::connect(address).is_ok() {
                    return Some(Self { child, folder, address });
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    /// The bucket, as the files that the server keeps.
    pub fn bucket(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
    }

    /// Files of uploads that are neither completed nor aborted.
    pub fn open_parts(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.contains("upload")).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
