//! Question generators and their scripted humans.
