use std::io;
use tantivy::TantivyError;
use tantivy::directory::error::{LockError, OpenDirectoryError, OpenReadError, OpenWriteError};

/// Why an index did not do what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// There is no index here yet.
    #[error("there is no index in {0}; build it first")]
    Missing(String),
    /// The index cannot be used, because another version of Daylight made it or because it is damaged. Nothing is lost by deleting it with
    /// [`crate::Index::recreate`] and building it again.
    #[error("the index must be rebuilt: {0}")]
    Rebuild(String),
    /// Another process is writing to it.
    #[error("another process is writing to the index; wait until it is done")]
    Busy,
    /// The operating system refused.
    #[error("the index could not be read or written: {0}")]
    Io(#[from] io::Error),
    /// The search engine failed.
    #[error("the search engine failed: {0}")]
    Engine(String),
}

/// An error of the operating system that others hold too.
fn io_error(error: &io::Error) -> IndexError {
    IndexError::Io(io::Error::new(error.kind(), error.to_string()))
}

impl From<TantivyError> for IndexError {
    fn from(error: TantivyError) -> Self {
        match error {
            TantivyError::LockFailure(LockError::LockBusy, _) => IndexError::Busy,
            TantivyError::LockFailure(LockError::IoError(error), _) | TantivyError::IoError(error) => io_error(&error),
            TantivyError::OpenDirectoryError(OpenDirectoryError::IoError { io_error: error, .. })
            | TantivyError::OpenReadError(OpenReadError::IoError { io_error: error, .. })
            | TantivyError::OpenWriteError(OpenWriteError::IoError { io_error: error, .. }) => io_error(&error),
            TantivyError::DataCorruption(_)
            | TantivyError::IncompatibleIndex(_)
            | TantivyError::SchemaError(_)
            | TantivyError::OpenReadError(_) => IndexError::Rebuild(one_line(&error)),
            error => IndexError::Engine(one_line(&error)),
        }
    }
}

fn one_line(error: &TantivyError) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}
