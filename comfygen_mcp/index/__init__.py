"""The index over the sidecars: a cache that finds them again fast, and may be rebuilt from them at any time."""
