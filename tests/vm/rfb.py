# SPDX-License-Identifier: GPL-2.0-only
"""
A very small VNC client, for the two things that QMP cannot do: to see the
hardware cursor, and to plug in a monitor on a further output.
"""

import socket
import struct

from screen import Cursor
from verdict import Failure

RAW = 0
EXTENDED_DESKTOP_SIZE = -308
ALPHA_CURSOR = -314

FRAMEBUFFER_UPDATE = 0
BELL = 2
CUT_TEXT = 3


class Rfb:
    def __init__(self, path, timeout):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.stream = self.socket.makefile('rb')
        self._shake_hands()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stream.close()
        self.socket.close()

    def _read(self, count):
        try:
            data = self.stream.read(count)
        except OSError as error:
            raise Failure(f'the VNC server does not answer: {error}') from error
        if len(data) != count:
            raise Failure('the VNC server hung up')
        return data

    def _unpack(self, layout):
        return struct.unpack(layout, self._read(struct.calcsize(layout)))

    def _shake_hands(self):
        self._read(12)                                  # its version
        self.socket.sendall(b'RFB 003.008\n')
        count, = self._unpack('>B')
        if 1 not in self._read(count):
            raise Failure('the VNC server wants a password')
        self.socket.sendall(b'\1')
        self._unpack('>I')                              # security: accepted
        self.socket.sendall(b'\1')                      # share with others
        *_, name_length = self._unpack('>HH16sI')
        self._read(name_length)
        self._set_encodings(RAW, EXTENDED_DESKTOP_SIZE, ALPHA_CURSOR)

    def _set_encodings(self, *encodings):
        self.socket.sendall(struct.pack(f'>BxH{len(encodings)}i', 2,
                                        len(encodings), *encodings))

    def plug_in_monitor(self, width, height):
        """Tells the guest that this output has a monitor of that size now."""
        self.socket.sendall(struct.pack('>BxHHBxIHHHHI', 251, width, height, 1,
                                        0, 0, 0, width, height, 0))
        self.cursor()           # an answer, so the request before it was seen

    def cursor(self):
        """The cursor that the host shows, or None if it never had one.

        QEMU sends it as soon as it knows our encodings; a pixel is asked for
        after that, so that there is something to stop at.
        """
        self.socket.sendall(struct.pack('>BBHHHH', 3, 0, 0, 0, 1, 1))
        self._cursor = None
        while not self._message():
            pass
        return self._cursor

    def _message(self):
        """Handles one message; true if it brought pixels."""
        kind, = self._unpack('>B')
        if kind == CUT_TEXT:
            length, = self._unpack('>3xI')
            self._read(length)
        elif kind == FRAMEBUFFER_UPDATE:
            count, = self._unpack('>xH')
            return RAW in [self._rectangle() for _ in range(count)]
        elif kind != BELL:
            raise Failure(f'unexpected VNC message {kind}')
        return False

    def _rectangle(self):
        x, y, width, height, encoding = self._unpack('>HHHHi')
        if encoding == RAW:
            self._read(width * height * 4)
        elif encoding == EXTENDED_DESKTOP_SIZE:
            screens, = self._unpack('>B3x')
            self._read(screens * 16)
        elif encoding == ALPHA_CURSOR:
            self._unpack('>i')
            self._cursor = Cursor(width, height, x, y,
                                  self._read(width * height * 4))
        else:
            raise Failure(f'unexpected VNC encoding {encoding}')
        return encoding
