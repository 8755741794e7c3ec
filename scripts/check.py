#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Looks at the repository without running it: make check.

Each check has to find a defect that is planted for it before it is believed.
KERNEL comes from the environment, as for make kernel.
"""
import argparse
import sys
import time

sys.dont_write_bytecode = True
from common import main, say                            # noqa: E402
from checks.bench import REGISTRY, Missing, Site        # noqa: E402
import checks.style                                     # noqa: E402,F401
import checks.facts                                     # noqa: E402,F401
import checks.layers                                    # noqa: E402,F401
import checks.build                                     # noqa: E402,F401
import checks.docs                                      # noqa: E402,F401
from checks.tree import Tree                            # noqa: E402

MOST_LINES = 20


def blind_spots(check, site):
    """The planted defects that a check does not see"""
    for plant in check.plants:
        with site.planted(plant) as spoilt:
            _, complaints = check.run(spoilt)
        if not any(plant.expect in c for c in complaints):
            yield (f'does not see what was planted into {plant.path}: '
                   f'nothing about {plant.expect!r}')


def run_one(check, site):
    """1 if it passed, 0 if it failed, None if it was skipped"""
    start = time.monotonic()
    try:
        bad = list(blind_spots(check, site))
        looked_at, complaints = check.run(site)
    except Missing as why:
        say(f'skip check-{check.name}: {why}')
        return None
    bad += complaints
    if not looked_at:
        bad.append('looked at nothing')
    took = time.monotonic() - start
    if not bad:
        say(f'ok check-{check.name}: {looked_at} looked at, '
            f'{len(check.plants)} planted defects found ({took:.0f} s)')
        return 1
    lines = [f'    {line}' for line in bad[:MOST_LINES]]
    if len(bad) > MOST_LINES:
        lines.append(f'    and {len(bad) - MOST_LINES} more')
    say('\n'.join([f'FAIL check-{check.name}: {len(bad)} complaints'] + lines))
    return 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--quick', action='store_true',
                        help='those that need no configured kernel')
    parser.add_argument('--list', action='store_true', help='only name them')
    parser.add_argument('name', nargs='*', choices=[[], *REGISTRY],
                        help='which ones (default: all)')
    return parser.parse_args()


def run():
    arguments = parse_arguments()
    chosen = [REGISTRY[n] for n in arguments.name] or \
        [c for c in REGISTRY.values() if c.quick or not arguments.quick]
    if arguments.list:
        for check in chosen:
            say(f'check-{check.name:12} {check.what}')
        return 0
    site = Site(Tree())
    results = [run_one(check, site) for check in chosen]
    failed, skipped = results.count(0), results.count(None)
    say(f'{results.count(1)} passed, {failed} failed' +
        (f', {skipped} skipped' if skipped else ''))
    return 1 if failed or not results.count(1) else 0


if __name__ == '__main__':
    main('check', run)
