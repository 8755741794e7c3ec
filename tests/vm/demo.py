#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Shows the main job to a person: a picture that outlives the machine that drew it."""

import argparse
import dataclasses
import math
import shutil
import sys
import time

import initramfs
import klog
import qemu
from hostlog import HostLog, problems
from run import REPO, Bench, guarded
from screen import Picture
from verdict import Failure
from vm import Setup

WIDTH, HEIGHT = 1280, 800
OTHER_BUFFERS = 8
CURSOR = {'hot': (5, 9), 'position': (800, 420)}

# 5x7 letters, one number per row, the left pixel in bit 4
LETTERS = {
    'D': (30, 17, 17, 17, 17, 17, 30), 'R': (30, 17, 17, 30, 20, 18, 17),
    'M': (17, 27, 21, 21, 17, 17, 17), '_': (0, 0, 0, 0, 0, 0, 31),
    'V': (17, 17, 17, 17, 17, 10, 4), 'I': (14, 4, 4, 4, 4, 4, 14),
    'T': (31, 4, 4, 4, 4, 4, 4), 'P': (30, 17, 17, 30, 16, 16, 16),
}


def draw_picture():
    """An evening by the sea: a gradient, a sun, waves, and a word."""
    sun_x, sun_y, radius = WIDTH * 0.68, HEIGHT * 0.52, HEIGHT * 0.17
    horizon = int(HEIGHT * 0.62)
    rgb = bytearray()
    for y in range(HEIGHT):
        down = y / HEIGHT
        sky = (int(40 + 215 * down ** 1.2), int(30 + 120 * down), int(110 - 30 * down))
        for x in range(WIDTH):
            if y >= horizon:
                wave = math.sin(x / 37 + 9 * math.sin(y / 23)) * (y - horizon) / HEIGHT
                glow = max(0.0, 1 - abs(x - sun_x) / (radius * (1 + 4 * (down - 0.62))))
                rgb += bytes((int(20 + 200 * glow * down), int(40 + 120 * glow + 60 * wave)
                              & 255, int(90 + 100 * (down - 0.62) + 60 * wave)))
                continue
            distance = math.hypot(x - sun_x, y - sun_y) / radius
            if distance < 1:
                rgb += bytes((255, int(225 - 60 * distance), int(120 - 70 * distance)))
            else:
                halo = int(70 / distance)
                rgb += bytes(min(255, c + halo) for c in sky)
    write_word(rgb, 'DRM_VIRT_PM', 90, 110, 12)
    return Picture(WIDTH, HEIGHT, rgb)


def write_word(rgb, word, left, top, size):
    for index, letter in enumerate(word):
        for row, bits in enumerate(LETTERS[letter]):
            for column in range(5):
                if not bits >> (4 - column) & 1:
                    continue
                x = left + (index * 6 + column) * size
                for y in range(top + row * size, top + (row + 1) * size):
                    at = (y * WIDTH + x) * 3
                    rgb[at:at + size * 3] = b'\xff\xf4\xe0' * size


@dataclasses.dataclass
class Report:
    """What one kernel did."""

    kernel: str
    same: bool = False
    picture: str = '-'
    cursor: str = '-'
    others: str = '-'
    host: str = '-'
    log: str = '-'
    freeze: str = '-'
    resume: str = '-'
    total: str = '-'
    seconds: str = '-'
    before: Picture = None
    after: Picture = None


class Progress:
    """Lines that say what is going on, with the seconds since the start."""

    def __init__(self, name):
        self.name, self.started = name, time.monotonic()

    def __call__(self, text):
        print(f'[{time.monotonic() - self.started:5.1f} s] {self.name}: {text}', flush=True)


def composed(vm):
    """What a person would see: the host's picture with the host's cursor on it."""
    picture = vm.qemu.screen()
    told, image = vm.host_log().cursor(0), vm.qemu.cursor()
    if told and told[2] and image:
        picture = picture.with_cursor(image, *told[:2])
    return picture


def run(bench, name, picture):
    """One kernel through the whole story."""
    progress, report = Progress(name), Report(name)
    try:
        with bench.files('demo') as files:
            files.initramfs = initramfs.with_files(
                files.initramfs, files.directory / 'initramfs.gz',
                {'picture': picture.to_bgrx()})
            vm = bench.vm(Setup(outputs=((WIDTH, HEIGHT),)), files)
            story(vm, report, picture, progress)
    except Failure as error:
        report.picture = str(error)
    return report


def story(vm, report, picture, progress):
    try:
        hibernate(vm, report, picture, progress)
        compare(vm, report, progress)
    except Failure as error:
        progress(f'stopped: {error}')
        report.picture = report.picture if report.after else str(error)
    finally:
        vm.close()


def hibernate(vm, report, picture, progress):
    progress('boot')
    guest = vm.power_on()
    guest.open_cards()
    shown, *_ = guest.create(1 + OTHER_BUFFERS, WIDTH, HEIGHT)
    guest.load(shown, '/picture', picture)
    guest.show(0, shown)
    guest.cursor(0, guest.create_cursor(), **CURSOR)
    vm.expect_picture()
    report.before = composed(vm)
    progress('the picture is on the screen; hibernate')
    started = time.monotonic()
    first = vm.qemu
    already = vm.host_log().last_line
    vm.hibernate_and_power_off()
    report.freeze = str(len(commands(HostLog(first.trace()).after(already))))
    off = time.monotonic()
    progress(f'the first QEMU ended by itself (image of '
             f'{files_size(vm.files.swap) >> 20} MiB); start another one')
    vm.power_on_again()
    report.seconds = f'{off - started:.1f} down, {time.monotonic() - off:.1f} up'
    progress('the guest is back')


def files_size(path):
    return path.stat().st_blocks * 512


def commands(log):
    return [c for c in log if c.name != 'RESET']


def compare(vm, report, progress):
    guest = vm.guest
    report.picture = attempt(vm.expect_picture)
    report.same = report.picture == 'the same, pixel by pixel'
    report.after = composed(vm)
    progress('compare')
    cursor = vm.cursor_problem(0)
    report.cursor = cursor.partition(': ')[2] if cursor else 'the same, and in its place'
    log = vm.host_log()
    if any(c.name == 'res_flush' for c in log.since_reset()):
        report.resume = str(len(log.until_first_flush()))
    else:
        report.resume = f'{len(log.since_reset())}, and no picture'
    if report.same:
        report.others = attempt(lambda: show_others(vm), f'all {OTHER_BUFFERS} shown again')
    report.total = str(len(vm.host_log().since_reset()))
    wrong = problems(vm.qemu.trace())
    report.host = wrong[0] if wrong else 'no error, no unknown resource'
    bad = klog.problems(vm.files.console_text())
    report.log = bad[0] if bad else 'clean'
    report.same = report.same and not cursor and not wrong and not bad and \
        report.others.startswith('all')
    guest.do('ping')


def attempt(check, good='the same, pixel by pixel'):
    try:
        check()
    except Failure as error:
        return str(error).rpartition('): ')[2]
    return good


def show_others(vm):
    for buffer in [b for b in vm.guest.buffers if b.kind == 'dumb'][1:]:
        vm.guest.flip(0, buffer)
        vm.expect_picture()


def table(reports):
    rows = [
        ('kernel', [r.kernel for r in reports]),
        ('on the screen before', [f'{WIDTH}x{HEIGHT} picture and cursor'] * len(reports)),
        ('on the screen after', [r.picture for r in reports]),
        ('cursor after', [r.cursor for r in reports]),
        ('buffers off the screen', [r.others for r in reports]),
        ('host commands in freeze', [r.freeze for r in reports]),
        ('  resume to first picture', [r.resume for r in reports]),
        ('  since resume in total', [r.total for r in reports]),
        ('what the host objected to', [r.host for r in reports]),
        ('kernel log', [r.log for r in reports]),
        ('seconds (TCG)', [r.seconds for r in reports]),
    ]
    widths = [max(len(row[1][i]) for row in rows) for i in range(len(reports))]
    lines = []
    for number, (title, cells) in enumerate(rows):
        cells = ' | '.join(cell.ljust(width) for cell, width in zip(cells, widths))
        lines.append(f'{title:27} | {cells}'.rstrip())
        if not number:
            lines.append('-' * 28 + ''.join('+' + '-' * (width + 2) for width in widths))
    return lines


def save(reports, place):
    place.mkdir(parents=True, exist_ok=True)
    written = []
    for report in reports:
        suffix = '' if report is reports[0] else f'-{report.kernel}'
        pictures = {'before': report.before, 'after': report.after}
        if report.before and report.after:
            pictures['before-after'] = report.before.beside(report.after)
        for name, picture in pictures.items():
            if picture:
                path = place / f'{name}{suffix}.png'
                path.write_bytes(picture.to_png())
                written.append(str(path.relative_to(REPO)))
    return written


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kernel', default='6.12')
    parser.add_argument('--stock', action='store_true',
                        help='run the kernel without our changes as well')
    arguments = parser.parse_args()
    qemu.binary()
    benches = [('ours', Bench(arguments.kernel, 'normal', False))]
    if arguments.stock:
        benches.append(('stock', Bench(arguments.kernel, 'stock', False)))
    place = REPO / 'build/demo'
    shutil.rmtree(place, ignore_errors=True)
    print('drawing', flush=True)
    picture = draw_picture()
    reports = [run(bench, name, picture) for name, bench in benches]
    print()
    print('\n'.join(table(reports)))
    print()
    print('pictures:', ' '.join(save(reports, place)))
    return 0 if reports[0].same else 1


if __name__ == '__main__':
    sys.exit(guarded(main))
