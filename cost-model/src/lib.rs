//! What did it cost?
