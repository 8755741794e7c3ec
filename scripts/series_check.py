# SPDX-License-Identifier: GPL-2.0-only
"""Proves the series of a kernel, patch by patch, in a fresh tree.

Each patch has to please checkpatch --strict, apply with git am, compile without
a warning and boot to a picture; the files of the last tree have to be those of
attach. amdgpu is compiled from the first patch on that touches it. BOOT=0 is for
the impatient: only what a patch touches is compiled, and the kernel once, at the
end; AMDGPU=0 leaves out compiling amdgpu; COMPILE=0 only asks checkpatch; START=n only
applies those before the n-th, which were checked before. All that is said in the result.
"""
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
from common import REPO, Failure, Step, main, say               # noqa: E402
from kconfig import configure                                   # noqa: E402
from kernel import Kernel, link, lock, remove, run_logged       # noqa: E402
from series import Git, attached, author_and_date, sender, write  # noqa: E402,E501

WARNING = re.compile(r'\bwarning: ', re.I)
IGNORED = [
    'FILE_PATH_CHANGES',    # the entry in MAINTAINERS comes last
    'ALLOC_WITH_SIZEOF',    # 6.12 has no kzalloc_obj()
    'EMBEDDED_FILENAME',    # a Kconfig that sources Kconfig.virt_pm
    'CAMELCASE',            # names of AMD's registers
    'UNKNOWN_COMMIT_ID',    # of Fixes: the kernel's history is not here
]
UNSIGNED = ['MISSING_SIGN_OFF']     # whoever sends the series signs off: FROM=
CONFIGS = REPO / 'kernels'
AMD = 'drivers/gpu/drm/amd/'


class SeriesTree(Kernel):
    """A tree of its own, to which the patches are applied one by one"""

    def __init__(self):
        super().__init__()
        if self.stock or self.debug:
            raise Failure('neither DEBUG=1 nor STOCK=1 makes sense here')
        self.work = self.top / 'work/series'
        self.tree, self.obj = self.work / 'tree', self.work / 'obj'
        self.out = self.top / 'series'
        self.variant = 'series'
        self.log = self.out / 'build.log'
        self.warnings = []
        self.fragments = [CONFIGS / 'guest.config', CONFIGS / 'x86.config']
        self.boots = os.environ.get('BOOT', '1') != '0'
        self.compiles_amd = os.environ.get('AMDGPU', '1') != '0'
        self.compiles = os.environ.get('COMPILE', '1') != '0'
        self.start = os.environ.get('START', '1')

    def fresh(self, names):
        """A copy of the base; a repository of what the series touches"""
        remove(self.work)
        remove(self.out)
        self.work.mkdir()
        self.out.mkdir()
        with Step('link a fresh tree'):
            run_logged(['cp', '-al', str(self.pristine), str(self.tree)],
                       self.top / 'link.log')
        for name in names:          # no longer shared with the base
            path = self.tree / name
            data = path.read_bytes()
            path.unlink()
            path.write_bytes(data)
        git = Git(self.tree, *author_and_date())
        git('init', '-q', '-b', 'series')
        git('add', '-f', '--', *names)
        git('commit', '-qm', 'base')
        git('tag', 'base')
        return git

    def base(self):
        """Objects of the kernel that was built last are those of the base, where
        they do not depend on what the series touches: those files are newer."""
        built = self.top / 'work/ours/obj'
        if (built / 'vmlinux').exists():
            with Step('copy the objects of the kernel with all of it'):
                run_logged(['cp', '-a', str(built), str(self.obj)],
                           self.top / 'link.log')
        else:
            self.obj.mkdir()
        with Step('the base compiles'):
            self.configure_with(self.fragments)
            self.make('bzImage' if self.boots else 'prepare')

    def configure_with(self, fragments, hopes=()):
        configure(self.tree.resolve(), self.obj, fragments, self.make,
                  [h for h in hopes if h not in fragments])

    def compile_step(self, directories, last):
        """Everything that the patch touches, and a kernel that boots"""
        self.warnings = []

        def watch(line):
            if WARNING.search(line):
                self.warnings.append(line.strip())
        ours = CONFIGS / 'ours.config'
        if any(d.startswith(AMD) for d in directories):
            if self.compiles_amd:
                self.fragments = [CONFIGS / name for name in (
                    'guest.config', 'x86.config', 'amdgpu.config',
                    'series.config')]
            directories = ([f'{AMD}amdgpu/'] * self.compiles_amd +   # KFD is in it
                           [d for d in directories if not d.startswith(AMD)])
        self.configure_with(self.fragments + [ours] * last, [ours])
        if directories:     # also what nothing selects yet
            self.make('CONFIG_DRM_VIRT_PM=y', *directories, on_line=watch)
        if self.boots or last:
            self.make('bzImage', on_line=watch)
        if self.warnings:
            raise Failure(f'the compiler warns: {self.warnings[0]}')

    def boot(self):
        shutil.copyfile(self.obj / 'arch/x86/boot/bzImage', self.out / 'bzImage')
        link(self.out / 'vmlinux', self.obj / 'vmlinux')
        run_logged([sys.executable, str(REPO / 'tests/vm/run.py'), '--kernel',
                    self.name, '--variant', 'series',
                    str(REPO / 'tests/vm/boot.py')], self.out / 'boot.log')

    def checkpatch(self, patch, ignored):
        r = subprocess.run(
            ['perl', self.pristine.resolve() / 'scripts/checkpatch.pl',
             '--strict', '--no-summary', '--terse', '--show-types',
             '--ignore', ','.join(ignored), patch.resolve()],
            cwd=self.pristine, capture_output=True, text=True)
        said = (r.stdout + r.stderr).strip()
        if r.returncode or said:
            raise Failure(f'{patch.name}: checkpatch: {said.splitlines()[0]}' if said else
                          f'{patch.name}: checkpatch ended with {r.returncode}')


def touched(git):
    """The directories with a Makefile that the last patch changed"""
    names = git('diff', '--name-only', 'HEAD~', 'HEAD').split()
    found = {os.path.dirname(n) for n in names if n.endswith(('.c', '.h'))}
    return sorted(f'{d}/' for d in found if d.startswith('drivers/') and
                  (git.directory / d / 'Makefile').exists())


def same_as_attach(git, kernel):
    files = attached(kernel.pristine)
    names = set(git('diff', '--name-only', 'base', 'HEAD').split())
    for name in sorted(names ^ set(files.changed)):
        raise Failure(f'{name} is changed by ' +
                      ('the series' if name in names else 'attach') + ' only')
    for name, data in files.changed.items():
        if (git.directory / name).read_bytes() != data:
            raise Failure(f'{name} differs from what attach makes of it')
    return len(names)


def first_checked(start, count):
    """A number that is not there would check nothing, and say that all is well"""
    if not start.isdecimal() or not 1 <= int(start) <= count:
        raise Failure(f'START={start}: not a number from 1 to {count}')
    return int(start)


def check():
    kernel = SeriesTree()
    ignored = IGNORED + ([] if sender() else UNSIGNED)
    with lock():
        kernel.unpack()
        out = write(kernel)
        patches = sorted(out.glob('*.patch'))
        start = first_checked(kernel.start, len(patches))
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool, Step('checkpatch'):
            list(pool.map(lambda patch: kernel.checkpatch(patch, ignored),
                          patches[start - 1:]))
        if not kernel.compiles:
            say(f'series of {kernel.name} ({kernel.package_version}): {len(patches)} '
                'patches, each one checked, none compiled, as COMPILE=0')
            return
        files = attached(kernel.pristine)
        git = kernel.fresh(sorted(n for n in files.changed
                                  if (kernel.pristine / n).exists()))
        kernel.base()
        for n, patch in enumerate(patches, 1):
            try:
                with Step(f'{n}/{len(patches)} {patch.name[5:-6]}'):
                    git('am', '-q', '--keep-cr', str(patch.resolve()))
                    if n < start:
                        continue
                    kernel.compile_step(touched(git), n == len(patches))
                    if kernel.boots or n == len(patches):
                        kernel.boot()
            except Failure as e:
                raise Failure(f'patch {n}, {patch.name}: {e}') from None
        count = same_as_attach(git, kernel)
    checked = f'from {start} on, ' if start > 1 else ''
    say(f'series of {kernel.name} ({kernel.package_version}): {len(patches)} patches, '
        f'{checked}each one checked, applied, compiled' +
        (' and booted' if kernel.boots else '; booted only the last, as BOOT=0') +
        ('' if kernel.compiles_amd else '; amdgpu not compiled, as AMDGPU=0') +
        f'; {count} files, as attach makes them')


if __name__ == '__main__':
    main('series-check', check)
