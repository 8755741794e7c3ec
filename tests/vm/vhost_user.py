# SPDX-License-Identifier: GPL-2.0-only
"""
A guest whose GPU is another program than QEMU: vhost-user-gpu.

It remembers resources over a reset of the device, and its log has what it refuses. A
relay between the two mends what has nothing to do with that: QEMU hands over a new
socket for the picture after each reset, and vhost-user-gpu goes on with the old one,
until that kills it.
"""

import dataclasses
import os
import re
import selectors
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

import hostlog
from qemu import Qemu, newer_binary
from verdict import Failure, Skip, Unusable
from vm import Setup, Vm

_ERROR = re.compile(r'(?:WARNING|CRITICAL|ERROR) \*\*: [\d:.]+: (.*)$', re.M)
KNOWN = 'resource already exists'       # a creation was refused
UNKNOWN = 'illegal resource specified'
ALLOWED = (
    (r"update_cursor_data_simple: assertion 'res != NULL' failed", 'the cursor is hidden'),
)
# docs/interop/vhost-user.rst and vhost-user-gpu.rst of QEMU
HEADER = struct.Struct('=III')          # request, flags, size of what follows
GPU_SET_SOCKET = 33
NEED_REPLY = 1 << 3
MAX_FDS = 8
CHUNK = 1 << 16


def program():
    """The one that belongs to the newer QEMU."""
    path = Path(newer_binary()).parent / 'vhost-user-gpu'
    try:
        done = subprocess.run([path, '--help'], capture_output=True, text=True,
                              timeout=60, check=False)
    except OSError as error:
        raise Skip(f'no vhost-user-gpu: {error}; scripts/fetch-qemu --refresh') from error
    if done.returncode:
        raise Skip('vhost-user-gpu does not run here: '
                   f'{(done.stderr.strip() or "no reason given").splitlines()[-1]}')
    return path


class Relay:
    """
    Between QEMU, which connects to @path, and the back end, which listens at @target.

    All messages go through unchanged but for the socket for the picture: the back
    end gets one, once, and what it says there goes to the one that QEMU gave last.
    That is never waited for, as QEMU does not read it while it waits for an answer.
    """

    def __init__(self, path, target):
        self.qemu = self.picture = None
        self.unsent = bytearray()       # to the picture's socket
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(1)
        self.back_end = socket.socket(socket.AF_UNIX)
        self.back_end.connect(str(target))
        self.ours, self.theirs = socket.socketpair()
        self.selector = selectors.DefaultSelector()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        with self.listener:
            self.qemu, _ = self.listener.accept()
        for end, serve in ((self.qemu, self._from_qemu), (self.back_end, self._from_back_end),
                           (self.ours, self._picture_from_back_end)):
            self.selector.register(end, selectors.EVENT_READ, serve)
        try:
            while True:
                for key, _ in self.selector.select():
                    if key.fileobj.fileno() >= 0:       # not closed by one before it
                        key.data()
                self._watch_picture()
        except OSError:                 # one of them has ended
            pass
        finally:
            for end in (self.qemu, self.back_end, self.ours, self.theirs, self.picture):
                if end:
                    end.close()

    def _from_qemu(self):
        header, fds = _receive(self.qemu, HEADER.size)
        while len(header) < HEADER.size:
            header += _receive(self.qemu, HEADER.size - len(header))[0]
        request, flags, size = HEADER.unpack(header)
        body = b''
        while len(body) < size:
            body += _receive(self.qemu, size - len(body))[0]
        if request == GPU_SET_SOCKET:
            if flags & NEED_REPLY:
                raise OSError('nobody would answer')
            self._new_picture(fds[0])
            if not self.theirs:
                return
            fds, self.theirs = [self.theirs.detach()], None
        _send(self.back_end, header + body, fds)

    def _from_back_end(self):
        _send(self.qemu, *_receive(self.back_end, CHUNK))

    def _new_picture(self, number):
        self._drop_picture()
        self.picture = socket.socket(fileno=number)
        self.picture.setblocking(False)
        self.selector.register(self.picture, selectors.EVENT_READ, self._serve_picture)

    def _drop_picture(self):
        if self.picture:
            self.selector.unregister(self.picture)
            self.picture.close()
            self.picture = None

    def _watch_picture(self):
        if self.picture:
            self.selector.modify(
                self.picture,
                selectors.EVENT_READ | (selectors.EVENT_WRITE if self.unsent else 0),
                self._serve_picture)

    def _picture_from_back_end(self):
        self.unsent += _receive(self.ours, CHUNK)[0]

    def _serve_picture(self):
        try:
            if self.unsent:
                del self.unsent[:self.picture.send(self.unsent[:CHUNK])]
        except BlockingIOError:
            pass
        except OSError:                 # QEMU has given it up
            return self._drop_picture()
        try:
            data = self.picture.recv(CHUNK)
        except BlockingIOError:
            return None
        except OSError:                 # closed with something unread
            data = b''
        return self.ours.sendall(data) if data else self._drop_picture()


def _receive(end, size):
    """What is there, and the file descriptors that came with it."""
    data, fds, _, _ = socket.recv_fds(end, size, MAX_FDS)
    if not data:
        raise OSError('it has ended')
    return data, fds


def _send(end, data, fds):
    sent = socket.send_fds(end, [data], fds) if fds else 0
    end.sendall(data[sent:])
    for number in fds:
        os.close(number)


class BackEnd:
    """One process of it."""

    def __init__(self, socket, log):
        self.log = log
        with open(log, 'wb') as messages:
            self.process = subprocess.Popen(
                [program(), '--socket-path', str(socket)], stdin=subprocess.DEVNULL,
                stdout=messages, stderr=messages, start_new_session=True,
                env=dict(os.environ, G_MESSAGES_DEBUG='all'))
        deadline = time.monotonic() + 60
        while not socket.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise Unusable(f'vhost-user-gpu did not start: {log.read_text()}')
            time.sleep(0.02)

    def close(self):
        self.process.kill()
        self.process.wait()


def errors(text):
    """What the back end complained of, from its log."""
    return [error for error in _ERROR.findall(text)
            if not any(re.search(a, error) for a, _ in ALLOWED)]


@dataclasses.dataclass
class VhostUserSetup(Setup):
    """A machine with such a GPU; with one output."""

    device: str = 'vhost-user-gpu-pci'
    newer_qemu: bool = True

    def gpu_device(self):
        return f'{super().gpu_device()},chardev=gpu'


class VhostUserQemu(Qemu):
    """QEMU, and the back end that it is connected to."""

    def __init__(self, setup, files, number, timeout):
        self.back_end = None
        self.number = number
        super().__init__(setup, files, number, timeout)

    def _start(self):
        log = self.files.directory / f'back-end-{self.number}.log'
        self.back_end = BackEnd(self.sockets / 'back-end', log)
        Relay(self.sockets / 'gpu', self.sockets / 'back-end')
        super()._start()

    def _command(self):
        memory = self.setup.memory
        command = super()._command()
        # the back end maps the guest's memory; it has to be there before the GPU
        return [command[0], '-object', f'memory-backend-memfd,id=ram,size={memory}M,share=on',
                '-machine', 'memory-backend=ram',
                '-chardev', f'socket,id=gpu,path={self.sockets}/gpu', *command[1:]]

    def _displays(self):
        return []                       # VNC does not take its console

    def close(self):
        super().close()
        if self.back_end:
            self.back_end.close()


class VhostUserVm(Vm):
    """A guest with such a GPU; @setup is a VhostUserSetup."""

    QEMU = VhostUserQemu

    def _start_qemu(self):
        program()                       # or the scenario is skipped
        super()._start_qemu()

    def expect_back_end_errors(self, kind, count=None):
        """So many complaints of this @kind up to now, and none of another."""
        found = errors(self.qemu.back_end.log.read_text(errors='replace'))
        others = [error for error in found if kind not in error]
        if others:
            raise Failure(f'vhost-user-gpu: {others[0]} (and {len(others) - 1} more)')
        if count not in (None, len(found)):
            raise Failure(f'vhost-user-gpu complained {len(found)} times, not {count}: '
                          f'{found[-1] if found else "of nothing"}')

    def cursor_problem(self, output):
        return None                     # nobody says where it is

    def host_problems(self, text):
        """QEMU knows of its part only: there are no commands in its log."""
        return [f'QEMU: {error}' for error in hostlog.HostLog(text).errors]
