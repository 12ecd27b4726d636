use clap::Args;
use std::path::PathBuf;

/// Makes anew what is published of documents that were cleared before: their text, their formatted view, the pictures of their pages.
///
/// That is for what this version makes and earlier ones did not, and for text that was recognised or read again since. What is there already and made as it
/// would be today is left alone. No decision is changed: what is held, withdrawn or not cleared is not touched, nor what
/// a password opened after it was cleared. What is published stays as it is until the next
/// `publish`, which publishes anew what came out otherwise.
#[derive(Args)]
#[command(
    after_help = "After an interruption it goes on where it was.\nExample: daylight render ~/desk --collection council\nExample: daylight render ~/desk --collection council --query 'file:pdf'"
)]
pub(crate) struct Render {
    /// The desk.
    pub(crate) desk: PathBuf,
    /// The documents, by their ids or the beginnings of them; by default all of the collection that are cleared.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<String>,
    /// The collection in which they are cleared.
    #[arg(long, value_name = "NAME")]
    pub(crate) collection: String,
    /// Only the documents that this query finds in the collection.
    #[arg(long, value_name = "Q", conflicts_with = "ids")]
    pub(crate) query: Option<String>,
    /// Makes everything anew, also what is there already.
    #[arg(long)]
    pub(crate) anew: bool,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
