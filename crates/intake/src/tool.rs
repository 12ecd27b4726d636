//! The source's tool: what `daylight submit`, `check` and `reply` do. It seals before anything leaves the source's machine, and believes of the drop
//! nothing that the newsroom did not sign.
