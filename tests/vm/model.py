# SPDX-License-Identifier: GPL-2.0-only
"""
A guest with a model of a GPU: the model's process, a QEMU that has vfio-user-pci,
and what a scenario does with amdgpu.

Each QEMU process gets a model process of its own, with poisoned VRAM: after a
hibernation the guest finds another device than the one that it left.
"""

import dataclasses
import re
import signal
import subprocess
import time
from pathlib import Path

from amdgpu import GpuGuest
from events import MISUSE, Events
from guest import Refused
from qemu import Qemu, newer_binary
from verdict import Failure, Unusable
from vm import TAINT_USER, Setup, Vm

REPO = Path(__file__).resolve().parents[2]
MODELS = REPO / 'tests/models'

SLOT, SECOND_SLOT = '0000:01:00.0', '0000:02:00.0'
DEVICE = f'/sys/bus/pci/devices/{SLOT}'
PARTITION = f'{DEVICE}/current_compute_partition'
DRIVER = '/sys/bus/pci/drivers/amdgpu'
# GFX 9 and its memory, IH, SDMA; with PSP where it loads the firmware
PARAMETERS = {
    'psp': 'ip_block_mask=0x6f dpm=0 ras_enable=0',
    'direct': 'ip_block_mask=0x1f fw_load_type=0 dpm=0 ras_enable=0',
}
MODEL_TIMEOUT = 100_000         # ms
PORT = 'pcie-root-port,id=port0,bus=pcie.0,addr=10,slot=1'
SECOND_PORT = 'pcie-root-port,id=port1,bus=pcie.0,addr=11,slot=2'
# What an unbind leaves behind, whether the GPU ever slept or not
UPSTREAM_LEAKS = (
    (r'kfd_parse_crat_table',
     'kfd_topology_update_io_links() takes the link to a removed GPU off its list only'),
    (r'amdgpu_fence_driver_init_ring\+.*\n\s+amdgpu_ring_init\+.*\n\s+sdma_',
     'sdma_v4_4_2_sw_fini() forgets its rings before amdgpu_fence_driver_sw_fini()'),
    (r'drm_sched_init\+.*\n\s+amdgpu_device_init', 'the schedulers of the same rings'),
    (r'amdgpu_ras_register_ras_block', 'amdgpu_ras_fini() does nothing if RAS is off'),
)
# Of a GPU with an injected fault amdgpu may complain, but the kernel must be well.
FAULTY = (
    (r'amdgpu.*\*ERROR\*|\[drm[^]]*\] \*ERROR\*', 'amdgpu about the fault'),
    (r'amdgpu.*(failed to (resume|restore|suspend|thaw)|returned -\d+|[Ff]ailed)',
     'the same, and the PM core about it'),
)


def build_model(kernel_source, out):
    """Compiles the model against a kernel's headers; returns the program."""
    done = subprocess.run(['make', '-s', '-C', str(MODELS), f'KDIR={kernel_source}',
                           f'OUT={out}'], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unusable(f'the model does not compile:\n{done.stderr.strip()}')
    return out / 'mi300x'


class Model:
    """One model process."""

    def __init__(self, program, options, socket, log):
        self.log = log
        self.process = subprocess.Popen(
            [str(program), '--socket', str(socket), '--log', str(log),
             '--reset-when-down', *options],
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
    """
    A machine with the model on a PCIe port, with another one and with a virtio-gpu only
    if asked for.
    """

    outputs: tuple = None           # one if there is a virtio-gpu
    memory: int = 1280              # of 1024 an image in the debug kernel leaves too little
    known_leaks: tuple = UPSTREAM_LEAKS
    known_taints: int = TAINT_USER      # since 7.2 for ip_block_mask
    virtio_gpu: bool = False
    model: tuple = ()               # options of the model
    later_model: tuple = None       # of those after the first start, if others
    second: tuple = None            # options of a second model, if there is one
    driver: str = ''                # more parameters of amdgpu

    def __post_init__(self):
        if self.outputs is None:
            self.outputs = ((640, 480),) if self.virtio_gpu else ()

    def gpu_device(self):
        """What QEMU has in the place of a virtio-gpu; the model comes on top of it."""
        return super().gpu_device() if self.virtio_gpu else PORT

    def at_start(self, number):
        """The machine as it is from this start on."""
        if number == 1 or self.later_model is None:
            return self
        return dataclasses.replace(self, model=self.later_model)

    @property
    def command_line(self):
        words = super().command_line
        # amdgpu maps one page of TTM for each GPU, which DMA-API takes for an overlap
        return words if self.second is None else f'{words} dma_debug=off'

    @property
    def is_vf(self):
        return '--vf' in self.model

    @property
    def slots(self):
        return (SLOT,) if self.second is None else (SLOT, SECOND_SLOT)

    @property
    def loader(self):
        return 'direct' if '--direct-firmware' in self.model else 'psp'

    @property
    def driver_parameters(self):
        return f'{PARAMETERS[self.loader]} {self.driver}'.strip()


class ModelQemu(Qemu):
    """QEMU with vfio-user-pci, and the models that it is connected to."""

    SHARED_MEMORY = True

    def __init__(self, setup, files, number, timeout, program):
        self.model = self.second = None
        self.program = program
        super().__init__(setup, files, number, timeout)

    def _start(self):
        log = self.files.directory / f'model-{self.number}.log'
        self.model = Model(self.program, self.setup.model,
                           self.sockets / 'model', log)
        if self.setup.second is not None:
            log = self.files.directory / f'model-{self.number}-second.log'
            self.second = Model(self.program, self.setup.second,
                                self.sockets / 'second', log)
        super()._start()

    def _command(self):
        command = super()._command()
        command[0] = newer_binary()
        if self.setup.virtio_gpu:
            command += ['-device', PORT]
        command += ['-device', self._device(0, 'model')]
        if self.second:
            command += ['-device', SECOND_PORT, '-device', self._device(1, 'second')]
        return [*command, '-m', f'{self.setup.memory},maxmem=8G']

    def _device(self, number, socket):
        # on a busy machine a model that fills its VRAM may need more than QEMU's 5 s, and
        # then QEMU understands no answer any more
        return (f'{{"driver":"vfio-user-pci","bus":"port{number}","id":"model{number}",'
                f'"x-msg-timeout":{MODEL_TIMEOUT},'
                f'"socket":{{"type":"unix","path":"{self.sockets}/{socket}"}}}}')

    def close(self):
        super().close()
        for model in (self.model, self.second):
            if model:
                model.close()


@dataclasses.dataclass
class Parts:
    """What a guest with the model needs beside a kernel."""

    program: Path                   # the model
    initramfs: Path                 # with the driver and its firmware
    modules: list                   # (name, path) of each, in the order of loading


class ModelVm(Vm):
    """A guest with the model; @setup is a ModelSetup."""

    QEMU = ModelQemu

    def __init__(self, setup, files, parts, **options):
        files = dataclasses.replace(files, initramfs=parts.initramfs)
        super().__init__(setup, files, **options)
        self.parts = parts
        self.guest = GpuGuest()
        self.model_logs = []        # of the first GPU
        self.second_logs = []       # of the other one, if any
        self.mode = None            # the partition mode that was asked for
        self.has_display = self.setup.virtio_gpu
        self.kfd = False
        self.bound = False
        self.provoked = {}          # log of a model: numbers of events

    def _start_qemu(self):
        self.starts += 1
        setup = self.setup.at_start(self.starts)
        self.qemu = self.QEMU(setup, self.files, self.starts, self.timeout,
                              self.parts.program)
        self.model_logs.append(self.qemu.model.log)
        if self.qemu.second:
            self.second_logs.append(self.qemu.second.log)
        if self.setup.virtio_gpu:
            self._host_logs += self.qemu.host_logs
        self._attach()
        self.qemu.go()

    def events(self, start=-1):
        """Of this start of the machine; of the one that runs if none is given."""
        return Events.read(self.model_logs[start])

    # The driver

    def power_on_with_driver(self, mode=None):
        guest = self.power_on()
        self.load_driver()
        if mode:
            self.set_partition(mode)
        return guest

    def load_driver(self):
        for name, _ in self.parts.modules:
            parameters = self.setup.driver_parameters if name == 'amdgpu' else ''
            self.guest.load_module(name, parameters)
        self._expect_bound()

    def _expect_bound(self):
        if 'Fatal error during GPU init' in self.files.console_text():
            raise Failure('amdgpu did not probe; see console.log')
        try:
            self.mode = self.partition()
        except Refused as error:
            raise Failure('amdgpu is not bound to the model') from error
        self.bound = True

    def unbind(self):
        self.stop_using_gpu()
        for slot in self.setup.slots:
            self.guest.write(f'{DRIVER}/unbind', slot)
        self.bound = False

    def bind(self):
        for slot in self.setup.slots:
            self.guest.write(f'{DRIVER}/bind', slot)
        self._expect_bound()

    def power_on_again_with_driver(self):
        """The restore kernel has used the GPU before it reads the image."""
        line = self.setup.more_command_line
        self.setup = dataclasses.replace(self.setup, more_command_line=f'{line} noresume')
        before = self.mode
        self._start_qemu()
        self.guest.wait_until_booted()
        self.load_driver()
        self.mode = before
        self.guest.start_write('/sys/power/resume', '/dev/vda')
        self.guest.answer()             # of the restored agent, to what it was told last
        self.expect_same_guest()
        self.setup = dataclasses.replace(self.setup, more_command_line=line)

    def kernel_function(self, name):
        """Also one of amdgpu"""
        if not name.startswith('amdgpu_'):
            return super().kernel_function(name)
        text = int(self.guest.read('/sys/module/amdgpu/sections/.text'), 16)
        return self.function_in(dict(self.parts.modules)['amdgpu'], name, text)

    # Partitions

    def partition(self):
        """Of a VF the host sets the mode, and the driver has no file for it."""
        if not self.setup.is_vf:
            return self.guest.read(PARTITION).strip()
        self.guest.read(f'{DRIVER}/{SLOT}/vendor')      # it is bound
        return self.events().mode()

    def set_partition(self, mode):
        if self.partition() != mode:
            self.guest.write(PARTITION, mode)
        self.mode = mode
        self.expect_partition()

    def expect_partition(self):
        """As the model saw it, and as the driver says."""
        if self.events().mode() != self.mode:
            raise Failure(f'the model is in {self.events().mode()}, not in {self.mode}')
        if self.partition() != self.mode:
            raise Failure(f'the driver is in {self.partition()}, not in {self.mode}')

    # Clients

    def use_gpu(self, kfd=True, which=0, queue=False):
        """Buffers of each kind with content, and work on each engine."""
        guest = self.guest
        guest.gpu_open(which)
        for kind, megabytes in (('vram', 4), ('vram', 4), ('gtt', 1)):
            self._write_with_gpu(guest.gpu_create(kind, megabytes))
        if kfd:
            for gpu in range(len(self.setup.slots)):
                guest.kfd_open(gpu=gpu, queue=queue)
                guest.kfd_check(gpu)
            self.kfd = True
        for slot in self.slots_in_use():
            self.run_ib_tests(slot)

    def slots_in_use(self):
        """Those of GPUs that were not lost"""
        return [slot for slot in self.setup.slots if not self.lost(f'amdgpu {slot}')]

    def stop_using_gpu(self):
        if self.guest.gpu_buffers:
            self.guest.gpu_close()
        if self.kfd:
            for gpu in range(len(self.setup.slots)):
                self.guest.kfd_close(gpu)
        self.kfd = False

    def _write_with_gpu(self, buffer):
        last = buffer.size - 4
        self.guest.gpu_write('compute', buffer, last)
        self.guest.gpu_write('sdma', buffer, last // 8 * 4)

    def expect_gpu(self):
        """All that was there is whole, and the GPU works in the mode it was in."""
        guest = self.guest
        self.wait_until_settled()
        self.expect_not_lost()
        for buffer in guest.gpu_buffers:
            guest.gpu_check(buffer)
        if self.kfd:
            guest.kfd_check()
        for buffer in guest.gpu_buffers:
            self._write_with_gpu(buffer)
        vram = [buffer for buffer in guest.gpu_buffers if buffer.kind == 'vram']
        if len(vram) > 1:
            guest.gpu_copy(vram[0], vram[1])
            guest.gpu_check(vram[1])
        new = guest.gpu_create('vram', 1)
        self._write_with_gpu(new)
        guest.gpu_check(new)
        self.run_ib_tests()
        self.expect_partition()
        self.expect_healthy_model()

    def expect_gpu_came_back(self):
        """
        After a resume: its faults would have been heard from the start, and it was in
        its partition mode before there were queues.
        """
        self.expect_gpu()
        self.expect_armed_first()
        others = self.events().compute_queue_modes() ^ {self.mode}
        if others:
            raise Failure('compute queues were mapped in '
                          f'{" ".join(self.events().compute_queue_modes())}, not {self.mode}')

    def run_ib_tests(self, slot=SLOT):
        """All rings of all partitions, as the driver itself tests them."""
        text = self.guest.read(f'{self.guest.gpu_debugfs(slot)}/amdgpu_test_ib')
        if 'ib ring tests passed' not in text:
            raise Failure(f'IB tests: {text.strip()}')

    def expect_armed_first(self):
        """Of each hub, the last time that it came up: armed before its first access."""
        late = self.events().late_hubs()
        armed, hubs = self.events().hubs_armed_first()
        if not hubs or late:
            raise Failure(f'{armed} of {hubs} hubs had their fault interrupt armed at '
                          f'their first access, not {" ".join(late)}')

    def expect_healthy_model(self):
        self._expect_none()

    def expect_left_alone(self):
        """Since it is off the bus nobody used it, and it used no memory."""
        self._expect_none(MISUSE)

    def _expect_none(self, *names):
        for log in self.model_logs + self.second_logs:
            found = Events.read(log).problems(*names, provoked=self.provoked.get(log, ()))
            if found:
                raise Failure(f'{log.name}: {found[0]} (and {len(found) - 1} more)')

    # Page faults

    def expect_faults_heard(self):
        """A client's access that no page table knows: the driver hears of it."""
        for ring, hub in (('compute', 'gfxhub'), ('sdma', 'mmhub')):
            before = self.events().last_number()
            self.mark_kernel_log()
            self.guest.gpu_stray(ring)
            faults = [fault for fault in self.events().after(before).named('gpu-fault')
                      if fault.hub.startswith(hub) and fault.vmid != '0']
            self.provoked.setdefault(self.model_logs[-1], set()).update(
                fault.number for fault in faults)
            self.expect(faults, f'a stray access of {ring} is no fault of a {hub}')
            self.expect(all(fault.interrupt == '1' for fault in faults),
                        f'a fault of VMID {faults[0].vmid} in {faults[0].hub} is not reported')
            self._expect_page_fault(hub, '[1-9]')

    def expect_stray_heard(self):
        """That of the fault stray-access, at the very beginning of a resume"""
        faults = self.events().named('stray-fault')
        self.expect(faults, 'there was no stray access')
        self.expect(faults[-1].interrupt == '1', 'the stray access was not reported')
        self._expect_page_fault('mmhub', '0')

    def _expect_page_fault(self, hub, vmid):
        pattern = re.compile(rf'amdgpu.*\[{hub}\d+\].* page fault .*vmid:{vmid}')
        def problem():
            return None if any(map(pattern.search, self.kernel_log())) else \
                f'amdgpu says nothing of a page fault in {hub}'
        self._poll(problem)

    # Faults

    def suspend_and_wake_with_fault(self):
        """The faults of --fault-later come while it sleeps."""
        self.suspend_and_wake(meanwhile=self.inject)

    def inject(self):
        before = len(self.events().named('fault-injected'))
        self.qemu.model.inject_later()
        deadline = time.monotonic() + self.timeout
        while len(self.events().named('fault-injected')) == before:
            if time.monotonic() > deadline:
                raise Failure('the model injects nothing')
            time.sleep(0.02)

    def lost(self, driver=f'amdgpu {SLOT}'):
        return super().lost(driver)

    def wait_until_settled(self):
        """A resume that failed is tried once more, a moment after the system is back."""
        deadline = time.monotonic() + self.timeout
        while self._amdgpu_state() == 'down':
            if time.monotonic() > deadline:
                raise Failure('amdgpu neither comes back nor is it given up')
            time.sleep(0.2)
        self.kernel_log()               # has what was said about it

    def _amdgpu_state(self):
        """None if there is no such file, as of a device that was unplugged."""
        directory = self.guest.find_gpu_debugfs(SLOT)
        try:
            return self.virt_pm(path=f'{directory}/virt_pm').state if directory else None
        except Refused:
            return None

    def expect_not_lost(self):
        reason = self.lost()
        if reason:
            raise Failure(f'amdgpu was given up: {reason}')

    def expect_only_first_lost(self, reason=''):
        """
        Of two GPUs: the clients of the second go on with theirs, in each of their ways.
        """
        self.wait_until_settled()
        lost = self.lost()
        self.expect(lost, 'the first GPU was not given up')
        self.expect(reason in lost, f'the first GPU was given up: {lost}; not: {reason}')
        self.expect_second_well()
        self.expect_left_alone()

    def expect_second_well(self):
        """Of two GPUs, whose buffers are all on this one"""
        guest = self.guest
        other = self.lost(f'amdgpu {SECOND_SLOT}')
        self.expect(not other, f'the second GPU was given up: {other}')
        for buffer in guest.gpu_buffers:
            guest.gpu_check(buffer)
            self._write_with_gpu(buffer)
        if self.kfd:
            guest.kfd_check(1)
        self._write_with_gpu(guest.gpu_create('vram', 1))
        self.run_ib_tests(SECOND_SLOT)
        for log in self.second_logs:
            found = Events.read(log).problems()
            self.expect(not found, f'{log.name}: {found[:1]}')

    def expect_topology(self, *logs, nodes):
        """Each of these GPUs was told since its last reset which others it is linked to."""
        for log in logs:
            told = Events.read(log).since_reset().named('xgmi-command',
                                                        command='set-topology')
            self.expect(told, f'{log.name}: the topology was not set since the last reset')
            self.expect(told[-1].nodes == str(nodes),
                        f'{log.name}: the topology has {told[-1].nodes} nodes, not {nodes}')

    def reset_second(self):
        """A GPU reset of the second, which has no clients; the first, which is lost, is
        not touched."""
        before = self.events().last_number()
        resets = len(Events.read(self.second_logs[-1]).named('reset'))
        path = f'{self.guest.gpu_debugfs(SECOND_SLOT)}/amdgpu_gpu_recover'
        result = self.guest.read(path).strip()
        self.expect(result == '0', f'the GPU reset failed: {result}')
        self.expect(len(Events.read(self.second_logs[-1]).named('reset')) > resets,
                    'there was no GPU reset')
        touched = self.events().after(before)
        self.expect(not touched, f'the lost GPU was touched: {touched[:1]}')

    def expect_lost(self, reason='', gone=False):
        """
        It was given up, says so (with @reason), and turns its clients away; @gone: there
        is nothing at its place on the bus any more.
        """
        self.wait_until_settled()
        lost = self.lost()
        if not lost:
            raise Failure('amdgpu was not given up')
        if reason not in lost:
            raise Failure(f'amdgpu was given up: {lost}; not: {reason}')
        config = self.guest.read_bytes(f'{DEVICE}/config')
        if gone and config[:4] != b'\xff' * 4:
            raise Failure('the device is still there')
        if not gone and config[4] & 4:
            raise Failure('the lost GPU is still a bus master')
        for ring in ('compute', 'sdma'):
            try:
                self.guest.gpu_write(ring, self.guest.gpu_buffers[0], 0)
            except Refused:
                continue
            raise Failure(f'a lost GPU took work for {ring}')
        self.expect_left_alone()

    def expect_user_queue(self):
        """One of a process is mapped."""
        self.expect(self.events().since_reset().named('queue-map', kind='user'),
                    'no user queue was mapped since the last reset')

    def hibernate_onto_another(self, difference):
        """later_model differs in that: the GPU is given up, before any access."""
        self.power_on_with_driver('CPX')
        self.use_gpu()
        self.hibernate_and_power_on_again()
        self.expect_lost(difference)
        self.expect_never_accessed()

    def expect_never_accessed(self):
        """Nothing on the device that runs has accessed memory."""
        first = self.events().named('first-access')
        self.expect(not first, f'the GPU accessed memory: {first[:1]}')

    def expect_no_compute_queue_in(self, mode):
        """Since the GPU last came up"""
        if mode in self.events().compute_queue_modes():
            raise Failure(f'compute queues were mapped in {mode}')

    # What must hold at every end

    def final_check(self):
        self.expect_same_guest()
        if self.has_display:
            self.final_check_of_display()
        lost = self.lost()
        if self.bound:
            for slot in self.slots_in_use():
                self.run_ib_tests(slot)
                self._check_virt_pm(f'{self.guest.gpu_debugfs(slot)}/virt_pm')
            self.unbind()
        self._check_kmemleak()
        self.close_kernel_log()
        self.judge_logs()
        if not lost:
            self.expect_healthy_model()
        self._power_off()
        # what the model finds out when it ends
        self.expect_left_alone()

    def _power_off(self):
        self.guest.start('poweroff')
        self.qemu.wait_until_ended()
        self.qemu.close()
        if not self.events().complete():
            raise Failure('the model did not end in good order')
