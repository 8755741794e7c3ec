# SPDX-License-Identifier: GPL-2.0-only
"""One QEMU process: started, watched, and never left behind."""

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from qmp import Qmp
from rfb import Rfb
from screen import Picture
from verdict import Failure, Skip, Unusable
from xserver import XServer

# What QEMU calls the architecture, Debian's package of it, and the processor.
# la57: KASAN of 6.12 takes an interrupt during identify_cpu() for a wild access
ARCHS = {'x86': ('x86_64', 'qemu-system-x86', 'max,la57=off'),
         'arm64': ('aarch64', 'qemu-system-arm', 'cortex-a57')}
FETCH = Path(__file__).resolve().parents[2] / 'scripts/fetch-qemu'

_running = set()
_lock = threading.Lock()
_stopping = threading.Event()
_fetching = threading.Lock()


def binary(arch='x86'):
    """The QEMU to use: $QEMU, else Debian's name of it."""
    target, package, _ = ARCHS[arch]
    name = os.environ.get('QEMU') or f'qemu-system-{target}'
    path = shutil.which(name)
    if not path:
        raise Unusable(f'no QEMU: {name} not found; apt-get install {package} '
                       f'(or QEMU=/path/to/qemu-system-{target})')
    return path


def newer_binary():
    """Another QEMU than Debian 12 has, fetched into the cache."""
    with _fetching:
        found = _fetch()
    if isinstance(found, Skip):
        raise found
    return found


@functools.lru_cache(maxsize=None)
def _fetch():
    """Its path, or the reason why there is none; what takes long is said meanwhile."""
    with subprocess.Popen([sys.executable, str(FETCH)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        path = None
        for line in process.stdout:
            if line.startswith('/'):
                path = line.strip()
            else:
                print(line, end='', flush=True)
        said = process.stderr.read().strip().splitlines()
    if process.returncode or not path:
        return Skip(f'no newer QEMU: {said[-1] if said else "fetch-qemu says nothing"}')
    return path


def kill_all():
    """For the end of the program, whichever end it is: none can be started after it."""
    _stopping.set()
    with _lock:
        left = list(_running)
    for process in left:
        process.kill()


def stopping():
    return _stopping.is_set()


atexit.register(kill_all)


class Qemu:
    """@setup says what the machine has; @number which start of it this is."""

    SHARED_MEMORY = False       # another process maps the guest's

    def __init__(self, setup, files, number, timeout):
        self.setup, self.files, self.timeout = setup, files, timeout
        self.number = number
        # unix sockets have short names, work directories long ones
        self.sockets = Path(tempfile.mkdtemp(prefix='vm-'))
        self.messages = files.directory / f'qemu-{number}.log'
        # see qxllog.py
        self.host_log = self.messages if setup.qxl else files.directory / f'host-{number}.log'
        self.qmp = None
        self.window = None
        self._dump = files.directory / f'screen-{number}.ppm'
        self._start()

    def _command(self):
        setup, files, sockets = self.setup, self.files, self.sockets
        more = [word for device in setup.more_devices for word in ('-device', device)]
        gpus = [word for device in setup.gpu_devices() for word in ('-device', device)]
        command = [
            newer_binary() if setup.newer_qemu else binary(setup.arch),
            '-accel', setup.accel, '-machine', setup.machine, '-cpu', ARCHS[setup.arch][2],
            '-m', str(setup.memory), *self._memory(), '-smp', str(setup.cpus),
            '-nodefaults', '-no-user-config',
            '-display', 'sdl,gl=on' if setup.gl else 'none', '-no-reboot', '-S',
            '-kernel', str(files.kernel), '-initrd', str(files.initramfs),
            '-append', setup.command_line,
            '-qmp', f'unix:{sockets}/qmp,server=on,wait=off',
            '-chardev', f'file,id=console,path={_escape(files.console)},append=on',
            '-serial', 'chardev:console',
            '-chardev', f'socket,id=agent,path={sockets}/agent,server=on,wait=off',
            *self._agent(),
            '-drive', f'if=none,id=swap,format=raw,cache=unsafe,file={_escape(files.swap)}',
            '-device', f'virtio-blk-{"device" if setup.mmio else "pci"},drive=swap',
            *more, *gpus,
            '-d', 'guest_errors',
        ]
        if not setup.qxl:
            command += ['-D', str(self.host_log)]
        several = len(setup.gpu_devices()) > 1
        for event in setup.judge.TRACE_SEVERAL if several else setup.judge.TRACE:
            command += ['-trace', event]
        return [*command, *setup.more_options, *self._displays()]

    def _memory(self):
        if not self.SHARED_MEMORY:
            return ()
        return ('-object', f'memory-backend-memfd,id=ram,size={self.setup.memory}M,share=on',
                '-machine', 'memory-backend=ram')

    def _agent(self):
        """The port that the agent has for itself."""
        if self.setup.mmio:
            return ('-device', 'isa-serial,index=1,chardev=agent',
                    '-global', 'virtio-mmio.force-legacy=off')
        if self.setup.arch == 'arm64':      # "virt" has one port, the console
            return '-device', 'pci-serial,chardev=agent'
        return '-serial', 'chardev:agent'

    def _displays(self):
        """A console has either GL or VNC."""
        if self.setup.gl:
            return []
        return [word for output, (gpu, head) in enumerate(self.setup.heads)
                if not (head and self.setup.qxl) for word in (
            '-vnc', f'unix:{self.sockets}/vnc{output},display=gpu{gpu},head={head}')]

    def _open_window(self):
        if not self.setup.gl:
            return None
        if not has_gl():
            raise Skip('this QEMU has no GPU with 3D: apt-get install qemu-system-gui')
        return XServer(*self.setup.sizes[0])

    def _start(self):
        self.window = self._open_window()
        environment = self.window and {**self.window.environment(),
                                       **dict(self.setup.host_environment)}
        with open(self.messages, 'wb') as messages:
            self.process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=messages,
                stderr=messages, start_new_session=True, env=environment)
        with _lock:
            _running.add(self.process)
        if _stopping.is_set():
            self.process.kill()
        try:
            self._wait_for_sockets()
            self.qmp = Qmp(str(self.sockets / 'qmp'), self.timeout)
            self._plug_in_monitors()
        except BaseException as error:
            died = self.ended()
            self.close()
            if died:            # its own words say more than a closed socket
                raise Failure(f'QEMU did not start: {self.said()}') from error
            raise

    def _wait_for_sockets(self):
        wanted = [self.sockets / name for name in ('qmp', 'agent')]
        deadline = time.monotonic() + self.timeout
        while not all(path.exists() for path in wanted):
            if self.ended():
                raise Failure('QEMU ended')
            if time.monotonic() > deadline:
                raise Failure('QEMU does not open its sockets')
            time.sleep(0.02)

    def _plug_in_monitors(self):
        """The first output of a GPU has one from its properties, the others not."""
        for output, (_, head) in enumerate(self.setup.heads):
            if head and not self.setup.qxl:
                with self._rfb(output) as rfb:
                    rfb.plug_in_monitor(*self.setup.sizes[output])

    @property
    def host_logs(self):
        """What is to be judged"""
        return [self.host_log]

    def said(self):
        text = self.messages.read_text(errors='replace').strip()
        return text.splitlines()[-1] if text else 'it said nothing'

    def go(self):
        self.qmp.execute('cont')

    def _rfb(self, output):
        return Rfb(str(self.sockets / f'vnc{output}'), self.timeout)

    def status(self):
        return self.qmp.execute('query-status')['status']

    def screen(self, output=0):
        """What the host shows on this output, without the cursor."""
        gpu, head = self.setup.heads[output]
        if self.setup.renders(gpu):
            return self.window.screen()
        if head and self.setup.qxl:
            # QEMU has one picture for the heads of a qxl, side by side
            widths = [width for width, _ in self.setup.outputs]
            return self._screen_dump(gpu, 0).columns(sum(widths[:head]), widths[head])
        screen = self._screen_dump(gpu, head)
        if self.setup.qxl and not gpu and len(self.setup.outputs) > 1:
            screen = screen.columns(0, self.setup.outputs[0][0])
        return screen

    def _screen_dump(self, gpu, head):
        self.qmp.execute('screendump', filename=str(self._dump), device=f'gpu{gpu}',
                         head=head)
        data = self._dump.read_bytes()
        self._dump.unlink()
        return Picture.from_ppm(data)

    def cursor(self, output=0):
        with self._rfb(output) as rfb:
            return rfb.cursor()

    def trace(self):
        return self.host_log.read_text(errors='replace')

    def ended(self):
        return self.process.poll() is not None

    def wait_until_ended(self):
        """The guest must do it; how QEMU ended is part of the answer."""
        try:
            status = self.process.wait(self.timeout)
        except subprocess.TimeoutExpired as error:
            raise Failure('the guest did not power off') from error
        if status:
            raise Failure(f'QEMU ended with status {status}: {self.said()}')
        reason = self.qmp.shutdown_reason()
        if reason != 'guest-shutdown':
            raise Failure(f'the guest did not power off but ended by {reason}')

    def close(self):
        if self.qmp:
            self.qmp.close()
        self.process.kill()
        self.process.wait()
        with _lock:
            _running.discard(self.process)
        if self.window:
            self.window.close()
            self.window = None
        shutil.rmtree(self.sockets, ignore_errors=True)
        self._dump.unlink(missing_ok=True)


def _escape(path):
    """A comma ends a QEMU option unless it is doubled."""
    return str(path).replace(',', ',,')


def has_gl():
    """Whether QEMU has the parts for 3D, which are a package of their own in Debian."""
    done = [subprocess.run([binary(), *words], capture_output=True, text=True, timeout=60,
                           check=False).stdout
            for words in (('-device', 'help'), ('-display', 'help'))]
    return '"virtio-gpu-gl-pci"' in done[0] and 'sdl' in done[1].split()
