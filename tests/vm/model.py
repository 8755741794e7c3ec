# SPDX-License-Identifier: GPL-2.0-only
"""
A guest with a model of a GPU: the model's process, its event log, a QEMU that has
vfio-user-pci, and what a scenario does with amdgpu.

Each QEMU process gets a model process of its own, with poisoned VRAM: after a
hibernation the guest finds another device than the one that it left.
"""

import dataclasses
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import initramfs
from guest import Channel, Guest, Refused
from qemu import Qemu, newer_binary
from verdict import Failure, Unusable
from vm import Setup, Vm

REPO = Path(__file__).resolve().parents[2]
MODELS = REPO / 'tests/models'
sys.path.append(str(MODELS / 'mi300x'))
import firmware     # noqa: E402

DEVICE = '/sys/bus/pci/devices/0000:01:00.0'
PARTITION = f'{DEVICE}/current_compute_partition'
DEBUGFS = '/sys/kernel/debug/dri'
# GFX 9 and its memory, IH, SDMA; with PSP where it loads the firmware
DRIVER = {
    'psp': 'ip_block_mask=0x6f dpm=0 ras_enable=0',
    'direct': 'ip_block_mask=0x1f fw_load_type=0 dpm=0 ras_enable=0',
}
PORT = 'pcie-root-port,id=port0,bus=pcie.0,addr=10,slot=1'


def build_model(kernel_source, out):
    """Compiles the model against a kernel's headers; returns the program."""
    done = subprocess.run(['make', '-s', '-C', str(MODELS), f'KDIR={kernel_source}',
                           f'OUT={out}'], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unusable(f'the model does not compile:\n{done.stderr.strip()}')
    return out / 'mi300x'


# The event log; tests/models/mi300x/events.h says what is in it


@dataclasses.dataclass
class Event:
    number: int
    seconds: float
    name: str
    values: dict

    def __getattr__(self, key):
        try:
            return self.values[key.replace('_', '-')]
        except KeyError:
            raise AttributeError(key) from None

    def __str__(self):
        pairs = ' '.join(f'{key}={value}' for key, value in self.values.items())
        return f'{self.number} {self.name} {pairs}'.rstrip()


class Events(list):
    """What one model process saw, in order."""

    @classmethod
    def read(cls, path):
        return cls.parse(path.read_text(errors='replace') if path.exists() else '')

    @classmethod
    def parse(cls, text):
        events = cls()
        for line in text.splitlines():
            number, seconds, name, *pairs = line.split(' ')
            events.append(Event(int(number), float(seconds), name,
                                dict(pair.partition('=')[::2] for pair in pairs)))
        return events

    def named(self, name, **values):
        return Events(event for event in self if event.name == name and
                      all(event.values.get(key.replace('_', '-')) == value
                          for key, value in values.items()))

    def since_reset(self):
        """Of the device since power-on, or since it was last reset over its bus."""
        last = max((i for i, event in enumerate(self)
                    if event.name in ('power-on', 'reset')), default=0)
        return Events(self[last:])

    def first_accesses(self):
        """Of each hub the first one since the driver last brought the GPU up."""
        return list({event.hub: event for event in self.named('first-access')}.values())

    def hubs_armed_first(self):
        """(how many, of how many) hubs had their fault interrupt at that access."""
        first = self.first_accesses()
        return sum(event.armed == '1' for event in first), len(first)

    def mode(self):
        """The compute partition mode that the model is in."""
        for event in reversed(self):
            if event.name in ('partition-mode', 'reset', 'power-on'):
                return event.mode
        return None

    def complete(self):
        """Did the model end in good order?"""
        return bool(self) and self[-1].name == 'end'

    def problems(self):
        """What must not be there in a healthy run."""
        bad = ('gpu-fault', 'poison-fetch', 'bad-packet', 'queue-stuck',
               'interrupt-dropped')
        return [str(event) for event in self if event.name in bad]


class Model:
    """One model process."""

    def __init__(self, program, options, socket, log):
        self.log = log
        self.process = subprocess.Popen(
            [program, '--socket', str(socket), '--log', str(log), *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            self._wait_for(socket)
        except BaseException:
            self.process.kill()
            raise

    def _wait_for(self, socket):
        deadline = time.monotonic() + 60        # VRAM is to be filled
        while not socket.exists():
            if self.process.poll() is not None:
                raise Unusable(f'the model did not start: {self.process.stderr.read()}')
            if time.monotonic() > deadline:
                raise Unusable('the model does not make its socket')
            time.sleep(0.02)

    def events(self):
        return Events.read(self.log)

    def inject_later(self):
        """Faults given by --fault-later are on from here on."""
        self.process.send_signal(signal.SIGUSR1)

    def close(self):
        """It ends with its QEMU; a model that does not is told to."""
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            self.process.wait(10)


# The machine


@dataclasses.dataclass
class ModelSetup(Setup):
    """A machine with the model on a PCIe port, and a virtio-gpu only if asked for."""

    outputs: tuple = ()
    memory: int = 1024
    virtio_gpu: bool = False
    model: tuple = ()               # options of the model
    later_model: tuple = None       # of those after the first start, if others
    driver: str = ''                # more parameters of amdgpu
    program: Path = None

    def gpu_device(self):
        """What QEMU has in the place of a virtio-gpu; the model comes on top of it."""
        return super().gpu_device() if self.virtio_gpu else PORT

    def options(self, start):
        return self.model if start == 1 or self.later_model is None else self.later_model

    @property
    def loader(self):
        return 'direct' if '--direct-firmware' in self.model else 'psp'

    @property
    def driver_parameters(self):
        return f'{DRIVER[self.loader]} {self.driver}'.strip()


class ModelQemu(Qemu):
    """QEMU with vfio-user-pci, and the model that it is connected to."""

    def __init__(self, setup, files, number, timeout):
        self.model = None
        self.number = number
        super().__init__(setup, files, number, timeout)

    def _start(self):
        log = self.files.directory / f'model-{self.number}.log'
        self.model = Model(self.setup.program, self.setup.options(self.number),
                           self.sockets / 'gpu', log)
        super()._start()

    def _command(self):
        memory = self.setup.memory
        device = ('{"driver":"vfio-user-pci","bus":"port0","id":"model0",'
                  f'"socket":{{"type":"unix","path":"{self.sockets}/gpu"}}}}')
        command = super()._command()
        command[0] = newer_binary()
        if self.setup.virtio_gpu:
            command += ['-device', PORT]
        # the model maps the guest's memory, so it has to be a file
        return [*command, '-device', device, '-m', f'{memory},maxmem=8G',
                '-object', f'memory-backend-memfd,id=ram,size={memory}M,share=on',
                '-machine', 'memory-backend=ram']

    def close(self):
        super().close()
        if self.model:
            self.model.close()


# The driver's files


def _modules(kernel):
    """amdgpu and what it needs, in the order of loading: (name, path) each."""
    order = (kernel / 'modules.order').read_text().split()
    paths = {Path(name).stem.replace('-', '_'): kernel / Path(name).with_suffix('.ko')
             for name in order}
    loaded = []

    def need(name):
        if name in (n for n, _ in loaded) or name not in paths:
            return
        data = paths[name].read_bytes()
        match = re.search(rb'\0depends=([^\0]*)\0', data)
        for other in match[1].decode().split(',') if match else []:
            need(other.replace('-', '_'))
        loaded.append((name, paths[name]))
    need('amdgpu')
    if not loaded:
        raise Unusable(f'no amdgpu.ko under {kernel}')
    return loaded


def _directories(names):
    """newc needs each directory before what is in it."""
    found = {}
    for name in names:
        for parent in reversed(Path(name).parents[:-1]):
            found[str(parent)] = None
    return list(found)


def with_driver(image, path, kernel):
    """A copy of @image with the modules and firmware; (path, module names)."""
    modules = _modules(kernel)
    files = {f'lib/modules/{name}.ko': ko.read_bytes() for name, ko in modules}
    files.update({f'lib/firmware/{name}': data for name, data in firmware.files().items()})
    tree = b''.join(initramfs._entry(1000 + i, name, 0o040755)
                    for i, name in enumerate(_directories(files)))
    with open(path, 'wb') as out:
        # each archive may be compressed or not, and begins at a multiple of 4
        data = image.read_bytes()
        out.write(data + b'\0' * (-len(data) % 4))
        out.write(tree + initramfs._entry(0, 'TRAILER!!!', 0))
        out.write(initramfs.archive(files))
    return path, [name for name, _ in modules]


class GpuGuest(Guest):
    """The agent's amdgpu commands; tests/guest/amdgpu.c."""

    def load_module(self, name, parameters=''):
        self.do(f'load-module /lib/modules/{name}.ko {parameters}'.rstrip())

    def unload_module(self, name):
        self.do(f'unload-module {name}')

    def gpu_open(self, which=0):
        self.do(f'gpu-open {which}')

    def gpu_create(self, kind, megabytes, seed):
        return int(self.do(f'gpu-create {kind} {megabytes} {seed}'))

    def gpu_check(self, index):
        self.do(f'gpu-check {index}')

    def gpu_write(self, ring, index, offset):
        """The GPU must write it: the CPU has put something wrong there."""
        self.do(f'gpu-write {ring} {index} {offset}')

    def gpu_copy(self, source, target):
        self.do(f'gpu-copy {source} {target}')

    def gpu_debugfs(self):
        """The amdgpu's directory in debugfs, which is not 0 beside a virtio-gpu."""
        for minor in range(8):
            path = f'{DEBUGFS}/{minor}/name'
            try:
                if self.read(path).startswith('amdgpu'):
                    return f'{DEBUGFS}/{minor}'
            except Refused:
                continue
        raise Failure('amdgpu has no debugfs directory')


class ModelVm(Vm):
    """A guest with the model; @setup is a ModelSetup whose program is built."""

    def __init__(self, setup, files, modules, variant='stock', timeout=180):
        super().__init__(setup, files, variant, timeout)
        self.modules = modules
        self.guest = GpuGuest()
        self.model_logs = []

    def _start_qemu(self):
        self.starts += 1
        self.qemu = ModelQemu(self.setup, self.files, self.starts, self.timeout)
        self.model_logs.append(self.qemu.model.log)
        self.guest.attach(Channel(str(self.qemu.sockets / 'agent'), self.timeout))
        self.qemu.go()

    def events(self, start=-1):
        """Of this start of the machine; of the one that runs if none is given."""
        return Events.read(self.model_logs[start])

    def load_driver(self):
        for name in self.modules:
            parameters = self.setup.driver_parameters if name == 'amdgpu' else ''
            self.guest.load_module(name, parameters)
        if 'Fatal error during GPU init' in self.files.console_text():
            raise Failure('amdgpu did not probe; see console.log')
        try:
            self.partition()
        except Refused as error:
            raise Failure('amdgpu is not bound to the model') from error

    def power_on_again_with_driver(self):
        """The restore kernel has used the GPU before it reads the image."""
        self.setup = dataclasses.replace(
            self.setup, more_command_line=f'{self.setup.more_command_line} noresume')
        self._start_qemu()
        self.guest.wait_until_booted()
        self.load_driver()
        self.guest.start_write('/sys/power/resume', '/dev/vda')
        self.guest.answer()             # of the restored agent, to what it was told last
        self.expect_same_guest()

    def partition(self):
        return self.guest.read(PARTITION).strip()

    def set_partition(self, mode):
        self.guest.write(PARTITION, mode)
        self.expect_partition(mode)

    def expect_partition(self, mode):
        """As the driver says, and as the model saw it."""
        if self.partition() != mode:
            raise Failure(f'the driver is in {self.partition()}, not in {mode}')
        if self.events().mode() != mode:
            raise Failure(f'the model is in {self.events().mode()}, not in {mode}')

    def run_ib_tests(self):
        """All rings of all partitions, as the driver itself tests them."""
        text = self.guest.read(f'{self.guest.gpu_debugfs()}/amdgpu_test_ib')
        if 'ib ring tests passed' not in text:
            raise Failure(f'IB tests: {text.strip()}')

    def expect_armed_first(self):
        """Of each hub, the last time that it came up: armed before its first access."""
        first = self.events().first_accesses()
        late = [event.hub for event in first if event.armed != '1']
        if not first or late:
            raise Failure(f'{len(late)} of {len(first)} hubs accessed memory before their '
                          f'fault interrupt was armed: {" ".join(late)}')

    def expect_healthy_model(self):
        for log in self.model_logs:
            found = Events.read(log).problems()
            if found:
                raise Failure(f'{log.name}: {found[0]} (and {len(found) - 1} more)')
