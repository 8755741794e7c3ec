#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
A desktop with OpenGL hibernates: Debian 13's weston, sway or Xorg on virtio-gpu-gl, with
glmark2 in it, goes on in another QEMU process.

All are stopped before and for a while afterwards, so that the first picture is what
the kernel has brought back, and not what they have drawn again. Then they go on: the
picture changes, they live, no context was lost, and the host had nothing to complain of.
A second glmark2 is killed when it goes on, while its context is made again or not long
before or after that.
"""

import argparse
import re
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

import census                   # first: it says where the others are
import klog
from common import Failure, main, say
from hostlog import renderer_problems
from xserver import XServer

TIMEOUT = 900
CAME_BACK = re.compile(r'^contexts: (\d+) came back, (\d+) lost', re.M)
LOOKS, APART = 6, 2             # seconds


class Guest:
    """One guest over several QEMU processes"""

    def __init__(self, kernel, image, directory, desktop, cycles):
        directory.mkdir()
        self.directory, self.kernel, self.image = directory, kernel, image
        self.cycles = cycles
        self.words = (f'sleep={desktop} cycles={cycles} virtio_gpu.virgl_restore=1 '
                      'resume=/dev/vdb hibernate=nocompress')
        self.out = census.empty_disk(directory / 'out.tar', 64 << 20)
        self.swap = census.empty_disk(directory / 'swap', 4 << 30)
        subprocess.run(['mkswap', '-q', self.swap], check=True)
        self.runs = 0
        self.process = self.window = None

    def start(self):
        self.runs += 1
        self.console = self.directory / f'console-{self.runs}.log'
        self.messages = self.directory / f'qemu-{self.runs}.log'
        command = census.machine(self.kernel, self.console, self.out, self.words, (
            '-drive', f'if=none,id=swap,format=raw,file={self.swap}',
            '-device', 'virtio-blk-pci,drive=swap'))
        if self.runs == 1:      # the other kernel has no use for it
            command += ['-initrd', self.image]
        self.window = XServer(*census.SCREEN)
        self.process = census.start(command, self.window, self.messages)

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.window.close()
        self.process = None

    def said(self):
        return self.console.read_text(errors='replace') if self.console.exists() else ''

    def wait_for(self, what):
        deadline = time.monotonic() + TIMEOUT
        while f'gl: {what}' not in self.said():
            if self.process.poll() is not None:
                raise Failure(f'QEMU ended before the guest said "{what}": {self.console}')
            if time.monotonic() > deadline:
                raise Failure(f'the guest does not say "{what}": {self.console}')
            time.sleep(0.5)

    def wait_until_off(self, cycle):
        deadline = time.monotonic() + TIMEOUT
        while self.process.poll() is None:
            if f'gl: {cycle} back' in self.said():
                raise Failure(f'the guest did not power off: {self.console}')
            if time.monotonic() > deadline:
                raise Failure(f'the guest hangs: {self.console}')
            time.sleep(0.5)
        self.close()

    def picture(self, name):
        picture = self.window.screen()
        (self.directory / f'{name}.png').write_bytes(picture.to_png())
        return picture

    def judge_logs(self):
        for run in range(1, self.runs + 1):
            messages = (self.directory / f'qemu-{run}.log').read_text(errors='replace')
            found = renderer_problems(messages)
            if found:
                raise Failure(f'the host says: {found[0]}')
            text = (self.directory / f'console-{run}.log').read_text(errors='replace')
            problems = klog.problems(text, ())
            if problems:
                raise Failure(f'the kernel says: {problems[0]}')


def different_pictures(guest, cycle):
    pictures = set()
    for number in range(LOOKS):
        pictures.add(guest.picture(f'on-{cycle}-{number}').rgb)
        time.sleep(APART)
    return len(pictures)


def one_cycle(guest, cycle, progress):
    guest.wait_for(f'{cycle} stopped')
    time.sleep(2)
    before = guest.picture(f'before-{cycle}')
    colours = len({before.rgb[i:i + 3] for i in range(0, len(before.rgb), 300)})
    if colours < 20:
        raise Failure(f'there is no desktop on the screen, but {colours} colours')
    progress('the desktop is on the screen and stands still; hibernate')
    guest.wait_until_off(cycle)
    progress('QEMU ended; start another one')
    guest.start()
    guest.wait_for(f'{cycle} back')
    time.sleep(3)
    after = guest.picture(f'after-{cycle}')
    if after != before:
        raise Failure(f'another picture: {before.how_it_differs(after)}')
    progress('the same picture, of programs that stand still')
    guest.wait_for(f'{cycle} goes on')
    different = different_pictures(guest, cycle)
    progress(f'{different} different pictures in {LOOKS * APART} s')
    if different < 3:
        raise Failure('what drew all the time does not any more')


def contexts(guest, cycle):
    """How many came back up to the end of a cycle"""
    told = CAME_BACK.search((guest.directory / f'after-{cycle}.virt_pm').read_text())
    if not told:
        raise Failure('virt_pm does not say what came back')
    if int(told[2]):
        raise Failure(f'not all contexts came back: {told[0]}')
    return int(told[1])


def sleep(guest, name):
    started = time.monotonic()

    def progress(text):
        say(f'{name}: {time.monotonic() - started:5.0f} s: {text}')

    progress('boot')
    guest.start()
    for cycle in range(1, guest.cycles + 1):
        one_cycle(guest, cycle, progress)
    guest.wait_for('alive')
    guest.process.wait(120)
    with tarfile.open(guest.out) as out:
        out.extractall(guest.directory)
    before = 0
    for cycle in range(1, guest.cycles + 1):
        now = contexts(guest, cycle)
        # of the compositor and of the program that goes on
        if now - before < 2:
            raise Failure(f'cycle {cycle}: {now - before} contexts came back')
        progress(f'cycle {cycle}: {now - before} contexts came back, 0 were lost')
        before = now
    guest.judge_logs()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--kernel', default='6.12')
    parser.add_argument('--cycles', type=int, default=1)
    parser.add_argument('desktop', nargs='*', default=['weston', 'sway', 'xorg'])
    return parser.parse_args()


def run():
    options = arguments()
    found = census.prepare(options.kernel)
    if not found:
        return 0
    kernel, root = found
    top = Path(tempfile.mkdtemp(prefix='gl-sleep-'))
    say(f'all that was said, and pictures: {top}')
    image = census.initramfs(root, kernel, top)
    for desktop in options.desktop:
        guest = Guest(kernel, image, top / desktop, desktop, options.cycles)
        try:
            sleep(guest, desktop)
        finally:
            guest.close()
            guest.swap.unlink()
    return 0


if __name__ == '__main__':
    main('gl sleep', run)
