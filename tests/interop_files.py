"""Small files as a server would send them, made by hand: the head of an MP4 and of a FLAC."""


def box(kind, content=b""):
    """Return one MP4 box."""
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def mp4():
    return box(b"ftyp", b"isom\0\0\2\0isomiso2mp41") + box(b"moov", bytes(64)) + box(b"mdat", bytes(512))


def flac(rate=44100, samples=44100):
    """Return the head of a FLAC file: its STREAMINFO block, and some bytes where frames would be."""
    packed = (rate << 44) | (1 << 41) | (15 << 36) | samples
    stream = (
        (4096).to_bytes(2, "big") * 2 + (14).to_bytes(3, "big") * 2 + packed.to_bytes(8, "big") + bytes(16)
    )
    return b"fLaC" + bytes([0x80]) + len(stream).to_bytes(3, "big") + stream + bytes(200)
