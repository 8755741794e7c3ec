# SPDX-License-Identifier: GPL-2.0-only
"""What the pages say is what the code does."""
import re
from pathlib import Path

from .bench import Plant, check

PAGES = ('README.md', 'tests/README.md', 'Documentation/*', 'doc/*')
OURS = PAGES[2:]
CODE = ('drivers/*.[ch]', 'include/*.h')
LIBRARY = 'drivers/gpu/drm/pm_virt'
TRACE = f'{LIBRARY}/drm_virt_pm_trace.h'
DEBUGFS = f'{LIBRARY}/drm_virt_pm_debugfs.c'
MAIN = 'Documentation/gpu/drm-virt-pm.rst'
ADMIN = 'doc/admin.md'


def _joined(text):
    """C strings that go over several lines, as one; without // comments"""
    return re.sub(r'"\s*\n\s*"', '', re.sub(r'^//.*', '', text, flags=re.M))


# ---- files, targets, options

# A word of a page that looks like a file of ours, or of the kernel's
FILE = re.compile(r'(?<![\w./<*-])((?:drivers|include|Documentation|doc|hooks|'
                  r'kernels|scripts|series|tests|\.ci)/[\w./*-]*[\w*/])')


def _files(site):
    kernel = site.tree.source
    for page in site.all(*PAGES):
        for name in sorted(set(FILE.findall(site.read(page)))):
            if site.all(name, f'{name.rstrip("/")}/*', f'{name}.rst'):
                continue
            if (kernel / name).exists() or (kernel / f'{name}.rst').exists():
                continue
            if '*' in name and any(kernel.glob(name)):
                continue
            yield f'{page}: there is no {name}'


TARGET = re.compile(r'(?:`|^    |^)make ([a-z0-9-]+)\b([^`\n#]*)', re.M)
OPTION = re.compile(r'\b([A-Z_]+)=')


def _targets(site):
    makefile = site.read('Makefile')
    checks = re.search(r'addprefix check-,((?:[^)]|\n)*)\)', makefile)[1]
    known = set(re.findall(r'^([a-z0-9-]+)(?: [a-z $()A-Z-]+)?:', makefile, re.M)) | \
        set(re.search(r'^TARGETS :=((?:.*\\\n)*.*)', makefile, re.M)[1].split()) | \
        {f'check-{name}' for name in checks.split()}
    scripts = makefile + ''.join(site.read(n) for n in site.all('scripts/*.py')
                                 if not n.startswith('scripts/checks/'))
    for page in site.all(*PAGES):
        for target, options in TARGET.findall(site.read(page)):
            if target in ('htmldocs', 'menuconfig', 'olddefconfig'):
                continue        # the kernel's
            if target not in known:
                yield f'{page}: there is no target "make {target}"'
            for option in OPTION.findall(options):
                if not re.search(rf"\b{option}\b", scripts):
                    yield f'{page}: make has no option {option}'


# ---- what is printed

# What people find in the log: drm_err() and so on, and the reasons of refusals
PRINT = re.compile(r'\b(?:(?:drm|dev|DRM)_(?:err|warn|notice|info|warn_ratelimited)|'
                   r'drm_virt_pm_(?:refuse|lose)|virgl_lose|seq_buf_(?:puts|printf)|'
                   r'virtio_gpu_pm_check_count|'
                   r'amdgpu_virt_pm_(?:fail|set_error))\('
                   r'(?:[^";]*?)"((?:[^"\\]|\\.)*)"', re.S)
PLACEHOLDER = re.compile(r'%[-+ #0-9.*]*(?:ll|l|h|z)?[a-zA-Z]')


def _message_pieces(message):
    """The parts of a message that are the same each time"""
    text = message.replace('\\n', '')
    return [p.strip(' :,()[]') for p in PLACEHOLDER.split(text)
            if len(p.strip(' :,()[]')) > 3]


def _messages(site):
    """All messages are explained to whom they are shown."""
    pages = ' '.join(' '.join(site.read(p).split())
                     for p in site.all(*OURS))
    for name in site.all('drivers/*.c', 'hooks/*.cocci'):
        if '/tests/' in name:
            continue
        for message in PRINT.findall(_joined(site.read(name))):
            missing = [p for p in _message_pieces(message) if p not in pages]
            if missing:
                yield f'{name}: nothing is said about the message {message!r}'


def _explained_messages(text):
    """Those in the first column of the tables of messages; an ellipsis stands for
    anything."""
    for table in re.split(r'\n\n', text):
        rows = table.split('\n')
        if rows[0].startswith('| message |'):
            for row in filter(None, rows[2:]):
                yield from re.findall(r'`([^`]+)`', row.split('|')[1])


def _explained(site):
    """And the other way round: what is explained exists."""
    code = ' '.join(_joined(site.read(n)) for n in site.all(*CODE, 'hooks/*.cocci')
                    if '/tests/' not in n)
    for message in _explained_messages(site.read(ADMIN)):
        for piece in message.split('…'):
            piece = piece.strip(' :,()[]')
            if len(piece) > 3 and piece not in code:
                yield f'{ADMIN}: no message says {piece!r}'


# ---- interfaces

def _debugfs_keys(code):
    for text in re.findall(r'seq_printf\(m, "([^"]*)"', code):
        yield from re.findall(r'(?:^|\\n)([a-z-]+): ', text)
    for name in re.findall(r'show_check\(m, vpm, DRM_VIRT_PM_([A-Z]+)\)', code):
        yield name.lower()


def _interfaces(site):
    main, admin, code = site.read(MAIN), site.read(ADMIN), site.read(DEBUGFS)
    for key in _debugfs_keys(code):
        if not re.search(rf'^ \* (?:\w+, )*{key}\b(?:, \w+)*$', code, re.M):
            yield f'{DEBUGFS}: the comment says nothing of the line {key!r}'
        if not re.search(rf'^\| (?:`\w+`, )*`{key}`', admin, re.M):
            yield f'{ADMIN}: nothing about the line {key!r}'
    trace = site.read(TRACE)
    comment = trace[:trace.index('*/\n\nTRACE_EVENT')]
    for event in re.findall(r'^TRACE_EVENT\((\w+)', trace, re.M):
        if not re.search(rf'^ \* {event}$', comment, re.M):
            yield f'{TRACE}: nothing about the event {event}'
    for name in site.all(f'{LIBRARY}/*.c'):
        for parameter in re.findall(r'module_param_(?:named|cb)\((\w+)',
                                    site.read(name)):
            if parameter not in main or parameter not in admin:
                yield f'{name}: the parameter {parameter} is in no page'
        for limit in re.findall(r'#define DRM_VIRT_PM_STALL_M\w+_MS\s+(\d+)$',
                                site.read(name), re.M):
            if not re.search(rf'\b{limit}\b', admin):
                yield f'{ADMIN}: nothing about the limit {limit} of {name}'


DOC_BLOCK = re.compile(r'^ \* DOC: (.+)$', re.M)


def _included(site):
    """The page takes in all that is written for it in the code."""
    pages = site.read(MAIN)
    for name in site.all('drivers/*.[ch]'):
        if '/tests/' in name:
            continue
        text = site.read(name)
        for title in DOC_BLOCK.findall(text):
            if not re.search(rf'kernel-doc:: {name}\n +:doc: {title}\n', pages):
                yield f'{MAIN}: does not include "{title}" of {name}'
        if re.search(r'^EXPORT_SYMBOL(?:_GPL)?\(', text, re.M) and \
                not re.search(rf'kernel-doc:: {name}\n +:export:', pages):
            yield f'{MAIN}: does not include the functions of {name}'


def _maintained(site):
    """MAINTAINERS knows each file, and each of its patterns means one."""
    patterns = re.findall(r'^F:\s+(\S+)$', site.read('MAINTAINERS'), re.M)

    def meant(pattern, name):
        return name.startswith(pattern) if pattern.endswith('/') else \
            Path(name).match(pattern)
    for pattern in patterns:
        if not any(meant(pattern, n) for n in site.names):
            yield f'MAINTAINERS: {pattern} means no file'
    for name in site.all('drivers/*', 'include/*', 'Documentation/*', 'doc/*',
                         'hooks/*', 'kernels/*', 'packaging/*', 'scripts/*', 'series/*',
                         'tests/*'):
        if not any(meant(p, name) for p in patterns):
            yield f'MAINTAINERS: nobody for {name}'


# ---- tests

TESTED_BY = re.compile(r'\b([SDL]): ((?:[^SDL]|[SDL](?!: ))*)')


def _tests(site):
    """The table of defects names tests that exist."""
    driver = ''.join(site.read(n) for n in site.all('drivers/*_kunit.c'))
    known = {'S': lambda t: site.all(f'tests/scenarios/{t}.py'),
             'D': lambda t: f'virtio_gpu_pm_test_{t}(' in driver,
             'L': lambda t: f'"drm_virt_pm_{t}"' in driver}
    table = [li for li in site.read('tests/README.md').splitlines()
             if re.match(r'\| \d+ \|', li)]
    for line in table:
        for kind, names in TESTED_BY.findall(line.split('|')[3]):
            for name in re.findall(r'`(\w+)`', names):
                if not known[kind](name):
                    yield f'tests/README.md: there is no test {kind}: {name}'
    if not table:
        yield 'tests/README.md: there is no table of defects'


OBJECT = f'{LIBRARY}/drm_virt_pm_object.c'


@check('facts', quick=True, plants=[
    Plant('README.md', 'there is no scripts/planted', append='`scripts/planted`\n'),
    Plant('README.md', '"make planted"', append='\n`make planted`\n'),
    Plant('README.md', 'no option PLANTED', append='\n`make test PLANTED=1`\n'),
    Plant(OBJECT, 'the message', append='\ndrm_err(vpm->drm, "planted %d\\n", 1);\n'),
    Plant(ADMIN, 'no message says',
          append='\n| message | x |\n|---|---|\n| `planted …` | x |\n'),
    Plant(DEBUGFS, "the line 'planted'", append='seq_printf(m, "planted: ");\n'),
    Plant(f'{LIBRARY}/drm_virt_pm_check.c', 'the limit 77',
          append='#define DRM_VIRT_PM_STALL_MAX_MS 77\n'),
    Plant(f'{LIBRARY}/drm_virt_pm_check.c', 'is in no page',
          append='module_param_named(planted, planted, int, 0);\n'),
    Plant(TRACE, 'the event drm_virt_pm_planted',
          append='TRACE_EVENT(drm_virt_pm_planted,\n'),
    Plant(OBJECT, 'does not include "planted"', append='/**\n * DOC: planted\n */\n'),
    Plant('tests/README.md', 'no test D: planted', append='| 99 | x | D: `planted` |\n'),
    Plant('MAINTAINERS', 'means no file', append='F:\tplanted.c\n'),
    Plant('include/planted.h', 'nobody for', append='planted\n'),
])
def facts(site):
    """files, options, messages and interfaces that the pages name are there"""
    parts = (_files, _targets, _messages, _explained, _interfaces, _included,
             _tests, _maintained)
    return len(site.all(*PAGES)), [c for part in parts for c in part(site)]
