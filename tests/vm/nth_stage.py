# SPDX-License-Identifier: GPL-2.0-only
"""
A guest that sleeps again and again, each time with one thing that goes wrong, and the
judge of what became of it. There are six legal outcomes; anything else is a Failure.
"""

import dataclasses
import re
import time

import klog
import nth
from guest import Refused
from model import FAULTY, ModelSetup
from verdict import Failure, Skip
from vm import DRAIN_TIMEOUT, Setup

SAME = 'the same picture'
AGAIN = 'the same picture, at the second try'
REFUSED = 'refused with a reason, nothing changed'
PROGRAM = 'refused to a program, which asked again'
OBJECT = 'one object lost, and named'
DEVICE = 'the device lost, the guest usable'
OUTCOMES = (SAME, AGAIN, REFUSED, PROGRAM, OBJECT, DEVICE)

SLEEPS = {'s3': lambda vm: vm.suspend_and_wake(),
          'test_resume': lambda vm: vm.hibernate_with_test_resume()}
BUFFERS = 20
GPU_BUFFERS = 48                # the agent has room for 64
SETTLE_SECONDS = 60
STALL_MS = '5000'               # the host of these guests answers at once, or not at all
REASON = re.compile(r' refused: |: failed to (suspend|freeze|thaw|resume|power off)|'
                    r'\bfailed to (suspend|freeze).*error -\d+|returned -\d+')


@dataclasses.dataclass(frozen=True)
class Tried:
    """What came of one n."""

    outcome: str
    happened: bool              # there was an n-th
    what: str = ''              # the n-th


class Stage:
    """One boot of one machine; @vm is not started yet."""

    def __init__(self, vm):
        self.vm = vm
        self.over = False       # the device was lost, or there is no room for more
        self.faults = {name: kind(vm, name) for name, kind in self.KINDS.items()}

    def attempt(self, sleep, kind, n):
        """One sleep in which the n-th of a @kind goes wrong, and one in which nothing does."""
        vm, fault = self.vm, self.faults[kind]
        vm.mark_kernel_log()
        self._complaints = set(self.host_complaints())
        self.note()
        fault.arm(n)
        refused = self._sleep(sleep)
        self.settle()
        in_sleep = fault.happened()
        if fault.sleep_only:
            fault.end()
        if self.lost():
            return self._after_loss(sleep, fault)

        objects = self._mend_objects(in_sleep)
        self.expect_well()
        program = not (in_sleep or fault.sleep_only) and self._is_refused_use()
        if not objects:
            objects = self._mend_objects(fault.happened())
        happened = fault.happened()
        fault.end()
        self.use()
        outcome = self._outcome(sleep, refused, program, objects, fault, happened)
        what = fault.what() if happened else ''
        self._judge_logs(fault.expected if happened else ())
        self._once_more()
        return Tried(outcome, happened, what)

    def _sleep(self, sleep):
        """The error that the program gets which asked for it; None if it gets none."""
        try:
            SLEEPS[sleep](self.vm)
        except Refused as error:
            self.vm.expect_same_guest()
            return error
        return None

    def _is_refused_use(self):
        """Whether a program is refused something after the sleep."""
        try:
            self.use()
        except Refused:
            return True
        return False

    def _outcome(self, sleep, refused, program, objects, fault, happened):
        vm = self.vm
        lines = vm.kernel_log()
        again = any('trying once more' in line for line in lines)
        if not happened:
            vm.expect(not (refused or program or objects or again),
                      f'it went wrong without an injected fault: {refused or lines}')
            return SAME
        if refused:
            vm.expect(refused.errno in fault.errnos,
                      f'the sleep failed with {refused.errno}, not {fault.errnos}')
            vm.expect(any(map(REASON.search, lines)), 'the log has no reason for a refusal')
            # a hibernation can also be refused after its image was made
            vm.expect(sleep != 's3' or not self.was_reset(),
                      'refused, and the device was reset')
        for answer, outcome in ((objects, OBJECT), (refused, REFUSED), (again, AGAIN),
                                (program, PROGRAM)):
            if answer:
                return outcome
        return SAME

    def _judge_logs(self, allowed):
        bad = klog.problems('\n'.join(self.vm.kernel_log()),
                            [pattern for pattern, _ in allowed])
        if bad:
            raise Failure(f'{bad[0]} (and {len(bad) - 1} more)' if bad[1:] else bad[0])
        new = [line for line in self.host_complaints() if line not in self._complaints]
        if new:
            raise Failure(f'the host: {new[0]}')

    def _once_more(self):
        """Nothing is left that keeps the next sleep from working; an S3 is short."""
        self.vm.mark_kernel_log()
        refused = self._sleep('s3')
        self.vm.expect(not refused, f'the next sleep, without a fault, fails: {refused}')
        self.settle()
        self.vm.expect(not self.lost(), f'lost in the next sleep: {self.lost()}')
        self.expect_well()
        self._judge_logs(())

    def _after_loss(self, sleep, fault):
        happened, what = fault.happened(), fault.what()
        fault.end()
        self.vm.expect(happened, f'lost without an injected fault: {self.lost()}')
        self.over = True
        self.leave()
        self._judge_logs(fault.expected)
        self.vm.mark_kernel_log()
        refused = self._sleep(sleep)
        self.vm.expect(not refused, f'with a lost device the next sleep fails: {refused}')
        self._judge_logs(())
        return Tried(DEVICE, True, what)

    def lost(self):
        return self.vm.lost(self.vm.setup.driver)

    # What is another thing with a GPU without a display

    def _mend_objects(self, happened):
        return False

    def host_complaints(self):
        return []

    def note(self):
        """How it is before a sleep"""

    def was_reset(self):
        return False

    def end(self):
        """After the last attempt, if none of them failed"""
        self.vm.final_check()


class Display(Stage):
    """With picture, cursor, buffers, and the contexts of fbdev and of a program."""

    KINDS = {'slab': nth.Allocation, 'page': nth.Allocation}

    def start(self):
        vm = self.vm
        guest = vm.power_on()
        if not vm.debug:
            raise Skip('the kernel has no fault injection')
        vm.draw_desktop()
        # a qxl has room for a few of the size of its screen
        size = (64, 64) if vm.setup.qxl else guest.outputs[0]
        guest.create(BUFFERS - len(guest.buffers), *size)
        guest.write(DRAIN_TIMEOUT, STALL_MS)
        nth.Allocation.prepare(vm)

    def settle(self):
        """A resume that failed is tried once more, a moment after the system is back."""
        deadline = time.monotonic() + SETTLE_SECONDS
        state = transition = None
        while not self.lost():
            try:
                account = self.vm.virt_pm()
                state, transition = account.state, account.transition
            except Refused:             # no such file: it was just unplugged
                state = 'gone'
            if (state, transition) == ('running', 'none'):
                break
            self.vm.expect(time.monotonic() < deadline,
                           f'the device stays {state}, in a transition: {transition}')
            time.sleep(0.1)

    def note(self):
        account = self.vm.virt_pm()
        self._epoch, self._lost = account.epoch, account.lost

    def was_reset(self):
        return self.vm.virt_pm().epoch != self._epoch

    def expect_well(self):
        self.vm.expect_picture()

    def use(self):
        """Each buffer is shown, or looked at, and the first picture is there again."""
        guest = self.vm.guest
        shown = guest.shown[0]
        for buffer in guest.buffers:
            if buffer.kind == 'dumb' and buffer is not shown and \
                    (buffer.width, buffer.height) == (shown.width, shown.height):
                guest.flip(0, buffer)
            guest.check(buffer)
        guest.flip(0, shown)
        buffer, hot, position = guest.cursors[0]
        guest.cursor(0, buffer, hot, position)
        self.vm.expect_picture()

    def _mend_objects(self, happened):
        """Whether an object was lost: one, which is named. Another takes its place."""
        vm, guest = self.vm, self.vm.guest
        count = vm.virt_pm().lost - self._lost
        if not count:
            return False
        vm.expect(happened and count == 1, f'{count} objects are lost')
        vm.expect(sum(bool(re.search(r'object \d+ is lost', line))
                      for line in vm.kernel_log()) == 1, 'nothing names the lost object')
        size = guest.outputs[0]
        for buffer in list(guest.buffers):
            if not self._is_usable(buffer):
                guest.destroy(buffer)
                if buffer.kind == 'cursor':
                    _, hot, position = guest.cursors[0]
                    guest.cursor(0, guest.create_cursor(), hot, position)
                else:
                    guest.show(0, guest.create(1, *size)[0])
        vm.setup = dataclasses.replace(vm.setup, known_lost=vm.setup.known_lost + 1)
        return True

    def _is_usable(self, buffer):
        guest = self.vm.guest
        try:
            if buffer.kind == 'cursor':
                _, hot, position = guest.cursors[0]
                guest.cursor(0, buffer, hot, position)
            else:
                guest.show(0, buffer)
        except Refused as error:
            self.vm.expect(error.errno == 'EIO',
                           f'a lost buffer is answered with {error.errno}')
            return False
        return True

    def host_complaints(self):
        # a line of the log of our host is numbered from its start, which stays the same
        return self.vm.host_problems(self.vm.qemu.trace())

    def leave(self):
        self.vm.give_up_display()


class OwnHost(Display):
    KINDS = {**Display.KINDS, 'error': nth.Answer, 'late': nth.Answer, 'never': nth.Answer}


class Gpu(Stage):
    """amdgpu on the model, with buffers in VRAM and a compute process."""

    KINDS = {'command': nth.Command}

    def start(self):
        vm = self.vm
        vm.nth_file = vm.files.directory / 'nth'
        vm.setup = dataclasses.replace(
            vm.setup, model=('--fault-later', f'psp-refuses-nth={vm.nth_file}'))
        vm.power_on_with_driver('CPX')
        vm.use_gpu()

    def settle(self):
        self.vm.wait_until_settled()

    def lost(self):
        return self.vm.lost()

    def expect_well(self):
        self.vm.expect_gpu()

    def use(self):
        """That is part of expect_well(), which makes a buffer each time."""
        self.over = len(self.vm.guest.gpu_buffers) > GPU_BUFFERS

    def leave(self):
        self.vm.expect_lost()


DUE = nth.expected(r'-\d+') + nth.Allocation.expected + (
    (r'\*ERROR\* response 0x120[035]', 'what the host refuses'),)
MACHINES = {                    # name: (Stage, Setup)
    'virtio': (OwnHost, Setup(host='own', host_options=('--3d',), cpus=1,
                              outputs=((320, 240),), expected_log=DUE)),
    'qxl': (Display, Setup(cpus=1, expected_log=DUE).over_qxl()),
    'amdgpu': (Gpu, ModelSetup(expected_log=FAULTY)),
}
