#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
make test-igt: tests of IGT on our virtio-gpu, beside the stock driver of the same kernel.

The guest has a kernel of the tests, and all of a Debian that mmdebstrap made for its
initramfs. The host names the subtests one by one, each with a limit of time; after one
that leaves the guest dead or silent the next is run in a new guest. Where the two kernels
differ, a subtest is run again. What came out is kept in build/igt/, and another run goes
on from there, unless a kernel or the guest has changed.
"""

import argparse
import contextlib
import dataclasses
import fcntl
import fnmatch
import hashlib
import json
import shutil
import signal
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
for directory in ('tests/vm', 'scripts'):
    sys.path.insert(0, str(REPO / directory))
import qemu                     # noqa: E402
import rootfs                   # noqa: E402
import verdicts                 # noqa: E402
from common import BUILD, Failure as Unmade, human, main, say, sha256, \
    write_if_changed            # noqa: E402
from guest import Channel, Gone         # noqa: E402
from initramfs import of_directory      # noqa: E402
from verdict import Failure             # noqa: E402
from vm import Files, Setup     # noqa: E402

SUITE = 'forky'                 # the first that has it
PACKAGE = 'igt-gpu-tools-tests'
PROGRAMS = '/usr/libexec/igt-gpu-tools'
BINARIES = ('kms_vblank', 'kms_flip', 'kms_cursor_legacy', 'kms_atomic', 'kms_addfb_basic',
            'core_hotunplug', 'syncobj_basic', 'syncobj_wait', 'syncobj_timeline',
            'syncobj_eventfd', 'kms_prime', 'prime_self_import', 'prime_mmap_kms', 'prime_vgem')
XFAILS = 'drivers/gpu/drm/ci/xfails'
SIDES = {'ours': 'bzImage', 'stock': 'stock/bzImage'}
OUTPUT = (1024, 768)
# q35 loses its power management in S3: see FORGOTTEN_IN_S3 in vm.py
SETUP = Setup(machine='pc', memory=1536, cpus=2, outputs=(OUTPUT,))
TWO_OUTPUTS = dataclasses.replace(SETUP, outputs=(OUTPUT, OUTPUT))
TWO_GPUS = dataclasses.replace(SETUP, more_gpus=((SETUP.device, OUTPUT),))
MACHINES = (SETUP, TWO_OUTPUTS, TWO_GPUS)
LIMIT = 150                     # seconds of a subtest
GRACE = 300                     # and of its sleeps, when the guest's clock stands still


def machine(binary, subtest):
    """What IGT wants of it is in the name."""
    if binary == 'kms_prime':
        return TWO_GPUS
    return TWO_OUTPUTS if subtest.startswith('2x-') else SETUP


class Guest:
    """One boot"""

    def __init__(self, setup, files, number):
        self.files = files
        files.make_swap(1, setup.page)
        self.qemu = qemu.Qemu(setup, files, number, LIMIT)
        self.channel = Channel(str(self.qemu.sockets / 'agent'), LIMIT + GRACE,
                               self.files.console_size)
        try:
            self.qemu.go()
            if self.channel.receive() != 'ready':
                raise Failure('silence')
        except Failure as error:
            self.close()
            raise Failure(f'the guest does not boot, see {files.console}: {error}') from error

    def run(self, binary, subtest):
        """(status of the program, what it said)"""
        self.channel.send(f'{LIMIT} {binary} {subtest}')
        said = []
        while (line := self.channel.receive(LIMIT + GRACE)) is not None:
            if line.startswith('ended: '):
                return int(line.split()[1]), '\n'.join(said)
            said.append(line)
        raise Gone('silence')

    def close(self):
        self.channel.close()
        self.qemu.close()
        for log in self.qemu.host_logs:
            log.unlink(missing_ok=True)


class Side:
    """One of the two kernels, and what came out with it"""

    def __init__(self, name, kernel, root, initramfs, top):
        self.name, self.kernel, self.initramfs = name, kernel, initramfs
        self.top = top / name
        self.identity = hashlib.sha256(repr((
            sha256(kernel), root.name, sha256(HERE / 'init.sh'), qemu.binary(), LIMIT,
            MACHINES)).encode()).hexdigest()
        self.results = {}

    def path(self, binary):
        return self.top / f'{binary}.json'

    def load(self, binary):
        """{subtest: [[outcome, why, seconds], ...]}, if nothing has changed since"""
        try:
            kept = json.loads(self.path(binary).read_text())
        except (FileNotFoundError, ValueError):
            kept = {}
        if kept.get('of') != self.identity:
            shutil.rmtree(self.top / binary, ignore_errors=True)
            kept = {'results': {}}
        self.results[binary] = kept['results']

    def note(self, binary, subtest, outcome, why, seconds):
        self.results[binary].setdefault(subtest, []).append([outcome, why, round(seconds, 1)])
        write_if_changed(self.path(binary), json.dumps(
            {'of': self.identity, 'results': self.results[binary]}, indent=0).encode())

    def outcomes(self, binary, subtest):
        return [result[0] for result in self.results[binary].get(subtest, ())]

    def run(self, binary, subtests, deadline):
        """All of these, until the deadline"""
        for setup in MACHINES:
            self._run_on(setup, binary, [subtest for subtest in subtests
                                         if machine(binary, subtest) == setup], deadline)

    def _run_on(self, setup, binary, subtests, deadline):
        guest = None
        directory = self.top / binary
        directory.mkdir(parents=True, exist_ok=True)
        try:
            for subtest in subtests:
                if time.monotonic() > deadline:
                    return
                if not guest:
                    number = 1 + len(list(directory.glob('qemu-*.log')))
                    guest = Guest(setup, Files(directory, self.kernel, self.initramfs), number)
                if not self._run_one(guest, binary, subtest, directory):
                    guest.close()
                    guest = None
        finally:
            if guest:
                guest.close()

    def _run_one(self, guest, binary, subtest, directory):
        """Whether the guest lives"""
        start = time.monotonic()
        try:
            status, said = guest.run(binary, subtest)
            outcome, why = verdicts.outcome(status, said)
        except Gone as gone:
            outcome, why, said = verdicts.HANG, str(gone), ''
        seconds = time.monotonic() - start
        self.note(binary, subtest, outcome, why, seconds)
        if outcome != verdicts.PASS:
            with open(directory / 'output.log', 'a') as log:
                log.write(f'{binary}@{subtest}: {outcome}\n{said}\n')
        say(f'{self.name} {binary}@{subtest}: {outcome} {why} [{human(seconds)}]')
        return outcome != verdicts.HANG

    def log(self, binaries):
        """All that the kernel said"""
        return ''.join(path.read_text(errors='replace') for path in
                       (self.top / binary / 'console.log' for binary in binaries)
                       if path.exists())


def listed(root, binary):
    r = rootfs.run_in(root, f'{PROGRAMS}/{binary}', '--list-subtests')
    if r.returncode:
        raise Unmade(f'{binary} does not name its subtests: {r.stderr.strip()}')
    return r.stdout.split()


def chosen(root, tests):
    """{binary: [subtest]}"""
    found = {}
    for test in tests:
        binary, _, pattern = test.partition('@')
        names = found.setdefault(binary, [])
        names += [name for name in fnmatch.filter(listed(root, binary), pattern or '*')
                  if name not in names]
    return found


def make_initramfs(root, top):
    """All of the Debian, and process 1."""
    path = top / f'{root.name}-{sha256(HERE / "init.sh")[:12]}.cpio'
    if path.exists():
        return path
    for old in top.glob('*.cpio'):
        old.unlink()
    init = {'init': (HERE / 'init.sh').read_bytes()}
    of_directory(root, path.with_suffix('.new'), init).rename(path)
    return path


def pairs_of(binary, names, sides, expected):
    """What came out of each subtest"""
    ours, stock = sides
    for name in names:
        test = f'{binary}@{name}'
        whys = [why for side in sides for _, why, _ in side.results[binary].get(name, ()) if why]
        yield verdicts.Pair(test, ours.outcomes(binary, name), stock.outcomes(binary, name),
                            expected.of(test), ''.join(whys[:1]))


def run_binary(binary, names, sides, expected, deadline):
    for side in sides:
        side.run(binary, [name for name in names if not side.outcomes(binary, name)], deadline)
    while time.monotonic() < deadline:
        again = [pair.test.partition('@')[2] for pair in pairs_of(binary, names, sides, expected)
                 if pair.to_repeat]
        if not again:
            break
        for side in sides:
            side.run(binary, [name for name in again
                              if len(side.outcomes(binary, name)) < verdicts.TRIES], deadline)


def report(pairs, splats, top):
    """The exit status"""
    lines = [*verdicts.table(pairs), '', *verdicts.differences(pairs),
             f'only ours says to its log: {len(splats)}', *(f'    {line}' for line in splats)]
    (top / 'igt.txt').write_text('\n'.join(lines) + '\n')
    say('\n'.join(['', *lines, '']))
    left = sum(not pair.whole for pair in pairs)
    if left:
        say(f'{left} subtests are not done: another run goes on from here')
    passed, skipped = (sum(set(pair.ours) == {what} for pair in pairs)
                       for what in (verdicts.PASS, verdicts.SKIP))
    say(f'{sum(pair.neither for pair in pairs)} pass with neither kernel')
    say(f'{passed} passed, {sum(pair.worse for pair in pairs) + bool(splats)} failed, '
        f'{skipped} skipped')
    return verdicts.status(pairs, splats)


@contextlib.contextmanager
def alone(top):
    """Nobody else's run notes what comes out meanwhile."""
    with open(top / '.lock', 'w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Unmade(f'another run is busy in {top}') from error
        yield


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--kernel', default='7.3')
    parser.add_argument('--minutes', type=float, default=24 * 60, help='the limit of this run')
    parser.add_argument('test', nargs='*', default=BINARIES,
                        help='BINARY or BINARY@PATTERN, any of IGT (default: %(default)s)')
    return parser.parse_args()


def run_all(options, build, root, top):
    initramfs = make_initramfs(root, top)
    sides = [Side(name, build / image, root, initramfs, top) for name, image in SIDES.items()]
    expected = verdicts.Expected(build / 'source' / XFAILS)
    deadline = time.monotonic() + options.minutes * 60
    pairs = []
    for binary, names in chosen(root, options.test).items():
        for side in sides:
            side.load(binary)
        run_binary(binary, names, sides, expected, deadline)
        pairs += pairs_of(binary, names, sides, expected)
    if not pairs:
        raise Unmade(f'there is no such subtest: {" ".join(options.test)}')
    splats = verdicts.splats(*(side.log(sides[0].results) for side in sides))
    return report(pairs, splats, top)


def run():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = arguments()
    build, top = BUILD / options.kernel, BUILD / 'igt'
    if why := rootfs.missing():
        say(f'skip igt: {why}')
        return 0
    for image in SIDES.values():
        if not (build / image).exists():
            raise Unmade(f'no {build / image}: make kernel KERNEL={options.kernel}, '
                         'once with STOCK=1')
    root = rootfs.make('igt', (PACKAGE,), suite=SUITE)
    top.mkdir(exist_ok=True)
    with alone(top):
        try:
            return run_all(options, build, root, top)
        except Failure as error:
            raise Unmade(str(error)) from error


if __name__ == '__main__':
    main('test-igt', run)
