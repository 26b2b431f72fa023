//! For operators: metrics, liveness, readiness.
