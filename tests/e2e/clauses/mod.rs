//! Clauses of the standard, each as its users meet it.

mod at_the_end;
mod first_contact;
mod on_the_way;
