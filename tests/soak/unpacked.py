"""What is in a file, once it is unpacked."""

import zlib

GZIP = b"\x1f\x8b"


def unpacked(path):
    """The bytes of a file, and of all that is compressed in it."""
    with open(path, "rb") as file:
        content = file.read()
    parts, start = [content], content.find(GZIP)
    while start >= 0:
        try:
            parts.append(zlib.decompressobj(31).decompress(content[start:]))
        except zlib.error:
            pass
        start = content.find(GZIP, start + 1)
    return b"".join(parts)
