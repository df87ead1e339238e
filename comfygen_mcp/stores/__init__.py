"""Stores: where finished files live, one outside system per file."""
