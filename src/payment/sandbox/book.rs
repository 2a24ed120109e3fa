//! The book: an append-only file of JSON lines, and the same in memory.
//!
//! A line is judged, applied to memory and queued for the disk in one turn of the lock, so the
//! file's order is memory's. Nobody is answered before the line they rest on is on disk; reading
//! waits behind the lines that were queued before it.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    charge::{Charge, Record},
    charges::Charges,
    reading::{BookFault, fault, read},
    writing::{Durable, Pen},
};
use crate::payment::GatewayFault;

/// An open book. One process has it at a time.
#[derive(Debug)]
pub struct Book {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    charges: Charges,
    pen: Pen,
}

impl Book {
    /// Opens the book at `path`, or starts an empty one. A line that a crash cut short is removed.
    ///
    /// # Errors
    /// When the file cannot be used, another process has it, or a finished line is damaged.
    pub fn open(path: &Path) -> Result<Self, BookFault> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|source| fault("create", folder, source))?;
        let file = OpenOptions::new().read(true).append(true).create(true).open(path);
        let file = file.map_err(|source| fault("open", path, source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BookFault::InUse(path.to_owned())),
            Err(TryLockError::Error(source)) => return Err(fault("lock", path, source)),
        }
        let seen = read(&file, path)?;
        if seen.torn > 0 {
            tracing::warn!(
                path = %path.display(),
                bytes = seen.torn,
                "the sandbox's book ended in half a line, which nobody was told of; it is cut off"
            );
            file.set_len(seen.whole).map_err(|source| fault("cut", path, source))?;
        }
        // A file whose name is lost with the power would take every charge with it.
        let named = file.sync_all().and_then(|()| File::open(folder)?.sync_all());
        named.map_err(|source| fault("sync", path, source))?;
        let pen = Pen::start(file).map_err(|source| fault("start writing", path, source))?;
        Ok(Self { state: Mutex::new(State { charges: seen.charges, pen }) })
    }

    /// Writes the line that `judge` decides on and waits until it is on disk. Answers with the line
    /// and the charge after it. Dropping the future changes nothing: the line is written.
    ///
    /// # Errors
    /// What `judge` says, or a disk that fails.
    pub async fn write(
        &self,
        judge: impl FnOnce(&Charges) -> Result<Record, GatewayFault>,
    ) -> Result<(Record, Option<Charge>), GatewayFault> {
        let (record, charge, durable) = {
            let mut state = self.lock();
            if state.pen.is_broken() {
                // Not "not sent": an earlier call with this reference may have acted.
                return Err(GatewayFault::Unknown("the sandbox's book is broken".into()));
            }
            let record = judge(&state.charges)?;
            let mut line = serde_json::to_vec(&record)
                .map_err(|error| GatewayFault::NotSent(error.to_string()))?;
            line.push(b'\n');
            state.charges.apply(&record).map_err(GatewayFault::Refused)?;
            let charge = state.charges.get(record.reference).cloned();
            (record, charge, state.pen.put(line))
        };
        settled(durable).await?;
        Ok((record, charge))
    }

    /// Looks something up once everything before is on disk.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn look_up<T>(&self, find: impl FnOnce(&Charges) -> T) -> Result<T, GatewayFault> {
        let (found, durable) = {
            let state = self.lock();
            (find(&state.charges), state.pen.put(Vec::new()))
        };
        settled(durable).await?;
        Ok(found)
    }

    /// What memory says now, including lines that are still on their way to the disk.
    pub fn charges(&self) -> Vec<Charge> {
        self.lock().charges.iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn settled(durable: Durable) -> Result<(), GatewayFault> {
    match durable.await {
        Ok(written) => written.map_err(GatewayFault::Unknown),
        Err(_) => Err(GatewayFault::Unknown("the sandbox's book was closed".into())),
    }
}
