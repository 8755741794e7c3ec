# SPDX-License-Identifier: GPL-2.0-only
"""What a check is, and what it looks at.

A check is believed only if it bites: it names defects (Plant), and before it
looks at the repository each of them is planted into a copy and has to be found.
"""
import contextlib
import dataclasses
import fnmatch
import shutil
import subprocess
import tempfile
from pathlib import Path

from common import BUILD, REPO, Failure


class Missing(Exception):
    """A tool is not there: the check is skipped, and counted as such."""


@dataclasses.dataclass
class Plant:
    """A defect: text put at the end of a file, or as a new one, or in place of
    something; and what the check has to say about it."""

    path: str
    expect: str
    append: str = ''
    swap: tuple = ()

    def spoil(self, text):
        if self.swap:
            if self.swap[0] not in text:
                raise Failure(f'cannot plant into {self.path}: no {self.swap[0]!r}')
            text = text.replace(*self.swap, 1)
        return text + self.append


@dataclasses.dataclass
class Check:
    name: str
    run: object             # (site) -> how many things were looked at, complaints
    plants: tuple
    quick: bool

    @property
    def what(self):
        return self.run.__doc__.strip().splitlines()[0]


REGISTRY = {}


def check(name, plants, quick=False):
    """Registers a function as a check."""
    def register(run):
        REGISTRY[name] = Check(name, run, tuple(plants), quick)
        return run
    return register


def repository_files():
    """Names of all files that are, or are about to be, in the repository."""
    listed = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard'],
                            cwd=REPO, capture_output=True, text=True)
    if listed.returncode:       # an archive
        return sorted(p.relative_to(REPO).as_posix() for p in REPO.rglob('*')
                      if p.is_file() and BUILD not in p.parents)
    return sorted(n for n in listed.stdout.splitlines() if (REPO / n).is_file())


class Site:
    """The repository, or a copy with one defect."""

    def __init__(self, tree, root=REPO, names=None, plant=None):
        self.tree = tree
        self.root = root
        self.names = repository_files() if names is None else names
        self.plant = plant

    @contextlib.contextmanager
    def planted(self, plant):
        BUILD.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix='planted-', dir=BUILD) as root:
            root = Path(root)
            for name in self.names:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self.root / name, root / name)
            path = root / plant.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(plant.spoil(path.read_text() if path.exists() else ''))
            yield Site(self.tree, root, sorted({*self.names, plant.path}), plant)

    def all(self, *patterns):
        """The files of these names; * also matches a slash."""
        return [n for n in self.names
                if any(fnmatch.fnmatchcase(n, p) for p in patterns)]

    def files(self, *patterns):
        """The same for checks that look at each file on its own: with a defect
        planted only that file is of interest."""
        return [n for n in self.all(*patterns)
                if not self.plant or n == self.plant.path]

    def read(self, name):
        return (self.root / name).read_text()


def tool(*names):
    """The first of these programs that is installed"""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    raise Missing(f'no {" or ".join(names)} here')


def output(cmd, cwd, env=None):
    """What a command says; its exit status does not count, as checkers differ
    in what it means."""
    r = subprocess.run([str(c) for c in cmd], cwd=cwd, env=env, text=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, errors='replace')
    return r.stdout.splitlines()


def relative(lines, *roots):
    """Without the names of our directories in front"""
    for root in roots:
        lines = [li.replace(f'{Path(root)}/', '') for li in lines]
    return lines
