//! How does the Parquet decoder get at parts of an input? Through one `Read + Seek`.

use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// An input that several column readers share.
pub(super) struct Input<R> {
    shared: Arc<Mutex<R>>,
    len: u64,
}

impl<R: Seek> Input<R> {
    pub(super) fn new(mut input: R) -> io::Result<Input<R>> {
        let len = input.seek(SeekFrom::End(0))?;
        Ok(Input {
            shared: Arc::new(Mutex::new(input)),
            len,
        })
    }
}

// Derived, it would ask for `R: Clone`.
impl<R> Clone for Input<R> {
    fn clone(&self) -> Input<R> {
        Input {
            shared: Arc::clone(&self.shared),
            len: self.len,
        }
    }
}

impl<R> Length for Input<R> {
    fn len(&self) -> u64 {
        self.len
    }
}

impl<R: Read + Seek + Send> ChunkReader for Input<R> {
    type T = BufReader<Part<R>>;

    fn get_read(&self, start: u64) -> Result<BufReader<Part<R>>> {
        Ok(BufReader::new(Part {
            shared: Arc::clone(&self.shared),
            at: start,
        }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        // Checked before anything is allocated: damaged lengths reach into the exabytes.
        let end = start.checked_add(length as u64);
        if end.is_none_or(|end| end > self.len) {
            return Err(ParquetError::EOF(format!(
                "{length} bytes from {start} on, in a file of {}",
                self.len
            )));
        }
        let mut bytes = vec![0; length];
        let mut input = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        input.seek(SeekFrom::Start(start))?;
        input.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

/// Reads the shared input from a place of its own.
pub(super) struct Part<R> {
    shared: Arc<Mutex<R>>,
    at: u64,
}

impl<R: Read + Seek> Read for Part<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut input = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        input.seek(SeekFrom::Start(self.at))?;
        let read = input.read(buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}
