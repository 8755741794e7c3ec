# SPDX-License-Identifier: GPL-2.0-only
"""What was measured, as a table for people and as a picture."""

import math
import statistics
from xml.sax.saxutils import escape

# What one output with a picture and a cursor cannot do without: each buffer is
# created, backed and filled, the picture set as scanout, and flushed.
FIRST_FRAME_LIMIT = 8

COLORS = {'stock': '#c0392b', 'ours': '#1f6f8b'}


def _number(value):
    if value >= 1000 or value == int(value):
        return f'{value:,.0f}'
    return f'{value:.1f}' if value >= 10 else f'{value:.2f}'


def _spread(values):
    middle = _number(statistics.median(values))
    if min(values) == max(values):
        return middle
    return f'{middle} ({_number(min(values))}-{_number(max(values))})'


def _best(name, values):
    """Instructions have a floor and only noise above it; the rest has a middle."""
    return min(values) if name.endswith('instructions') else statistics.median(values)


def _row(name, by):
    cells = [_spread(by[who]) if who in by else '-' for who in COLORS]
    ratio = '-'
    if all(who in by for who in COLORS):
        stock, ours = (_best(name, by[who]) for who in COLORS)
        if stock:
            ratio = f'{ours / stock:.3f}'
    return f'{name:50} {cells[0]:>26} {cells[1]:>26} {ratio:>8}'


def _growth(results, who, name):
    """How a figure grows with the number of buffers, against the fewest."""
    series = _series(results, who, name)
    if len(series) < 2 or not series[0][1]:
        return None
    return series[0][0], [(count, value / series[0][1]) for count, value in series[1:]]


def _series(results, who, name):
    found = []
    for key, by in results.items():
        figure, _, count = key.partition(' @')
        if figure == name and count and who in by:
            found.append((int(count), statistics.median(by[who])))
    return sorted(found)


def _figures(results):
    """The names of those that exist for several numbers of buffers."""
    return list(dict.fromkeys(key.partition(' @')[0] for key in results if ' @' in key))


def _judge(what, value, limit):
    verdict = 'holds' if value <= limit else 'MISSED'
    return f'  {what:66} {value:8.3f}  at most {limit:g}: {verdict}'


def _targets(results):
    lines = []
    for phase in ('freeze', 'thaw', 'restore'):
        growth = _growth(results, 'ours', f'{phase} ms')
        for count, ratio in growth[1] if growth else ():
            if count == 10000:
                lines.append(_judge(f'growth of {phase} from {growth[0]} to {count:,} buffers',
                                    ratio, 1.3))
    commands = _series(results, 'ours', 'commands restore to first flush')
    if commands:
        lines.append(_judge('commands to the first flush, at any number of buffers '
                            f'(limit {FIRST_FRAME_LIMIT})',
                            max(value for _, value in commands), 12))
    for key, by in results.items():
        if key.startswith('restore + use all ms @10000') and len(by) == 2:
            lines.append(_judge('restore + use of all 10,000, against upstream',
                                statistics.median(by['ours']) /
                                statistics.median(by['stock']), 1.0))
        if key.endswith(': instructions') and len(by) == 2:
            lines.append(_judge(f'{key}, awake, against stock',
                                _best(key, by['ours']) / _best(key, by['stock']), 1.02))
    return lines


def table(about, results):
    """Median (least-most) of the runs, and the ratio of the medians."""
    parts = about['kernels']
    kernels = ', '.join(
        f'{kernel} ({" ".join(part for part in parts if parts[part] == kernel)})'
        for kernel in dict.fromkeys(parts.values()))
    lines = ['', f'Linux {kernels}; {about["runs"]} runs, stock and ours in turn: '
             'median (least-most)', '',
             f'{"figure @ number of buffers":50} {"stock":>26} {"ours":>26} {"ratio":>8}']
    lines += [_row(name, by) for name, by in results.items()]
    lines += ['', 'growth against the fewest buffers']
    for name in _figures(results):
        for who in COLORS:
            growth = _growth(results, who, name)
            if growth:
                lines.append(f'  {name:36} {who:6} ' + '  '.join(
                    f'{count:,}: {ratio:.2f}' for count, ratio in growth[1]))
    targets = _targets(results)
    if targets:
        lines += ['', 'targets', *targets]
    return '\n'.join(lines) + '\n'


# The picture: small log-log charts, one for each figure of this list.

CHARTS = (('freeze ms', 'freeze, ms'), ('thaw ms', 'thaw, ms'),
          ('restore ms', 'restore, ms'),
          ('commands restore to first flush', 'commands to first flush'),
          ('restore + use all ms', 'restore and use of all, ms'),
          ('commands hibernation in all', 'commands to hibernate'))
WIDTH, HEIGHT, MARGIN, ACROSS = 300, 220, 46, 3


class _Chart:
    def __init__(self, title, x, y, lines):
        self.title, self.x, self.y, self.lines = title, x, y, lines
        points = [point for line in lines.values() for point in line]
        self.xs = self._decades([px for px, _ in points])
        self.ys = self._decades([max(py, 0.1) for _, py in points])

    @staticmethod
    def _decades(values):
        low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        return low, max(high, low + 1)

    def place(self, px, py):
        def along(value, decades, length):
            low, high = decades
            return (math.log10(max(value, 0.1)) - low) / (high - low) * length
        return (self.x + MARGIN + along(px, self.xs, WIDTH - MARGIN - 12),
                self.y + HEIGHT - 28 - along(py, self.ys, HEIGHT - 62))

    def svg(self):
        out = [f'<text x="{self.x + MARGIN}" y="{self.y + 18}" font-weight="bold">'
               f'{escape(self.title)}</text>']
        for decade in range(self.xs[0], self.xs[1] + 1):
            x, y = self.place(10 ** decade, 10 ** self.ys[0])
            top = self.place(10 ** decade, 10 ** self.ys[1])[1]
            out.append(f'<path d="M{x:.1f} {y:.1f}V{top:.1f}" stroke="#ddd"/>'
                       f'<text x="{x:.1f}" y="{y + 14:.1f}" text-anchor="middle">'
                       f'{10 ** decade:,}</text>')
        for decade in range(self.ys[0], self.ys[1] + 1):
            x, y = self.place(10 ** self.xs[0], 10 ** decade)
            end = self.place(10 ** self.xs[1], 10 ** decade)[0]
            out.append(f'<path d="M{x:.1f} {y:.1f}H{end:.1f}" stroke="#ddd"/>'
                       f'<text x="{x - 4:.1f}" y="{y + 4:.1f}" text-anchor="end">'
                       f'{10 ** decade:,g}</text>')
        for who, line in self.lines.items():
            places = [self.place(*point) for point in line]
            path = 'M' + 'L'.join(f'{x:.1f} {y:.1f}' for x, y in places)
            out.append(f'<path d="{path}" fill="none" stroke="{COLORS[who]}" '
                       'stroke-width="2"/>')
            out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLORS[who]}"/>'
                    for x, y in places]
        return out


def plot(counts, results):
    """An SVG: one chart for each of CHARTS that was measured."""
    charts = []
    for figure, title in CHARTS:
        lines = {who: _series(results, who, figure) for who in COLORS}
        lines = {who: line for who, line in lines.items() if line}
        if lines:
            n = len(charts)
            charts.append(_Chart(title, n % ACROSS * WIDTH,
                                 30 + n // ACROSS * HEIGHT, lines))
    rows = -(-len(charts) // ACROSS)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{ACROSS * WIDTH}" '
           f'height="{30 + max(rows, 1) * HEIGHT}" font-family="sans-serif" font-size="11">',
           '<rect width="100%" height="100%" fill="white"/>']
    for n, (who, color) in enumerate(COLORS.items()):
        out.append(f'<rect x="{MARGIN + n * 80}" y="8" width="12" height="12" fill="{color}"/>'
                   f'<text x="{MARGIN + 16 + n * 80}" y="18">{who}</text>')
    out.append(f'<text x="{MARGIN + 180}" y="18">against the number of buffers, '
               f'{counts[0]:,} to {counts[-1]:,}</text>')
    for chart in charts:
        out += chart.svg()
    return '\n'.join(out + ['</svg>']) + '\n'
