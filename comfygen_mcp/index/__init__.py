"""The index over the sidecars: a cache that finds them again fast, and can be rebuilt from them."""
