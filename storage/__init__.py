"""Where bytes rest. `base` is the contract; everything else here is a store or a wrapper that is one."""
