//! The vocabulary of the service. Imports no transport and no storage.
