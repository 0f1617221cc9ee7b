# SPDX-License-Identifier: MIT OR Apache-2.0
"""Screenshots: Xvfb keeps the screen in a file in XWD format, which needs no X
client, and so they can be made even when the display hangs."""

import struct
import zlib


def screenshot(screen, target):
    """Writes the screen file of Xvfb as PNG."""
    with open(screen, "rb") as file:
        data = file.read()
    # XWDFileHeader of X11/XWDFile.h.
    header = struct.unpack(">25I", data[:100])
    size, depth, width, height = header[0], header[3], header[4], header[5]
    bits, stride, colours = header[11], header[12], header[19]
    if (depth, bits) != (24, 32):
        raise ValueError(f"a screen of {depth} bits, {bits} with padding")
    start = size + colours * 12
    rows = bytearray()
    for y in range(height):
        line = data[start + y * stride:start + y * stride + width * 4]
        row = bytearray(width * 3)
        row[0::3], row[1::3], row[2::3] = line[2::4], line[1::4], line[0::4]
        rows.append(0)
        rows += row

    def chunk(kind, content):
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    with open(target, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
        file.write(chunk(b"IDAT", zlib.compress(rows, 1)))
        file.write(chunk(b"IEND", b""))
