# SPDX-License-Identifier: GPL-2.0-only
"""Semantic patches with a checker, and exact edits of kbuild files.

spatch exits 0 when a rule matches nothing, so every rule file says in its
header what it must achieve:

  //# when FILE TEXT      skip the rule file unless FILE contains TEXT
  //# unless FILE TEXT    skip the rule file if FILE contains TEXT
  //# args ARG...         more arguments for spatch
  //# format              clang-format the added lines
  //# file FILE [if TEXT] run on FILE (if it contains TEXT); then, about FILE:
  //# lines N...          so many lines are added; N may be a range, N-M
  //# add N TEXT          N of the added lines contain TEXT
  //# gone TEXT           no line contains TEXT afterwards
  //# have TEXT           some line contains TEXT afterwards
  //# comment TEXT        the comment with TEXT goes; spatch cannot match it

Works on a Files: nothing is written to a tree here.
"""
import difflib
import hashlib
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common import CACHE, Failure, say, write_if_changed


class Files:
    """A tree as it will be: the pristine one, and what has been changed."""

    def __init__(self, tree):
        self.tree = Path(tree)
        self.changed = {}       # path -> bytes

    def exists(self, path):
        return path in self.changed or (self.tree / path).is_file()

    def read(self, path):
        if path not in self.changed:
            return (self.tree / path).read_text()
        return self.changed[path].decode()

    def write(self, path, text):
        self.changed[path] = text.encode()


class Target:
    """What a rule file says about one file"""

    def __init__(self, path, condition):
        self.path, self.condition = path, condition
        self.lines, self.add, self.gone, self.have = [], [], [], []
        self.comments = []

    def promise(self):
        """The header's demands, in short"""
        return ', '.join(
            [f'+{a}' if a == b else f'+{a}-{b}' for a, b in self.lines] +
            [f'{n} x {text!r} added' for n, text in self.add] +
            [f'{text!r} gone' for text in self.gone] +
            [f'{text!r} there' for text in self.have])

    def check(self, where, old, new):
        added, _ = changes(old, new)

        def fail(text):
            raise Failure(f'{where}: {text}')
        for count, text in self.add:
            got = sum(text in line for line in added)
            if got != count:
                fail(f'{text!r} was added {got} times, expected {count}')
        for text in self.gone:
            if any(text in line for line in new):
                fail(f'{text!r} is still there, expected to be gone')
        for text in self.have:
            if not any(text in line for line in new):
                fail(f'{text!r} is not there, expected to be')
        if self.lines and not any(a <= len(added) <= b
                                  for a, b in self.lines):
            wanted = ' or '.join(str(a) if a == b else f'{a} to {b}'
                                 for a, b in self.lines)
            fail(f'{len(added)} lines were added, expected {wanted}')
        for line in added:
            if line != line.rstrip() or ' \t' in line:
                fail(f'bad white space in {line!r}')


class Rule:
    """A rule file's header"""

    def __init__(self, path):
        self.path = Path(path)
        self.name = f'hooks/{self.path.name}'
        self.text = self.path.read_text()
        self.guards, self.targets, self.args = [], [], []
        self.format = False
        for n, line in enumerate(self.text.splitlines(), 1):
            if line.startswith('//#'):
                try:
                    self._directive(*(line[3:].split(None, 1) + [''])[:2])
                except (ValueError, IndexError, TypeError):
                    raise Failure(f'{self.name}:{n}: cannot make sense of '
                                  f'{line!r}') from None
        if not self.targets:
            raise Failure(f'{self.name}: names no file')
        for t in self.targets:
            if not (t.lines or t.add or t.gone or t.have):
                raise Failure(f'{self.name}: says nothing of what must '
                              f'happen to {t.path}')

    def _directive(self, word, rest):
        rest = rest.rstrip()
        if word in ('when', 'unless'):
            path, text = rest.split(None, 1)
            self.guards.append((path, text, word == 'when'))
        elif word == 'args':
            self.args += rest.split()
        elif word == 'format':
            self.format = True
        elif word == 'file':
            m = re.fullmatch(r'(\S+)(?: if (.+))?', rest)
            self.targets.append(Target(m[1], m[2]))
        elif word == 'lines':
            for r in rest.split():
                a, _, b = r.partition('-')
                self.targets[-1].lines.append((int(a), int(b or a)))
            if not rest:
                raise ValueError
        elif word == 'add':
            count, text = rest.split(None, 1)
            self.targets[-1].add.append((int(count), text))
        elif word in ('gone', 'have') and rest:
            getattr(self.targets[-1], word).append(rest)
        elif word == 'comment' and rest:
            self.targets[-1].comments.append(rest)
        else:
            raise ValueError

    def applies(self, files):
        return all((files.exists(p) and text in files.read(p)) == wanted
                   for p, text, wanted in self.guards)


def changes(old, new):
    diff = list(difflib.unified_diff(old, new, lineterm='', n=0))[2:]
    return ([li[1:] for li in diff if li[0] == '+'],
            [li[1:] for li in diff if li[0] == '-'])


def _opcodes(old, new):
    return difflib.SequenceMatcher(None, old, new,
                                   autojunk=False).get_opcodes()


def _tidy(old, new):
    """spatch leaves blank lines and trailing tabs where it worked, takes a
    blank line along with a statement, and may put the brace of a function on
    its last line; lines that were there before are not touched."""
    marked = []
    for op, i1, i2, j1, j2 in _opcodes(old, new):
        if op == 'equal':
            marked += [(False, line) for line in new[j1:j2]]
            continue
        for line in new[j1:j2]:
            brace = re.fullmatch(r'(\S.*\)|\s[^(]*\))\{', line)
            marked += [(True, brace[1]), (True, '{')] if brace else \
                [(True, line.rstrip())]
        if (op == 'delete' and i2 - i1 > 1 and not old[i1] and old[i2 - 1] and
                j2 < len(new) and new[j2].strip() not in ('', '}')):
            marked.append((False, ''))
    out = []
    for k, (added, line) in enumerate(marked):
        if added and not line:
            after = marked[k + 1][1] if k + 1 < len(marked) else ''
            if not out or not out[-1] or not after.strip():
                continue
        out.append(line)
    # and the doubled ones that a removal brought together
    for op, _, i2, j1, j2 in reversed(_opcodes(old, out)):
        if (op in ('delete', 'replace') and 0 < j2 < len(out) and
                out[j2] == '' and out[j2 - 1] == ''):
            del out[j2]
    return out


EXPLODED = re.compile(r'^(\t+)\{\n((?:\1\t[^\n{}]+\n)+)\1\},$', re.M)


def _join_initialisers(old, new):
    """spatch puts every brace and element of an array on its own line"""
    def join(match):
        parts = ' '.join(match[2].split())
        return match[0] if match[0] in before else f'{match[1]}{{ {parts} }},'
    before = '\n'.join(old)
    return EXPLODED.sub(join, '\n'.join(new)).split('\n')


COMMENT = re.compile(r'^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*\n', re.M | re.S)


def _drop_comments(where, texts, new):
    code = '\n'.join(new)
    for text in texts:
        found = [m for m in COMMENT.finditer(code) if text in m[0]]
        if len(found) != 1:
            raise Failure(f'{where}: {len(found)} comments hold {text!r}, '
                          'expected one')
        code = code[:found[0].start()] + code[found[0].end():]
    return code.split('\n')


EMPTY_IF = re.compile(r'^#if[^\n]*\n\s*#endif[^\n]*\n(\n(?=\n|.))?', re.M)


def _drop_empty_ifs(old, new):
    """#if ... #endif that the rule emptied (spatch cannot match them)"""
    text = '\n'.join(new)
    if not EMPTY_IF.search('\n'.join(old)):
        text = EMPTY_IF.sub('', text)
    return text.split('\n')


def _clang_format(files, path, old, new, where):
    args = [f'--lines={j1 + 1}:{j2}' for op, _, _, j1, j2
            in _opcodes(old, new) if op in ('insert', 'replace')]
    if not args:
        return new
    r = _run(['clang-format', '--style=file',
              f'--assume-filename={files.tree.resolve() / path}', *args],
             where, input='\n'.join(new))
    if r.returncode:
        raise Failure(f'{where}: clang-format: {r.stderr.strip()}')
    return r.stdout.split('\n')


def _run(cmd, where, **kw):
    try:
        return subprocess.run(cmd, capture_output=True, text=True, **kw)
    except FileNotFoundError:
        raise Failure(f'{where}: needs {cmd[0]}, which is not '
                      'installed') from None


def _unparsed(macros, path, text):
    """Functions that spatch skipped: what a failure may be about"""
    with tempfile.TemporaryDirectory() as d:
        source = Path(d) / Path(path).name
        source.write_text(text)
        r = _run(['spatch', '--parse-c', '--macro-file', str(macros),
                  str(source)], path)
    bad = re.findall(r'^BAD:!*\s*(.*)$', r.stdout + r.stderr, re.M)
    return bad[0].strip() if bad else None


_version = None


def _key(rule, macros, target, source):
    """Everything that a result depends on"""
    global _version
    if _version is None:
        _version = _run(['spatch', '--version'], rule.name).stdout
    h = hashlib.sha256()
    for part in (Path(__file__).read_text(), rule.text,
                 macros.read_text() if macros.exists() else '',
                 _version, target.path, source):
        h.update(hashlib.sha256(part.encode()).digest())
    return h.hexdigest()


def _spatch(rule, macros, target, source):
    where = f'{rule.name}: {target.path}'
    with tempfile.TemporaryDirectory() as d:
        # under its own name: rules may say "file in"
        path = Path(d) / target.path
        path.parent.mkdir(parents=True)
        path.write_text(source)
        cmd = ['spatch', '--very-quiet', '--no-includes',
               *(['--macro-file', str(macros)] if macros.exists() else []),
               *rule.args, '--sp-file', str(rule.path), str(path),
               '-o', str(Path(d) / 'result')]
        r = _run(cmd, where)
        if 'there are no modified files' in r.stderr:
            return source
        errors = [li for li in r.stderr.splitlines()
                  if li.strip() and not li.startswith(('warning:', 'Warning:'))]
        if r.returncode or any('rror' in e or 'xception' in e
                               or 'already tagged' in e for e in errors):
            said = ' / '.join(e.strip() for e in errors[:3])
            raise Failure(f'{where}: spatch says: {said[:300]}')
        try:
            return (Path(d) / 'result').read_text()
        except FileNotFoundError:
            return source


def _apply_to(files, rule, macros, target):
    """The file's new text, or None if the rule is not for it"""
    where = f'{rule.name}: {target.path}'
    if not files.exists(target.path):
        raise Failure(f'{where}: there is no such file in this kernel')
    source = files.read(target.path)
    if target.condition and target.condition not in source:
        return None
    cached = CACHE / 'spatch' / _key(rule, macros, target, source)
    if cached.exists():
        # written after all checks had passed
        text, digest = cached.read_bytes(), cached.with_suffix('.sha256')
        if digest.exists() and (digest.read_text() ==
                                hashlib.sha256(text).hexdigest()):
            return text.decode()
    result = _spatch(rule, macros, target, source)
    old, new = source.split('\n'), result.split('\n')
    new = _join_initialisers(old, _tidy(old, new))
    new = _drop_empty_ifs(old, new)
    new = _drop_comments(where, target.comments, new)
    if rule.format:
        new = _clang_format(files, target.path, old, new, where)
    try:
        if new == old:
            raise Failure(f'{where}: the rule matches nothing, expected '
                          + target.promise())
        target.check(where, old, new)
    except Failure as e:
        bad = _unparsed(macros, target.path, source)
        hint = (f' (spatch cannot parse this file near {bad[:60]!r}: if that '
                'is a macro, hooks/macros.h wants it)') if bad else ''
        raise Failure(f'{e}{hint}') from None
    text = '\n'.join(new)
    write_if_changed(cached, text.encode())
    write_if_changed(cached.with_suffix('.sha256'),
                     hashlib.sha256(text.encode()).hexdigest().encode())
    return text


def apply_rule(files, path, macros, tell=lambda text: None):
    rule = Rule(path)
    if not rule.applies(files):
        tell(f'{rule.name}: not for this kernel')
        return
    paths = [t.path for t in rule.targets]
    if len(set(paths)) != len(paths):
        raise Failure(f'{rule.name}: names a file twice')
    # The targets of one rule file do not depend on each other.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        texts = list(pool.map(
            lambda t: _apply_to(files, rule, macros, t), rule.targets))
    for target, text in zip(rule.targets, texts):
        if text is not None:
            added, gone = changes(files.read(target.path).split('\n'),
                                  text.split('\n'))
            tell(f'{rule.name}: {target.path} +{len(added)} -{len(gone)}')
            files.write(target.path, text)


def _paragraph(top, file, first):
    """The paragraph of a file of ours that begins with a line, and a blank"""
    for text in (top / file).read_text().split('\n\n'):
        if text.split('\n')[0] == first:
            return text.rstrip('\n').split('\n') + ['']
    raise Failure(f'{file} has no paragraph that begins with {first!r}')


def apply_edits(files, path, wanted=lambda file: True,
                tell=lambda text: None):
    edits = []
    for n, line in enumerate(Path(path).read_text().splitlines(), 1):
        if not line.strip() or line.startswith('#'):
            continue
        word, _, rest = line.partition(' ')
        bar, text = rest[:1], rest[1:]
        if word == 'edit' and rest:
            edits.append({'file': rest, 'line': n, 'put': []})
        elif word == 'needs' and edits and rest:
            edits[-1]['needs'] = rest
        elif word == 'when' and edits and ' |' in rest:
            edits[-1]['when'] = rest.split(' |', 1)
        elif word in ('before', 'after') and edits and bar == '|':
            edits[-1]['how'], edits[-1]['anchor'] = word, text
        elif word == 'put' and edits and bar == '|':
            edits[-1]['put'].append(text)
        elif word == 'take' and edits and ' |' in rest:
            edits[-1]['put'] += _paragraph(Path(path).parent.parent,
                                           *rest.split(' |', 1))
        else:
            raise Failure(f'hooks/{Path(path).name}:{n}: cannot make sense '
                          f'of {line!r}')
    for e in edits:
        where = f'hooks/{Path(path).name}:{e["line"]}: {e["file"]}'
        if 'anchor' not in e or not e['put']:
            raise Failure(f'{where}: wants before or after, and put')
        if ('needs' in e and e['needs'] not in files.changed or
                not wanted(e['file'])):
            continue
        if 'when' in e and not (files.exists(e['when'][0]) and
                                e['when'][1] in files.read(e['when'][0])):
            tell(f'{where}: not for this kernel')
            continue
        if not files.exists(e['file']):
            raise Failure(f'{where}: there is no such file in this kernel')
        lines = files.read(e['file']).split('\n')
        at = [i for i, line in enumerate(lines) if line == e['anchor']]
        if len(at) != 1:
            raise Failure(f'{where}: the anchor {e["anchor"]!r} is there '
                          f'{len(at)} times, expected once')
        i = at[0] + (e['how'] == 'after')
        lines[i:i] = e['put']
        files.write(e['file'], '\n'.join(lines))
        tell(f'{where} +{len(e["put"])}')


def apply_hooks(files, top, chosen=lambda name: True, edits=lambda file: True,
                tell=lambda text: None):
    """All hooks of the repository at top, or those chosen by their name; the
    edits of kbuild files by the file. Returns the number of rule files.

    A kernel that has drifted is told about as a whole: each rule file that does
    not fit is named, though a later one may only miss what an earlier one adds."""
    hooks = top / 'hooks'
    drifted = []

    def attempt(function, *args):
        try:
            function(*args, tell)
        except Failure as e:
            drifted.append(str(e))
    if (hooks / 'kbuild.edits').exists():
        attempt(apply_edits, files, hooks / 'kbuild.edits', edits)
    rules = [rule for rule in sorted(hooks.glob('*.cocci'))
             if chosen(rule.stem)]
    for rule in rules:
        attempt(apply_rule, files, rule, hooks / 'macros.h')
    if len(drifted) > 1:
        say(''.join(f'  {d}\n' for d in drifted).rstrip())
        raise Failure(f'{len(drifted)} of {len(rules) + 1} hook files do not '
                      'fit this kernel, see above; the first is the one to '
                      'look at')
    if drifted:
        raise Failure(drifted[0])
    return len(rules)
