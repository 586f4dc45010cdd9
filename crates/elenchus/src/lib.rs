//! Train question-answering models by synthesizing amplification and debate.
