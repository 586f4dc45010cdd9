//! Tokens, models as files, and what they say. One binary, as each would link libtorch anew.

mod bert;
mod checkpoint;
mod encoder;
mod generate;
mod inspect;
mod tokenizer;
