# SPDX-License-Identifier: GPL-2.0-only
"""
What the host saw of a qxl, from QEMU's trace and its log of commands.

The log of commands (cmdlog=1) is written in pieces by the thread of the SPICE
server, and a line of the trace or of guest errors can be in the midst of one. Nothing tells the pieces
of two devices apart, so only the first device has it. QEMU shows the cursor of others
to SPICE clients only, so theirs is not judged.

The host does not say what it draws: a command that names memory of before a reset
and is valid is seen in the picture only.
"""

import re

from hostlog import Command, Commands

TRACE = ('qxl_io_write', 'qxl_set_guest_bug', 'qxl_io_unexpected_vga_mode',
         'qxl_io_read_unexpected', 'qxl_io_destroy_primary_ignored')
TRACE_SEVERAL = TRACE

_WHOLE = re.compile(r'(?:\d+@\d+\.\d+:)?(qxl_(?:io|set)_\w+) (\d+)(?: ([^\n]*))?\n|'
                    r'Invalid (?:read|write) at addr [^\n]*\n')
_NAME = re.compile(r'\(QXL_IO_(\w+)\)')
_COMMAND = re.compile(r'-?\d+ qxl-0/(\w+): cmd @ 0x[0-9a-f]+ (\w+)(.*)')
_VGA = 'vga'                    # what QEMU itself draws for the firmware
_CURSOR = re.compile(r': (\w+)(?: \+(\d+)\+(\d+))?(?: visible (yes|no))?')

# As in hostlog.py; QEMU writes all of it to one place.
ALLOWED = (
    (r"^Invalid (read|write) at addr 0xB00[0-9A-F]{5}, size \d, region '\(null\)'",
     'S3: SeaBIOS uses the PCI configuration window before it has opened it again'),
)


class HostLog(Commands):
    """What one device was told, from a log that may tell of others."""

    PICTURE = 'draw'

    def __init__(self, text, gpu=0):
        super().__init__()
        self.tells_cursor = gpu == 0
        self._gpu = gpu
        found = []                      # (place, Command)
        plain, end = [], 0
        for match in _WHOLE.finditer(text):
            plain.append(text[end:match.start()])
            end = match.end()
            self._trace(found, sum(map(len, plain)), match)
        plain.append(text[end:])
        place = 0
        for line in ''.join(plain).splitlines(keepends=True):
            self._line(found, place, line.strip())
            place += len(line)
        found.sort(key=lambda item: item[0])
        self.commands = [command for _, command in found]
        for number, command in enumerate(self.commands, 1):
            command.line = number

    def _trace(self, found, place, match):
        event, device, rest = match[1], int(match[2] or 0), match[3] or ''
        if not event:
            self._line(found, place, match[0].strip())
        elif event != 'qxl_io_write':
            self.errors.append(match[0].strip())
        elif device == self._gpu:
            name = _NAME.search(rest)
            name = name[1].removesuffix('_ASYNC') if name else rest
            if not name.startswith(('NOTIFY', 'UPDATE_IRQ', 'FLUSH_RELEASE')):
                found.append((place, Command(name, 0)))

    def _line(self, found, place, line):
        match = _COMMAND.fullmatch(line)
        if match and self._gpu == 0:
            ring, name, rest = match.groups()
            if ring == _VGA:
                return
            command = Command(name, 0)
            if name == 'cursor':
                command.fields = _cursor(rest)
            found.append((place, command))
        elif line and not match and not any(re.search(a, line) for a, _ in ALLOWED):
            self.errors.append(line)

    def cursor(self, _):
        """(x, y, visible) as the host was last told, or None since the reset."""
        state = None
        for command in self.since_reset():
            if command.name != 'cursor':
                continue
            kind, x, y, visible = command.fields
            if kind == 'set':
                state = (x, y, visible)
            elif kind == 'move' and state:
                state = (x, y, state[2])
            elif kind == 'hide' and state:
                state = (*state[:2], False)
        return state

    def where(self, position, hot):
        """The host is told where the hotspot is."""
        return position[0] + hot[0], position[1] + hot[1]


def _cursor(text):
    kind, x, y, visible = _CURSOR.match(text).groups()
    return kind, int(x or 0), int(y or 0), visible != 'no'


def problems(text):
    """Everything that is wrong in a log, one line each; empty is what a test wants."""
    log = HostLog(text)
    found = [f'QEMU: {error}' for error in log.errors]
    if not any(command.name == 'draw' for command in log.commands):
        found.append('the host was told to draw nothing at all')
    return found
