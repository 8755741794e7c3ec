# SPDX-License-Identifier: GPL-2.0-only
"""
An X server without a screen, for a QEMU that renders in a window.

QMP's screendump does not see what was drawn by GL; the window does.
"""

import os
import shutil
import socket
import struct
import subprocess
import tempfile
from pathlib import Path

from screen import Picture
from verdict import Failure, Skip

_XWD_HEADER = struct.Struct('>25I')
_COLOUR_BYTES = 12


class XClient:
    """As much of X11 as it takes to bring a window to the front."""

    CONFIGURE_WINDOW, GET_GEOMETRY, QUERY_TREE = 12, 14, 15
    STACK_MODE, ABOVE = 0x40, 0

    def __init__(self, display):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(f'/tmp/.X11-unix/X{display}')
        self.stream = self.socket.makefile('rb')
        self.socket.sendall(struct.pack('<BxHHHHxx', ord('l'), 11, 0, 0, 0))
        accepted, length = struct.unpack('<BxxxxxH', self.stream.read(8))
        data = self.stream.read(length * 4)
        if accepted != 1:
            raise Failure('the X server does not let us in')
        vendor, formats = struct.unpack_from('<H', data, 16)[0], data[21]
        self.root, = struct.unpack_from('<I', data, 32 + (vendor + 3) // 4 * 4 + formats * 8)

    def close(self):
        self.stream.close()
        self.socket.close()

    def _ask(self, opcode, window):
        """The reply; None if the window is no more."""
        self.socket.sendall(struct.pack('<BxHI', opcode, 2, window))
        reply = self.stream.read(32)
        if len(reply) != 32:
            raise Failure('the X server hung up')
        if reply[0] != 1:
            return None
        return reply + self.stream.read(struct.unpack_from('<I', reply, 4)[0] * 4)

    def raise_window(self, width, height):
        """The uppermost of this size comes before those of another."""
        tree = self._ask(self.QUERY_TREE, self.root)
        count, = struct.unpack_from('<H', tree, 16)
        for window in reversed(struct.unpack_from(f'<{count}I', tree, 32)):
            geometry = self._ask(self.GET_GEOMETRY, window)
            if geometry and struct.unpack_from('<HH', geometry, 16) == (width, height):
                self.socket.sendall(struct.pack('<BxHIHxxI', self.CONFIGURE_WINDOW, 4,
                                                window, self.STACK_MODE, self.ABOVE))
                return


class XServer:
    """Xvfb whose screen is as large as the window that matters, which so fills it."""

    def __init__(self, width, height):
        self.size, self.client = (width, height), None
        program = shutil.which('Xvfb')
        if not program:
            raise Skip('no Xvfb: apt-get install xvfb')
        self.directory = Path(tempfile.mkdtemp(prefix='xvfb-'))
        number, to_us = os.pipe()
        with open(self.directory / 'messages', 'wb') as messages:
            self.process = subprocess.Popen(
                [program, '-displayfd', str(to_us), '-nolisten', 'tcp', '-noreset',
                 '-nocursor', '-screen', '0', f'{width}x{height}x24',
                 '-fbdir', str(self.directory)],
                pass_fds=[to_us], stdin=subprocess.DEVNULL, stdout=messages,
                stderr=messages, start_new_session=True)
        os.close(to_us)
        with open(number) as pipe:
            self.display = pipe.readline().strip()      # nothing if it ended
        if not self.display:
            said = (self.directory / 'messages').read_text(errors='replace').strip()
            self.close()
            raise Failure(f'Xvfb did not start: {said}')

    def environment(self):
        """For who is to draw here, without a GPU."""
        return {**os.environ, 'DISPLAY': f':{self.display}', 'LIBGL_ALWAYS_SOFTWARE': '1',
                'XAUTHORITY': '/dev/null'}

    def screen(self):
        if not self.client:
            self.client = XClient(self.display)
        self.client.raise_window(*self.size)
        return picture_from_xwd((self.directory / 'Xvfb_screen0').read_bytes())

    def close(self):
        if self.client:
            self.client.close()
        self.process.terminate()            # so that it takes its lock away
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


def picture_from_xwd(data):
    """What Xvfb keeps its screen in: 32 bits per pixel, little endian."""
    if len(data) < _XWD_HEADER.size:
        raise ValueError('not a window dump')
    header = _XWD_HEADER.unpack_from(data)
    size, version, layout, width, height, order = *header[:3], *header[4:6], header[7]
    bits, line, colours = header[11], header[12], header[19]
    if (version, layout, order, bits) != (7, 2, 0, 32) or line != width * 4:
        raise ValueError('not a window dump of 32 bits per pixel, little endian')
    start = size + colours * _COLOUR_BYTES
    pixels = data[start:start + line * height]
    if len(pixels) != line * height:
        raise ValueError('the window dump is cut short')
    return Picture.from_bgrx(width, height, pixels)
