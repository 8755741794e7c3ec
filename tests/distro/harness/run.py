#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
make test-distro: the package in a Debian 13 with its stock kernel and desktops.

A story is a file in tests/distro: a docstring that says what must hold, an optional
SETUP, READS for what else it takes from this repository, and story(vm). One that passed
is not run again until something that it is made from changes; --again runs it all the
same.
"""

import argparse
import hashlib
import importlib.util
import json
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

HARNESS = Path(__file__).resolve().parent
REPO = HARNESS.parents[2]
STORIES = HARNESS.parent
for directory in ('tests/vm', 'scripts'):
    sys.path.insert(0, str(REPO / directory))
sys.dont_write_bytecode = True
import deb                      # noqa: E402
import image                    # noqa: E402
import qemu                     # noqa: E402
import virsh                    # noqa: E402
from common import Failure as Unbuilt, human, main, say, sha256     # noqa: E402
from machine import Machine, Setup      # noqa: E402
from verdict import Failure, Skip       # noqa: E402

# the harness, and what it uses of the other one
OWN = sorted(Path(module.__file__) for module in list(sys.modules.values())
             if str(getattr(module, '__file__', None)).startswith(f'{REPO}/tests/'))
RESULTS = image.DISTRO / 'passed.json'
# the failure, and that it is gone
QUICK = ('stock_hibernate', 'weston_hibernate', 'console_hibernate')
TAIL = 20


def stories():
    return {path.stem: path for path in sorted(STORIES.glob('*.py'))}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('name', nargs='*', help='only these stories')
    parser.add_argument('--quick', action='store_true', help='only ' + ', '.join(QUICK))
    parser.add_argument('--again', action='store_true', help='also what passed before')
    parser.add_argument('--keep', action='store_true', help='the disks as well')
    parser.add_argument('--package', type=Path, help='this .deb, in place of building one')
    parser.add_argument('--list', action='store_true', help='only name them')
    return parser.parse_args()


def chosen(arguments):
    known = stories()
    for name in arguments.name:
        if name not in known:
            raise Unbuilt(f'no story "{name}"; there are: {", ".join(known)}')
    return {name: known[name] for name in
            arguments.name or (QUICK if arguments.quick else known)}


def load(path):
    spec = importlib.util.spec_from_file_location(f'story_{path.stem}', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def identity(path, disk, package, reads):
    h = hashlib.sha256(f'{disk.name} {sha256(package)} {qemu.binary()} {reads!r}'.encode())
    for source in [path, *OWN]:
        h.update(source.read_bytes())
    return h.hexdigest()


def passed_before():
    try:
        return json.loads(RESULTS.read_text())
    except (FileNotFoundError, ValueError):
        return {}


def note(name, value):
    results = passed_before()
    results.pop(name, None)
    if value:
        results[name] = value
    RESULTS.write_text(json.dumps(results, indent=1))


def tell_failure(name, reason, directory, vm):
    lines = [f'FAIL {name}: {reason}']
    if vm:
        lines += [f'    also {line}' for line in vm.log_problems()[:5] if line != reason]
        if vm.console.exists():
            tail = vm.console.read_text(errors='replace').replace('\r', '').rstrip()
            lines += [f'    | {line}' for line in tail.split('\n')[-TAIL:]]
    lines.append(f'    all of it is in {directory.relative_to(REPO)}')
    say('\n'.join(lines))


def tell(name, path, arguments, package, disks):
    """True if it passed, False if it failed, None if it was skipped"""
    module = load(path)
    setup = getattr(module, 'SETUP', Setup())
    disk = disks(setup.package)
    key = identity(path, disk, package, getattr(module, 'READS', None))
    before = passed_before().get(name)
    if before and before['of'] == key and not (arguments.again or arguments.name):
        say(f'ok {name} (passed at {before["at"]}, nothing changed since)')
        return True
    note(name, None)
    directory = image.DISTRO / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    say(f'run {name}: {module.__doc__.strip().splitlines()[0]}')
    start = time.monotonic()
    vm = None
    try:
        vm = (virsh.Machine if setup.libvirt else Machine)(setup, disk, directory)
        vm.package = package
        vm.say = lambda text: say(f'  {name}: {text} [{human(time.monotonic() - start)}]')
        module.story(vm)
        vm.final_check()
    except Skip as why:
        say(f'skip {name}: {why}')
        return None
    except Exception as error:
        if not isinstance(error, Failure):
            (directory / 'traceback.txt').write_text(traceback.format_exc())
            error = f'{type(error).__name__}: {error} (see traceback.txt)'
        tell_failure(name, error, directory, vm)
        return False
    finally:
        if vm:
            try:
                vm.save('end')
            except Failure:
                pass
            finally:            # also when the run is interrupted meanwhile
                vm.close()
            if not arguments.keep:
                vm.disk.unlink(missing_ok=True)
    took = time.monotonic() - start
    say(f'ok {name} ({human(took)})')
    note(name, {'of': key, 'at': time.strftime('%Y-%m-%d %H:%M'), 'seconds': round(took)})
    return True


def run():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = parse_arguments()
    todo = chosen(arguments)
    if arguments.list:
        for name, path in todo.items():
            say(f'{name:24} {load(path).__doc__.strip().splitlines()[0]}')
        return 0
    image.DISTRO.mkdir(parents=True, exist_ok=True)
    package = arguments.package or deb.build()[0]
    made = {}

    def disks(with_package):
        if with_package not in made:
            made[with_package] = image.disk(package if with_package else None)
        return made[with_package]
    results = [tell(name, path, arguments, package, disks)
               for name, path in todo.items()]
    skipped = results.count(None)
    say(f'{results.count(True)} passed, {results.count(False)} failed' +
        (f', {skipped} skipped' if skipped else '') +
        f'; pictures are in {image.DISTRO.relative_to(REPO)}/')
    return 1 if False in results or True not in results else 0


if __name__ == '__main__':
    main('test-distro', run)
