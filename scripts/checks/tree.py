# SPDX-License-Identifier: GPL-2.0-only
"""A kernel tree with our files and a configured output directory, for the
checks alone: what they plant never gets into a kernel that is tested."""
import contextlib
import io

from common import REPO, Failure, Step, write_if_changed
from kconfig import configure
from kernel import Kernel, link, lock

FRAGMENTS = ('guest.config', 'x86.config', 'amdgpu.config', 'series.config',
             'check.config', 'ours.config')


class Tree(Kernel):
    """Of the kernel that KERNEL names. Made when it is first needed."""

    def __init__(self):
        super().__init__()
        self.work = self.top / 'work/check'
        self.tree = self.work / 'tree'
        self.obj = self.work / 'obj'
        self.log = self.top / 'check.log'
        self.lock = None
        self.attached = self.configured = False

    def _hold(self):
        """Until the end; not before something is written."""
        self.lock = self.lock or lock()

    @property
    def source(self):
        """The pristine sources"""
        if not self.pristine.exists():
            self._hold()
            self.unpack()
        link(self.top / 'source', self.pristine)
        return self.pristine

    def attach(self):
        if not self.attached:
            self._hold()
            if not self.pristine.exists():
                self.unpack()
            # what an interrupted check has left is not in the list of files
            for left in self.work.glob('tree/**/check_planted*'):
                left.unlink()
            super().attach()
        self.attached = True
        return self

    def configure(self):
        """... and ready to compile single files"""
        self.attach()
        if not self.configured:
            self.obj.mkdir(exist_ok=True)
            self.log.write_text('')
            configure(self.tree.resolve(), self.obj,
                      [REPO / 'kernels' / name for name in FRAGMENTS], self.make)
            with Step('prepare a kernel for the checks'):
                self.make('prepare', 'modules_prepare')
        self.configured = True
        return self

    @contextlib.contextmanager
    def holding(self, files):
        """The tree with other contents of some files: {name: text}"""
        before = {}
        try:
            for name, text in files.items():
                path = self.tree / name
                before[path] = path.read_bytes() if path.exists() else None
                # always a new file: it may be a link to the pristine one
                path.unlink(missing_ok=True)
                write_if_changed(path, text.encode())
            yield
        finally:
            for path, data in before.items():
                path.unlink(missing_ok=True)
                if data is not None:
                    write_if_changed(path, data)

    def spoilt(self, site):
        """The tree with the defect of a planted site, if it has one"""
        return self.holding({site.plant.path: site.read(site.plant.path)}
                            if site.plant else {})

    def compile(self, objects, *options):
        """Compile these objects anew; what was said about it."""
        for name in objects:
            (self.obj / name).unlink(missing_ok=True)
        lines = []
        try:
            with contextlib.redirect_stderr(io.StringIO()):
                self.make('-k', *options, *objects, on_line=lines.append)
        except Failure as error:
            if not any(' error: ' in line for line in lines):
                lines.append(f'error: {error}')
        return [line.rstrip('\n') for line in lines]
