"""What files carry besides their pixels: graphs, prompts, EXIF; read, and taken out without re-encoding."""
