//! Guarded listeners: first bytes, headers and bodies in time, connections counted, a drain with an end.
