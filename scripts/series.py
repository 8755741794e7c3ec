# SPDX-License-Identifier: GPL-2.0-only
"""Writes the series of a kernel, build/series/<kernel>/: what attach does to it,
as patches for git am.

Each file in series/, in the order of their names, is a patch: its message, after
lines that say what it brings of ours.

  % files GLOB...            these files of ours
  % part FILE: NAME, ...     of this file of ours, these parts; see overlay.py
  % rest FILE...             what is left of these files
  % hooks GLOB...            these hooks
  % edits FILE...            edits of these kbuild files that come late: others
                             come with the file that they need
  % when FILE TEXT           only for kernels whose FILE contains TEXT
  % unless FILE TEXT         only for the others

In a message, and in the cover letter, lines between % when or % unless and % end are
for these kernels only.

A patch is the difference between the trees with and without what it brings, so
the last tree is that of attach; every file, part and hook has to come with exactly
one patch. A patch that changes nothing of a kernel is left out.
"""
import fnmatch
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

sys.dont_write_bytecode = True
from common import (BUILD, REPO, Failure, Step, main, say,      # noqa: E402
                    write_if_changed)
from hooks import Files, Rule, apply_hooks                      # noqa: E402
from kernel import Kernel, lock, remove                         # noqa: E402
from overlay import lay, own_files, split, without_missing      # noqa: E402

COVER = '0000-cover-letter.txt'     # no .patch: git am *.patch would take it
WIDTH = 75


def contains(files, path, text):
    return files.exists(path) and text in files.read(path)


def for_kernel(text, tree):
    """Without what is said of other kernels"""
    files = Files(tree)
    return re.sub(r'(?ms)^% (when|unless) (\S+) ([^\n]+)\n(.*?)^% end\n',
                  lambda m: m[4] if contains(files, m[2], m[3]) ==
                  (m[1] == 'when') else '', text)


class Patch:
    """A file in series/"""

    def __init__(self, path):
        self.path = path
        self.files, self.parts, self.rest = [], {}, []
        self.hooks, self.edits = [], []
        self.guards = []
        text = path.read_text()
        while text[0] in '#%':
            line, text = text.split('\n', 1)
            if line[0] == '#':
                continue
            try:
                self._directive(*line[1:].split(None, 1))
            except (ValueError, TypeError):
                raise Failure(f'{self.where}: cannot make sense of '
                              f'{line!r}') from None
        self.message = text.strip('\n') + '\n'
        for n, line in enumerate(self.message.split('\n')):
            if len(line) > WIDTH and not re.search('://|^Fixes: |^% ', line):
                raise Failure(f'{self.where}: longer than {WIDTH}: {line!r}')
            if n == 1 and line:
                raise Failure(f'{self.where}: wants a blank line below '
                              'the subject')

    @property
    def where(self):
        return f'series/{self.path.name}'

    def _directive(self, word, rest):
        if word == 'part':
            file, names = rest.split(': ')
            self.parts[file] = self.parts.get(file, []) + names.split(', ')
        elif word in ('when', 'unless'):
            self.guards.append((*rest.split(None, 1), word == 'when'))
        elif word in ('files', 'rest', 'hooks', 'edits'):
            setattr(self, word, getattr(self, word) + rest.split())
        else:
            raise ValueError

    def applies(self, files):
        return all(contains(files, p, text) == wanted
                   for p, text, wanted in self.guards)


class Series:
    """All patches of a kernel, and what each of them brings"""

    def __init__(self, tree, top=REPO):
        self.tree, self.top = tree, top
        self.own = own_files(top)
        files = Files(tree)
        self.patches = [
            p for p in (Patch(path) for path in
                        sorted((top / 'series').iterdir())
                        if path.name[0].isdigit()) if p.applies(files)]
        self.late = {f for p in self.patches for f in p.edits}
        self.in_parts = {f for p in self.patches for f in p.parts}
        self._assign()

    def _assign(self):
        files = Files(self.tree)
        hooks = [h.stem for h in sorted((self.top / 'hooks').glob('*.cocci'))
                 if Rule(h).applies(files)]
        self.brings = {p: ([], []) for p in self.patches}
        for kind, names in enumerate((
                [n for n in self.own if n not in self.in_parts], hooks)):
            for name in names:
                where = [p for p in self.patches if any(
                    fnmatch.fnmatchcase(name, g)
                    for g in (p.files, p.hooks)[kind])]
                if len(where) != 1:
                    raise Failure(
                        f'{name} comes with {len(where)} patches of the '
                        f'series ({" ".join(p.where for p in where)}), '
                        'expected one: see scripts/series.py')
                self.brings[where[0]][kind].append(name)
        for name in self.in_parts:
            self._assign_parts(name)

    def _assign_parts(self, name):
        """The last patch that brings something of a file brings the rest, or all
        parts are named"""
        if name not in self.own:
            raise Failure(f'series: there is no {name}')
        has = {part for part, _ in split(name, self.own[name])[1]}
        patches = [p for p in self.patches if name in p.parts or name in p.rest]
        brought = [part for p in patches for part in p.parts.get(name, [])]
        for part in brought:
            if part not in has or brought.count(part) > 1:
                raise Failure(f'series: patches bring {part!r} of {name} '
                              f'{brought.count(part)} times, it has '
                              f'{sorted(has)}')
        rests = [p for p in patches if name in p.rest]
        if rests != patches[-1:] and (rests or has - set(brought)):
            raise Failure(f'series: the rest of {name} comes with '
                          f'{len(rests)} patches, expected the last one; '
                          f'left are {sorted(has - set(brought))}')

    def trees(self):
        """(patch, Files) after each patch"""
        chosen, hooks, edits = {}, set(), set()
        for n, patch in enumerate(self.patches, 1):
            names, rules = self.brings[patch]
            chosen.update(dict.fromkeys(names))
            for file, names in patch.parts.items():
                chosen[file] = chosen.get(file, []) + names
            chosen.update(dict.fromkeys(
                n for n in patch.rest if n in self.in_parts))
            hooks |= set(rules)
            edits |= set(patch.edits)
            files = Files(self.tree)
            try:
                lay(files, self.own, chosen,
                    [part for later in self.patches[n:]
                     for parts in later.parts.values() for part in parts])
                apply_hooks(files, self.top, hooks.__contains__,
                            lambda f: f not in self.late or f in edits)
                self._trim(files, chosen)
            except Failure as e:
                raise Failure(f'{patch.where}: {e}') from None
            yield patch, files


    def _trim(self, files, chosen):
        """The edits of a Makefile name all files that there will be"""
        missing = set(self.own) - set(chosen)
        for name in list(files.changed):
            if Path(name).name == 'Makefile' and name not in self.own and missing:
                files.write(name, without_missing(name, files.read(name), missing))


def attached(tree, top=REPO):
    """What attach makes of a tree"""
    files = Files(tree)
    lay(files, own_files(top))
    apply_hooks(files, top)
    return files


# ---- git

class Git:
    """A repository of only what the series touches; its blobs are those of the
    whole tree, so that git am -3 works in one."""

    def __init__(self, directory, author, date):
        name, mail = re.fullmatch(r'(.*?) *<(.*)>', author).groups()
        self.directory = directory
        self.env = {
            'PATH': os.environ['PATH'], 'HOME': str(directory), 'LC_ALL': 'C',
            'GIT_CONFIG_NOSYSTEM': '1', 'TZ': 'UTC',
            'GIT_AUTHOR_DATE': date, 'GIT_COMMITTER_DATE': date,
            'GIT_AUTHOR_NAME': name, 'GIT_AUTHOR_EMAIL': mail,
            'GIT_COMMITTER_NAME': name, 'GIT_COMMITTER_EMAIL': mail}

    def __call__(self, *args, **kw):
        r = subprocess.run(['git', *args], cwd=self.directory, env=self.env,
                           capture_output=True, text=True, **kw)
        if r.returncode:
            raise Failure(f'git {args[0]}: ' + (r.stderr or r.stdout).strip())
        return r.stdout

    def put(self, names, read):
        for name in sorted(names):
            write_if_changed(self.directory / name, read(name))
        self('add', '-A')


def author_and_date():
    """Of the newest commit of ours that the series could hold"""
    r = subprocess.run(
        ['git', '-c', 'safe.directory=*', '-C', REPO, 'log', '-1', '--date=raw',
         '--format=%an <%ae>%n%ad', '--', 'include', 'drivers',
         'Documentation', 'hooks', 'series', 'MAINTAINERS'],
        capture_output=True, text=True)
    author, date = (r.stdout.split('\n') + ['', ''])[:2]
    if r.returncode or not date:        # an archive, not a clone
        author, date = 'drm_virt_pm <drm_virt_pm@localhost>', '1767225600 +0000'
    return author, date


def sender():
    """FROM=..., who then signs off as well"""
    given = os.environ.get('FROM', '')
    if given and not re.fullmatch(r'[^<>]+ <[^<> ]+@[^<> ]+>', given):
        raise Failure("FROM wants 'Name <name@where>'")
    return given


def commit(git, series, signed):
    """One commit for each patch that changes something"""
    first = {}
    for patch, files in series.trees():
        for name in files.changed:
            if (series.tree / name).exists():
                first[name] = None
    git.put(first, lambda n: (series.tree / n).read_bytes())
    git('commit', '-qm', 'base')
    git('tag', 'base')
    empty = []
    files = None
    for patch, files in series.trees():
        git.put(files.changed, files.changed.__getitem__)
        if not git('status', '--porcelain'):
            empty.append(patch)
            continue
        git('commit', '-q', '--cleanup=verbatim', '-F', '-',
            input=for_kernel(patch.message, series.tree) +
            (f'\nSigned-off-by: {signed}\n' if signed else ''))
    check_last(files, series)
    return [p for p in series.patches if p not in empty], empty


def check_last(files, series):
    """The last tree is what attach makes"""
    wanted = attached(series.tree, series.top).changed
    for name in sorted(set(files.changed) | set(wanted)):
        if files.changed.get(name) != wanted.get(name):
            raise Failure(f'{name}: the series ends with something else than '
                          'what attach makes of it')


def tested(kernel):
    """What README says is run on a kernel"""
    for line in (REPO / 'README.md').read_text().split('\n'):
        cells = [c.strip() for c in line.split('|')]
        if len(cells) > 3 and cells[1].split(' ')[0] == kernel:
            return cells[-2].replace('`', '')
    return 'nothing yet'


def numbers(patches, first, last):
    """Of the patches whose file in series/ has a number from first to last"""
    found = [n for n, p in enumerate(patches, 1)
             if first <= p.path.name[:3] <= last]
    if not found:
        raise Failure(f'series/cover: there is no patch from {first} to {last}')
    return f'{found[0]} to {found[-1]}' if found[1:] else str(found[0])


def cover(git, kernel, patches, author):
    text = (REPO / 'series/cover').read_text()
    subject, body = text.split('\n', 1)[1].split('\n\n', 1)
    body = for_kernel(body, kernel.pristine)
    body = re.sub(r'@(\d{3})-(\d{3})@(   *)?', lambda m: numbers(
        patches, m[1], m[2]).ljust(len(m[0]) if m[3] else 0), body)
    body = body.replace('@BASE@', kernel.package_version).replace(
        '@TESTED@', textwrap.fill(tested(kernel.name), WIDTH))
    for line in body.split('\n'):
        if len(line) > WIDTH:
            raise Failure(f'series/cover: longer than {WIDTH}: {line!r}')
    when = git('log', '-1', '--format=%aD', 'base').strip()
    return (f'From: {author}\nDate: {when}\n'
            f'Subject: [PATCH 0/{len(patches)}] {subject}\n\n{body.rstrip()}\n\n' +
            git('shortlog', '--no-merges', 'base..HEAD') +
            git('diff', '--stat=72', '--summary', 'base', 'HEAD'))


def write(kernel):
    """build/series/<kernel>/"""
    given = sender()
    author, date = author_and_date()
    author = given or author
    out = BUILD / 'series' / kernel.name
    series = Series(kernel.pristine)
    with tempfile.TemporaryDirectory() as d:
        git = Git(Path(d) / 'tree', author, date)
        git.directory.mkdir()
        git('init', '-q', '-b', 'series')
        with Step(f'series of {kernel.name}: {len(series.patches)} steps'):
            written, empty = commit(git, series, given)
        new = out.with_name(out.name + '.new')
        remove(new)
        new.mkdir(parents=True)
        git('format-patch', '-q', '--no-signature', '--full-index',
            '--zero-commit', '--no-renames', '--numbered', '-o',
            str(new.resolve()), 'base')
        patches = sorted(new.glob('*.patch'))
        (new / COVER).write_text(cover(git, kernel, written, author))
    for patch in empty:
        say(f'  {patch.where}: changes nothing of this kernel')
    remove(out)
    new.rename(out)
    say(f'{os.path.relpath(out, REPO)}: {len(patches)} patches, for '
        f'{kernel.package_version}')
    return out


def run():
    kernel = Kernel()
    with lock():
        kernel.unpack()
        write(kernel)


if __name__ == '__main__':
    main('series', run)
