# SPDX-License-Identifier: GPL-2.0-only
"""The guest's side of a test: what the agent is told and what it answers."""

import socket
import time
import urllib.parse

from screen import CURSOR_SIZE, Picture, cursor_pattern, pattern
from verdict import Failure


class Refused(Failure):
    """The guest's kernel said no."""

    def __init__(self, command, errno, text):
        super().__init__(f'{command}: {errno} {text}'.strip())
        self.errno = errno


class Gone(Failure):
    """The other end of the channel is no more."""


class Channel:
    """
    Lines over the second serial port of one QEMU process. @said: how much its console
    has said; a guest that goes on saying something is slow rather than hanging.
    """

    PATIENCE = 5                # times the timeout, for one that does

    def __init__(self, path, timeout, said):
        self.timeout, self.said = timeout, said
        self.pending = b''
        self._connect(path)

    def _connect(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(self.timeout)
        self.socket.connect(path)

    def close(self):
        self.socket.close()

    def send(self, line):
        try:
            self.socket.sendall(line.encode() + b'\n')
        except OSError as error:
            raise Gone(f'the guest is gone at "{line}"') from error

    def receive(self, timeout=None):
        """The next line; None if there is none within @timeout."""
        if timeout is not None:
            return self._receive(timeout)
        line = None
        for _ in range(self.PATIENCE):
            before = self.said()
            line = self._receive(self.timeout)
            if line is not None or self.said() == before:
                break
        return line

    def _receive(self, timeout):
        deadline = time.monotonic() + timeout
        while b'\n' not in self.pending:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                got = self.socket.recv(65536)
            except TimeoutError:
                return None
            except OSError as error:
                raise Gone(f'the guest is gone: {error}') from error
            if not got:
                raise Gone('the guest is gone: QEMU ended')
            self.pending += got
        line, self.pending = self.pending.split(b'\n', 1)
        return line.decode(errors='replace').strip()


class Buffer:
    """A buffer of the guest, known by its number and its seed."""

    def __init__(self, index, kind, width, height, seed, card=0):
        self.index, self.kind, self.card = index, kind, card
        self.width, self.height, self.seed = width, height, seed
        self.custom = None              # a picture that was loaded from a file
        self.gpu = None                 # what another GPU calls it, if it is shared

    def __repr__(self):
        return f'{self.kind} buffer {self.index} ({self.width}x{self.height})'

    def picture(self):
        return self.custom or pattern(self.seed, self.width, self.height)


class Guest:
    """A program in the guest that owns the display, and its files."""

    FIRST_SEED = 1000

    def __init__(self):
        self.channel = None
        self.waiting_for = None         # the command that was not answered yet
        self.buffers = []               # all that live
        self.outputs = []               # (width, height) or None each
        self.shown = {}                 # output: Buffer
        self.cursors = {}               # output: (Buffer, (hot x, y), (x, y))
        self._seed = self.FIRST_SEED
        self._card = 0                  # the one that buffers are made on

    # One command, one answer

    def attach(self, channel):
        """Goes on talking over another QEMU's serial port."""
        if self.channel:
            self.channel.close()
        self.channel = channel

    def start(self, command):
        self.channel.send(command)
        self.waiting_for = command

    def answer(self, timeout=None):
        """The rest of the answer; None if there is none within @timeout."""
        command = self.waiting_for
        line = self.channel.receive(timeout)
        if line is None:
            if timeout is not None:
                return None
            raise Failure(f'the guest does not answer "{command}" '
                          f'({self.channel.timeout} s): it hangs')
        self.waiting_for = None
        if line.startswith('ok agent ready'):
            raise Failure(f'the guest booted anew during "{command}": no resume')
        verdict, _, rest = line.partition(' ')
        if verdict == 'ok':
            return rest
        if verdict != 'error':
            raise Failure(f'the guest answers "{command}" with "{line}"')
        errno, _, text = rest.partition(' ')
        raise Refused(command, errno, text)

    def do(self, command):
        self.start(command)
        return self.answer()

    def wait_until_booted(self):
        line = self.channel.receive()
        if line != 'ok agent ready':
            raise Failure('the guest did not boot: '
                          f'{"silence" if line is None else line}')

    # Files

    def write(self, path, text):
        self.do(f'write {path} {_encode(text)}')

    def write_beside(self, first, second):
        """Each a path and a text; the second write while the first one lasts."""
        self.do(' '.join(['write-beside', first[0], _encode(first[1]),
                          second[0], _encode(second[1])]))

    def start_write(self, path, text):
        self.start(f'write {path} {_encode(text)}')

    def read(self, path):
        return self.read_bytes(path).decode(errors='replace')

    def read_bytes(self, path):
        return urllib.parse.unquote_to_bytes(self.do(f'read {path}'))

    def poke(self, path, offset, data):
        self.do(f'poke {path} {offset} {"".join(f"%{byte:02x}" for byte in data)}')

    def wake(self):
        """A line that means nothing; it arrives, or wakes who sleeps."""
        self.channel.send('')

    def keep(self, word):
        self.do(f'keep {word}')

    def kept(self):
        return urllib.parse.unquote(self.do('kept'))

    # Buffers

    def open_cards(self, count=1):
        """The first GPUs of the guest; outputs are numbered through all of them."""
        self.do(' '.join(['open'] + [f'/dev/dri/card{card}' for card in range(count)]))
        self._card = 0
        self.probe_outputs()

    def close_cards(self):
        """All that was made on them goes with them."""
        self.do('close')
        self.buffers, self.shown, self.cursors = [], {}, {}

    def probe_outputs(self):
        self.outputs = [
            None if word == 'off' else tuple(int(n) for n in word.split('x'))
            for word in self.do('outputs').split()]

    def _use_card(self, card):
        if card != self._card:
            self.do(f'card {card}')
            self._card = card

    def next_seed(self, count=1):
        """That of the first of so many contents that nothing had before"""
        seed, self._seed = self._seed, self._seed + count
        return seed

    def create(self, count, width, height, kind='dumb', card=0):
        """@count new buffers, each with content of its own."""
        self._use_card(card)
        seed = self.next_seed(count)
        first = int(self.do(f'create {kind} {count} {width} {height} {seed}'))
        new = [Buffer(first + i, kind, width, height, seed + i, card)
               for i in range(count)]
        self.buffers += new
        return new

    def create_cursor(self, card=0):
        return self.create(1, CURSOR_SIZE, CURSOR_SIZE, 'cursor', card)[0]

    def render(self, width, height, colour, card=0):
        """A new buffer that a 3D client had the host paint, in one colour."""
        self._use_card(card)
        index = int(self.do(f'render {width} {height} {colour}'))
        buffer = Buffer(index, 'rendered', width, height, 0, card)
        buffer.custom = Picture(width, height, colour.to_bytes(3, 'big') * (width * height))
        self.buffers.append(buffer)
        return buffer

    def target(self, width, height, card=0):
        """A new buffer on which a 3D client of the test draws, with its handle and name"""
        self._use_card(card)
        index, handle, name = map(int, self.do(f'virgl-target {width} {height}').split())
        buffer = Buffer(index, 'rendered', width, height, 0, card)
        buffer.handle, buffer.name = handle, name
        self.buffers.append(buffer)
        return buffer

    def fill(self, buffer):
        """New content, which the host does not have until it is shown."""
        buffer.seed = self.next_seed()
        self.do(f'fill {buffer.index} {buffer.seed}')

    def load(self, buffer, path, picture):
        self.do(f'load {buffer.index} {path}')
        buffer.custom = picture

    def check(self, buffer):
        """The guest's own copy of it must be whole."""
        self.do(f'check {buffer.index}')

    def transfer(self, buffer):
        self.do(f'transfer {buffer.index}')

    def be_busy(self, buffer):
        """Transfers it again and again, beside what is asked from now on."""
        self.do(f'busy-transfer {buffer.index}')

    def be_busy_flipping(self, output, first, second):
        """Likewise, shows one and the other."""
        self.do(f'busy-flip {output} {first.index} {second.index}')

    def be_idle(self):
        """How often that was done, and once more after this was asked, without an error."""
        return int(self.do('idle'))

    def share(self, buffer):
        self.do(f'share {buffer.index}')

    def stampede(self, buffer, threads):
        self.do(f'stampede {buffer.index} {threads}')

    def destroy(self, buffer):
        self.do(f'destroy {buffer.index}')
        self.buffers.remove(buffer)

    # The display

    def show(self, output, buffer):
        self.do(f'show {output} {buffer.index}')
        self.shown[output] = buffer

    def flip(self, output, buffer):
        """Another buffer of the same size; returns when the kernel says it is shown."""
        self.do(f'flip {output} {buffer.index}')
        self.shown[output] = buffer

    def create_fence(self):
        """One that nobody signals unless he is told to; its file descriptor."""
        return int(self.do('fence-create'))

    def signal_fence(self):
        self.do('fence-signal')

    def flip_behind(self, output, buffer):
        """As flip, when the fence is signalled; returns at once."""
        self.do(f'flip-behind {output} {buffer.index}')

    def wait_for_flip(self, output, buffer):
        """Until the kernel says that one of before is done."""
        self.do(f'flip-wait {output}')
        self.shown[output] = buffer

    def dirty(self, buffer):
        self.do(f'dirty {buffer.index}')

    def off(self, output):
        self.do(f'off {output}')
        self.shown.pop(output, None)
        self.cursors.pop(output, None)

    def cursor(self, output, buffer, hot, position):
        self.do(f'cursor {output} {buffer.index} '
                f'{hot[0]} {hot[1]} {position[0]} {position[1]}')
        self.cursors[output] = (buffer, hot, position)

    def hide_cursor(self, output):
        self.do(f'cursor {output} none 0 0 0 0')
        self.cursors.pop(output, None)

    def move_cursor(self, output, position):
        self.do(f'cursor-move {output} {position[0]} {position[1]}')
        buffer, hot, _ = self.cursors[output]
        self.cursors[output] = (buffer, hot, position)

    def cursor_image(self, output):
        buffer, hot, _ = self.cursors[output]
        return cursor_pattern(buffer.seed, *hot)


def _encode(text):
    return urllib.parse.quote(text, safe='/=:,.+-_ ')
