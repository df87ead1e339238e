"""Small real safetensors files: a header with metadata, and no tensors."""

import json
import struct


def write_safetensors(path, metadata=None):
    """Write a file of *path* whose header holds *metadata*, or none."""
    header = {} if metadata is None else {"__metadata__": metadata}
    data = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(data)) + data)
    return path
