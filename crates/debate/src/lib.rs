//! Amplification and debate, after "Synthesizing amplification and debate" (Hubinger, 2020), in waves, without a model.
//!
//! For each question Q, from t = 0 and an empty history S: `argument_t` = Amp≈(H, M)("What is the next argument you
//! would give on Q in context S?"); `sufficient_t` = Amp≈(H, M_target)("Is argument_t a sufficient answer to Q in
//! context S?"); and once the debate has stopped, `winner` = Amp≈(H, M_target)("Were the even arguments in S more
//! helpful than the odd arguments in answering Q?").
//!
//! This crate knows M as an [`answerer::Answerer`] and H as a [`human::Human`], and is pure apart from them: the same
//! questions, draws and answers give the same debates. Read [`consult`] first, then [`amplify`], [`debate`](mod@debate),
//! [`judge`](mod@judge), [`choice`], [`lesson`](mod@lesson) and [`distance`](mod@distance), where who
//! turns texts into vectors is a [`distance::Embedder`]; [`adversary`] is what Samp can learn by, [`understudy`] who can stand in for H, [`penalty`](mod@penalty) what a catastrophe costs, [`tool`](mod@tool) and
//! [`inspect`] how debaters look into each other, and [`baseline`] what rewards are held against. What an evaluation asks
//! beside the procedure is in
//! [`hch`](mod@hch) and [`judge::finds_for_even`], and what answers cost in [`cost`].

pub mod adversary;
pub mod amplify;
pub mod answerer;
mod argue;
pub mod baseline;
pub mod choice;
pub mod consult;
pub mod cost;
pub mod debate;
pub mod distance;
pub mod draw;
pub mod hch;
pub mod human;
pub mod inspect;
pub mod judge;
pub mod lesson;
pub mod penalty;
pub mod probe;
pub mod question;
pub mod samp;
pub mod tool;
pub mod trace;
pub mod understudy;
