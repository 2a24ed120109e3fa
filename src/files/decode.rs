//! The text of a file: unpacked within a limit, in UTF-8 or UTF-16.

use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufRead, Read};

use super::FileError;

/// The most bytes of a file that is held in memory, 256 MiB: a million products. A gzip of a few
/// hundred kilobytes can unpack to more than any machine has.
pub const FILE_BYTES_MAX: u64 = 256 << 20;

/// The most bytes of a file that is read as a stream, 64 GiB: it takes no memory, but an end it has
/// to have.
pub const STREAM_BYTES_MAX: u64 = 64 << 30;

/// Unpacks what starts with gzip's magic number (RFC 1952 §2.3.1) and passes the rest on; beyond so
/// many bytes there is an error.
///
/// # Errors
/// When the first bytes cannot be read.
pub fn unpacked<'a>(mut input: impl BufRead + 'a, most: u64) -> io::Result<Box<dyn Read + 'a>> {
    let packed = input.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let input: Box<dyn Read + 'a> =
        if packed { Box::new(MultiGzDecoder::new(input)) } else { Box::new(input) };
    Ok(Box::new(Bounded { input, left: most, most }))
}

/// Reads so much and no more: an end is told apart from a limit.
struct Bounded<R> {
    input: R,
    left: u64,
    most: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            let most = self.most >> 20;
            let text = format!("it is larger than {most} MiB when unpacked; split it");
            io::Error::new(io::ErrorKind::FileTooLarge, text)
        })?;
        Ok(read)
    }
}

/// The text in these bytes: UTF-8, or UTF-16 under a byte order mark, which is left out.
///
/// # Errors
/// What else it seems to be, and what to do.
pub fn text(bytes: &[u8]) -> Result<String, FileError> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => {
            Err(FileError::at(1, format!("the file is UTF-32; {SAVE}")))
        }
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        bytes => utf8(bytes),
    }
}

const SAVE: &str = "save it as `CSV UTF-8`";

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, FileError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let text = String::from_utf16(&pairs.iter().map(|pair| unit(*pair)).collect::<Vec<_>>());
    match text {
        Ok(text) if rest.is_empty() => no_nul(text),
        _ => Err(FileError::at(1, format!("the file begins as UTF-16 and is none; {SAVE}"))),
    }
}

fn utf8(bytes: &[u8]) -> Result<String, FileError> {
    match str::from_utf8(bytes) {
        Ok(text) => no_nul(text.to_owned()),
        Err(error) => {
            let good = str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
            let line = lines_in(good);
            let text = format!("expected UTF-8 text; this looks like Windows-1252 or so: {SAVE}");
            Err(FileError::at(line, text))
        }
    }
}

fn no_nul(text: String) -> Result<String, FileError> {
    let Some(at) = text.find('\0') else { return Ok(text) };
    let expected = format!(
        "the character U+0000 stands here: the file is UTF-16 without a byte order mark, or no \
         text; {SAVE}"
    );
    Err(FileError::at(lines_in(&text[..at]), expected))
}

/// The line on which a text goes on after this beginning: LF, CR and both together break one.
pub fn lines_in(text: &str) -> u64 {
    let mut before = '\0';
    let mut line = 1;
    for c in text.chars() {
        line += u64::from(c == '\r' || (c == '\n' && before != '\r'));
        before = c;
    }
    line
}
