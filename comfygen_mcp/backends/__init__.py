"""Backends: outside ways of making pictures, all behind one protocol."""
