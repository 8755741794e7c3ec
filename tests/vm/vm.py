# SPDX-License-Identifier: GPL-2.0-only
"""
The virtual machine as a scenario sees it: power, sleep, and what the host shows.

A scenario is a file in tests/scenarios with a docstring (what must hold), an
optional SETUP and a function story(vm). After the story, final_check() asserts
what must hold in each of them.
"""

import contextlib
import dataclasses
import re
import secrets
import struct
import subprocess
import time
from pathlib import Path

import hostlog
import klog
import qxllog
from frozen import frozen
from guest import Channel, Gone, Guest, Refused
from qemu import Qemu
from verdict import Failure
from virt_pm import Account

STATE = '/sys/power/state'
DISK = '/sys/power/disk'
PM_TEST = '/sys/power/pm_test'
PM_ASYNC = '/sys/power/pm_async'
PM_PRINT_TIMES = '/sys/power/pm_print_times'
DRAIN_TIMEOUT = '/sys/module/drm_virt_pm/parameters/drain_timeout_ms'
LOST = 'device is lost: '
VIRT_PM = '/sys/kernel/debug/dri/{}/virt_pm'
BUILT_IN = 'virtio_gpu'         # the driver in the kernel image
VIRTIO_ID_GPU = 16
KMEMLEAK = '/sys/kernel/debug/kmemleak'
FAULTS = '/sys/kernel/debug'
ALLOCATIONS = ('failslab', 'fail_page_alloc')
# see Documentation/admin-guide/tainted-kernels.rst
TAINT_USER = 1 << 6             # an option of a driver that is called dangerous
TAINT_OOT_MODULE = 1 << 12      # a module of our tests
TAINT_SOFTLOCKUP = 1 << 14      # a fence of sw_sync, or a lockup, which is in the log as well
TAINT_TEST = 1 << 18            # KUnit
# (device, offset, bytes) of the chipset's registers that SeaBIOS 1.16 sets up at boot
# but not when it resumes from S3, on q35. Without its power management base a guest
# neither powers off nor sleeps again, so the agent does what the firmware should.
FORGOTTEN_IN_S3 = (('0000:00:00.0', 0x60, 8), ('0000:00:1f.0', 0x40, 5),
                   ('0000:00:1f.0', 0xf0, 4))
RESERVED = 64 << 20             # bytes that making an image leaves to drivers
SPICE_THREAD = 'SPICE Worker'   # of a qxl
QXL_SIZE = (1024, 768)          # what its driver prefers without a SPICE client
SAMPLE = 20                     # of the old buffers, how many are looked at
TRACING = '/sys/kernel/tracing'
FENCE_EVENT = re.compile(
    r': (dma_fence_init|dma_fence_signaled|drm_virt_pm_reset): '
    r'(?:driver=(\S*) timeline=(\S*) context=(\d+) seqno=(\d+))?')


@dataclasses.dataclass
class Setup:
    """The machine of a scenario."""

    arch: str = 'x86'
    page: int = 4096            # bytes
    outputs: tuple = ((640, 480),)
    machine: str = 'q35'
    device: str = 'virtio-gpu-pci'
    device_options: str = ''
    more_devices: tuple = ()    # QEMU's options of other devices, ahead of the GPU
    more_gpus: tuple = ()       # (device, (width, height)) of each: one output
    gl: bool = False            # QEMU renders in a window; the first GPU is in it
    host_environment: tuple = ()    # (name, value) of variables for a QEMU that renders
    more_options: tuple = ()    # QEMU's, as they are
    accel: str = 'tcg,thread=multi'
    host: str = ''              # "own" for that of own_host.py, with --host for all
    host_options: tuple = ()    # of that one
    newer_qemu: bool = False    # one that Debian 12 does not have
    cpus: int = 0               # 2 if 0, but in the debug kernel 1: see Vm
    memory: int = 512           # MiB
    swap: int = 0               # MiB; as much as memory if 0
    more_command_line: str = ''
    no_console_suspend: bool = False
    expected_log: tuple = ()    # (regular expression, why) of lines klog would refuse
    known_leaks: tuple = ()     # likewise, of what kmemleak says about an object
    known_lost: int = 0         # objects that the host does not create again
    known_taints: int = 0       # likewise, bits of the kernel's taint
    kunit: str = ''             # which suites to run at boot; none if empty

    @property
    def qxl(self):
        return self.device.startswith('qxl')

    @property
    def driver(self):
        """As the kernel's log calls it"""
        return 'qxl' if self.qxl else 'virtio'

    @property
    def judge(self):
        """The module that judges what the host saw."""
        return qxllog if self.qxl else hostlog

    def over_qxl(self):
        """The same machine with a qxl for each output."""
        return dataclasses.replace(
            self, device='qxl-vga', outputs=(QXL_SIZE,),
            more_gpus=(('qxl', QXL_SIZE),) * (len(self.sizes) - 1),
            more_command_line=f'{self.more_command_line} qxl.num_heads=1')

    def gpu_device(self):
        if self.qxl:
            options = f',{self.device_options}' if self.device_options else ''
            return f'{self.device},id=gpu0,guestdebug=1,cmdlog=1{options}'
        width, height = self.outputs[0]
        options = f',{self.device_options}' if self.device_options else ''
        return (f'{self.device},id=gpu0,max_outputs={len(self.outputs)},'
                f'xres={width},yres={height}{options}')

    def gpu_devices(self):
        """QEMU's options of all GPUs."""
        if self.qxl:
            return [self.gpu_device()] + [
                f'{device},id=gpu{number},guestdebug=1'
                for number, (device, _) in enumerate(self.more_gpus, 1)]
        return [self.gpu_device()] + [
            f'{device},id=gpu{number},max_outputs=1,xres={width},yres={height}'
            for number, (device, (width, height)) in enumerate(self.more_gpus, 1)]

    @property
    def heads(self):
        """(GPU, which of its outputs) of all outputs."""
        return [(0, head) for head in range(len(self.outputs))] + \
            [(number, 0) for number in range(1, len(self.more_gpus) + 1)]

    @property
    def sizes(self):
        """(width, height) of all outputs."""
        return list(self.outputs) + [size for _, size in self.more_gpus]

    def renders(self, gpu):
        """Whether this GPU's picture is drawn by GL."""
        return self.gl and gpu == 0

    @property
    def mmio(self):
        """There is no PCI bus."""
        return self.machine.startswith('microvm')

    @property
    def agent_port(self):
        """The serial port that the agent listens to."""
        return 'ttyS1' if self.arch == 'x86' else 'ttyS0'

    @property
    def command_line(self):
        words = [
            'console=ttyS0' if self.arch == 'x86' else 'console=ttyAMA0',
            f'AGENT=/dev/{self.agent_port}', 'loglevel=7', 'resume=/dev/vda',
            'oops=panic', 'panic=-1',           # with -no-reboot: QEMU ends
            'vt.global_cursor_default=0',       # a blinking cursor is never the same
            'suspend.pm_test_delay=1',
            'pty.legacy_count=0',               # they are a fifth of the debug kernel's boot
            # a busy machine stops a virtual CPU for long; our own timeouts are shorter
            'rcupdate.rcu_cpu_stall_timeout=300', 'workqueue.watchdog_thresh=300',
            'sysctl.kernel.hung_task_timeout_secs=300',
            f'kunit.enable=1 kunit.filter_glob={self.kunit}' if self.kunit
            else 'kunit.enable=0',
        ]
        if self.arch == 'x86':
            words.append('no_timer_check')      # it takes a starved QEMU for a broken timer
        if self.mmio:
            # nothing there to measure it by
            words.append(f'tsc_early_khz={_host_khz()}')
        if self.no_console_suspend:
            words.append('no_console_suspend')
        return ' '.join(words + self.more_command_line.split())


def _host_khz():
    """How fast the time stamp counter runs, which under TCG is the host's."""
    found = re.search(r'^cpu MHz\s*: (\d+)', Path('/proc/cpuinfo').read_text(), re.M)
    return int(found[1]) * 1000 if found else 1000000


@dataclasses.dataclass
class Files:
    """What a run reads and leaves behind."""

    directory: Path
    kernel: Path
    initramfs: Path
    vmlinux: Path = None

    @property
    def console(self):
        return self.directory / 'console.log'

    @property
    def swap(self):
        return self.directory / 'swap.img'

    def make_swap(self, megabytes, page_size):
        """What mkswap would write, on a file with nothing else in it."""
        page = bytearray(page_size)
        pages = (megabytes << 20) // page_size
        struct.pack_into('<III', page, 1024, 1, pages - 1, 0)
        page[-10:] = b'SWAPSPACE2'
        with open(self.swap, 'wb') as swap:
            swap.write(page)
            swap.truncate(pages * page_size)

    def console_size(self):
        return self.console.stat().st_size if self.console.exists() else 0

    def console_text(self):
        return self.console.read_text(errors='replace') if self.console.exists() else ''


class Image:
    """
    A hibernation image on a swap disk (kernel/power/swap.c).

    The first page says where it is. Who reads it for a resume marks the disk as
    swap again, so that nobody does so twice; the image itself stays.
    """

    PAGE = 4096
    FIRST_MAP = PAGE - 2 * 10 - 4 - 8   # where the number of its first map page is

    def __init__(self, disk):
        self.disk = disk
        self.header = self._read(0)
        if self.header[-10:] != b'S1SUSPEND\0':
            raise Failure('there is no image on the disk')
        self.victim = self.whole = None         # the page that is damaged

    def _read(self, page):
        with open(self.disk, 'rb') as disk:
            disk.seek(page * self.PAGE)
            return disk.read(self.PAGE)

    def _write(self, page, data):
        with open(self.disk, 'r+b') as disk:
            disk.seek(page * self.PAGE)
            disk.write(data)

    def put_back(self):
        self._write(0, self.header)

    def _page_of_data(self, number):
        first_map, = struct.unpack_from('<Q', self.header, self.FIRST_MAP)
        return struct.unpack_from('<Q', self._read(first_map), 8 * number)[0]

    def damage(self):
        # the first page of it is a header of its own; one in the midst of data
        self.victim = self._page_of_data(20)
        self.whole = self._read(self.victim)
        self._write(self.victim, bytes(byte ^ 0xff for byte in self.whole))

    def mend(self):
        self._write(self.victim, self.whole)


class Vm:
    """One guest, in as many QEMU processes as it takes."""

    QEMU = Qemu

    def __init__(self, setup, files, debug=False, hooked=True, timeout=150):
        # Two processors of a guest spin on locks while the host runs only one of them.
        # In the debug kernel that is nearly half of the time, so there a scenario has
        # two if processors are what it is about.
        setup = dataclasses.replace(setup, cpus=setup.cpus or (1 if debug else 2))
        if debug:
            setup = dataclasses.replace(setup, memory=max(setup.memory, 1024))
        self.setup, self.files = setup, files
        self.debug, self.hooked = debug, hooked
        self.timeout = timeout
        self.qemu = None
        self.starts = 0
        self.guest = Guest()
        self._host_logs = []
        self._unseen_pictures, self._unseen_cursors = {}, {}
        self._known_leaks = 0
        self.has_display = True
        self._sentinel = secrets.token_hex(8)
        self._modules = set()           # that were ever loaded
        self._log_start = 0

    # Power

    def _start_qemu(self):
        self.starts += 1
        self.qemu = self.QEMU(self.setup, self.files, self.starts, self.timeout)
        self._host_logs += self.qemu.host_logs
        self._attach()
        self.qemu.go()

    def _attach(self):
        self.guest.attach(Channel(str(self.qemu.sockets / 'agent'), self.timeout,
                                  self.files.console_size))

    def power_on(self):
        """Boots the guest; its memory begins to be worth something."""
        self.files.make_swap(self.setup.swap or self.setup.memory, self.setup.page)
        self._start_qemu()
        self.guest.wait_until_booted()
        if not self.setup.kunit:
            self.guest.keep(self._sentinel)
            self.guest.do('swapon /dev/vda')
            # the disk's own requests must not starve while the image is written
            self.guest.write('/sys/power/reserved_size', str(RESERVED))
        if self.debug:
            self.guest.write(KMEMLEAK, 'scan=off')      # it is told when
        return self.guest

    def close(self):
        if self.qemu:
            self.qemu.close()
            self.qemu = None
        if self.guest.channel:
            self.guest.channel.close()

    # Sleep

    def hibernate_and_power_off(self):
        """The guest writes its memory to disk; this QEMU process must end by that."""
        # "shutdown" resets a GPU that is lit, from a thread that has no GL context:
        # QEMU 7.2 does not live through that
        self.guest.write(DISK, 'platform' if self.setup.gl else 'shutdown')
        self.guest.start_write(STATE, 'disk')
        deadline = time.monotonic() + self.timeout
        while not self.qemu.ended():
            try:
                answer = self.guest.answer(timeout=0.2)
            except Gone:
                break
            if answer is not None:
                raise Failure('hibernation ended without power off')
            if time.monotonic() > deadline:
                raise Failure(f'the guest does not hibernate ({self.timeout} s): it hangs')
        self.qemu.wait_until_ended()
        self.qemu.close()

    def power_on_again(self):
        """Another QEMU process on the same disk: the guest must go on where it was."""
        self._start_qemu()
        self.guest.answer()
        self.expect_same_guest()

    def hibernate_and_power_on_again(self):
        self.hibernate_and_power_off()
        self.power_on_again()

    def change_outputs(self, outputs):
        """
        What the first GPU of the next QEMU has; the guest does not know yet. It goes
        on showing something on those that are gone, which is seen when they are back.
        """
        self.setup = dataclasses.replace(self.setup, outputs=tuple(outputs))
        for now, unseen in ((self.guest.shown, self._unseen_pictures),
                            (self.guest.cursors, self._unseen_cursors)):
            everything = {**now, **unseen}
            now.clear()
            unseen.clear()
            for output, what in everything.items():
                (now if output < len(self.setup.sizes) else unseen)[output] = what

    @contextlib.contextmanager
    def in_boot_kernel(self):
        """Boots beside the image on disk; inside, the guest is the system that did."""
        original = self.guest, self._sentinel, self.setup, self._modules
        self._image = Image(self.files.swap)
        self.guest, self._sentinel = Guest(), secrets.token_hex(8)
        self._modules = set()
        self.setup = dataclasses.replace(
            self.setup, more_command_line=f'{self.setup.more_command_line} noresume')
        self._start_qemu()
        self.guest.wait_until_booted()
        self.guest.keep(self._sentinel)
        yield
        channel = self.guest.channel
        self.guest, self._sentinel, self.setup, self._modules = original
        self.guest.attach(channel)
        self.guest.answer()             # to its own "disk", of before
        self.expect_same_guest()

    def resume_from_boot_kernel(self):
        self._image.put_back()
        self.guest.start_write('/sys/power/resume', '/dev/vda')

    def expect_no_resume(self):
        self.mark_kernel_log()
        self._image.put_back()
        self.guest.write('/sys/power/resume', '/dev/vda')
        self.expect_same_guest()
        said = 'Failed to load image, recovering'
        if not any(said in line for line in self.kernel_log()):
            raise Failure(f'the kernel does not say "{said}"')

    @contextlib.contextmanager
    def damaged_image(self):
        self._image.damage()
        yield
        self._image.mend()

    def hibernate_with_test_resume(self):
        """Image written, device reset, image read: in one boot."""
        self.guest.write(DISK, 'test_resume')
        self.guest.write(STATE, 'disk')
        self.expect_same_guest()

    def hibernate_but_stay_up(self, disk):
        """The kernel rolls a hibernation back after its image was written; no error."""
        self.guest.write(DISK, disk)
        self.guest.write(STATE, 'disk')
        self.expect_same_guest()

    def make_images(self, count):
        """A program makes them through /dev/snapshot, one after the other, and stops there."""
        self.guest.do(f'snapshot {count}')
        self.expect_same_guest()

    def suspend_and_wake(self, meanwhile=None):
        """S3: to RAM, and back by the host's wish, which may do something @meanwhile."""
        self.guest.write('/sys/power/mem_sleep', 'deep')
        self._sleep_until_woken('mem', meanwhile)

    def hybrid_sleep_and_wake(self):
        """Image written, then S3 instead of power off, and back."""
        self.guest.write(DISK, 'suspend')
        self.guest.write('/sys/power/mem_sleep', 'deep')
        self._sleep_until_woken('disk')

    def suspend_to_idle(self):
        """The host wakes the guest by what it says on the serial port."""
        self.guest.write(f'/sys/class/tty/{self.setup.agent_port}/power/wakeup', 'enabled')
        resets = self.host_log().resets
        self.guest.start_write(STATE, 'freeze')
        deadline = time.monotonic() + self.timeout
        while self.guest.answer(timeout=1) is None:
            if self.host_log().resets > resets:
                self.guest.wake()
            if time.monotonic() > deadline:
                raise Failure(f'the guest does not come back ({self.timeout} s): it hangs')
        if self.host_log().resets == resets:
            raise Failure('the guest came back without having been suspended')
        self.expect_same_guest()

    def _sleep_until_woken(self, state, meanwhile=None):
        chipset = self._chipset_registers()
        self.guest.start_write(STATE, state)
        deadline = time.monotonic() + self.timeout
        while self.qemu.status() != 'suspended':
            if self.guest.answer(timeout=0.1) is not None:
                raise Failure('the guest came back without having been suspended')
            if time.monotonic() > deadline:
                raise Failure(f'the guest does not suspend ({self.timeout} s): it hangs')
        if meanwhile:
            meanwhile()
        self.qemu.qmp.execute('system_wakeup')
        self.guest.answer()
        for path, offset, data in chipset:
            self.guest.poke(path, offset, data)
        self.expect_same_guest()

    def _chipset_registers(self):
        if self.setup.machine != 'q35':
            return []
        found = []
        for device, offset, size in FORGOTTEN_IN_S3:
            path = f'/sys/bus/pci/devices/{device}/config'
            found.append((path, offset, self.guest.read_bytes(path)[offset:offset + size]))
        return found

    def sleep_up_to(self, level, state):
        """The kernel's own test: goes as deep as @level and comes back."""
        self.guest.write(PM_TEST, level)
        if state == 'disk':
            self.guest.write(DISK, 'shutdown')
        self.guest.write(STATE, state)
        self.guest.write(PM_TEST, 'none')
        self.expect_same_guest()

    def expect_hibernation_refused(self, errno, disk='shutdown'):
        self.guest.write(DISK, disk)
        self._expect_refused('disk', errno)

    def expect_suspend_refused(self, errno):
        self.guest.write('/sys/power/mem_sleep', 'deep')
        self._expect_refused('mem', errno)

    def _expect_refused(self, state, errno):
        try:
            self.guest.write(STATE, state)
        except Refused as error:
            if error.errno != errno:
                raise Failure(f'"{state}" failed with {error.errno}, not {errno}') from error
        else:
            raise Failure(f'"{state}" did not fail; {errno} was expected')

    # The driver

    def _gpu(self):
        """The name of the first GPU on the virtio bus."""
        for number in range(8):
            name = f'virtio{number}'
            try:
                kind = self.guest.read(f'/sys/bus/virtio/devices/{name}/device')
            except Refused:
                break
            if int(kind, 16) == VIRTIO_ID_GPU:
                return name
        raise Failure('there is no GPU on the virtio bus')

    def _bind(self, driver, what):
        self.guest.write(*self._binding(driver, what))

    def _binding(self, driver, what):
        return f'/sys/bus/virtio/drivers/{driver}/{what}', self._gpu()

    def unbind_gpu(self, driver):
        self._bind(driver, 'unbind')

    def load_driver(self, driver):
        self._load(driver)

    def _load(self, module, parameters=''):
        self.guest.do(f'load-module /{module}.ko {parameters}'.rstrip())
        self._modules.add(module)

    def unload_driver(self, driver):
        self.guest.do(f'unload-module {driver}')

    def change_driver(self, old, new):
        """The GPU is without one in between; a module is there while it is in use."""
        self.unbind_gpu(old)
        if old != BUILT_IN:
            self.unload_driver(old)
        if new == BUILT_IN:
            self._bind(new, 'bind')
        else:
            self.load_driver(new)

    def expect_busy(self, driver):
        try:
            self.unload_driver(driver)
        except Refused as error:
            if error.errno not in ('EAGAIN', 'EBUSY'):
                raise
        else:
            raise Failure(f'{driver} was unloaded while it was in use')

    def reset_function(self, beside=None):
        """
        Of the first GPU, by the PCI core, as an administrator may. The driver is
        bound or unbound meanwhile if beside is "bind" or "unbind".
        """
        # it may have no driver
        device = f'/sys/bus/virtio/devices/{self._gpu()}/..'
        self.guest.write(f'{device}/reset_method', 'flr')
        reset = (f'{device}/reset', '1')
        if beside:
            self.guest.write_beside(reset, self._binding(BUILT_IN, beside))
        else:
            self.guest.write(*reset)
        self.expect_same_guest()

    def have_last_words(self):
        """The kernel prints, and tasks run, after the devices were shut down."""
        self._load_pm_fail()
        self.guest.write('/sys/module/pm_fail/parameters/last_words', 'Y')

    def trace(self, *events):
        for event in events:
            self.guest.write(f'{TRACING}/events/{event}/enable', '1')

    def trace_fences(self):
        """From here on, and when a device is reset."""
        self.trace('dma_fence/dma_fence_init', 'dma_fence/dma_fence_signaled',
                   'drm_virt_pm/drm_virt_pm_reset')

    def expect_fences_signalled(self, driver, timeline):
        """All of this kind that were made before the last reset."""
        waiting, late = set(), set()
        for event, *names, context, seqno in FENCE_EVENT.findall(
                self.guest.read(f'{TRACING}/trace')):
            if event == 'drm_virt_pm_reset':
                late |= waiting
            elif event == 'dma_fence_init' and names == [driver, timeline]:
                waiting.add((context, seqno))
            elif event == 'dma_fence_signaled':
                waiting.discard((context, seqno))
                late.discard((context, seqno))
        self.expect(waiting, 'the trace has no fence')
        self.expect(not late, f'these fences are never signalled: {sorted(late)}')

    def let_others_fail(self, callback):
        """A device refuses to sleep in @callback, after ours was suspended."""
        self._load_pm_fail()
        self.guest.write('/sys/module/pm_fail/parameters/fail', callback)

    def signal_during_suspend(self, fence):
        """A timer of the kernel does, when tasks are frozen; noted in the log."""
        self._load_pm_fail()
        self.guest.write('/sys/module/pm_fail/parameters/fence', str(fence))
        self.guest.write(PM_PRINT_TIMES, '1')
        self.mark_kernel_log()

    def expect_signalled_during_suspend(self):
        """The first GPU's suspend began before, and ended well after that."""
        self.guest.write(PM_PRINT_TIMES, '0')
        name = re.escape(self.gpu_name(0))
        self.expect_in_log(rf'{name}: PM: calling \w+suspend\b',
                           'pm_fail: the fence is signalled',
                           rf'{name}: PM: \w+suspend\S* returned 0\b')

    def expect_in_log(self, *patterns):
        """In this order, since the log was marked."""
        lines, start = self.kernel_log(), 0
        for pattern in patterns:
            found = [number for number, line in enumerate(lines[start:], start)
                     if re.search(pattern, line)]
            if not found:
                raise Failure(f'the log does not have, in this order: {" | ".join(patterns)}')
            start = found[0] + 1

    def wake_up_event(self):
        self._load_pm_fail()
        self.guest.write('/sys/module/pm_fail/parameters/wake', '1')

    def _load_pm_fail(self):
        if 'pm_fail' not in self._modules:
            self._load('pm_fail')

    def starve(self, function, only_first_try=False):
        """
        From now on no allocation works that is made on behalf of @function.

        With @only_first_try none that is made in the task which asked for the sleep:
        that resumes the devices, and what is tried again later is tried by another.
        """
        start, end = self.kernel_function(function)
        if only_first_try:
            self.guest.write('/proc/self/make-it-fail', '1')
            self.guest.write(PM_ASYNC, '0')
        self.choose_allocations(start, end)
        for kind in ALLOCATIONS:
            self.inject_failures(kind, interval=1, verbose=0, times=-1,
                                 task_filter='Y' if only_first_try else 'N',
                                 probability=100)

    def choose_allocations(self, start, end):
        """Which may be made to fail: those on behalf of what is there in the kernel."""
        for kind in ALLOCATIONS:
            self.inject_failures(kind, probability=0, ignore_gfp_wait='N', space=0,
                                 stacktrace_depth=32, require_start=start, require_end=end)
        self.inject_failures('fail_page_alloc', ignore_gfp_highmem='N', min_order=0)

    def inject_failures(self, kind, **attributes):
        """As Documentation/fault-injection/fault-injection.rst has them, in this order"""
        for name, value in attributes.items():
            self.guest.write(f'{FAULTS}/{kind}/{name.replace("_", "-")}', str(value))

    @contextlib.contextmanager
    def failing_call(self, function, nth):
        """The @nth call of @function from here on returns -ENOMEM at once."""
        self._load('fail_call', f'function={function} nth={nth}')
        yield
        self.mark_kernel_log()
        self.guest.do('unload-module fail_call')
        calls = re.search(r'fail_call: (\d+) calls', '\n'.join(self.kernel_log()))
        self.expect(calls and int(calls[1]) >= nth, f'{function} was not called {nth} times')

    def feed(self):
        for kind in ALLOCATIONS:
            self.inject_failures(kind, probability=0)
        self.guest.write('/proc/self/make-it-fail', '0')
        self.guest.write(PM_ASYNC, '1')

    def kernel_function(self, name):
        """Where it begins and ends; the test kernels are not relocated."""
        return self.function_in(self.files.vmlinux, name)

    def kernel_has(self, function):
        try:
            return bool(self.kernel_function(function))
        except Failure:
            return False

    def function_in(self, program, name, base=0):
        """Its begin and end in memory; @base is where the program's text is."""
        done = subprocess.run(['nm', '-S', str(program)], capture_output=True,
                              text=True, check=True)
        for line in done.stdout.splitlines():
            words = line.split()
            if words[-1] == name and len(words) == 4:
                start = base + int(words[0], 16)
                return f'{start:#x}', f'{start + int(words[1], 16):#x}'
        raise Failure(f'no function {name} in {program}')

    def expect_same_guest(self):
        """Its memory is the one from before, so it was not booted anew."""
        if self.guest.kept() != self._sentinel:
            raise Failure('the guest lost its memory')

    # The picture

    def draw_desktop(self, kind='dumb'):
        """What a small desktop leaves on each output: three buffers and a cursor."""
        guest = self.guest
        self._open_cards()
        if guest.outputs != self.setup.sizes:
            raise Failure(f'the guest sees outputs {guest.outputs}, '
                          f'not {self.setup.sizes}')
        for output, (width, height) in enumerate(guest.outputs):
            buffers = guest.create(3, width, height, kind, card=self._card(output))
            guest.show(output, buffers[0])
            guest.flip(output, buffers[1])
            guest.cursor(output, guest.create_cursor(self._card(output)),
                         hot=(5 + output, 9),
                         position=(100, 120))
            guest.move_cursor(output, (150 + output, 130))
        self.expect_picture()
        self.save_screens('before')

    def _open_cards(self):
        self.guest.open_cards(1 + len(self.setup.more_gpus))

    def _card(self, output):
        return self.setup.heads[output][0]

    def flip_behind_fence(self, output):
        """
        A flip on this output that is not done until a new fence is signalled. Returns
        the number of its file descriptor and the buffer.
        """
        fence = self.guest.create_fence()
        buffer = self.guest.create(1, *self.guest.outputs[output],
                                   card=self._card(output))[0]
        self.guest.flip_behind(output, buffer)
        return fence, buffer

    def expect_no_kms(self):
        """A card that can be used, but for a display."""
        try:
            self._open_cards()
        except Refused as error:
            if error.errno != 'EOPNOTSUPP':
                raise
        else:
            raise Failure('there are outputs on a device without KMS')

    def expect_outputs(self, expected):
        """(width, height), or None for one without a monitor; a moment after a change."""
        def problem():
            self.guest.probe_outputs()
            return None if self.guest.outputs == expected else \
                f'the guest sees outputs {self.guest.outputs}, not {expected}'
        self._poll(problem)

    def expect_picture(self):
        """The host shows, on each output, exactly what the guest wants it to show."""
        for output, buffer in self.guest.shown.items():
            self._expect_screen(output, buffer.picture(), repr(buffer))
        for output in range(len(self.setup.sizes)):
            self._poll(lambda o=output: self.cursor_problem(o))

    # "The same" is not left to comparing two pictures: both equal the computed one.
    expect_same_picture = expect_picture

    def _expect_screen(self, output, expected, what):
        def problem():
            screen = self.qemu.screen(output)
            if screen == expected:
                return None
            return (f'the host shows another picture on output {output} ({what}): '
                    f'{expected.how_it_differs(screen)}')
        self._poll(problem)

    def screens(self):
        """What the host shows, on each output, once nothing moves any more."""
        def look():
            return [self.qemu.screen(output) for output in range(len(self.setup.sizes))]

        def problem():
            before = look()
            self.guest.do('sleep 500')
            return None if look() == before else 'the picture does not come to rest'
        self._poll(problem)
        return look()

    def take_picture(self, buffer):
        """What the host shows of a buffer is what it is to show from now on."""
        buffer.custom = self.screens()[0]
        return buffer.custom

    def expect_screens(self, expected):
        """Pictures that were taken before, one for each output."""
        for output, picture in enumerate(expected):
            self._expect_screen(output, picture, 'as it was before')

    def cursor_problem(self, output):
        gpu, head = self.setup.heads[output]
        log = self.host_log(gpu)
        if not log.tells_cursor:
            return None
        told = log.cursor(head)
        where = f'cursor on output {output}'
        if output not in self.guest.cursors:
            visible = told and told[2]
            return f'{where}: there should be none' if visible else None
        _, hot, position = self.guest.cursors[output]
        position = log.where(position, hot)
        if not told or not told[2]:
            return f'{where}: the host was not told of one since the device was reset'
        if told[:2] != position:
            return f'{where}: at {told[0]},{told[1]}, not at {position[0]},{position[1]}'
        if self.setup.gl:
            return None                 # the window's own, and there is no pointer in it
        expected = self.guest.cursor_image(output)
        shown = self.qemu.cursor(output)
        if shown != expected:
            return f'{where}: {expected.how_it_differs(shown)}'
        return None

    def _poll(self, problem):
        """What the guest was promised may take the host a moment, not longer."""
        deadline = time.monotonic() + self.timeout / 12
        while True:
            found = problem()
            if not found:
                return
            if time.monotonic() > deadline:
                self.save_screens('wrong')
                raise Failure(found)
            time.sleep(0.1)

    def save_screens(self, name):
        for output in range(len(self.setup.sizes)):
            png = self.files.directory / f'{name}-{output}.png'
            png.write_bytes(self.qemu.screen(output).to_png())

    # The host's view

    def host_log(self, gpu=0):
        """Of the QEMU that runs now."""
        return self.setup.judge.HostLog(self.qemu.trace(), gpu)

    def count_commands(self, name, gpu=0):
        return sum(command.name == name for command in self.host_log(gpu).commands)

    def expect_content_renderer(self):
        """It says of each context that is in error, and of what it does not know."""
        for path in sorted(self.files.directory.glob('qemu-*.log')):
            found = hostlog.renderer_problems(path.read_text(errors='replace'))
            if found:
                raise Failure(f'{path.name}: {found[0]}')

    def expect_few_commands_until_picture(self, most):
        """However many buffers there are, only what is shown comes back at once."""
        commands = self.host_log().until_first_flush()
        if len(commands) > most:
            raise Failure(f'{len(commands)} host commands from reset to picture, '
                          f'at most {most} were expected')

    # What must hold at every end

    def final_check(self):
        self.expect_same_guest()
        if self.has_display:
            self.final_check_of_display()
        self._check_kmemleak()
        self.close_kernel_log()
        self.judge_logs()

    def final_check_of_display(self):
        guest = self.guest
        self.expect_picture()
        self.save_screens('after')
        if not guest.outputs:
            self._open_cards()
        self._show_old_buffers()
        self._use_new_buffers()
        self._destroy_everything()
        for gpu in range(1 + len(self.setup.more_gpus)):
            self._check_virt_pm(VIRT_PM.format(gpu), self.setup.known_lost)

    def _show_old_buffers(self):
        old = self.guest.buffers
        step = max(1, (len(old) - 1) // (SAMPLE - 1)) if len(old) > SAMPLE else 1
        sample = old[::step] + ([old[-1]] if old and old[::step][-1] is not old[-1] else [])
        for buffer in sample:
            if not buffer.custom and not buffer.gpu:
                self.guest.check(buffer)
            if buffer.kind == 'cursor':
                self.guest.cursor(self._output(buffer.card), buffer, hot=(3, 4),
                                  position=(20, 30))
            else:
                self._show(buffer)
            self.expect_picture()

    def _show(self, buffer):
        """By page flip where an output has its size already, else by a mode set."""
        for output, shown in self.guest.shown.items():
            if (shown.card, shown.width, shown.height) == \
                    (buffer.card, buffer.width, buffer.height):
                self.guest.flip(output, buffer)
                return
        self.guest.show(self._output(buffer.card), buffer)

    def _output(self, card):
        """The first of this card."""
        return self.setup.heads.index((card, 0))

    def _use_new_buffers(self):
        guest = self.guest
        for output, (width, height) in enumerate(guest.outputs[:len(self.setup.sizes)]):
            card = self._card(output)
            first, second = guest.create(2, width, height, card=card)
            guest.show(output, first)
            guest.cursor(output, guest.create_cursor(card), hot=(1, 2), position=(40, 50))
            self.expect_picture()
            guest.flip(output, second)
            self.expect_picture()
            guest.fill(second)
            guest.dirty(second)
            self.expect_picture()

    def _destroy_everything(self):
        """Also what the host never saw again: it must not hear of that."""
        guest = self.guest
        for output in list(guest.shown):
            guest.hide_cursor(output)
            guest.off(output)
        for buffer in list(guest.buffers):
            guest.destroy(buffer)
        guest.do('sleep 200')

    def virt_pm(self, gpu=0, path=None):
        """The library's own account."""
        text = self.guest.read(path or VIRT_PM.format(gpu))
        (self.files.directory / f'virt_pm-{gpu}.txt').write_text(text)
        return Account.parse(text)

    def expect_refusal_told(self, transition, reason, gpu=0, errno=16):
        """One line of the log since it was marked, with the device; debugfs has it too."""
        lines = [line for line in self.kernel_log() if ' refused: ' in line]
        self.expect(len(lines) == 1, f'{len(lines)} lines tell of a refusal: {lines}')
        said = f'{self.gpu_name(gpu)}: [drm] {transition} refused: {reason}'
        self.expect(lines[0].endswith(said), f'"{lines[0]}" does not end with "{said}"')
        told = self.virt_pm(gpu).refusal
        self.expect(told == f'{transition}: {reason} (-{errno})', f'debugfs says: {told}')
        for other in range(1 + len(self.setup.more_gpus)):
            self.expect(other == gpu or self.virt_pm(other).refusal == 'none',
                        f'GPU {other} refused as well')

    def expect_answers(self, reason, gpu=0):
        """
        Whether it would sleep now; None if it would. Asking does nothing. A buffer that
        was destroyed is in the way until the host has answered its last command.
        """
        def wrong():
            told = self.virt_pm(gpu)
            return None if (told.suspend, told.hibernate) == (reason, reason) else \
                f'asked whether it would sleep, GPU {gpu} says: suspend: {told.suspend}, ' \
                f'hibernate: {told.hibernate}'
        if reason is None:
            self._poll(wrong)
        else:
            problem = wrong()
            self.expect(not problem, problem)

    def lost(self, driver='virtio'):
        """Why the driver gave its device up; None if it did not."""
        for line in self.files.console_text().replace('\r', '').split('\n'):
            if LOST in line and driver in line:
                return line.partition(LOST)[2].strip()
        return None

    def expect(self, holds, otherwise):
        if not holds:
            raise Failure(otherwise)

    def expect_commands(self, name, count, otherwise):
        """As the host saw them, since it was started; it may be behind the guest."""
        self._poll(lambda: None if self.count_commands(name) == count else otherwise)

    def expect_not_in_log(self, text):
        """Since the log was marked"""
        self.expect(not any(text in line for line in self.kernel_log()),
                    f'the kernel says "{text}"')

    def host_hangs(self):
        """Inside, the thread of QEMU that serves the GPU does not run. No picture then."""
        return frozen(self.qemu.process.pid, SPICE_THREAD)

    def give_up_display(self):
        """The first GPU is lost: what is shown no longer matters, the rest does."""
        self._poll(lambda: None if self.lost(self.setup.driver) else
                   f'the {self.setup.driver} GPU was not given up')
        self.has_display = False

    def expect_tried_again(self, count=1):
        """So often since the log was marked a resume failed, and was tried once more."""
        found = sum('trying once more' in line for line in self.kernel_log())
        self.expect(found == count, f'a resume was tried again {found} times, not {count}')

    def _check_virt_pm(self, path, known_lost=0):
        if not self.hooked:
            return                      # such a kernel has no such file
        problems = self.virt_pm(path=path).problems(known_lost)
        if problems:
            raise Failure(f'virt_pm: {", ".join(problems)}')

    def _check_kmemleak(self):
        if not self.debug:
            return
        self.guest.write(KMEMLEAK, 'scan')
        self.guest.do('sleep 6000')     # what is younger than 5 s does not count yet
        self.guest.write(KMEMLEAK, 'scan')
        text = self.guest.read(KMEMLEAK)
        (self.files.directory / 'kmemleak.txt').write_text(text)
        leaks = re.findall(r'^unreferenced object.*?(?=^unreferenced|\Z)', text, re.M | re.S)
        new = [leak for leak in leaks
               if not any(re.search(pattern, leak) for pattern, _ in self.setup.known_leaks)]
        if new:
            raise Failure(f'kmemleak: {len(new)} objects leaked')
        self._known_leaks = len(leaks)

    def _say_in_kernel_log(self, line):
        """Waits until the console has it, and so all that was said before."""
        self.guest.write('/dev/kmsg', f'{line}\n')
        deadline = time.monotonic() + self.timeout
        while line not in self.files.console_text():
            if time.monotonic() > deadline:
                raise Failure('the console is dead: the kernel log cannot be judged')
            time.sleep(0.1)

    def mark_kernel_log(self):
        mark = f'mark {secrets.token_hex(8)}'
        self._say_in_kernel_log(mark)
        self._log_start = self.files.console_text().index(mark)

    def kernel_log(self):
        """Its lines since the last mark."""
        self._say_in_kernel_log(f'read {secrets.token_hex(8)}')
        return self.files.console_text()[self._log_start:].replace('\r', '').split('\n')

    def gpu_name(self, gpu):
        """As the kernel calls it in its log."""
        text = self.guest.read(f'/sys/class/drm/card{gpu}/device/uevent')
        return re.search(r'^PCI_SLOT_NAME=(.*)$', text, re.M)[1]

    def close_kernel_log(self):
        """Without this line at its end the log is cut short and proves nothing."""
        self._say_in_kernel_log(f'test ends {self._sentinel}')
        tainted = int(self.guest.read('/proc/sys/kernel/tainted'))
        if self.setup.kunit:
            tainted &= ~TAINT_TEST
        if self._modules:
            tainted &= ~TAINT_OOT_MODULE
        tainted &= ~self.setup.known_taints
        if tainted:
            raise Failure(f'the kernel is tainted: {tainted}')

    def host_problems(self, text):
        """Of one start of the host"""
        return self.setup.judge.problems(text)

    def log_problems(self):
        """(which log, line) of everything that the judges object to."""
        found = []
        for path in self._host_logs:
            text = path.read_text(errors='replace') if path.exists() else ''
            found += [(path.name, line) for line in self.host_problems(text)]
        expected = [pattern for pattern, _ in self.setup.expected_log]
        if self._known_leaks:
            expected.append(r'kmemleak: \d+ new suspected')
        found += [(self.files.console.name, line)
                  for line in klog.problems(self.files.console_text(), expected)]
        return found

    def judge_logs(self):
        found = self.log_problems()
        if found:
            more = f' (and {len(found) - 1} more)' if len(found) > 1 else ''
            raise Failure(f'{found[0][0]}: {found[0][1]}{more}')
