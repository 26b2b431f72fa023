//! The use cases of administrators, on a real database.
