# SPDX-License-Identifier: GPL-2.0-only
"""
A guest whose GPU is the host of our own: tests/models/virtio-gpu, beside a QEMU that
has the generic vhost-user device. gpu.h there says what it does and what not.

Its log stands in for QEMU's trace, and it is asked for what it shows.
"""

import dataclasses
import fcntl
import hashlib
import socket
import subprocess
import time
from pathlib import Path

import hostlog
from qemu import Qemu
from screen import CURSOR_SIZE, Cursor, Picture
from verdict import Failure, Skip, Unusable
from vm import Setup, Vm

REPO = Path(__file__).resolve().parents[2]
SOURCES = REPO / 'tests/models/virtio-gpu'
OUT = REPO / 'build/models'
CFLAGS = ('-O2', '-g', '-std=gnu11', '-Wall', '-Wextra', '-Werror')
DEVICE = 'vhost-user-test-device-pci'


def build():
    """Compiles it if something changed; returns the program."""
    sources = sorted(SOURCES.glob('*.[ch]'))
    digest = hashlib.sha256(repr(CFLAGS).encode())
    for source in sources:
        digest.update(source.read_bytes())
    OUT.mkdir(parents=True, exist_ok=True)
    program = OUT / f'virtio-gpu-{digest.hexdigest()[:16]}'
    with open(OUT / '.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if program.exists():
            return program
        new = program.with_suffix('.new')
        done = subprocess.run(
            ['gcc', *CFLAGS, *(str(s) for s in sources if s.suffix == '.c'), '-o', str(new)],
            capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unusable(f'the virtio-gpu host does not compile:\n{done.stderr.strip()}')
        for old in OUT.glob('virtio-gpu-*'):
            if old != new:
                old.unlink()
        new.rename(program)
    return program


class OwnHost:
    """One process of it."""

    def __init__(self, setup, directory, log, messages):
        self.messages = messages
        self._dump = directory / 'dump'
        command = [build(), '--socket', directory / 'gpu', '--control', directory / 'control',
                   '--log', log, *setup.host_options]
        for width, height in setup.outputs:
            command += ['--output', f'{width}x{height}']
        with open(messages, 'wb') as file:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=file,
                stderr=file, start_new_session=True)
        deadline = time.monotonic() + 60
        while not (directory / 'gpu').exists():     # the last that it makes
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise Unusable(f'the virtio-gpu host did not start: {self.said()}')
            time.sleep(0.02)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(directory / 'control'))

    def said(self):
        return self.messages.read_text(errors='replace').strip() or 'it said nothing'

    def ask(self, line):
        try:
            self.socket.sendall(line.encode() + b'\n')
            answer = self.socket.recv(64)
        except OSError as error:
            raise Failure(f'the virtio-gpu host is gone: {self.said()}') from error
        if answer != b'ok\n':
            raise Failure(f'the virtio-gpu host answers "{line}" with '
                          f'"{answer.decode().strip() or self.said()}"')

    def dump(self, what, output):
        self.ask(f'{what} {output} {self._dump}')
        data = self._dump.read_bytes()
        self._dump.unlink()
        return data

    def close(self):
        self.process.kill()
        self.process.wait()


class OwnHostQemu(Qemu):
    """QEMU, and the host that it is connected to."""

    SHARED_MEMORY = True
    host = None

    def _start(self):
        directory = self.files.directory
        self.own_log = self.host_log
        self.host_log = directory / f'qemu-errors-{self.number}.log'
        self.host = OwnHost(self.setup, self.sockets, self.own_log,
                            directory / f'own-host-{self.number}.log')
        super()._start()

    def _command(self):
        command = super()._command()
        # it has to be there before the GPU
        return [command[0], '-chardev', f'socket,id=gpu,path={self.sockets}/gpu', *command[1:]]

    def _displays(self):
        return []

    def _plug_in_monitors(self):
        """All outputs have one."""

    def screen(self, output=0):
        return Picture.from_ppm(self.host.dump('screen', output))

    def cursor(self, output=0):
        head, _, pixels = self.host.dump('cursor', output).partition(b'\n')
        if head == b'none':
            return None
        x, y = head.split()
        return Cursor(CURSOR_SIZE, CURSOR_SIZE, int(x), int(y), pixels)

    @property
    def host_logs(self):
        return [self.own_log, self.host_log]

    def trace(self):
        return self.own_log.read_text(errors='replace')

    def close(self):
        super().close()
        if self.host:
            self.host.close()


@dataclasses.dataclass
class OwnHostSetup(Setup):
    """Made of a scenario's own by ported()."""

    newer_qemu: bool = True

    def gpu_device(self):
        options = f',{self.device_options}' if self.device_options else ''
        return (f'{DEVICE},id=gpu0,virtio-id=16,num_vqs=2,vq_size=256,config_size=16,'
                f'chardev=gpu{options}')


def ported(setup):
    """The same machine with this GPU, where that is possible."""
    if setup.device not in ('virtio-gpu-pci', 'virtio-vga') or setup.gl or setup.more_gpus \
            or setup.mmio or type(setup) is not Setup:
        raise Skip('not with the host of our own: it needs another machine or GPU')
    fields = {field.name: getattr(setup, field.name) for field in dataclasses.fields(setup)}
    options = [o for o in setup.device_options.split(',') if o]
    host_options = list(setup.host_options)
    if 'blob=on' in options:
        options.remove('blob=on')
        host_options.append('--blob')
    fields.update(host='own', device=DEVICE, device_options=','.join(options),
                  host_options=tuple(host_options), newer_qemu=True)
    return OwnHostSetup(**fields)


class OwnHostVm(Vm):
    """A guest with such a GPU; @setup is an OwnHostSetup."""

    QEMU = OwnHostQemu

    def fault(self, what):
        """From now on; gpu --help says what there is."""
        self.qemu.host.ask(f'fault {what}')

    def answer_in_bursts(self, milliseconds):
        """The answers of so many come together; 0 for at once."""
        self.qemu.host.ask(f'burst {milliseconds}')

    def heal(self):
        """No faults any more, and what is late is answered."""
        self.qemu.host.ask('healthy')

    def next_host(self, *options):
        """How the one of the next QEMU is started."""
        self.setup = dataclasses.replace(self.setup, host_options=options)

    def host_problems(self, text):
        """Of the GPU; QEMU's own log is there for its complaints."""
        if 'virtio_set_status' not in text or 'virtio_gpu_' not in text:
            return [f'QEMU: {error}' for error in hostlog.HostLog(text).errors]
        return super().host_problems(text)
