#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs the scenarios and unit tests in QEMU and says what came out."""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import errno
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback
import unittest
from pathlib import Path

import amdgpu
import klog
import ktap
import model
import own_host
import qemu
import selftest
import shared
import vhost_user
from initramfs import build_initramfs, with_files
from verdict import Failure, Skip, Unusable
from vm import Files, Setup, Vm

REPO = Path(__file__).resolve().parents[2]
SCENARIOS = REPO / 'tests/scenarios'
# Every suite of ours has "virt" in its name, and no other suite is built in.
KUNIT_SUITES = '*virt*'
KUNIT_REQUIRED = ('drm_virt_pm', 'virtio_gpu_pm')
KUNIT_REQUIRED_OF_MODULES = ('amdgpu_virt_pm',)
# make test-amdgpu runs the others
AMDGPU_ESSENCE = ('amdgpu_s4', 'amdgpu_lost_compute', 'mixed_sleep')
# Variations of what the debug kernel runs, and what that one cannot run: make test
# runs each on one of the other kernels, without debugging.
VARIATIONS = ('context_init', 'function_reset', 'gl_2d', 'qxl_heads', 's3_twice',
              's3_no_soft_reset', 's4_blob', 's4_again', 's4_image_too_big', 's4_fbcon',
              's4_refused', 's4_many_users', 's4_two_outputs', 's4_resource_create',
              'second_image', 's4_virtio_vga', 'two_gpus', 'test_resume', 'wakeup_pending',
              'host_faults', 'qxl_unbind', 'gl_other_host', 'gl_too_large',
              'features_gone')
HISTORIES = 'virtio_gpu_pm_histories'
HISTORIES_TIMEOUT = 3600
MODULES_FOLLOW = 'tests of modules follow'
IMAGES = {'normal': 'bzImage', 'debug': 'debug/bzImage',
          'stock': 'stock/bzImage', 'stock-debug': 'stock-debug/bzImage',
          'series': 'series/bzImage',
          'arm64': 'arm64/Image', 'arm64-64k': 'arm64-64k/Image'}
CROSS = {'x86': '', 'arm64': 'aarch64-linux-gnu-'}
TIMEOUT, TIMEOUT_DEBUG = 200, 480
DISK_PER_JOB = 1 << 30
# A story that holds for any of our drivers says so: DEVICES, of which the first is the
# one that it is told about. "qxl:NAME" runs it over a qxl, "qxl:all" all of these.
VIRTIO, QXL = 'virtio-gpu', 'qxl'
QXL_ESSENCE = ('qxl:s4', 'qxl:s3')
CONSOLE_TAIL = 25

_print_lock = threading.Lock()


@dataclasses.dataclass
class Bench:
    """Which kernel is tested, and where the results go."""

    kernel: str
    variant: str
    keep: bool
    driver_image: str = 'initramfs'     # the file with amdgpu for the guest
    host: str = ''                      # "own": the GPU is that of own_host.py

    def __post_init__(self):
        self.build = REPO / 'build' / self.kernel
        self.image = self.build / IMAGES[self.variant]
        if not self.image.exists():
            raise Unusable(f'no kernel image {self.image.relative_to(REPO)}: '
                           f'make kernel KERNEL={self.kernel}{self._make_option()}')
        self.initramfs = build_initramfs(
            REPO / 'tests/guest', self.build,
            self.build if self.arch == 'x86' else self.image.parent, CROSS[self.arch])
        modules = self.image.parent / 'modules'
        files = {module.name: module.read_bytes() for module in modules.rglob('*.ko')}
        if files:
            self.initramfs = with_files(self.initramfs, modules / 'initramfs.gz', files)
        self.runs = self.build / self.variant / 'run'
        self._parts = None
        self._parts_lock = threading.Lock()

    @property
    def hooked(self):
        return not self.variant.startswith(('stock', 'series'))

    @property
    def arch(self):
        return 'arm64' if self.variant.startswith('arm64') else 'x86'

    def _make_option(self):
        if self.arch == 'arm64':
            return ' ARCH=arm64' + ' PAGES=64k' * self.variant.endswith('64k')
        return ((' DEBUG=1' if self.variant.endswith('debug') else '') +
                ('' if self.hooked else ' STOCK=1'))

    @contextlib.contextmanager
    def files(self, name):
        """A work directory of its own, empty, and nobody else's meanwhile."""
        directory = self.runs / name
        self.runs.mkdir(parents=True, exist_ok=True)
        with open(self.runs / f'.{name}.lock', 'w') as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Failure(f'another run is busy in {directory.relative_to(REPO)}') \
                    from error
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir()
            # a copy: a kernel that is rebuilt in between could not resume
            files = Files(directory, directory / 'bzImage', self.initramfs,
                          self.image.parent / 'vmlinux')
            shutil.copyfile(self.image, files.kernel)
            try:
                yield files
            finally:
                if not self.keep:
                    files.swap.unlink(missing_ok=True)
                    files.kernel.unlink()

    def vm(self, setup, files, timeout=0):
        debug = self.variant.endswith('debug')
        options = {'debug': debug, 'hooked': self.hooked,
                   'timeout': timeout or (TIMEOUT_DEBUG if debug else TIMEOUT)}
        if (self.host or setup.host) and not isinstance(setup, own_host.OwnHostSetup):
            setup = own_host.ported(setup)
        if self.arch != 'x86':
            setup = self._ported(setup)
        if isinstance(setup, shared.SharedSetup):
            return shared.SharedVm(setup, files, self.parts(), **options)
        if isinstance(setup, model.ModelSetup):
            return model.ModelVm(setup, files, self.parts(), **options)
        if isinstance(setup, vhost_user.VhostUserSetup):
            return vhost_user.VhostUserVm(setup, files, **options)
        if isinstance(setup, own_host.OwnHostSetup):
            return own_host.OwnHostVm(setup, files, **options)
        return Vm(setup, files, **options)

    def _ported(self, setup):
        if setup.machine != Setup.machine or setup.newer_qemu or \
                isinstance(setup, model.ModelSetup):
            raise Skip(f'not on {self.arch}: it needs another machine or QEMU')
        return dataclasses.replace(setup, arch=self.arch, machine='virt',
                                   page=65536 if self.variant.endswith('64k') else 4096)

    def parts(self):
        """What the scenarios with the model of a GPU share; made once."""
        with self._parts_lock:
            if not self._parts:
                self._parts = self._make_parts()
        return self._parts

    def forget_parts(self):
        """The driver is another one from now on."""
        self._parts = None

    def _make_parts(self):
        if self.arch != 'x86':
            raise Skip(f'no model of a GPU on {self.arch}')
        directory = self.image.parent / 'amdgpu'
        stamp = directory / 'built-for'
        vmlinux = self.image.parent / 'vmlinux'
        if not stamp.exists() or stamp.read_text() != \
                hashlib.sha256(vmlinux.read_bytes()).hexdigest():
            raise Skip('no amdgpu.ko of this kernel: make kernel AMDGPU=1'
                       f' KERNEL={self.kernel}{self._make_option()}')
        program = model.build_model(self.build / 'source', self.build / 'models')
        modules = amdgpu.modules(directory / 'obj')
        initramfs = directory / self.driver_image
        amdgpu.with_driver(self.initramfs, initramfs, modules)
        return model.Parts(program, initramfs, modules)


@dataclasses.dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def sentence(self):
        skipped = f', {self.skipped} skipped' if self.skipped else ''
        return f'{self.passed} passed, {self.failed} failed{skipped}'

    def status(self):
        """Of the program's exit: nothing tested is no success."""
        return 1 if self.failed or not self.passed else 0

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self


def say(*lines):
    if qemu.stopping():
        return                  # what fails now fails because it was interrupted
    with _print_lock:
        print('\n'.join(lines), flush=True)


def say_failure(name, reason, files, also=()):
    lines = [f'FAIL {name}: {reason}']
    lines += [f'    also {where}: {line}' for where, line in also[:5]]
    if len(also) > 5:
        lines.append(f'    also {len(also) - 5} more')
    if files:
        tail = files.console_text().replace('\r', '').rstrip().split('\n')[-CONSOLE_TAIL:]
        lines.append(f'    --- the end of {files.console.relative_to(REPO)}')
        lines += [f'    | {line}' for line in tail]
        lines.append(f'    --- all of it in {files.directory.relative_to(REPO)}')
    say(*lines)


# Scenarios


def scenarios():
    """Name: file of every scenario in the repository."""
    return {path.stem: path for path in sorted(SCENARIOS.glob('*.py'))}


def wants_amdgpu(name):
    """Whether a scenario, or a file that has one, is with the model of a GPU."""
    return Path(name).name.startswith(('amdgpu_', 'mixed_'))


def amdgpu_scenarios():
    """Their names: more than fits in the time of make test."""
    return [name for name in scenarios() if wants_amdgpu(name)]


def default_scenarios():
    """What runs if nothing is named: of those with amdgpu and over a qxl the essence."""
    return [name for name in scenarios()
            if name in AMDGPU_ESSENCE or not wants_amdgpu(name)] + list(QXL_ESSENCE)


def devices(path):
    """What a scenario holds for"""
    return getattr(load(path), 'DEVICES', (VIRTIO,))


def choose(names):
    """
    (name, file, device) of these; a path to a scenario of one's own will do as well,
    whatever it says that it is for.
    """
    known = scenarios()
    chosen = {}
    for name in names or default_scenarios():
        prefix, _, rest = name.rpartition(':')
        if prefix not in ('', QXL):
            raise Unusable(f'no device "{prefix}"; there is: {QXL}')
        if name == f'{QXL}:all':
            chosen.update({found: chosen_one for found, chosen_one in _all_over_qxl(known)})
            continue
        path = Path(rest)
        ours = rest in known
        if ours:
            path = known[rest]
        elif path.suffix != '.py' or not path.is_file():
            raise Unusable(f'no scenario "{rest}"; there are: {", ".join(known)}')
        over = devices(path)
        if prefix and ours and prefix not in over:
            raise Unusable(f'{rest} is not a scenario for a {prefix}')
        chosen[f'{QXL}:{path.stem}' if prefix else path.stem] = path, prefix or over[0]
    return [(name, *which) for name, which in chosen.items()]


def _all_over_qxl(known):
    for name, path in known.items():
        over = devices(path)
        if QXL in over:
            yield name if over[0] == QXL else f'{QXL}:{name}', (path, QXL)


def load(path):
    spec = importlib.util.spec_from_file_location(f'scenario_{path.stem}', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_scenario(bench, name, path, device):
    try:
        with bench.files(name.replace(':', '-')) as files:
            return _run_in(bench, name, path, device, files)
    except Failure as error:                # there was no directory to run it in
        say_failure(name, error, None)
        return Outcome(failed=1)


def _run_in(bench, name, path, device, files):
    started = time.monotonic()
    vm = None
    try:
        module = load(path)
        setup = getattr(module, 'SETUP', Setup())
        if device == QXL and not setup.qxl:
            setup = setup.over_qxl()
        vm = bench.vm(setup, files)
        module.story(vm)
        vm.final_check()
    except Skip as why:
        say(f'skip {name}: {why}')
        return Outcome(skipped=1)
    except Failure as error:
        say_failure(name, error, files, _other_problems(vm, str(error)))
        return Outcome(failed=1)
    except OSError as error:
        full = ' (the disk is full)' if error.errno == errno.ENOSPC else ''
        say_failure(name, f'{error}{full}', files)
        return Outcome(failed=1)
    except Exception as error:      # a mistake in the scenario fails it, not the run
        (files.directory / 'traceback.txt').write_text(traceback.format_exc())
        say_failure(name, f'{type(error).__name__}: {error} (see traceback.txt)', files)
        return Outcome(failed=1)
    finally:
        if vm:
            vm.close()
    say(f'ok {name} ({time.monotonic() - started:.0f} s)')
    return Outcome(passed=1)


def _other_problems(vm, reason):
    """What else the logs have to say, which is often the cause."""
    return [(where, line) for where, line in vm.log_problems()
            if line not in reason] if vm else []


# Unit tests


def run_unit(bench):
    """Boots once with KUnit on; every case counts."""
    try:
        with bench.files('kunit') as files:
            return _run_unit_in(bench, 'kunit', files)
    except Failure as error:
        say_failure('kunit', error, None)
        return Outcome(failed=1)


def _run_unit_in(bench, name, files):
    started = time.monotonic()
    modules, required = [], KUNIT_REQUIRED
    try:
        parts = bench.parts()
        files = dataclasses.replace(files, initramfs=parts.initramfs)
        modules = [module for module, _ in parts.modules]
        required += KUNIT_REQUIRED_OF_MODULES
        skipped = 0
    except Skip as why:
        say(f'skip {name}:amdgpu: {why}')
        skipped = 1
    vm = bench.vm(Setup(kunit=KUNIT_SUITES, cpus=2), files)
    results = _judge_unit(name, vm, files, modules, required, started)
    return dataclasses.replace(results, skipped=results.skipped + skipped)


def _judge_unit(name, vm, files, modules, required, started):
    problems = []
    try:
        vm.power_on()
        vm.guest.write('/dev/kmsg', f'{MODULES_FOLLOW}\n')
        for module in modules:      # its suites run when it is loaded
            vm.guest.do(f'load-module /lib/modules/{module}.ko')
        vm.close_kernel_log()
    except Failure as error:
        problems.append(str(error))
    finally:
        vm.close()
    text = files.console_text()
    built_in, _, of_modules = text.partition(MODULES_FOLLOW)
    results = ktap.parse(built_in)
    if modules:
        results += ktap.parse(of_modules)
    problems += results.problems
    problems += [f'no suite {prefix}* ran' for prefix in required
                 if not any(suite.startswith(prefix) for suite in results.suites)]
    problems += klog.splats(text)
    _say_unit_results(name, results, problems, files, time.monotonic() - started)
    return Outcome(len(results.passed), len(results.failed) + bool(problems),
                   len(results.skipped))


def run_histories(bench, steps, seed):
    """More of the random histories of the unit tests, or one that failed."""
    started = time.monotonic()
    words = f'virtio_gpu.history_steps={steps} virtio_gpu.history_seed={seed}'
    try:
        with bench.files('histories') as files:
            vm = bench.vm(Setup(kunit=HISTORIES, cpus=2, more_command_line=words), files,
                          timeout=HISTORIES_TIMEOUT)
            outcome = _judge_unit('histories', vm, files, [], (HISTORIES,), started)
            done = sum(int(n) for n in re.findall(r'# .*: (\d+) steps$', files.console_text(),
                                                  re.M))
            say(f'histories: {done} steps from seed {seed} on')
            for line in re.findall(r'# \S*histories: (.*seed .*|    .*)$',
                                   files.console_text().replace('\r', ''), re.M):
                say(f'    {line}')
            return outcome
    except Failure as error:
        say_failure('histories', error, None)
        return Outcome(failed=1)


def _say_unit_results(name, results, problems, files, seconds):
    for case in results.skipped:
        say(f'skip {name}:{case}')
    for case in results.failed:
        say(f'FAIL {name}:{case}')
    if problems:
        say_failure(name, problems[0], files, [(name, p) for p in problems[1:]])
    elif results.failed:
        say(f'    see {files.console.relative_to(REPO)}')
    else:
        say(f'ok {name}: {len(results.passed)} cases in {len(results.suites)} suites '
            f'({seconds:.0f} s)')


def run_selftest():
    """The judges on trial: a judge that lets everything pass is worse than none."""
    suite = unittest.defaultTestLoader.loadTestsFromModule(selftest)
    result = unittest.TestResult()
    suite.run(result)
    bad = result.failures + result.errors
    for test, trace in bad:
        say(f'FAIL selftest:{test.id()}: {trace.strip().splitlines()[-1]}')
    good = result.testsRun - len(bad) - len(result.skipped)
    if not bad:
        say(f'ok selftest: {good} cases')
    return Outcome(good, len(bad), len(result.skipped))


def run_checks(bench):
    """Those of make check that read files only."""
    checks = subprocess.run([sys.executable, REPO / 'scripts/check.py', '--quick'],
                            env=dict(os.environ, KERNEL=bench.kernel),
                            stdout=subprocess.PIPE, text=True)
    *lines, summary = checks.stdout.splitlines() or ['']
    say(*lines)
    counts = re.fullmatch(r'(\d+) passed, (\d+) failed(?:, (\d+) skipped)?', summary)
    if not counts:
        say(f'FAIL checks: {summary or "ended without a result"}')
        return Outcome(failed=1)
    return Outcome(*(int(count or 0) for count in counts.groups()))


def run_series(bench):
    """The series can be written, each hook has what it changes at its patch, and
    checkpatch has nothing to say."""
    done = subprocess.run([sys.executable, REPO / 'scripts/series_check.py'],
                          env=dict(os.environ, KERNEL=bench.kernel, DEBUG='0', STOCK='0',
                                   COMPILE='0'), text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = done.stdout.strip().splitlines()[-1:]
    say(f'{"FAIL" if done.returncode else "ok"} series: {" ".join(said)}')
    return Outcome(failed=1) if done.returncode else Outcome(passed=1)


def run_models(bench):
    """The models of devices compile against this kernel's headers, and start."""
    program = None
    try:
        program = model.build_model(bench.build / 'source', bench.build / 'models')
        subprocess.run([program, '--help'], check=True, capture_output=True)
    except (Unusable, subprocess.CalledProcessError) as error:
        say(f'FAIL models: {error}')
        return Outcome(failed=1)
    say('ok models: compiled against the kernel')
    return Outcome(passed=1)


# The command line


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kernel', default='6.12', help='version (default: 6.12)')
    parser.add_argument('--variant', default='normal', choices=IMAGES)
    parser.add_argument('--host', choices=['own'], default='',
                        help='the GPU is that of tests/models/virtio-gpu')
    parser.add_argument('--jobs', type=int, default=2, help='how many at once (default: 2)')
    parser.add_argument('--list', action='store_true', help='only name the scenarios')
    parser.add_argument('--keep', action='store_true', help='keep the disks as well')
    parser.add_argument('--unit', action='store_true',
                        help='KUnit; without a SCENARIO only that and the self-test')
    parser.add_argument('--histories', metavar='STEPS', type=int,
                        help='only random histories of virtio-gpu, so many steps')
    parser.add_argument('--seed', type=int, default=1, help='of the first (default: 1)')
    parser.add_argument('--no-variations', action='store_true',
                        help='without the scenarios that make test runs on other kernels')
    parser.add_argument('--total', metavar='FILE', type=Path,
                        help='write the counts there; somebody else sums them up')
    parser.add_argument('scenario', nargs='*', metavar='SCENARIO',
                        help='name, or a file; qxl:NAME is over a qxl, qxl:all are all that '
                             'can be (default: those of make test, and the unit tests)')
    return parser.parse_args()


def list_scenarios():
    for name, path in scenarios().items():
        lines = (load(path).__doc__ or '').strip().splitlines()
        print(f'{name:24} {lines[0] if lines else ""}')


def check_disk(bench, jobs):
    free = shutil.disk_usage(bench.build).free
    if free < DISK_PER_JOB * jobs:
        raise Unusable(f'{free >> 20} MiB left on the disk of {bench.build}; '
                       f'{jobs} jobs need {DISK_PER_JOB * jobs >> 20}')


def tasks(bench, arguments):
    """What is to be run in QEMU, the longest of it not at the end."""
    chosen = choose(arguments.scenario) if arguments.scenario or not arguments.unit else []
    if arguments.no_variations:
        chosen = [which for which in chosen if which[0] not in VARIATIONS]
    jobs = [lambda which=which: run_scenario(bench, *which) for which in chosen]
    if arguments.unit or (not arguments.scenario and bench.hooked):
        jobs.insert(0, lambda: run_unit(bench))
    return jobs


def run_all(jobs, count):
    total = Outcome()
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(job) for job in jobs]
        try:
            for future in concurrent.futures.as_completed(futures):
                total += future.result()
        except BaseException:
            qemu.kill_all()
            pool.shutdown(cancel_futures=True)
            raise
    return total


def main():
    arguments = parse_arguments()
    if arguments.list:
        list_scenarios()
        return 0
    if arguments.jobs < 1:
        raise Unusable('--jobs wants a number from 1 on')
    choose(arguments.scenario)
    bench = Bench(arguments.kernel, arguments.variant, arguments.keep, host=arguments.host)
    qemu.binary(bench.arch)
    check_disk(bench, arguments.jobs)
    if arguments.histories:
        total = run_histories(bench, arguments.histories, arguments.seed)
        say(total.sentence())
        return total.status()
    total = Outcome()
    if not arguments.scenario:
        total += run_selftest()
        total += run_models(bench)
    if arguments.unit or not arguments.scenario:
        total += run_series(bench)
    if not arguments.scenario and not arguments.unit:
        total += run_checks(bench)
    total += run_all(tasks(bench, arguments), arguments.jobs)
    if arguments.total:
        arguments.total.write_text(json.dumps(dataclasses.asdict(total)))
    say((f'{arguments.kernel}: ' if arguments.total else '') + total.sentence())
    return total.status()


def guarded(program):
    """Runs a whole program; every end of it is one line and an exit status."""
    def interrupt(*_):
        raise KeyboardInterrupt

    # also where a shell started us in the background, with SIGINT ignored
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    try:
        return program()
    except Unusable as error:
        print(f'error: {error}', file=sys.stderr)
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        return 130
    except BrokenPipeError:                 # nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f'error: {error}', file=sys.stderr)
    return 2


if __name__ == '__main__':
    sys.exit(guarded(main))
