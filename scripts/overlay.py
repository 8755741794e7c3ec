# SPDX-License-Identifier: GPL-2.0-only
"""Our own files, laid over a kernel tree: all of them, or some of them.

A tree that has only some of our files must build as well (the patches of the
series are such trees), so what names something that is missing is left out:

  - objects and subdirectories in Makefiles, "source" in Kconfig files,
    "kernel-doc" and paragraphs with the name of the file in documents
  - prototypes in headers, entries of tables, and calls on a line of their own,
    with the "if" above that has no other body
  - members of a struct whose kernel-doc names it, and statements on a line of
    their own that use such a member

A file may come in parts. Those of a header are sections, which begin with a
comment that holds nothing but a title. Those of a C file are named by a function.
They bring the comment above it and what they use of the file, but not what is
named for later, and not the functions in a table.
"""
import os
import re

from common import Failure

OURS = ('include/drm', 'drivers/gpu/drm', 'Documentation/gpu')
NOT_OURS = ('.o', '.ko', '.orig', '.rej', '.pyc', '~')

TITLE = re.compile(r'^/\* ([a-z ]+) \*/$', re.M)
FUNCTION = re.compile(r'^(?=[a-z]|VISIBLE_IF_KUNIT)([\w \n*]*?)\b(\w+)\([^;{}]*\)\n\{',
                      re.M)
STUB = re.compile(r'^static inline [\w \n*]*?\b(\w+)\([^;{}]*\)\n\{', re.M)
PROTOTYPE = re.compile(r'^[a-z_][\w \n*]*?\b(\w+)\([^;{}]*\);\n', re.M)
TABLE = re.compile(r'^(static const [^;{}]*?(\w+)(?:\[\])? = \{\n)(.*?)^\};', re.M | re.S)
ENTRY = re.compile(r'\t(?:\{.*?\}|[^{}]*?),\n', re.S)
CALL = re.compile(r'^(?:(\t*)if \([^\n]*\)\n(?=\1\t\w))?\t+(\w+)\([^\n]*\);\n', re.M)
COMMENT = re.compile(r'/\*.*?\*/|"[^"\n]*"', re.S)
MEMBER = re.compile(r'\n?\t(/\*\*(?:(?!\*/).)*?\*/)\n'
                    r'\t(?:[^;{]*?(\w+)(?:\[\w+\])?|[^;{]*\(\*(\w+)\)\([^;{]*\));\n', re.S)
# the same in the comment above the struct
DOCUMENTED = re.compile(r'^ \* @(\w+): ([^\n]*\n(?: \*\t[^\n]*\n)*)', re.M)
STRUCT = re.compile(r'^(?:struct|enum) (\w+) \{', re.M)
# what an item of a C file is called, if it is no function
NAMES = (re.compile(r'(\w+)(?:\[\])? = \{'), re.compile(r'^#define (\w+)', re.M),
         re.compile(r'^DEFINE_\w+\((\w+)\)', re.M), re.compile(r'(\w+)(?: = [^;]*)?;'),
         re.compile(r'(\w+)'))


def own_files(top):
    """Path in the kernel: content, of each of our files"""
    found = {}
    for directory in OURS:
        for path in sorted((top / directory).rglob('*')):
            if not (path.is_dir() or path.name.startswith('.') or
                    path.name.endswith(NOT_OURS)):
                found[path.relative_to(top).as_posix()] = path.read_text()
    return found


def lay(files, own, chosen=None, later=()):
    """Put own into files, or what chosen has of it: path to the names of its
    parts, or to None for the whole file. The parts @later are not brought along."""
    if chosen is None:
        chosen = dict.fromkeys(own)
    missing = set(own) - set(chosen)
    texts, left_out = {}, {}
    for name in own:
        texts[name], left_out[name] = '', own[name]
        if name in chosen:
            texts[name], left_out[name] = in_parts(name, own[name], chosen[name],
                                                      later)
    gone = _Gone(left_out)
    for name in chosen:
        if (files.tree / name).exists():
            raise Failure(f'{name} is in the kernel already; existing files '
                          'are changed by hooks only')
        if name.endswith('.h'):
            gone.note_stubs(texts[name])
        gone.note_members(name, texts[name])
    for name in chosen:
        text = texts[name]
        if any(left_out.values()):
            text = gone.without(name, text, left_out[name])
        if missing:
            text = without_missing(name, text, missing)
        files.write(name, text)


# ---- what names a missing file

def without_missing(name, text, missing):
    base = os.path.basename(name)
    if base == 'Makefile':
        return _makefile(os.path.dirname(name), text, missing)
    if base == 'Kconfig':
        return _paragraphs(text, lambda p: any(
            p.startswith(f'source "{m}"') for m in missing))
    if name.endswith('.rst'):
        return _paragraphs(text, lambda p: any(
            p.startswith(f'.. kernel-doc:: {m}\n') or f'``{m}``' in p
            for m in missing))
    return text


def _paragraphs(text, unwanted):
    kept = [p for p in re.split(r'\n\n+', text.rstrip('\n') + '\n')
            if not unwanted(p if p.endswith('\n') else p + '\n')]
    return '\n\n'.join(kept).rstrip('\n') + '\n'


def _makefile(directory, text, missing):
    def gone(word):
        if word.endswith('/'):
            return f'{directory}/{word}Makefile' in missing
        return word.endswith('.o') and f'{directory}/{word[:-1]}c' in missing

    out, cut = [], False
    for logical in re.findall(r'(?:[^\n]*\\\n)*[^\n]*\n', text):
        if cut and logical == '\n' and out and out[-1] == '\n':
            continue            # only around what is cut out: the rest is upstream's
        cut = False
        m = re.match(r'CFLAGS_(\S+)', logical)
        if m and gone(m[1]):
            if out and out[-1].startswith('#'):     # what it is for
                out.pop()
            cut = True
            continue
        words = logical.replace('\\\n', '\n').split()
        if not any(map(gone, words)):
            out.append(logical)
        elif not all(map(gone, words[2:])):     # the first are NAME +=
            out.append(_without_words(logical, gone))
        else:
            cut = True
    return ''.join(out).rstrip('\n') + '\n'


def _without_words(logical, gone):
    lines = []
    for line in logical.rstrip('\n').split('\\\n'):
        for word in filter(gone, line.split()):
            line = re.sub(rf'(?<!\S){re.escape(word)} *', '', line)
        if line.strip():
            lines.append(line.rstrip())
    return ' \\\n'.join(lines) + '\n'


# ---- parts

def split(name, text):
    """(what is before, [(its name, a part)], what is after)"""
    if not name.endswith('.h'):
        return *_items(text), ''
    marks = list(TITLE.finditer(text))
    end = text.rindex('\n#endif') + 1
    edges = [m.start() for m in marks] + [end]
    return (text[:edges[0]],
            [(m[1], text[a:b]) for m, a, b in zip(marks, edges, edges[1:])],
            text[end:])


def _items(text):
    """A C file: what is before its first item, and each with its name"""
    before, items, item = '', [], ''
    for block in re.findall(r'(?:[^\n]+\n)+\n*', text):
        item += block
        code = COMMENT.sub('', item)
        if code.count('{') > code.count('}'):
            continue
        if not items and all(line[:1] in ' #/' and not line.startswith('#define')
                             for line in code.splitlines() if line):
            before, item = before + item, ''
        elif code.strip():      # otherwise a heading, which goes with what follows
            items.append((_name(code), item))
            item = ''
    return before, items


def _name(code):
    function = FUNCTION.search(code)
    return function[2] if function else \
        next(m[1] for m in (pattern.search(code) for pattern in NAMES) if m)


def _is_table(part):
    return not FUNCTION.search(part) and ' = {\n' in part


def _needed(items, wanted, later):
    """Names of the items that the wanted ones need"""
    parts = dict(items)
    todo, needed = list(wanted), set()
    while todo:
        name = todo.pop()
        if name in needed:
            continue
        needed.add(name)
        if not _is_table(parts[name]):
            todo += (parts.keys() - later) & _named(parts[name])
    return needed


def in_parts(name, text, wanted, later):
    """The file with only these parts (None: all), and what is left out of it"""
    if wanted is None:
        return text, ''
    before, parts, after = split(name, text)
    unknown = set(wanted) - {title for title, _ in parts}
    if unknown:
        raise Failure(f'{name} has no part {sorted(unknown)[0]!r}')
    if not name.endswith('.h'):
        wanted = _needed(parts, wanted, set(later))
    kept = before + ''.join(part for title, part in parts if title in wanted)
    return (kept.rstrip('\n') + '\n' + ('\n' + after if after else ''),
            '\n'.join(part for title, part in parts if title not in wanted))


def _named(code):
    """The words of it that are no members, strings or comments"""
    return set(re.findall(r'(?<![\w.>])\w+', COMMENT.sub('', code)))


class _Gone:
    """What is missing in a tree"""

    def __init__(self, left_out):
        self.functions = set()      # that other files know
        self.types = set()
        self.members = set()
        for name, text in left_out.items():
            for head, function in FUNCTION.findall(text):
                if 'static' not in head or name.endswith('.h'):
                    self.functions.add(function)
            if name.endswith('.h'):
                self.types |= set(STRUCT.findall(text))

    def note_stubs(self, text):
        """An option that is off has functions that do nothing, and does not exist yet"""
        self.functions -= set(STUB.findall(text))

    def note_members(self, name, text):
        """Notes the members that go"""
        if name.endswith('.h'):
            for match in MEMBER.finditer(text):
                if self._is_about(match[1]):
                    self.members.add(match[2] or match[3])
            for member, comment in DOCUMENTED.findall(text):
                if self._is_about(comment):
                    self.members.add(member)

    def _is_about(self, comment):
        return (set(re.findall(r'\b(\w+)\(\)', comment)) & self.functions or
                set(re.findall(r'&(\w+)', comment)) & self.types)

    def without(self, name, text, left_out):
        gone = self.functions | {f for _, f in FUNCTION.findall(left_out)}
        if name.endswith('.h'):
            text = PROTOTYPE.sub(lambda m: '' if m[1] in gone else m[0], text)
            text = MEMBER.sub(lambda m: '' if self._is_about(m[1]) else m[0], text)
            text = self._without_documented(text)
            return _without_empty_sections(text)
        if not name.endswith('.c'):
            return text
        text = TABLE.sub(lambda m: m[1] + ENTRY.sub(
            lambda e: '' if _named(e[0]) & gone else e[0], m[3]) + '};', text)
        text = CALL.sub(lambda m: '' if m[2] in gone else m[0], text)
        if self.members:
            text = re.sub(r'(?m)^\t[^\n{}]*->(?:%s)\b[^\n{}]*;\n' %
                          '|'.join(sorted(self.members)), '', text)
        left = _named(text) & gone
        if left:
            raise Failure(f'{name}: {sorted(left)[0]}() is used, which comes later')
        text = re.sub(r'\n{3,}', '\n\n', text)
        return re.sub(r'^\{\n\n', '{\n', text, flags=re.M)


    def _without_documented(self, text):
        for match in list(DOCUMENTED.finditer(text)):
            if self._is_about(match[2]):
                start = text.index(match[0])
                end = text.index('\n};', start)
                struct = re.sub(rf'(?m)^\t[^\n(]*\b{match[1]}(?:\[\w+\])?;[^\n]*\n', '',
                                text[start + len(match[0]):end + 1])
                text = text[:start] + struct + text[end + 1:]
        return text


def _without_empty_sections(text):
    text = re.sub(r'^/\* [\w. ]+ \*/\n(?=\n*(?:/\* [\w. ]+ \*/\n|#endif))', '', text,
                  flags=re.M)
    return re.sub(r'\n{3,}', '\n\n', text)
