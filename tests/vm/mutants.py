#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Breaks the driver on purpose, and looks whether the scenarios notice.

A mutant is a semantic patch in tests/mutants, on top of the hooked driver. Its
header says what must happen, as that of a hook does, and

  //! what TEXT               the mistake, in words
  //! caught SCENARIO REGEX   this scenario fails, saying so

The tree is changed in place, and put back: what was changed is recorded first, so
that also after an interruption the next build restores it.
"""

import argparse
import dataclasses
import os
import re
import sys
from pathlib import Path

import run              # first: it says where those of scripts/ are
import common
import hooks
import kernel as build
from verdict import Failure, Skip, Unusable

REPO = Path(__file__).resolve().parents[2]
MUTANTS = REPO / 'tests/mutants'
DRIVER = 'drivers/gpu/drm/amd/'
HEADER = re.compile(r'//! (what|caught) (.+)')


@dataclasses.dataclass
class Mutant:
    name: str
    what: str
    caught: list            # (scenario, regular expression) each
    rule: Path = None       # None: the driver as upstream has it

    @classmethod
    def read(cls, path):
        what, caught = '', []
        for line in path.read_text().splitlines():
            match = HEADER.fullmatch(line)
            if match and match[1] == 'what':
                what = match[2]
            elif match:
                caught.append(tuple(match[2].split(' ', 1)))
        if not what or not caught or any(len(pair) != 2 for pair in caught):
            raise Unusable(f'{path.name}: wants "//! what TEXT" and '
                           '"//! caught SCENARIO REGEX"')
        return cls(path.stem, what, caught, path)

    def apply(self, tree, pristine):
        """The files of the driver that differ; path: bytes."""
        files = hooks.Files(tree)
        if self.rule:
            hooks.apply_rule(files, self.rule, REPO / 'hooks/macros.h')
        else:
            for name in attached(tree):
                # the configuration stays as it is
                if name.startswith(DRIVER) and (pristine / name).exists() and \
                        not name.endswith('Kconfig'):
                    files.changed[name] = (pristine / name).read_bytes()
        return files.changed


UPSTREAM = Mutant('upstream', 'the driver as the kernel has it', [
    ('amdgpu_s4', r'0 of 5 hubs had their fault interrupt armed'),
    ('amdgpu_fault_partition', r'amdgpu was not given up'),
])


def attached(tree):
    return set((tree.parent / 'attached').read_text().split('\n')) - {''}


class Workshop:
    """The driver's source and objects, and the guest that it is tried in."""

    def __init__(self, name, variant):
        os.environ.update(KERNEL=name, DEBUG=str(int(variant == 'debug')), STOCK='0',
                          AMDGPU='1')
        self.kernel = build.Kernel()    # which takes it from there
        self.kernel.log = self.kernel.out / 'mutants.log'
        self.kernel.log.write_text('')
        self.bench = run.Bench(name, variant, keep=False, driver_image='initramfs-mutant')
        self.bench.parts()              # is there what is needed?
        self.original = {}              # path: bytes

    def change(self, changed):
        tree = self.kernel.tree
        record = tree.parent / 'attached'
        names = attached(tree) | set(changed)
        common.write_if_changed(record, '\n'.join(sorted(names)).encode())
        for path, data in changed.items():
            self.original.setdefault(path, (tree / path).read_bytes())
            common.write_if_changed(tree / path, data)

    def restore(self):
        for path, data in self.original.items():
            common.write_if_changed(self.kernel.tree / path, data)
        self.original = {}

    def compile(self):
        """amdgpu.ko of the source as it is now."""
        self.kernel.compile_amdgpu()
        self.bench.forget_parts()
        self.bench.parts()
        if self.original:       # nobody else shall take it for the driver
            (self.kernel.out / 'amdgpu/built-for').unlink()

    def why_it_fails(self, scenario):
        """What the scenario has to say against this driver; None if nothing."""
        (_, path, _), = run.choose([scenario])
        with self.bench.files(f'mutant_{scenario}') as files:
            module = run.load(path)
            vm = self.bench.vm(module.SETUP, files)
            try:
                module.story(vm)
                vm.final_check()
            except Failure as error:
                return str(error)
            finally:
                vm.close()
        return None


def try_out(workshop, mutant):
    """Whether each scenario that should catch it does; prints a line for each."""
    try:
        workshop.change(mutant.apply(workshop.kernel.tree, workshop.kernel.pristine))
        workshop.compile()
    except common.Failure as error:
        run.say(f'FAIL {mutant.name}: {error}')
        return run.Outcome(failed=1)
    total = run.Outcome()
    for scenario, pattern in mutant.caught:
        reason = workshop.why_it_fails(scenario)
        good = reason and re.search(pattern, reason)
        run.say(f'{"ok" if good else "FAIL"} {mutant.name:24} {scenario:24} '
                f'{reason or "saw nothing"}')
        total += run.Outcome(passed=1) if good else run.Outcome(failed=1)
    return total


def try_unchanged(workshop, mutants):
    """The driver as it is passes all that caught the others."""
    workshop.compile()
    total = run.Outcome()
    for scenario in sorted({name for mutant in mutants for name, _ in mutant.caught}):
        reason = workshop.why_it_fails(scenario)
        run.say(f'{"FAIL" if reason else "ok"} {"(unchanged)":24} {scenario:24} '
                f'{reason or "passes"}')
        total += run.Outcome(failed=1) if reason else run.Outcome(passed=1)
    return total


def choose(names):
    known = {path.stem: Mutant.read(path) for path in sorted(MUTANTS.glob('*.cocci'))}
    known[UPSTREAM.name] = UPSTREAM
    for name in names:
        if name not in known:
            raise Unusable(f'no mutant "{name}"; there are: {", ".join(known)}')
    return [known[name] for name in names] or list(known.values())


def main():
    parser = argparse.ArgumentParser(description='Breaks the driver, looks who notices.')
    parser.add_argument('--kernel', default='6.12')
    parser.add_argument('--variant', default='normal', choices=('normal', 'debug'))
    parser.add_argument('mutant', nargs='*', help='default: all')
    arguments = parser.parse_args()
    mutants = choose(arguments.mutant)
    total = run.Outcome()
    with build.lock():
        try:
            workshop = Workshop(arguments.kernel, arguments.variant)
        except Skip as why:
            raise Unusable(str(why)) from why
        for mutant in mutants:
            run.say(f'{mutant.name}: {mutant.what}')
            try:
                total += try_out(workshop, mutant)
            finally:
                workshop.restore()
        total += try_unchanged(workshop, mutants)
    run.say(total.sentence())
    return total.status()


if __name__ == '__main__':
    sys.exit(run.guarded(main))
