//! Reading a book back: line by line, with what a crash left at its end told apart from damage.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use super::{
    charge::{Charge, Record},
    charges::Charges,
};

/// The book cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum BookFault {
    /// The file system said no.
    #[error("cannot {doing} the sandbox's book {}: {source}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Another process writes this book.
    #[error(
        "the sandbox's book {} is in use by another process; stop that one, or give this one \
         another data folder",
        .0.display()
    )]
    InUse(PathBuf),
    /// A line in the middle does not read. Nothing is guessed about money.
    #[error(
        "line {line} of the sandbox's book {} is damaged ({why}); restore the file from a copy, or \
         move it away to start an empty book",
        path.display()
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// A book as read.
#[derive(Debug)]
pub(super) struct Read {
    /// What its whole lines say.
    pub(super) charges: Charges,
    /// Bytes of whole lines.
    pub(super) whole: u64,
    /// Bytes behind them: a line that a crash cut short. It was never acknowledged.
    pub(super) torn: u64,
}

/// What was charged, according to the book at `path`. Another process may be writing it meanwhile:
/// the line it is busy with is left out.
///
/// # Errors
/// When the file cannot be read, or a line that was finished does not make sense.
pub fn read_book(path: impl AsRef<Path>) -> Result<Vec<Charge>, BookFault> {
    let path = path.as_ref();
    let file = File::open(path).map_err(|source| fault("open", path, source))?;
    Ok(read(&file, path)?.charges.iter().cloned().collect())
}

/// Reads the whole file from where it stands.
pub(super) fn read(file: &File, path: &Path) -> Result<Read, BookFault> {
    let mut lines = BufReader::new(file);
    let mut seen = Read { charges: Charges::default(), whole: 0, torn: 0 };
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let length = lines.read_until(b'\n', &mut line);
        let length = length.map_err(|source| fault("read", path, source))? as u64;
        if line.last() != Some(&b'\n') {
            seen.torn = length;
            break;
        }
        let damaged = |why| BookFault::Damaged { path: path.to_owned(), line: number, why };
        let record: Record =
            serde_json::from_slice(&line).map_err(|error| damaged(error.to_string()))?;
        seen.charges.apply(&record).map_err(damaged)?;
        seen.whole += length;
    }
    Ok(seen)
}

pub(super) fn fault(doing: &'static str, path: &Path, source: std::io::Error) -> BookFault {
    BookFault::File { doing, path: path.to_owned(), source }
}
