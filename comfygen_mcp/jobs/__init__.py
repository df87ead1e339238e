"""Jobs: where a generation runs while its caller waits, looks in again, or has gone."""
