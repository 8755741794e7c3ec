# SPDX-License-Identifier: GPL-2.0-only
"""KUnit's results, read from a console. What is not plainly a pass is a failure."""

import re

_STAMP = re.compile(r'^(<\d+>)?\[ *\d+\.\d+\](\[ *\w+\])? ?')
_PLAN = re.compile(r'^( *)1\.\.(\d+)\s*$')
_SUITE = re.compile(r'^ *# Subtest: (.+?)\s*$')
_RESULT = re.compile(r'^( *)(not ok|ok) (\d+) (.*?)(?: *# *(SKIP|skip|TODO)\b *(.*))?$')


# How deep the values of a parameterised case are: 6.12 prints no plan for them.
PARAMETERS = 2


class Results:
    def __init__(self):
        self.passed, self.failed, self.skipped = [], [], []
        self.problems = []              # that have no test case of their own

    def __iadd__(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.problems += other.problems
        return self

    @property
    def suites(self):
        return {name.split('.')[0] for name in self.passed + self.failed + self.skipped}


class _Level:
    def __init__(self, name):
        self.name, self.plan, self.seen, self.failed = name, None, 0, 0


def parse(text):
    """Reads it all; the deepest level's lines are the test cases."""
    results = Results()
    levels = []                         # what is open, from the outside in
    begun = False
    for line in text.replace('\r', '').split('\n'):
        line = _STAMP.sub('', line)
        if line.startswith('KTAP version') and not begun:
            begun, levels = True, [_Level('')]
        elif begun and levels:
            _line(results, levels, line)
    if not begun:
        results.problems.append('KUnit did not run: there is no KTAP header')
        return results
    while levels:
        _close(results, levels)
    if not results.passed and not results.failed:
        results.problems.append('KUnit ran no test')
    return results


def _line(results, levels, line):
    subtest, plan, result = _SUITE.match(line), _PLAN.match(line), _RESULT.match(line)
    if subtest:
        levels.append(_Level(subtest[1]))
    elif plan and len(plan[1]) // 4 == len(levels) - 1:
        if levels[-1].plan is not None:
            results.problems.append(f'{levels[-1].name or "KUnit"}: two plans')
        levels[-1].plan = int(plan[2])
    elif result:
        _result(results, levels, len(result[1]) // 4, result)


def _result(results, levels, depth, result):
    """A line "ok 3 name": a case, or the sum of the level below it."""
    _, verdict, number, name, directive, _ = result.groups()
    if depth == len(levels) - 2 and levels[-1].name == name:
        _result_of_level(results, levels, verdict, number)
        return
    if depth != len(levels) - 1:
        results.problems.append(f'"{verdict} {number} {name}" is out of place')
        return
    level = levels[-1]
    path = '.'.join([x.name for x in levels[1:]] + [name])
    _count(results, level, number, path)
    if verdict == 'not ok':
        level.failed += 1
        results.failed.append(path)
    elif directive and directive.lower() == 'skip':
        results.skipped.append(path)
    elif directive:
        results.failed.append(path)     # TODO is not a pass
    else:
        results.passed.append(path)


def _result_of_level(results, levels, verdict, number):
    closed = _close(results, levels)
    _count(results, levels[-1], number, closed.name)
    if verdict == 'not ok':
        levels[-1].failed += 1
        if not closed.failed:
            results.failed.append(closed.name)      # its init or exit


def _count(results, level, number, name):
    level.seen += 1
    if int(number) != level.seen:
        results.problems.append(f'{name}: is number {number}, {level.seen} was next')


def _close(results, levels):
    level = levels.pop()
    name = level.name or 'KUnit'
    if level.plan is not None:
        if level.plan != level.seen:
            results.problems.append(f'{name}: {level.plan} planned, {level.seen} seen')
    elif len(levels) < PARAMETERS or not level.seen:
        results.problems.append(f'{name}: no plan: cut short?')
    return level
