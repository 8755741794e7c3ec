# SPDX-License-Identifier: GPL-2.0-only
"""The judge of IGT's results on trial, with results that are made up."""

import tempfile
import unittest
from pathlib import Path

import verdicts
from verdicts import CRASH, FAIL, FAILS, HANG, PASS, SKIP, TIMEOUT, Expected, Pair

SPLAT = '[ 12.5] WARNING: drivers/gpu/drm/drm_x.c:{} at drm_x+0x12/0x50, CPU#1: kms_flip/77\n'


class Outcomes(unittest.TestCase):
    def test_status(self):
        for status, what in ((0, PASS), (77, SKIP), (98, FAIL), (124, TIMEOUT), (137, TIMEOUT),
                             (139, CRASH), (1, CRASH)):
            self.assertEqual(verdicts.outcome(status, '')[0], what)

    def test_reason(self):
        said = ('Test requirement: is_intel_device(fd)\n'
                'Dynamic subtest pipe-A-Virtual-1: FAIL (1.000s)\n'
                'Failed assertion: seq > 0\nFailed assertion: later\n')
        self.assertEqual(verdicts.outcome(98, said), (FAIL, 'pipe-A-Virtual-1: seq > 0'))
        said = ('Test requirement: is_intel_device(fd)\nTest requirement: target > 1\n'
                'Subtest x: SKIP (1.000s)\nTest requirement: of another\n')
        self.assertEqual(verdicts.outcome(77, said), (SKIP, 'target > 1'))
        self.assertEqual(verdicts.outcome(98, f'{said}Failed assertion: found_it\n'),
                         (FAIL, 'found_it'))
        self.assertEqual(verdicts.outcome(0, said), (PASS, ''))
        self.assertEqual(verdicts.outcome(139, ''), (CRASH, 'status 139'))


class Comparison(unittest.TestCase):
    """Of each pair, which of the properties it has"""

    PROPERTIES = ('to_repeat', 'worse', 'better', 'unsteady', 'neither')

    def expect(self, ours, stock, *properties):
        pair = Pair('kms_flip@x', ours, stock)
        self.assertEqual(tuple(name for name in self.PROPERTIES if getattr(pair, name)),
                         properties, f'{ours} beside {stock}')

    def test_same(self):
        self.expect([PASS], [PASS])
        self.expect([SKIP], [SKIP])
        self.expect([FAIL], [FAIL], 'neither')

    def test_worse(self):
        for bad in (SKIP, FAIL, TIMEOUT, CRASH, HANG):
            self.expect([bad], [PASS], 'to_repeat', 'worse')
            self.expect([bad] * 3, [PASS] * 3, 'worse')
            self.expect([bad] * 3, [PASS, PASS, TIMEOUT if bad != TIMEOUT else FAIL], 'worse')

    def test_better(self):
        self.expect([PASS] * 3, [HANG] * 3, 'better')

    def test_unsteady(self):
        self.expect([PASS, FAIL, PASS], [PASS] * 3, 'unsteady')
        self.expect([FAIL] * 3, [PASS, FAIL, PASS], 'unsteady')
        self.expect([FAIL, PASS, PASS], [PASS, FAIL, PASS], 'unsteady')

    def test_bad_in_two_ways(self):
        self.expect([FAIL] * 3, [HANG] * 3, 'neither')

    def test_not_run(self):
        for ours, stock in (([], [PASS]), ([PASS], []), ([], []), ([FAIL], [PASS] * 3)):
            self.assertFalse(Pair('x@y', ours, stock).whole, f'{ours} beside {stock}')

    def test_counted_by_all_tries(self):
        self.assertEqual(verdicts.summary([[PASS], [SKIP], [PASS, FAIL], [HANG], []]), '1/2/1')
        self.assertEqual(verdicts.counted([PASS, FAIL, PASS]), 'pass 2 and fail 1')
        self.assertEqual([verdicts.counted(some) for some in ([], [SKIP])], ['not done', SKIP])

    def test_table(self):
        lines = verdicts.table([Pair('a@x', [PASS], [PASS]), Pair('a@y', [PASS], [], FAILS),
                                Pair('b@x', [FAIL], [SKIP])])
        self.assertEqual(lines[2:], ['| `a` | 2, 1 not done | 2/0/0 | 1/0/0 | 1 fails |',
                                     '| `b` | 1, 1 not done | 0/1/0 | 0/0/1 |  |',
                                     '| `all` | 3, 2 not done | 2/1/0 | 1/0/1 | 1 fails |'])

    def test_named(self):
        lines = verdicts.differences([Pair('a@worse', [FAIL] * 3, [PASS] * 3),
                                      Pair('a@same', [PASS], [PASS])])
        self.assertIn('    a@worse: ours fail 3, stock pass 3', lines)
        self.assertNotIn('a@same', '\n'.join(lines))


class Status(unittest.TestCase):
    """Of the whole run"""

    def test_it(self):
        good = Pair('a@x', [PASS], [PASS])
        for pairs, splats, status in (
                ([good], [], 0), ([good, Pair('a@y', [FAIL], [FAIL])], [], 0),
                ([good, Pair('a@y', [FAIL] * 3, [PASS] * 3)], [], 1),
                ([good, Pair('a@y', [SKIP] * 3, [PASS] * 3)], [], 1),
                ([good], [SPLAT], 1),
                ([good, Pair('a@y', [PASS], [])], [], 1),
                ([Pair('a@y', [SKIP], [SKIP])], [], 1), ([], [], 1)):
            self.assertEqual(verdicts.status(pairs, splats), status, f'{pairs} {splats}')


class Lists(unittest.TestCase):
    def test_of(self):
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            (directory / 'virtio_gpu-none-fails.txt').write_text('a@x,Fail\n')
            (directory / 'virtio_gpu-none-skips.txt').write_text('# why\n\nb.*\na@long-.*\n')
            (directory / 'virtio_gpu-none-flakes.txt').write_text('a@y\n')
            (directory / 'vkms-none-fails.txt').write_text('a@z,Fail\n')
            expected = Expected(directory)
        for test, what in (('a@x', 'fails'), ('b@x', 'not run'), ('a@long-1', 'not run'),
                           ('a@y', 'flaky'), ('a@z', ''), ('a@xx', '')):
            self.assertEqual(expected.of(test), what, test)


class Logs(unittest.TestCase):
    def test_only_ours(self):
        other = SPLAT.format(1).replace('drm_x', 'virtio_gpu_y')
        self.assertEqual(verdicts.splats(SPLAT.format(20), ''), [SPLAT.format(20).strip()])
        self.assertEqual(verdicts.splats(SPLAT.format(20), SPLAT.format(21)), [])
        self.assertEqual(verdicts.splats(SPLAT.format(20), other), [SPLAT.format(20).strip()])
        self.assertEqual(verdicts.splats('[ 1.0] fine\n', ''), [])
