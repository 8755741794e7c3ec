# SPDX-License-Identifier: GPL-2.0-only
"""Pictures: what the host shows, and what it should show."""

import re
import struct
import zlib

CURSOR_SIZE = 64


class Picture:
    """Rows of R, G, B bytes."""

    def __init__(self, width, height, rgb):
        assert len(rgb) == width * height * 3, 'a picture of another size'
        self.width, self.height, self.rgb = width, height, bytes(rgb)

    def __eq__(self, other):
        return (self.width, self.height, self.rgb) == \
            (other.width, other.height, other.rgb)

    @classmethod
    def from_ppm(cls, data):
        """What QMP's screendump writes: binary PPM, 8 bits per channel."""
        head = re.match(rb'P6\s+(\d+)\s+(\d+)\s+255\s', data)
        if not head:
            raise ValueError('not a binary PPM of 8 bits per channel')
        width, height = int(head[1]), int(head[2])
        rgb = data[head.end():]
        if len(rgb) != width * height * 3:
            raise ValueError('the PPM is not of the size that it says')
        return cls(width, height, rgb)

    @classmethod
    def from_bgrx(cls, width, height, data):
        rgb = bytearray(width * height * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = data[2::4], data[1::4], data[0::4]
        return cls(width, height, rgb)

    def to_bgrx(self):
        data = bytearray(self.width * self.height * 4)
        data[2::4], data[1::4] = self.rgb[0::3], self.rgb[1::3]
        data[0::4] = self.rgb[2::3]
        return bytes(data)

    def to_png(self):
        def chunk(kind, body):
            return (struct.pack('>I', len(body)) + kind + body +
                    struct.pack('>I', zlib.crc32(kind + body)))

        row = self.width * 3
        lines = b''.join(b'\0' + self.rgb[y * row:(y + 1) * row]
                         for y in range(self.height))
        header = struct.pack('>IIBBBBB', self.width, self.height, 8, 2, 0, 0, 0)
        return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) +
                chunk(b'IDAT', zlib.compress(lines, 6)) + chunk(b'IEND', b''))

    def differing_pixels(self, other):
        """How many pixels differ; all of them if the sizes do."""
        if (self.width, self.height) != (other.width, other.height):
            return self.width * self.height
        if self.rgb == other.rgb:
            return 0
        mine, theirs = self.rgb, other.rgb
        return sum(a != b or c != d or e != f for a, b, c, d, e, f in
                   zip(mine[0::3], theirs[0::3], mine[1::3], theirs[1::3],
                       mine[2::3], theirs[2::3]))

    def how_it_differs(self, other):
        """One clause about @other, which should have been like this one."""
        if (self.width, self.height) != (other.width, other.height):
            return (f'it is {other.width}x{other.height}, '
                    f'not {self.width}x{self.height}')
        what = ', it is black' if other.is_black() and not self.is_black() else ''
        return (f'{self.differing_pixels(other)} of '
                f'{self.width * self.height} pixels differ{what}')

    def is_black(self):
        """But for a line of text: QEMU's "Display output is not active", say."""
        return self.rgb.count(0) > 0.97 * len(self.rgb)

    def colour_set(self):
        return {self.rgb[i:i + 3] for i in range(0, len(self.rgb), 3)}

    def colours(self):
        return len(self.colour_set())

    def columns(self, left, width):
        """This part of it, from top to bottom"""
        row = self.width * 3
        return Picture(width, self.height, b''.join(
            self.rgb[y * row + left * 3:y * row + (left + width) * 3]
            for y in range(self.height)))

    def beside(self, other, gap=16):
        """Both pictures next to each other on grey."""
        height = max(self.height, other.height)
        rows = []
        for y in range(height):
            for picture in (self, other):
                row = picture.width * 3
                rows.append(picture.rgb[y * row:(y + 1) * row].ljust(row, b'\x80'))
                if picture is self:
                    rows.append(b'\x80' * gap * 3)
        return Picture(self.width + gap + other.width, height, b''.join(rows))

    def with_cursor(self, cursor, x, y):
        """@cursor (see Cursor) laid over this picture with its hotspot at x, y."""
        rgb = bytearray(self.rgb)
        left, top = x - cursor.hot_x, y - cursor.hot_y
        for row in range(cursor.height):
            for column in range(cursor.width):
                px, py = left + column, top + row
                if not (0 <= px < self.width and 0 <= py < self.height):
                    continue
                at = (row * cursor.width + column) * 4
                blue, green, red, alpha = cursor.bgra[at:at + 4]
                to = (py * self.width + px) * 3
                for i, value in enumerate((red, green, blue)):
                    under = rgb[to + i] * (255 - alpha) // 255
                    rgb[to + i] = min(255, value * alpha // 255 + under)
        return Picture(self.width, self.height, rgb)


class Cursor:
    """The image of a cursor as the host has it: B, G, R, A bytes and a hotspot."""

    def __init__(self, width, height, hot_x, hot_y, bgra):
        self.width, self.height = width, height
        self.hot_x, self.hot_y = hot_x, hot_y
        self.bgra = bytes(bgra)

    def __eq__(self, other):
        return other is not None and vars(self) == vars(other)

    def how_it_differs(self, other):
        if other is None:
            return 'there is none'
        if (self.hot_x, self.hot_y) != (other.hot_x, other.hot_y):
            return (f'its hotspot is {other.hot_x},{other.hot_y}, '
                    f'not {self.hot_x},{self.hot_y}')
        if (self.width, self.height) != (other.width, other.height):
            return f'it is {other.width}x{other.height}'
        count = sum(self.bgra[i:i + 4] != other.bgra[i:i + 4]
                    for i in range(0, len(self.bgra), 4))
        blank = '' if other.bgra.strip(b'\0') else ' and it is empty'
        return f'{count} of {len(self.bgra) // 4} pixels differ{blank}'


def _tile(seed, tile_x, tile_y):
    """The colour of an 8x8 tile: tests/guest/buffer.c has the same formula."""
    h = (seed * 0x9e3779b1 + tile_x * 0x85ebca6b + tile_y * 0xc2b2ae35) & 0xffffffff
    h ^= h >> 15
    h = h * 0x2c1b3c6d & 0xffffffff
    h ^= h >> 12
    return h & 0xffffff


def pattern(seed, width, height):
    """What a buffer with this seed holds, as a picture."""
    # Eight neighbouring pixels at a time, as one number of 24 bytes.
    repeat = int.from_bytes(b'\0\0\1' * 8, 'big')
    columns = int.from_bytes(b''.join(bytes((0, 0, x)) for x in range(8)), 'big')
    rows = []
    for top in range(0, height, 8):
        tiles = [_tile(seed, x, top // 8) * repeat ^ columns
                 for x in range((width + 7) // 8)]
        for y in range(min(8, height - top)):
            line = repeat * (y << 8)
            row = b''.join((tile ^ line).to_bytes(24, 'big') for tile in tiles)
            rows.append(row[:width * 3])
    return Picture(width, height, b''.join(rows))


def cursor_pattern(seed, hot_x, hot_y):
    """What a cursor buffer with this seed looks like: an opaque triangle."""
    opaque = pattern(seed, CURSOR_SIZE, CURSOR_SIZE).to_bgrx()
    bgra = bytearray(CURSOR_SIZE * CURSOR_SIZE * 4)
    for y in range(CURSOR_SIZE):
        for x in range(CURSOR_SIZE - y):
            at = (y * CURSOR_SIZE + x) * 4
            bgra[at:at + 4] = opaque[at:at + 3] + b'\xff'
    return Cursor(CURSOR_SIZE, CURSOR_SIZE, hot_x, hot_y, bgra)
