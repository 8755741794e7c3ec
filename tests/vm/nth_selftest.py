# SPDX-License-Identifier: GPL-2.0-only
"""The judge of make fail-nth on trial, with sleeps that are only words."""

import unittest

import klog
import nth
import nth_stage
from guest import Refused
from nth_progress import Series
from verdict import Failure

REPORT = '''[   12.3] FAULT_INJECTION: forcing a failure.
name failslab, interval 7, probability 100, space 0, times 1
[   12.3] CPU: 0 UID: 0 PID: 1 Comm: init Not tainted 6.12.117 #1
[   12.3] Call Trace:
[   12.3]  <TASK>
[   12.3]  dump_stack_lvl+0x91/0xf0
[   12.3]  virtio_gpu_get_vbuf.isra.0+0x1/0x2
[   12.3]  virtio_gpu_pm_freeze+0x1/0x2
[   12.3]  dpm_run_callback+0x1/0x2
[   12.3]  </TASK>'''
FREEZE = '[   12.4] virtio-pci 0000:00:02.0: PM: failed to suspend: error -12'
AGAIN = '[   12.4] virtio-pci 0000:00:02.0: [drm] *ERROR* resume failed (-12), trying once more'
OBJECT = '[   12.4] virtio-pci 0000:00:02.0: object 14 is lost (-5)'
LOST = '[   12.4] virtio-pci 0000:00:02.0: [drm] *ERROR* device is lost: resume failed (-12)'
SPLAT = '[   12.5] WARNING: CPU: 0 PID: 1 at drivers/gpu/drm/x.c:1 y+0x1/0x2'


class Injected(unittest.TestCase):
    def test_report_is_no_problem(self):
        log = klog.Injections(f'a\r\n{REPORT}\r\nb')
        self.assertEqual(log.rest, ['a', 'b'])
        self.assertEqual(log.stacks, [['dump_stack_lvl', 'virtio_gpu_get_vbuf',
                                       'virtio_gpu_pm_freeze', 'dpm_run_callback']])
        self.assertEqual(klog.problems(REPORT), [])

    def test_another_stack_is_one(self):
        other = '[   12.6] Call Trace:'
        self.assertEqual(klog.problems(f'{REPORT}\n{other}'), [other])
        unfinished = REPORT.rpartition('\n')[0]
        self.assertEqual(klog.problems(unfinished), ['[   12.3] Call Trace:'])


class Sleep:
    """What one sleep leaves behind."""

    def __init__(self, errno=None, log=(), lost=0, reset=True, program=None, complaints=()):
        self.errno, self.log, self.lost = errno, list(log), lost
        self.reset, self.program, self.complaints = reset, program, list(complaints)


class Fault:
    """A kind of failure; it happens in the first sleep if @there."""

    sleep_only, errnos, expected = False, ('ENOMEM',), nth.expected(-12)
    name = 'slab'

    def __init__(self, there, in_sleep):
        self.there, self.in_sleep, self.asked, self.armed = there, in_sleep, 0, 0

    def arm(self, n):
        self.armed = n

    def happened(self):
        self.asked += 1
        return self.there and (self.in_sleep or self.asked > 1)

    def end(self):
        self.armed = 0

    def what(self):
        return 'somewhere'


class Vm:
    """Of the machine, what the judge asks."""

    def __init__(self):
        self.log, self.resets, self.lost_objects, self.complaints = [], 0, 0, []

    def mark_kernel_log(self):
        self.log = []

    def kernel_log(self):
        return self.log

    def expect_same_guest(self):
        pass

    def expect(self, holds, otherwise):
        if not holds:
            raise Failure(otherwise)


class Words(nth_stage.Stage):
    """Sleeps that were written down."""

    KINDS = {}

    def __init__(self, sleeps, there=True, in_sleep=True):
        super().__init__(Vm())
        self.faults = {'slab': Fault(there, in_sleep)}
        self.sleeps, self.now = list(sleeps), None

    def _sleep(self, _):
        self.now = self.sleeps.pop(0) if self.sleeps else Sleep()
        self.vm.log += self.now.log
        self.vm.resets += self.now.reset
        self.vm.complaints += self.now.complaints
        return Refused('write', self.now.errno, '') if self.now.errno else None

    def note(self):
        self._resets = self.vm.resets

    def was_reset(self):
        return self.vm.resets != self._resets

    def lost(self):
        return any('device is lost' in line for line in self.vm.log)

    def settle(self):
        pass

    def expect_well(self):
        pass

    def leave(self):
        pass

    def use(self):
        fault = self.faults['slab']
        if self.now.program and (fault.armed or fault.in_sleep):
            raise Refused('flip', self.now.program, '')

    def _mend_objects(self, happened):
        lost, self.now.lost = self.now.lost, 0
        return bool(lost)

    def host_complaints(self):
        return list(self.vm.complaints)


class Outcomes(unittest.TestCase):
    def attempt(self, *sleeps, sleep='s3', **fault):
        return Words(sleeps, **fault).attempt(sleep, 'slab', 3)

    def expect(self, outcome, *sleeps, **more):
        self.assertEqual(self.attempt(*sleeps, **more),
                         nth_stage.Tried(outcome, True, 'somewhere'))

    def test_legal(self):
        refused = Sleep('ENOMEM', [REPORT, FREEZE], reset=False)
        self.expect(nth_stage.SAME, Sleep(log=[REPORT]))
        self.expect(nth_stage.AGAIN, Sleep(log=[REPORT, AGAIN]))
        self.expect(nth_stage.REFUSED, refused)
        self.expect(nth_stage.PROGRAM, Sleep(program='ENOMEM'), in_sleep=False)
        self.expect(nth_stage.OBJECT, Sleep(log=[OBJECT], lost=1))
        self.expect(nth_stage.DEVICE, Sleep(log=[AGAIN, LOST]))
        self.assertEqual(self.attempt(Sleep(), there=False), nth_stage.Tried(
            nth_stage.SAME, False, ''))

    def test_not_legal(self):
        for wrong, sleeps, more in (
                ('another errno', [Sleep('EINVAL', [FREEZE], reset=False)], {}),
                ('no reason', [Sleep('ENOMEM', reset=False)], {}),
                ('reset', [Sleep('ENOMEM', [FREEZE])], {}),
                ('refused without a fault', [Sleep('ENOMEM', [FREEZE])], {'there': False}),
                ('tried again without a fault', [Sleep(log=[AGAIN])], {'there': False}),
                ('lost without a fault', [Sleep(log=[LOST])], {'there': False}),
                ('a program after a fault in the sleep', [Sleep(program='ENOMEM')], {}),
                ('a splat', [Sleep(log=[SPLAT])], {}),
                ('another error', [Sleep(log=[FREEZE.replace('-12', '-22')])], {}),
                ('the host complains', [Sleep(complaints=['line 3: res_flush'])], {}),
                ('the next sleep fails', [Sleep(), Sleep('EBUSY', reset=False)], {}),
                ('the next is tried again', [Sleep(), Sleep(log=[AGAIN])], {}),
                ('lost in the next', [Sleep(), Sleep(log=[LOST])], {}),
                ('lost, and no sleep', [Sleep(log=[LOST]), Sleep('EBUSY')], {})):
            with self.subTest(wrong), self.assertRaises((Failure, Refused)):
                self.attempt(*sleeps, **more)


class Counting(unittest.TestCase):
    def test_end_of_a_series(self):
        series = Series('virtio', 's3', 'slab', {})
        for outcome in ('a', None, 'b', None):
            self.assertFalse(series.ended)
            series.record(outcome, '')
        self.assertFalse(series.ended)
        series.record(None, '')
        self.assertTrue(series.ended)
        self.assertEqual((series.next, series.outcomes), (6, ['a', 'b']))

    def test_it_goes_on(self):
        kept = {}
        Series('virtio', 's3', 'slab', kept).record('a', '')
        self.assertEqual(Series('virtio', 's3', 'slab', kept).next, 2)
        self.assertEqual(Series('virtio', 's3', 'page', kept).next, 1)
