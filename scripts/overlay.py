# SPDX-License-Identifier: GPL-2.0-only
"""Our own files, laid over a kernel tree: all of them, or some of them.

A tree that has only some of our files must build as well (the patches of the
series are such trees), so what names a missing file is left out: objects and
subdirectories in Makefiles, "source" in Kconfig files, "kernel-doc" in
documents. A C file may come in sections, which begin with a comment that holds
nothing but a title; the entries of its tables and the calls on a line of their
own that name a function of a missing section are left out with it.
"""
import os
import re

from common import Failure

OURS = ('include/drm', 'drivers/gpu/drm', 'Documentation/ABI', 'Documentation/gpu')
NOT_OURS = ('.o', '.ko', '.orig', '.rej', '.pyc', '~')

TITLE_C = re.compile(r'^/\*\n \* ([^\n]+)\n \*/\n(?=\n)', re.M)
TITLE_H = re.compile(r'^/\* ([a-z ]+) \*/$', re.M)
FUNCTION = re.compile(r'^(?=[a-z])[\w \n*]*?\b(\w+)\((?:[^;{}]*)\)\n\{', re.M)
TABLE = re.compile(r'^(static const [^;{}]*= \{\n)(.*?)^\};', re.M | re.S)
ENTRY = re.compile(r'\t(?:\{.*?\}|[^{}]*?),\n', re.S)
COMMENT = re.compile(r'/\*.*?\*/|"[^"\n]*"', re.S)


def own_files(top):
    """Path in the kernel: content, of each of our files"""
    found = {}
    for directory in OURS:
        for path in sorted((top / directory).rglob('*')):
            if not (path.is_dir() or path.name.startswith('.') or
                    path.name.endswith(NOT_OURS)):
                found[path.relative_to(top).as_posix()] = path.read_text()
    return found


def lay(files, own, chosen=None):
    """Put own into files, or what chosen has of it: path to titles of
    sections, or to None for the whole file."""
    if chosen is None:
        chosen = dict.fromkeys(own)
    missing = set(own) - set(chosen)
    for name, titles in chosen.items():
        if (files.tree / name).exists():
            raise Failure(f'{name} is in the kernel already; existing files '
                          'are changed by hooks only')
        text = own[name]
        if titles is not None:
            text = in_sections(name, text, titles)
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
            p.startswith(f'.. kernel-doc:: {m}\n') for m in missing))
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

    out = []
    for logical in re.findall(r'(?:[^\n]*\\\n)*[^\n]*\n', text):
        m = re.match(r'CFLAGS_(\S+)', logical)
        if m and gone(m[1]):
            if out and out[-1].startswith('#'):     # what it is for
                out.pop()
            continue
        lines = logical.rstrip('\n').split('\\\n')
        if len(lines) > 1:
            kept = [li for li in lines[1:] if not gone(li.strip())]
            if kept:
                out.append('\\\n'.join([lines[0]] + kept).rstrip() + '\n')
            continue
        if not any(gone(word) for word in logical.split()):
            out.append(logical)
    return re.sub(r'\n{3,}', '\n\n', ''.join(out)).rstrip('\n') + '\n'


# ---- sections

def split(name, text):
    """(what is before, [(title, text)], what is after)"""
    title = TITLE_H if name.endswith('.h') else TITLE_C
    marks = list(title.finditer(text))
    end = text.rindex('\n#endif') + 1 if name.endswith('.h') else len(text)
    edges = [m.start() for m in marks] + [end]
    return (text[:edges[0]],
            [(m[1], text[a:b]) for m, a, b in zip(marks, edges, edges[1:])],
            text[end:])


def in_sections(name, text, wanted):
    """The file with no other sections than those wanted"""
    before, parts, after = split(name, text)
    unknown = set(wanted) - {title for title, _ in parts}
    if unknown:
        raise Failure(f'{name} has no section {sorted(unknown)[0]!r}')
    gone = set()
    for title, part in parts:
        if title not in wanted:
            gone |= set(FUNCTION.findall(part))
    if not gone:
        return text
    text = before + ''.join(part for title, part in parts
                            if title in wanted)
    text = _without_uses(text, gone).rstrip('\n') + '\n'
    left = _named(text) & gone
    if left and not name.endswith('.h'):
        raise Failure(f'{name}: without the section that defines it, '
                      f'{sorted(left)[0]}() is used')
    return text + ('\n' + after if after else '')


def _named(code):
    """The words of it that are no members, strings or comments"""
    return set(re.findall(r'(?<![\w.>])\w+', COMMENT.sub('', code)))


def _without_uses(text, gone):
    def table(match):
        return match[1] + ENTRY.sub(
            lambda e: '' if _named(e[0]) & gone else e[0], match[2]) + '};'
    text = TABLE.sub(table, text)
    text = re.sub(r'(?m)^\t+(\w+)\([^\n]*\);\n',
                  lambda m: '' if m[1] in gone else m[0], text)
    return re.sub(r'^\{\n\n', '{\n', text, flags=re.M)
