# SPDX-License-Identifier: GPL-2.0-only
"""The judges on trial: each must object to what is bad and let pass what is good."""

import struct
import sys
import unittest
import zlib
from pathlib import Path

import hostlog
import klog
import ktap
import nth_selftest
import package_check
import qxllog
from events import MISUSE, Events
from guest import Channel
from initramfs import archive
from screen import Cursor, Picture, cursor_pattern, pattern
from verdict import Failure
from vhost_user import KNOWN, errors
from virt_pm import Account
from xserver import picture_from_xwd

for directory in ('scripts', 'tests/igt'):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / directory))
import common                               # noqa: E402
import hooks                                # noqa: E402
import igt_selftest                         # noqa: E402
import overlay                              # noqa: E402


PackageCheck = package_check.PackageCheck
PackageVersion = package_check.PackageVersion
NthInjected = nth_selftest.Injected
NthOutcomes = nth_selftest.Outcomes
NthCounting = nth_selftest.Counting
IgtOutcomes = igt_selftest.Outcomes
IgtComparison = igt_selftest.Comparison
IgtStatus = igt_selftest.Status
IgtLists = igt_selftest.Lists
IgtLogs = igt_selftest.Logs


class KernelLog(unittest.TestCase):
    GOOD = (
        '[    0.000000] Command line: console=ttyS0 oops=panic panic=-1',
        '[    0.643814] PCI: Using host bridge windows; if necessary, report a bug',
        '[    1.681253] tsc: Refined TSC clocksource calibration: 2596.103 MHz',
        '[    1.0] clocksource: timekeeping watchdog: Marking clocksource tsc as unstable',
        '[    1.0] [drm] Initialized virtio_gpu 0.1.0 for virtio1 on minor 0',
        '[    1.0] PM: hibernation: debug: Waiting for 5 seconds.',
        '[    1.0] Freezing user space processes completed (elapsed 0.000 seconds)',
        '[    1.0] kmemleak: Kernel memory leak detector initialized (mem pool available: 1)',
    )
    BAD = (
        '[    3.1] [drm:virtio_gpu_dequeue_ctrl_func] *ERROR* response 0x1203 (command 0x104)',
        '[    3.1] WARNING: CPU: 0 PID: 1 at drivers/gpu/drm/x.c:1 y+0x1/0x2',
        '[    3.1] BUG: kernel NULL pointer dereference, address: 0000000000000008',
        '[    3.1] kernel BUG at mm/slub.c:1!',
        '[    3.1] BUG kmalloc-64 (Not tainted): Poison overwritten',
        '[    3.1] Oops: 0000 [#1] PREEMPT SMP KASAN',
        '[    3.1] Kernel panic - not syncing: Fatal exception',
        '[    3.1] WARNING: possible circular locking dependency detected',
        '[    3.1] possible recursive locking detected',
        '[    3.1] INFO: task agent:1 blocked for more than 122 seconds.',
        '[    3.1] BUG: KASAN: slab-use-after-free in virtio_gpu_x+0x1/0x2',
        '[    3.1] UBSAN: array-index-out-of-bounds in drivers/gpu/drm/x.c:1:1',
        '[    3.1] kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)',
        '[    3.1] rcu: INFO: rcu_sched detected stalls on CPUs/tasks:',
        '[    3.1] Call Trace:',
        '[    3.1] ** 12 printk messages dropped **',
        '[    3.1] virtio_gpu virtio0: PM: failed to restore: error -5',
        '[    3.1] watchdog: BUG: soft lockup - CPU#0 stuck for 26s!',
        '[    3.1] swapper: page allocation failure: order:4',
        '[    3.1] refcount_t: underflow; use-after-free.',
        '[    3.1] mock virtio_gpu.mock: [drm] *ERROR* [CRTC:39:crtc-0] flip_done timed out',
    )

    def test_good(self):
        self.assertEqual(klog.problems('\r\n'.join(self.GOOD)), [])

    def test_bad(self):
        for line in self.BAD:
            with self.subTest(line=line):
                self.assertEqual(klog.problems(f'a\r\n{line}\r\nb'), [line])

    def test_expected_is_only_for_what_matches(self):
        self.assertEqual(klog.problems(self.BAD[0], ['response 0x1203']), [])
        self.assertEqual(len(klog.problems(self.BAD[1], ['response 0x1203'])), 1)

    def test_splats(self):
        self.assertEqual(klog.splats(self.BAD[0]), [])
        self.assertEqual(klog.splats(self.BAD[1]), [self.BAD[1]])


class VirtPm(unittest.TestCase):
    LINES = (
        'state: running',
        'epoch: 3',
        'suspend: possible',
        'hibernate: refused: init[1]: 1 context with 3D work, 2 buffers: all of it',
        'refusal: hibernate: the host does not answer (-16)',
        'objects: 5 tracked, 12 restored, 0 lost',
        'failures: 1',
        'transition: none',
    )

    def parse(self, old='', new=''):
        return Account.parse('\n'.join(self.LINES).replace(old, new) + '\n')

    def test_good(self):
        told = self.parse()
        self.assertEqual(told.problems(), [])
        self.assertEqual((told.state, told.epoch, told.failures), ('running', 3, 1))
        self.assertEqual((told.tracked, told.restored, told.lost), (5, 12, 0))
        self.assertIsNone(told.suspend)
        self.assertEqual(told.hibernate, 'init[1]: 1 context with 3D work, 2 buffers: all of it')
        self.assertEqual(told.refusal, 'hibernate: the host does not answer (-16)')

    def test_order_and_more_lines_do_not_matter(self):
        text = '\n'.join(('new: 1', *reversed(self.LINES)))
        self.assertEqual(Account.parse(text), self.parse())

    def test_a_line_is_missing(self):
        for line in self.LINES:
            with self.subTest(line=line), self.assertRaises(Failure):
                Account.parse('\n'.join(x for x in self.LINES if x != line))

    def test_a_line_has_another_form(self):
        for old, new in (('running', 'lost'), ('running', 'resuming'), ('possible', 'yes'),
                         ('refused: init', 'refused by init'), ('5 tracked', '5 resident'),
                         (' (-16)', ''), ('epoch: 3', 'epoch: -3'), ('failures: 1', 'failures:'),
                         ('transition: none', 'transition: poweroff')):
            with self.subTest(new=new), self.assertRaises(Failure):
                self.parse(old, new)

    def test_bad_at_the_end(self):
        for old, new in (('running', 'down'), ('running', 'lost (resume failed)'),
                         ('0 lost', '1 lost (last: 7)'), ('transition: none', 'transition: suspend')):
            with self.subTest(new=new):
                self.assertEqual(len(self.parse(old, new).problems()), 1)


class HostCommands(unittest.TestCase):
    CREATE = 'virtio_gpu_cmd_res_create_2d res 0x3, fmt 0x2, w 640, h 480'
    ATTACH = 'virtio_gpu_cmd_res_back_attach res 0x3'
    TRANSFER = 'virtio_gpu_cmd_res_xfer_toh_2d res 0x3'
    SCANOUT = 'virtio_gpu_cmd_set_scanout id 0, res 0x3, w 640, h 480, x 0, y 0'
    OFF = 'virtio_gpu_cmd_set_scanout id 0, res 0x0, w 640, h 480, x 0, y 0'
    FLUSH = 'virtio_gpu_cmd_res_flush res 0x3, w 640, h 480, x 0, y 0'
    UNREF = 'virtio_gpu_cmd_res_unref res 0x3'
    CURSOR = 'virtio_gpu_update_cursor scanout 0, x 10, y 20, update, res 0x3'
    MOVE = 'virtio_gpu_update_cursor scanout 0, x 11, y 21, move, res 0x3'
    FENCE = 'virtio_gpu_fence_ctrl fence 0x1, type 0x105'
    BLOCK = 'virtio_blk_handle_read vdev 0xb10c req 0x1 sector 0 nsectors 8'
    RESET = 'virtio_set_status vdev 0x9b val 0'
    DISK_RESET = 'virtio_set_status vdev 0xb10c val 0'
    PICTURE = (CREATE, ATTACH, TRANSFER, SCANOUT, FLUSH)

    def problems(self, *lines):
        return hostlog.problems('\n'.join(f'12@1700000000.{i:06}:{line}' if
                                          line.startswith('virtio_') and ':' not in line
                                          else line for i, line in enumerate(lines)))

    def assert_bad(self, text, *lines):
        found = self.problems(*lines)
        self.assertEqual(len(found), 1, found)
        self.assertIn(text, found[0])

    def test_good(self):
        self.assertEqual(self.problems(*self.PICTURE, self.CURSOR, self.MOVE, self.FENCE,
                                       self.OFF, self.UNREF, *self.PICTURE), [])

    def test_good_after_reset(self):
        self.assertEqual(self.problems(self.BLOCK, *self.PICTURE, self.RESET,
                                       *self.PICTURE), [])

    def test_reset_forgets_everything(self):
        self.assert_bad('does not know', self.BLOCK, *self.PICTURE, self.RESET, self.FLUSH)
        self.assert_bad('does not know', self.BLOCK, *self.PICTURE, self.RESET, self.UNREF)
        self.assert_bad('does not know', self.BLOCK, *self.PICTURE, self.RESET, self.CURSOR)
        self.assert_bad('does not know', self.BLOCK, *self.PICTURE, self.RESET, self.MOVE)

    def test_reset_of_the_disk_is_none_of_the_gpu(self):
        self.assertEqual(self.problems(self.BLOCK, *self.PICTURE, self.DISK_RESET,
                                       self.FLUSH), [])
        self.assertEqual(self.problems(self.DISK_RESET, *self.PICTURE, self.DISK_RESET,
                                       self.FLUSH, self.BLOCK), [])

    def test_scanout_before_create(self):
        self.assert_bad('does not know', self.SCANOUT, self.CREATE, self.ATTACH)

    def test_scanout_before_backing(self):
        self.assert_bad('before its backing', self.CREATE, self.SCANOUT, self.ATTACH)

    def test_create_twice(self):
        self.assert_bad('exists', self.CREATE, self.CREATE, self.ATTACH)

    def test_attach_twice(self):
        self.assert_bad('second time', self.CREATE, self.ATTACH, self.ATTACH)

    def test_unref_twice(self):
        self.assert_bad('does not know', *self.PICTURE, self.UNREF, self.UNREF)

    def test_blob_comes_with_its_backing(self):
        self.assertEqual(self.problems(
            'virtio_gpu_cmd_res_create_blob res 0x3, size 4096',
            'virtio_gpu_cmd_set_scanout_blob id 0, res 0x3, w 32, h 32, x 0, y 0'), [])

    def test_what_qemu_complains_of(self):
        for line in ('virtio_gpu_set_scanout: illegal resource specified 3',
                     'virtio_gpu_simple_process_cmd: ctrl 0x103, error 0x1203',
                     'Guest moved used index from 0 to 65535',
                     'qemu: something else'):
            with self.subTest(line=line):
                self.assert_bad(line, *self.PICTURE, line)

    def test_host_that_remembers(self):
        told = '# a reset does not take resources'
        self.assertEqual(self.problems(told, self.BLOCK, *self.PICTURE, self.RESET,
                                       self.CREATE, self.UNREF, *self.PICTURE), [])
        self.assertEqual(self.problems(told, self.BLOCK, *self.PICTURE, self.RESET,
                                       self.UNREF, self.UNREF), [])
        self.assert_bad('does not know', told, self.BLOCK, *self.PICTURE, self.RESET,
                        self.CREATE, self.FLUSH)
        self.assert_bad('exists', told, self.BLOCK, *self.PICTURE, self.CREATE)

    def test_seabios_at_s3(self):
        line = "Invalid write at addr 0xB00F8040, size 4, region '(null)', reason: rejected"
        self.assertEqual(self.problems(*self.PICTURE, line), [])
        self.assert_bad('0xC00F8040', *self.PICTURE, line.replace('0xB', '0xC'))

    def test_silence(self):
        self.assertEqual(len(self.problems('')), 1)
        self.assertEqual(len(self.problems(self.BLOCK)), 1)

    def test_cursor(self):
        log = hostlog.HostLog('\n'.join((self.BLOCK, *self.PICTURE, self.CURSOR, self.MOVE)))
        self.assertEqual(log.cursor(0), (11, 21, 3))
        self.assertIsNone(log.cursor(1))
        log = hostlog.HostLog('\n'.join((self.BLOCK, self.CURSOR, self.RESET, self.MOVE)))
        self.assertIsNone(log.cursor(0))

    def test_until_first_flush(self):
        log = hostlog.HostLog('\n'.join((self.BLOCK, *self.PICTURE, self.RESET,
                                         *self.PICTURE, self.FLUSH)))
        self.assertEqual(len(log.since_reset()), 6)
        self.assertEqual(len(log.until_first_flush()), 5)


    CONTEXT = 'virtio_gpu_cmd_ctx_create ctx 0x1, name Xorg'
    NO_CONTEXT = 'virtio_gpu_cmd_ctx_destroy ctx 0x1'
    JOIN = 'virtio_gpu_cmd_ctx_res_attach ctx 0x1, res 0x3'
    SUBMIT = 'virtio_gpu_cmd_ctx_submit ctx 0x1, size 16'

    def test_contexts(self):
        self.assertEqual(self.problems(self.CONTEXT, *self.PICTURE, self.JOIN, self.SUBMIT,
                                       self.NO_CONTEXT, self.CONTEXT), [])
        self.assert_bad('which exists', self.CONTEXT, self.CONTEXT)
        self.assert_bad('does not know', self.SUBMIT, *self.PICTURE)
        self.assert_bad('does not know', *self.PICTURE, self.JOIN)
        self.assert_bad('does not know', self.CONTEXT, self.JOIN)
        self.assert_bad('does not know', self.CONTEXT, self.NO_CONTEXT, self.NO_CONTEXT)
        self.assert_bad('does not know', self.BLOCK, self.CONTEXT, self.RESET, self.SUBMIT)

    # two GPUs, in the order in which they were started, and their control queues
    START = ('virtio_set_status vdev 0xa val 1', 'virtio_set_status vdev 0xb val 1',
             'virtio_queue_notify vdev 0xa n 0 vq 0xaa',
             'virtio_queue_notify vdev 0xb n 0 vq 0xbb')
    FROM_A = 'virtqueue_pop vq 0xaa elem 0x1 in_num 1 out_num 1'
    FROM_B = 'virtqueue_pop vq 0xbb elem 0x1 in_num 1 out_num 1'
    RESET_A = 'virtio_set_status vdev 0xa val 0'

    def test_two_gpus(self):
        both = (*self.START, self.FROM_A, *self.PICTURE, self.FROM_B, *self.PICTURE)
        self.assertEqual(self.problems(*both), [])
        self.assert_bad('does not know', *both, self.FROM_A, self.UNREF, self.FLUSH)
        self.assertEqual(self.problems(*both, self.RESET_A, self.FLUSH), [])
        self.assert_bad('does not know', *both, self.RESET_A, self.FROM_A, self.FLUSH)
        log = hostlog.HostLog('\n'.join((*both, self.RESET_A)), 0)
        self.assertEqual((len(log.commands), log.resets), (6, 1))
        log = hostlog.HostLog('\n'.join((*both, self.RESET_A)), 1)
        self.assertEqual((len(log.commands), log.resets), (5, 0))

    def test_one_of_two_gpus_is_silent(self):
        self.assert_bad('GPU 1', *self.START, self.FROM_A, *self.PICTURE)

    def test_which_gpu_must_be_known(self):
        found = self.problems(*self.START, *self.PICTURE)
        self.assertIn('nobody knows', found[0])


class QxlCommands(unittest.TestCase):
    RESET = 'qxl_io_write 0 native addr=5 (QXL_IO_RESET) val=0 size=1 async=0\n'
    CREATE = 'qxl_io_write 0 native addr=19 (QXL_IO_CREATE_PRIMARY_ASYNC) val=0 size=1 async=1\n'
    NOTIFY = 'qxl_io_write 0 native addr=0 (QXL_IO_NOTIFY_CMD) val=0 size=1 async=0\n'
    FIRMWARE = '10 qxl-0/vga: cmd @ 0x7f00 draw: surface_id 0 type copy\n'
    DRAW = '11 qxl-0/cmd: cmd @ 0x80000 draw: surface_id 0 type copy\n'
    CURSOR = ('12 qxl-0/csr: cmd @ 0x90000 cursor', ': set +105+129 visible yes, shape @ 0x1\n')
    MOVE = '13 qxl-0/csr: cmd @ 0x90100 cursor: move +155+139\n'
    HIDE = '14 qxl-0/csr: cmd @ 0x90200 cursor: hide\n'

    def log(self, *parts, gpu=0):
        return qxllog.HostLog(''.join(parts), gpu)

    def test_good(self):
        self.assertEqual(qxllog.problems(
            self.FIRMWARE + self.RESET + self.CREATE + self.DRAW + ''.join(self.CURSOR)), [])

    def test_bad(self):
        for bad in ('qxl_set_guest_bug 0\n', 'qxl-0: guest bug: slot 1 too high\n',
                    'qxl_io_unexpected_vga_mode 1 0x0=0 (QXL_IO_NOTIFY_CMD)\n',
                    '(process:1): Spice-WARNING **: bad\n'):
            self.assertTrue(qxllog.problems(self.DRAW + bad), bad)
        self.assertTrue(qxllog.problems(self.RESET + self.FIRMWARE))

    def test_a_trace_in_the_midst_of_a_command(self):
        log = self.log(self.RESET, self.CURSOR[0], self.NOTIFY, self.CURSOR[1])
        self.assertEqual(log.errors, [])
        self.assertEqual(log.cursor(0), (105, 129, True))
        self.assertEqual(log.where((100, 120), (5, 9)), (105, 129))
        error = "Invalid write at addr 0x{}, size 4, region '(null)', reason: rejected\n"
        halves = self.DRAW[:30], self.DRAW[30:]
        self.assertEqual(self.log(error.format('B00FB020').join(halves)).errors, [])
        self.assertEqual(len(self.log(error.format('C00FB020').join(halves)).errors), 1)

    def test_cursor(self):
        cursor = ''.join(self.CURSOR)
        self.assertEqual(self.log(cursor, self.MOVE).cursor(0), (155, 139, True))
        self.assertEqual(self.log(cursor, self.HIDE).cursor(0), (105, 129, False))
        self.assertIsNone(self.log(cursor, self.RESET).cursor(0))
        self.assertIsNone(self.log(self.RESET, self.MOVE).cursor(0))

    def test_since_reset(self):
        log = self.log(self.RESET, self.DRAW, self.RESET, self.CREATE, self.NOTIFY,
                       self.DRAW, self.DRAW)
        self.assertEqual(log.resets, 2)
        self.assertEqual([c.name for c in log.until_first_flush()],
                         ['CREATE_PRIMARY', 'draw'])

    def test_another_device(self):
        log = self.log(self.RESET.replace(' 0 ', ' 1 ', 1), self.RESET, gpu=1)
        self.assertEqual(log.resets, 1)
        self.assertFalse(log.tells_cursor)


class BackEnd(unittest.TestCase):
    GOOD = (
        '** (vhost-user-gpu:1): DEBUG: 11:33:33.352: 257 VIRTIO_GPU_CMD_RESOURCE_CREATE_2D',
        "** (vhost-user-gpu:1): CRITICAL **: 11:33:32.880: "
        "update_cursor_data_simple: assertion 'res != NULL' failed",
    )
    BAD = '** (vhost-user-gpu:1): CRITICAL **: 11:33:33.352: vg_resource_create_2d: ' \
        'resource already exists 6'

    def test_errors(self):
        self.assertEqual(errors('\n\n'.join(self.GOOD)), [])
        found = errors('\n\n'.join((*self.GOOD, self.BAD, self.BAD)))
        self.assertEqual(len(found), 2)
        self.assertIn(KNOWN, found[0])


class Patience(unittest.TestCase):
    """Of the channel to a guest, which answers after some timeouts, or not."""

    def waits(self, console, answer_after=None):
        class Slow(Channel):
            def __init__(self):
                super().__init__('', 100, lambda: console[min(self.waited, len(console) - 1)])

            waited = 0

            def _connect(self, path):
                pass

            def _receive(self, timeout):
                self.waited += 1
                return 'ok' if self.waited == answer_after else None

        channel = Slow()
        return channel.receive(), channel.waited

    def test_slow(self):
        self.assertEqual(self.waits([0, 1, 2, 2], 3), ('ok', 3))

    def test_hangs(self):
        self.assertEqual(self.waits([0]), (None, 1))
        self.assertEqual(self.waits([0, 1, 1], 3), (None, 2))

    def test_says_something_for_ever(self):
        self.assertEqual(self.waits(range(100)), (None, Channel.PATIENCE))


class Pictures(unittest.TestCase):
    def test_pattern_is_that_of_the_guest(self):
        picture = pattern(1000, 640, 480)
        for (x, y), colour in GUEST_PIXELS.items():
            at = (y * 640 + x) * 3
            self.assertEqual(picture.rgb[at:at + 3].hex(), colour)

    def test_one_pixel_is_seen(self):
        picture = pattern(1, 64, 48)
        changed = bytearray(picture.rgb)
        changed[64 * 3 * 20 + 5] ^= 1
        other = Picture(64, 48, changed)
        self.assertNotEqual(picture, other)
        self.assertEqual(picture.differing_pixels(other), 1)
        self.assertEqual(picture.differing_pixels(picture), 0)

    def test_shift_by_one_is_seen(self):
        picture = pattern(1, 64, 48)
        self.assertNotEqual(picture, Picture(64, 48, picture.rgb[3:] + picture.rgb[:3]))

    def test_other_seed_and_size_are_seen(self):
        self.assertNotEqual(pattern(1, 64, 48), pattern(2, 64, 48))
        self.assertNotEqual(pattern(1, 64, 48), pattern(1, 48, 64))
        self.assertIn('it is 48x64', pattern(1, 64, 48).how_it_differs(pattern(1, 48, 64)))

    def test_odd_sizes(self):
        big, small = pattern(3, 640, 480), pattern(3, 37, 21)
        for y in range(21):
            self.assertEqual(small.rgb[y * 37 * 3:(y + 1) * 37 * 3],
                             big.rgb[y * 640 * 3:y * 640 * 3 + 37 * 3])

    def test_black_is_named(self):
        black = Picture(64, 48, bytes(64 * 48 * 3))
        self.assertIn('it is black', pattern(1, 64, 48).how_it_differs(black))

    def test_ppm(self):
        picture = pattern(1, 64, 48)
        self.assertEqual(Picture.from_ppm(b'P6\n64 48\n255\n' + picture.rgb), picture)
        for bad in (b'', b'P5\n1 1\n255\n\0', b'P6\n64 48\n255\n' + picture.rgb[:-1]):
            with self.assertRaises(ValueError):
                Picture.from_ppm(bad)

    def test_ppm_whose_first_pixels_look_like_blanks(self):
        picture = Picture(4, 1, b' \n\t ' * 3)
        self.assertEqual(Picture.from_ppm(b'P6\n4 1\n255\n' + picture.rgb), picture)

    def test_xwd(self):
        picture = pattern(1, 64, 48)
        header = (100, 7, 2, 24, 64, 48, 0, 0, 32, 0, 32, 32, 256, 4, 0xff0000, 0xff00,
                  0xff, 8, 256, 1, 64, 48, 0, 0, 0)
        dump = struct.pack('>25I', *header) + bytes(12) + picture.to_bgrx()
        self.assertEqual(picture_from_xwd(dump), picture)
        big_endian = struct.pack('>25I', *header[:7], 1, *header[8:]) + dump[100:]
        for bad in (b'', dump[:-1], big_endian):
            with self.assertRaises(ValueError):
                picture_from_xwd(bad)

    def test_png(self):
        data = pattern(1, 16, 8).to_png()
        body = data[data.index(b'IDAT') + 4:-16]
        lines = zlib.decompress(body)
        self.assertEqual(lines[1:49], pattern(1, 16, 8).rgb[:48])

    def test_bgrx(self):
        picture = pattern(5, 24, 24)
        self.assertEqual(Picture.from_bgrx(24, 24, picture.to_bgrx()), picture)

    def test_cursor(self):
        cursor = cursor_pattern(7, 1, 2)
        self.assertEqual(cursor, cursor_pattern(7, 1, 2))
        self.assertNotEqual(cursor, cursor_pattern(8, 1, 2))
        self.assertNotEqual(cursor, cursor_pattern(7, 2, 1))
        empty = Cursor(64, 64, 1, 2, bytes(64 * 64 * 4))
        self.assertIn('it is empty', cursor.how_it_differs(empty))
        self.assertEqual(cursor.how_it_differs(None), 'there is none')

    def test_cursor_laid_over(self):
        cursor = Cursor(1, 1, 0, 0, b'\x01\x02\x03\xff')
        picture = Picture(2, 1, bytes(6)).with_cursor(cursor, 1, 0)
        self.assertEqual(picture.rgb, b'\0\0\0\3\2\1')


# what the guest's program computes for seed 1000
GUEST_PIXELS = {
    (0, 0): '24dd4a',
    (9, 3): 'bc70a4',
    (639, 479): 'c5d853',
    (630, 470): '0bdbeb',
}

KTAP_GOOD = '''[    0.5] KTAP version 1
[    0.5] 1..2
[    0.5]     KTAP version 1
[    0.5]     # Subtest: drm_virt_pm_queue
[    0.5]     # module: drm_virt_pm_tests
[    0.5]     1..3
[    0.5]     ok 1 queue_drains
[    0.5] something that the kernel says in between
[    0.5]     ok 2 queue_stalls # SKIP no time
[    0.5]         KTAP version 1
[    0.5]         # Subtest: queue_stops
[    0.5]         ok 1 at once
[    0.5]         ok 2 later
[    0.5]     # queue_stops: pass:2 fail:0 skip:0 total:2
[    0.5]     ok 3 queue_stops
[    0.5] # drm_virt_pm_queue: pass:3 fail:0 skip:0 total:3
[    0.5] ok 1 drm_virt_pm_queue
[    0.5]     KTAP version 1
[    0.5]     # Subtest: virtio_gpu_pm
[    0.5]     1..1
[    0.5]     ok 1 freezes
[    0.5] ok 2 virtio_gpu_pm
[    0.6] Run /init as init process
'''


class Ktap(unittest.TestCase):
    def assert_bad(self, text):
        results = ktap.parse(text)
        self.assertTrue(results.failed or results.problems)
        return results

    def test_good(self):
        results = ktap.parse(KTAP_GOOD.replace('\n', '\r\n'))
        self.assertEqual((results.failed, results.problems), ([], []))
        self.assertEqual(results.passed, [
            'drm_virt_pm_queue.queue_drains', 'drm_virt_pm_queue.queue_stops.at once',
            'drm_virt_pm_queue.queue_stops.later', 'virtio_gpu_pm.freezes'])
        self.assertEqual(results.skipped, ['drm_virt_pm_queue.queue_stalls'])
        self.assertEqual(results.suites, {'drm_virt_pm_queue', 'virtio_gpu_pm'})

    def test_case_fails(self):
        results = self.assert_bad(KTAP_GOOD.replace('    ok 1 queue_drains',
                                                    '    not ok 1 queue_drains'))
        self.assertEqual(results.failed, ['drm_virt_pm_queue.queue_drains'])

    def test_parameter_fails(self):
        results = self.assert_bad(KTAP_GOOD.replace('ok 2 later', 'not ok 2 later'))
        self.assertEqual(results.failed, ['drm_virt_pm_queue.queue_stops.later'])

    def test_suite_fails_by_itself(self):
        results = self.assert_bad(KTAP_GOOD.replace('ok 2 virtio_gpu_pm',
                                                    'not ok 2 virtio_gpu_pm'))
        self.assertEqual(results.failed, ['virtio_gpu_pm'])

    def test_cut_short_anywhere(self):
        lines = KTAP_GOOD.splitlines()
        for count in range(len(lines) - 1):
            with self.subTest(lines=count):
                self.assert_bad('\n'.join(lines[:count]))

    def test_line_missing(self):
        for gone in ('ok 1 queue_drains', 'ok 2 queue_stalls', 'ok 3 queue_stops',
                     'ok 1 at once', '1..3', '1..2', 'ok 1 freezes', '1..1'):
            with self.subTest(gone=gone):
                kept = [x for x in KTAP_GOOD.splitlines() if gone not in x]
                self.assert_bad('\n'.join(kept))

    def test_plan_is_not_kept(self):
        self.assert_bad(KTAP_GOOD.replace('1..3', '1..4'))
        self.assert_bad(KTAP_GOOD.replace('1..2', '1..3'))

    def test_no_tests(self):
        self.assert_bad('[    0.5] KTAP version 1\n[    0.5] 1..0\n')
        self.assert_bad('[    0.5] Run /init as init process\n')


class Initramfs(unittest.TestCase):
    def test_archive(self):
        data = archive({'init': b'#!x'})
        self.assertEqual(len(data) % 4, 0)
        self.assertEqual(data.count(b'070701'), 4)
        self.assertIn(b'init\0', data)


EVENTS = '''\
1 0.0 power-on xcc=2 mode=SPX firmware=psp
2 0.1 first-access hub=gfxhub0 by=kiq0 va=0x1 vmid=0 armed=0 context0=0x1 mode=SPX
3 0.2 queue-map kind=kiq engine=0 mode=SPX
4 0.3 partition-mode mode=CPX before=SPX
5 0.4 first-access hub=gfxhub0 by=kiq0 va=0x1 vmid=0 armed=1 context0=0x2 mode=CPX
6 0.5 first-access hub=mmhub0 by=psp va=0x1 vmid=0 armed=1 context0=0x2 mode=CPX
7 0.6 queue-map kind=compute engine=0 mode=CPX
8 0.7 queue-map kind=sdma engine=0 mode=SPX
'''


class ModelEvents(unittest.TestCase):
    def test_good(self):
        log = Events.parse(EVENTS)
        self.assertEqual(log.problems(), [])
        self.assertEqual(log.hubs_armed_first(), (2, 2))    # the last time of each
        self.assertEqual(log.late_hubs(), [])
        self.assertEqual(log.mode(), 'CPX')
        self.assertEqual(log.compute_queue_modes(), {'CPX'})
        self.assertFalse(log.complete())

    def test_late(self):
        log = Events.parse(EVENTS.replace('psp va=0x1 vmid=0 armed=1',
                                          'psp va=0x1 vmid=0 armed=0'))
        self.assertEqual(log.hubs_armed_first(), (1, 2))
        self.assertEqual(log.late_hubs(), ['mmhub0'])

    def test_queue_in_the_wrong_mode(self):
        log = Events.parse(EVENTS.replace('compute engine=0 mode=CPX',
                                          'compute engine=0 mode=SPX'))
        self.assertEqual(log.compute_queue_modes(), {'SPX'})

    def test_reset(self):
        log = Events.parse(EVENTS + '9 0.8 reset by=bus mode=SPX\n')
        self.assertEqual(log.mode(), 'SPX')
        self.assertEqual(log.since_reset().first_accesses(), [])

    def test_half_a_line_is_not_read(self):
        log = Events.parse(EVENTS + '9 0.8 gpu-fault hub=mm')
        self.assertEqual(len(log), 8)

    def test_bad(self):
        for name in ('gpu-fault', 'poison-fetch', 'bad-packet', 'bad-mqd', 'queue-stuck',
                     'interrupt-dropped', 'psp-order', *MISUSE):
            with self.subTest(name=name):
                self.assertEqual(len(Events.parse(f'{EVENTS}9 0.8 {name} a=b\n').problems()), 1)

    def test_provoked(self):
        log = Events.parse(f'{EVENTS}9 0.8 gpu-fault a=b\n10 0.9 dma-while-off a=b\n')
        self.assertEqual(len(log.problems()), 2)
        self.assertEqual(log.problems(provoked={9}), ['10 dma-while-off a=b'])
        self.assertEqual(log.problems(MISUSE), ['10 dma-while-off a=b'])

    def test_end(self):
        self.assertTrue(Events.parse(f'{EVENTS}9 0.8 end\n').complete())


if __name__ == '__main__':
    unittest.main()


class Overlay(unittest.TestCase):
    """Trees that have only some of our files: what the series is made of"""

    SOURCE = '''#include "x.h"

#define LIMIT 3

static int up(struct vpm *vpm)
{
	return 0;
}

static int count(struct vpm *vpm)
{
	return LIMIT;
}

void init_steps(struct vpm *vpm)
{
}

static const struct step steps[] = {
	{ "queues", .count = up },
	{ "count", .up = count,
	  .flags = 1 },
};

/* the last one */
int init(struct vpm *vpm)
{
	if (vpm)
		init_steps(vpm);

	return vpm_init(vpm, steps);
}
'''
    PARTS = ['LIMIT', 'up', 'count', 'init_steps', 'steps', 'init']
    MAKEFILE = ('x-y := \\\n\ta.o \\\n\tb.o\n\nobj-$(X) += x.o\n'
                'obj-$(T) += tests/\n')

    def lay(self, parts, later=(), source=None):
        """x.c of a tree that has only these parts of it"""
        files = hooks.Files('/nonexistent')
        overlay.lay(files, {'x.c': source or self.SOURCE}, {'x.c': parts}, later)
        return files.read('x.c')

    def test_all_parts_are_the_file(self):
        self.assertEqual(self.lay(self.PARTS), self.SOURCE)

    def test_a_part_brings_what_it_uses(self):
        text = self.lay(['count'])
        for brought in ('#include', 'LIMIT 3', 'int count('):
            self.assertIn(brought, text)
        for other in ('up(', 'steps', 'the last one', 'init('):
            self.assertNotIn(other, text)
        text = self.lay(['init'])
        for brought in ('init_steps', 'steps[]', 'the last one'):
            self.assertIn(brought, text)

    def test_uses_of_a_later_part_go(self):
        text = self.lay(['init', 'up'], later=['init_steps', 'count'])
        self.assertIn('{ "queues", .count = up },', text)
        for gone in ('"count"', '.flags', 'init_steps', 'LIMIT', 'if (vpm)', '{\n\n'):
            self.assertNotIn(gone, text)

    def test_other_uses_are_objected_to(self):
        for bad in ('return count(vpm) + vpm_init(', 'x = init_steps;\n\treturn vpm_init('):
            with self.subTest(bad=bad), self.assertRaises(common.Failure):
                self.lay(['init', 'up'], later=['init_steps', 'count'],
                         source=self.SOURCE.replace('return vpm_init(', bad))

    def test_unknown_part(self):
        with self.assertRaises(common.Failure):
            self.lay(['down'])

    def test_only_blank_lines_around_a_cut_go(self):
        text = 'obj-y += a.o\n\n\nobj-y += b.o\n\nobj-y += c.o\n\nobj-y += d.o\n'
        self.assertEqual(overlay.without_missing('d/Makefile', text, {'d/c.c'}),
                         text.replace('obj-y += c.o\n\n', ''))

    def test_makefile(self):
        text = overlay.without_missing('d/Makefile', self.MAKEFILE,
                                       {'d/b.c', 'd/tests/Makefile'})
        self.assertEqual(text, 'x-y := \\\n\ta.o\n\nobj-$(X) += x.o\n')
        self.assertEqual(overlay.without_missing('d/Makefile', self.MAKEFILE, {'e/b.c'}),
                         self.MAKEFILE)
