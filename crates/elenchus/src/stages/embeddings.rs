//! An encoder as what turns answers into vectors, by which d is told.

use debate::distance::{Embedder, EmbedderError, Measure};
use model::Bert;
use spec::settings::Distance;
use std::sync::{Mutex, PoisonError};

/// An encoder, for whichever batch asks.
pub struct Embeddings {
    // A tensor may be sent to another thread but not shared.
    bert: Mutex<Bert>,
    workers: usize,
}

impl Embeddings {
    /// An encoder, on some worker threads.
    pub fn new(bert: Bert, workers: usize) -> Self {
        Embeddings { bert: Mutex::new(bert), workers }
    }
}

impl Embedder for Embeddings {
    fn embed(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>, EmbedderError> {
        // Nothing changes it, so a thread that panicked has left it whole.
        let bert = self.bert.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(bert.embed(texts, self.workers)?)
    }
}

/// d, with the encoder that it goes by, if it goes by one.
pub(super) fn measure<'a>(distance: &'a Distance, embedder: Option<&'a Embeddings>) -> Measure<'a> {
    Measure { distance, embedder: embedder.map(|embedder| embedder as &dyn Embedder) }
}
