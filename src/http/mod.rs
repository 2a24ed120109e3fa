//! HTTP: one resource a file, one handler a method.
//!
//! **Owns:** how requests are read and answers are written. **Invariant:** nothing is decided here.
//! **Not here:** what may happen (see [`cart`](crate::cart)).

pub mod sandbox;
