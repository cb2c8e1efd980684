//! Pure: what makes a checkpoint sound, and where what is kept and what is shown part.

pub mod checkpoint;
