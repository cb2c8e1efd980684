//! The service over gRPC: the real access check, the real store, both databases. Directory and casework are doubles of
//! their contracts, because what is shown is how this service bears their refusals and their silence.

mod converting;
mod doubles;
mod exporting;
mod handing_over;
mod numbering;
mod repeating;
mod seeing;
mod sweeping;
mod vouching;
mod walking;
mod world;
