//! Nothing: only what the build script of the dependency leaves behind is used.
