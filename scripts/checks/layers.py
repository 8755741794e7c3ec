# SPDX-License-Identifier: GPL-2.0-only
"""Who may use whom."""
import re
from pathlib import Path

from .bench import Plant, check

LIBRARY = 'drivers/gpu/drm/pm_virt'
PREFIX = f'{LIBRARY}/drm_virt_pm_'
PUBLIC = 'include/drm/drm_virt_pm.h'
# From the top: who may use what its own layer and those below keep internal.
# The other parts may use each other by the public header only.
TOP = ('device', 'debugfs')
FOR_ALL = ('drm_virt_pm_misused',)
DEFINITION = re.compile(r'^(?!static\b)(?:[A-Za-z_][\w ]*[ *])(drm_virt_pm_\w+)\('
                        r'[^;{]*\)\n\{', re.M)
DECLARED = re.compile(r'\b(drm_virt_pm_\w+)\(')
USED = re.compile(r'\b(drm_virt_pm_\w+)\b')
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<][^">]+[">])', re.M)
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.S)


def _code(site, name):
    return COMMENT.sub('', site.read(name))


def _part(name):
    return Path(name).stem.removeprefix('drm_virt_pm_')


def _calls(site):
    """Calls of a part's internal functions from elsewhere than the top"""
    public = set(DECLARED.findall(_code(site, PUBLIC)))
    parts = site.all(f'{PREFIX}*.c')
    home = {}
    for name in parts:
        for function in DEFINITION.findall(_code(site, name)):
            home[function] = _part(name)
    for name in parts:
        me = _part(name)
        for function in sorted(set(USED.findall(_code(site, name)))):
            owner = home.get(function, me)
            if owner == me or function in public or function in FOR_ALL:
                continue
            if me in TOP and (owner not in TOP or
                              TOP.index(me) < TOP.index(owner)):
                continue
            yield (f'{name}: uses {function}(), which is internal to {owner}: '
                   f'only {" and ".join(TOP)} may')


def _allowed(name, include):
    """Whether a file may include this one of ours"""
    base = include.strip('"<>')
    if 'virt_pm' not in base and 'pm_virt' not in base:
        return True
    if '/tests/' in name:       # they have symbols of their own, for KUnit only
        return True
    if name.startswith(f'{LIBRARY}/'):
        return base in ('drm/drm_virt_pm.h', 'drm_virt_pm_internal.h',
                        'drm_virt_pm_trace.h')
    own = Path(base).name.startswith(('virtgpu_', 'amdgpu_')) and '/' not in base
    return base == 'drm/drm_virt_pm.h' or own


@check('layers', quick=True, plants=[
    Plant(f'{PREFIX}queue.c', 'uses drm_virt_pm_check_del()',
          append='\nvoid planted(struct drm_virt_pm *vpm)\n{\n'
                 '\tdrm_virt_pm_check_del(vpm);\n}\n'),
    Plant('drivers/gpu/drm/virtio/virtgpu_pm.c', 'includes',
          append='#include "../pm_virt/drm_virt_pm_internal.h"\n'),
    Plant(f'{PREFIX}object.c', 'of a driver',
          append='#include "../virtio/virtgpu_drv.h"\n'),
    Plant(f'{PREFIX}object.c', 'CREATE_TRACE_POINTS',
          append='#define CREATE_TRACE_POINTS\n'),
])
def layers(site):
    """which file of the library uses which, and what drivers include"""
    names = site.all('drivers/*.[ch]', 'include/*.h')
    bad = list(_calls(site))
    for name in names:
        code = site.read(name)
        for include in INCLUDE.findall(code):
            if not _allowed(name, include):
                bad.append(f'{name}: includes {include}, which is internal to '
                           'the library')
            if name.startswith((LIBRARY, 'include/')) and \
                    re.search(r'virtgpu|amdgpu|qxl', include):
                bad.append(f'{name}: includes {include} of a driver')
    makers = [n for n in names if n.startswith(LIBRARY) and
              re.search(r'^#define CREATE_TRACE_POINTS', site.read(n), re.M)]
    if makers != [f'{PREFIX}device.c']:
        bad.append(f'CREATE_TRACE_POINTS is for one file, not {makers}')
    return len(names), bad
