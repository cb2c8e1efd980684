//! The sample district of infra/sample: what the file says, and how it gets into an installation.

mod load;
mod model;

pub use load::{find_or_register, load_if_absent};
pub use model::{Applicant, Sample, operator};
