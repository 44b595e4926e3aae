//! The engine as its users see it.

mod combinations;
mod conformance;
mod contracts;






mod rational;





