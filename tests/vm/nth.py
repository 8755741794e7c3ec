# SPDX-License-Identifier: GPL-2.0-only
"""
What can go wrong in a sleep, once: the n-th allocation of a driver, the n-th answer of
the host, the n-th command of a secure processor.

Each kind is armed with n before a sleep, says afterwards whether it came to that, and
which lines of the kernel's log are due to it.
"""

import re
import subprocess

import klog
from guest import Refused
from verdict import Failure
from vm import ALLOCATIONS, FAULTS, PM_ASYNC

# Whose stack frames make an allocation one of the driver's; linked next to each other
TEXT = {'virtio': re.compile(r'_*(drmm?_virt_pm|virtio_gpu)_\w+'),
        'qxl': re.compile(r'qxl_\w+')}
KMEMLEAK = '__alloc_object'
GAP = 0x8000                    # between two functions of one driver: no more than that
SYNC_LIMIT = 500                # buffers that are made to find out how far a count is

# What follows of a failure in a sleep, for the judge of the kernel's log
PM_CORE = (r'PM: .*(failed to (suspend|freeze|thaw|resume|restore|power off).*: error|'
           r'returned|returns) {}$', 'the PM core about it')
TRIED_AGAIN = (r'(virtio|qxl|amdgpu).*\*ERROR\* resume failed \({}\), trying once more',
               'the library about it')
COMMIT = (r'drm_mode_config_helper_resume\] \*ERROR\* Failed to resume \({}\)',
          'DRM about the commit')
LOST = (r'\*ERROR\* device is lost: ', 'likewise')
SOME = ('PM: Some devices failed to suspend', 'the PM core about it')


def expected(errno):
    return tuple((pattern.replace('{}', str(errno)), why)
                 for pattern, why in (PM_CORE, TRIED_AGAIN, COMMIT)) + (LOST, SOME)


def text_range(vmlinux, pattern):
    """First and last address of the functions that are called so, without their cold parts."""
    names = subprocess.run(['nm', '-n', str(vmlinux)], capture_output=True, text=True,
                           check=True).stdout
    runs = [[]]
    for line in names.splitlines():
        words = line.split()
        if len(words) != 3 or words[1] not in 'tT' or not pattern.fullmatch(words[2]):
            continue
        address = int(words[0], 16)
        if runs[-1] and address - runs[-1][-1] > GAP:
            runs.append([])
        runs[-1].append(address)
    longest = max(runs, key=len)
    if len(longest) < 20:
        raise Failure(f'no text of the driver in {vmlinux}')
    return hex(longest[0]), hex(longest[-1] + 1)


class Allocation:
    """
    The n-th one of this kind that is made on behalf of the driver, by whatever task.

    The kernel has no "n-th" for all tasks. It counts where its interval is above 1, and
    fails where the count is a multiple of it; the count is not told and not set. It is
    known after a failure, as far as that is not undone when an image is restored.
    """

    sleep_only = False          # the first use of buffers after the sleep belongs to it
    errnos = ('ENOMEM',)
    expected = expected(-12) + (
        (r'qxl_\w+.*\*ERROR\* (Out of memory|failed to allocate)', 'a picture is not drawn'),)

    def __init__(self, vm, name):
        self.vm, self.name = vm, name
        self.kind = {'slab': 'failslab', 'page': 'fail_page_alloc'}[name]
        self._count = self._interval = 0
        self._stacks = []

    @staticmethod
    def prepare(vm):
        """Once in a boot, for all kinds: one task resumes the devices, in one order."""
        vm.guest.write(PM_ASYNC, '0')
        vm.choose_allocations(*text_range(vm.files.vmlinux, TEXT[vm.setup.driver]))
        # kmemleak notes each allocation in another one, and lives with a failure
        start, end = vm.kernel_function(KMEMLEAK)
        for kind in ALLOCATIONS:
            vm.inject_failures(kind, verbose=2, task_filter='N', times=0,
                               reject_start=start, reject_end=end)

    def arm(self, n):
        if self._count is None:
            self._find_count()
        self._interval = self._count + n        # of 1 it fails and does not count
        self._start()

    def _start(self):
        self.vm.inject_failures(self.kind, interval=self._interval, times=1,
                                probability=100)

    def _left(self):
        return self.vm.guest.read(f'{FAULTS}/{self.kind}/times').strip() != '0'

    def _find_count(self):
        """It is below the last interval: allocations are made until one fails."""
        guest = self.vm.guest
        self._start()
        for _ in range(SYNC_LIMIT):
            try:
                guest.destroy(guest.create(1, 64, 64)[0])
            except Refused:
                pass
            if not self._left():
                break
        else:
            raise Failure(f'no {self.kind} allocation fails, whatever is made')
        self.end()
        self.vm.mark_kernel_log()

    def end(self):
        self.vm.inject_failures(self.kind, probability=0)
        if self._left():
            self._count = None
        else:
            self._count = self._interval if self._interval > 1 else 0

    def happened(self):
        """Also in a sleep whose memory, with the count in it, was replaced by an image."""
        self._stacks = klog.Injections('\n'.join(self.vm.kernel_log())).stacks
        return bool(self._stacks) or not self._left()

    def what(self):
        """The driver's functions on the way to it"""
        pattern = TEXT[self.vm.setup.driver]
        ways = []
        for stack in self._stacks:
            ours = [name for name in stack if pattern.fullmatch(name)]
            way = ' < '.join(ours[:1] + ours[1:][-1:])
            if way not in ways:
                ways.append(way)
        return ' and '.join(ways)


class Answer:
    """The n-th command of the driver that the host of our own answers in another way."""

    MS = {'error': 0, 'late': 700, 'never': 600000}

    def __init__(self, vm, name):
        self.vm, self.name = vm, name
        self._start = 0
        # a program that waits for the host does so without a limit, and what the host
        # refuses a program is between these two
        self.sleep_only = name != 'late'
        self.errnos = {'error': ('EIO',), 'late': (), 'never': ('ETIMEDOUT',)}[name]
        self.expected = {
            'error': expected(-5) + (
                (r'\*ERROR\* response 0x1200 \(command 0x[0-9a-f]+\)', 'what is refused'),
                (r'\*ERROR\* response 0x1203 \(command 0x10[56]\)', 'what follows of it'),
                (r'\*ERROR\* response 0x1205 \(command 0x105\)', 'likewise, without pages')),
            'late': (),
            'never': expected(-110)}[name]

    def arm(self, n):
        self._start = len(self.vm.qemu.trace())
        kind = 'error' if self.name == 'error' else 'late'
        self.vm.fault(f'{kind}:any:{n - 1}:1:{self.MS[self.name]}')

    def end(self):
        self.vm.heal()

    def _said(self):
        found = re.findall(r'^# (.*(?:is answered late|is refused))$',
                           self.vm.qemu.trace()[self._start:], re.M)
        return found[0] if found else ''

    def happened(self):
        return bool(self._said())

    def what(self):
        return re.sub(r' (of resource 0x0 )?is .*', '', self._said())


class Command:
    """The n-th command that the secure processor of the model refuses."""

    sleep_only = True
    errnos = ('EINVAL', 'EIO', 'ETIME')
    expected = ((r'amdgpu', 'amdgpu about it'),) + expected(r'-\d+')

    def __init__(self, vm, name):
        self.vm, self.name = vm, name
        self._start = 0

    def arm(self, n):
        self._start = self.vm.events().last_number()
        self.vm.nth_file.write_text(f'{n}\n')
        self.vm.inject()

    def end(self):
        """There is nothing to heal: it refuses once."""

    def _refused(self):
        return [event for event in self.vm.events().after(self._start).named('psp-command')
                if int(event.status, 16)]

    def happened(self):
        return bool(self._refused())

    def what(self):
        return ' and '.join(f'{event.values["name"]} {event.arg}' for event in self._refused())
