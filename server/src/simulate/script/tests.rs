//! Scripts are checked, and say where and what is wrong.
