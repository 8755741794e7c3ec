#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
What desktops hold on the host: Debian 13's weston, sway and glmark2 on virtio-gpu-gl.

The guest has the kernel of the tests, and all of a Debian that mmdebstrap made for its
initramfs. virt_pm says what each program holds. With --frames: instructions of each
submission of a compositor while a window changes, without the census and with it, and
with what brings contexts back.
"""

import argparse
import collections
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
for directory in ('tests/vm', 'scripts'):
    sys.path.insert(0, str(REPO / directory))
import qemu                     # noqa: E402
import rootfs                   # noqa: E402
from common import BUILD, Failure, main, say        # noqa: E402
from initramfs import drm_headers, of_directory     # noqa: E402
from xserver import XServer     # noqa: E402

PACKAGES = ('seatd', 'weston', 'sway', 'swaybg', 'sway-backgrounds', 'foot',
            'fonts-dejavu-core', 'libgl1-mesa-dri', 'libgles2', 'glmark2-es2-wayland',
            'xserver-xorg-core', 'xterm', 'glmark2-es2-x11')
SIZE = (1920, 1080)
SCREEN = (3200, 1680)          # a window that is larger than at first, from the middle on
TIMEOUT = 1800
FEW = 50                        # submissions that are no frame's
OPTIONS = ('census', 'restore')
WARM = 300                      # submissions; the first 256 are looked at in full
HELD = re.compile(r'^virgl: (\S+)\[(\d+)\]: (.*)', re.M)
SAID = re.compile(r'^census of (\S+)\r?$', re.M)


def initramfs(root, kernel, top):
    """All of the Debian, and process 1."""
    preload = top / 'preload.so'
    subprocess.run(['gcc', '-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-Werror',
                    '-D__user=', '-idirafter', drm_headers(kernel.parent),
                    HERE / 'preload.c', '-o', preload], check=True)
    return of_directory(root, top / 'initramfs', {
        'init': (HERE / 'init.sh').read_bytes(), 'preload.so': preload.read_bytes()})


def machine(kernel, console, disk, words, more=()):
    """QEMU's command line, without the initramfs"""
    return [
        qemu.binary(), '-accel', 'tcg,thread=single' if '-icount' in more else 'tcg',
        '-machine', 'q35', '-cpu', qemu.ARCHS['x86'][2], '-m', '3072',
        '-smp', '1' if '-icount' in more else '2', '-nodefaults',
        '-no-user-config', '-no-reboot', '-display', 'sdl,gl=on', '-kernel', kernel, '-append',
        'console=ttyS0 kunit.enable=0 rcupdate.rcu_cpu_stall_timeout=300 no_timer_check '
        f'pty.legacy_count=0 {words}', '-serial', f'file:{console}',
        '-drive', f'if=none,id=out,format=raw,file={disk}', '-device', 'virtio-blk-pci,drive=out',
        '-device', f'virtio-gpu-gl-pci,xres={SIZE[0]},yres={SIZE[1]}', *more]


def empty_disk(path, size):
    with open(path, 'wb') as out:
        out.truncate(size)
    return path


def start(command, window, messages):
    with open(messages, 'wb') as said:
        return subprocess.Popen([str(word) for word in command], stdout=said, stderr=said,
                                stdin=subprocess.DEVNULL, env=window.environment())


def boot(kernel, image, directory, words, more=()):
    """One guest, and what it left behind, in @directory."""
    directory.mkdir()
    console, disk = directory / 'console.log', empty_disk(directory / 'out.tar', 64 << 20)
    window = XServer(*SCREEN)
    process = start([*machine(kernel, console, disk, words, more), '-initrd', image],
                    window, directory / 'qemu.log')
    try:
        _watch(process, window, console)
    finally:
        process.kill()
        process.wait()
        window.close()
    with tarfile.open(disk) as out:
        out.extractall(directory)


def _watch(process, window, console):
    """Until the guest has ended, with a picture of each desktop"""
    deadline = time.monotonic() + TIMEOUT
    seen = set()
    while process.poll() is None:
        time.sleep(1)
        if time.monotonic() > deadline:
            raise Failure(f'the guest does not come to an end: {console}')
        for name in SAID.findall(console.read_text(errors='replace')):
            if name not in seen:
                seen.add(name)
                picture = console.with_name(f'{name}.png')
                picture.write_bytes(window.screen().to_png())


def desktops(kernel, image, top):
    directory = top / 'desktops'
    boot(kernel, image, directory, 'virtio_gpu.virgl_census=1')
    paths = sorted(directory.glob('*.census'), key=lambda path: path.stat().st_mtime)
    if not paths:
        raise Failure(f'no desktop came up: {directory}')
    for path in paths:
        say(f'{path.stem}:')
        for program, _, what in HELD.findall(path.read_text()) or [('', '', 'nothing')]:
            say(f'  {program}: {what}')


def submissions(data):
    """(words, commands, instructions) of each"""
    while data:
        size, _, ticks = struct.unpack_from('<IIQ', data)
        words = struct.unpack_from(f'<{size // 4}I', data, 16)
        at = count = 0
        while at < len(words):
            at += 1 + (words[at] >> 16)
            count += 1
        yield len(words), count, ticks
        data = data[16 + size:]


def submitted(kernel, image, directory, words):
    """{(words, commands): [instructions]} of the submissions of a boot"""
    boot(kernel, image, directory, words, ('-icount', 'shift=0'))
    found = collections.defaultdict(list)
    for length, count, ticks in list(submissions((directory / 'streams').read_bytes()))[WARM:]:
        found[length, count].append(ticks)
    return found


def cost(ticks):
    """The mean of what no interrupt fell into; one of 16 costs a little more."""
    most = statistics.median(ticks) * 1.1
    return statistics.mean(number for number in ticks if number <= most)


def frames(kernel, image, top):
    for compositor in ('weston', 'sway'):
        without, *others = (
            submitted(kernel, image, top / f'{compositor}-{option or "without"}',
                      f'frames={compositor}{option and f" virtio_gpu.virgl_{option}=1"}')
            for option in ('', *OPTIONS))
        for shape in sorted(without, key=lambda shape: -len(without[shape])):
            found = [ticks[shape] for ticks in (without, *others)]
            if min(map(len, found)) < FEW:
                continue
            first, *costs = map(cost, found)
            say(f'{compositor}: {shape[1]} commands in {shape[0]} words, '
                f'{len(without[shape])} times: {first:.0f} instructions; ' +
                '; '.join(f'with {option} {number:.0f}, {number / first:.3f}'
                          for option, number in zip(OPTIONS, costs)))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--kernel', default='6.12')
    parser.add_argument('--frames', action='store_true', help='what submissions cost')
    return parser.parse_args()


def prepare(number):
    """(kernel, root directory) of the guests, or nothing: then it is said what is missing"""
    kernel = BUILD / number / 'bzImage'
    if not kernel.exists():
        raise Failure(f'no {kernel}: make kernel KERNEL={number}')
    why = rootfs.missing() if qemu.has_gl() and shutil.which('Xvfb') else \
        'no QEMU that renders, or no Xvfb: make packages'
    if why:
        say(f'skip desktops: {why}')
        return None
    return kernel, rootfs.make('gl', PACKAGES)


def run():
    options = arguments()
    found = prepare(options.kernel)
    if not found:
        return 0
    kernel, root = found
    top = Path(tempfile.mkdtemp(prefix='desktops-'))
    say(f'all that was said, and pictures: {top}')
    (frames if options.frames else desktops)(kernel, initramfs(root, kernel, top), top)
    return 0


if __name__ == '__main__':
    main('desktops', run)
