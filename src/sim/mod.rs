//! A simulated Air724UG.
