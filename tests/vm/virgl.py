# SPDX-License-Identifier: GPL-2.0-only
"""Commands of virgl, as raw words: what a program of OpenGL submits to the host."""

import itertools
import struct

CREATE, BIND, DESTROY = 1, 2, 3
SET_VIEWPORTS, SET_FRAMEBUFFER, SET_VERTEX_BUFFERS, CLEAR, DRAW, WRITE = 4, 5, 6, 7, 8, 9
SET_VIEWS, SET_CONSTANTS, BIND_SAMPLERS, BIND_SHADER = 10, 12, 18, 31
SET_SUB, CREATE_SUB, DESTROY_SUB = 28, 29, 30
BLEND, RASTERIZER, DEPTH_STENCIL, SHADER, VERTEX_ELEMENTS, VIEW, SAMPLER, SURFACE = range(1, 9)
BUFFER, TEXTURE = 0, 2                  # targets
BGRX, BGRA, RGBA32F, R8 = 2, 1, 31, 64  # formats
SAMPLED, VERTICES = 1 << 3, 1 << 4      # what a resource is for
VERTEX_STAGE, FRAGMENT_STAGE = 0, 1
STRIP = 5
LINEAR_IDENTITY = 0 | 1 << 3 | 2 << 6 | 3 << 9      # swizzle

VERTEX_TEXT = """VERT
DCL IN[0]
DCL IN[1]
DCL OUT[0], POSITION
DCL OUT[1], GENERIC[0]
  0: MOV OUT[0], IN[0]
  1: MOV OUT[1], IN[1]
  2: END
"""
FRAGMENT_TEXT = """FRAG
DCL IN[0], GENERIC[0], PERSPECTIVE
DCL OUT[0], COLOR
DCL SAMP[0]
DCL SVIEW[0], 2D, FLOAT
DCL CONST[0]
DCL TEMP[0]
  0: TEX TEMP[0], IN[0], SAMP[0], 2D
  1: MUL OUT[0], TEMP[0], CONST[0]
  2: END
"""


def command(number, *payload, kind=0):
    return (number | kind << 8 | len(payload) << 16, *payload)


def create(kind, name, *payload):
    return command(CREATE, name, *payload, kind=kind)


def bind(kind, name):
    return command(BIND, name, kind=kind)


def real(*values):
    return struct.unpack(f'<{len(values)}I', struct.pack(f'<{len(values)}f', *values))


def text_words(text):
    data = text.encode() + b'\0'
    data += bytes(-len(data) % 4)
    return struct.unpack(f'<{len(data) // 4}I', data)


def shader(name, stage, text, chunk=None):
    """One command, or several of which each has @chunk words of the text."""
    words, size = text_words(text), len(text) + 1
    chunk = chunk or len(words)
    found = ()
    for first in range(0, len(words), chunk):
        offset = first * 4 | 1 << 31 if first else size
        found += create(SHADER, name, stage, offset, 300, 0, *words[first:first + chunk])
    return found


def write(resource, width, height, words):
    """Content for a resource, through the stream"""
    return command(WRITE, resource, 0, 0, 0, 0, 0, 0, 0, width, height, 1, *words)


def clear(*colour):
    return command(CLEAR, 4, *real(*colour), 0, 0, 0)


def draw(count=4):
    return command(DRAW, 0, count, STRIP, 0, 1, 0, 0, 0, 0, 0, count - 1, 0)


def quad(left, bottom, right, top):
    """Positions and texture coordinates of a strip"""
    return tuple(itertools.chain.from_iterable(
        real(x, y, 0, 1, u, v, 0, 1)
        for (x, u), (y, v) in itertools.product(((left, 0), (right, 1)),
                                                ((bottom, 0), (top, 1)))))


def checkers(side, light, dark, cell=4):
    return tuple(light if (x // cell + y // cell) % 2 else dark
                 for y in range(side) for x in range(side))


def scene(target, texture, vertices, size, colour, first=1, chunk=None):
    """All objects and all state for a quad with a texture; the names begin at @first."""
    (surface, vertex, fragment, view, sampler, blend, depth, rasterizer,
     elements) = range(first, first + 9)
    width, height = size
    return (
        *create(SURFACE, surface, target, BGRX, 0, 0),
        *shader(vertex, VERTEX_STAGE, VERTEX_TEXT, chunk),
        *shader(fragment, FRAGMENT_STAGE, FRAGMENT_TEXT, chunk),
        *create(VIEW, view, texture, BGRX | TEXTURE << 24, 0, 0, LINEAR_IDENTITY),
        *create(SAMPLER, sampler, 2 | 2 << 3 | 2 << 6 | 2 << 11, 0, 0, 0, 0, 0, 0, 0),
        *create(BLEND, blend, 0, 0, 0xf << 27, *[0] * 7),
        *create(DEPTH_STENCIL, depth, 0, 0, 0, 0),
        *create(RASTERIZER, rasterizer, 1 << 1 | 1 << 29, *real(1), 0, 0, *real(1), 0, 0, 0),
        *create(VERTEX_ELEMENTS, elements, 0, 0, 0, RGBA32F, 16, 0, 0, RGBA32F),
        *command(SET_FRAMEBUFFER, 1, 0, surface),
        *bind(BLEND, blend), *bind(DEPTH_STENCIL, depth), *bind(RASTERIZER, rasterizer),
        *bind(VERTEX_ELEMENTS, elements),
        *command(BIND_SHADER, vertex, VERTEX_STAGE),
        *command(BIND_SHADER, fragment, FRAGMENT_STAGE),
        *command(SET_VIEWS, FRAGMENT_STAGE, 0, view),
        *command(BIND_SAMPLERS, FRAGMENT_STAGE, 0, sampler),
        *command(SET_CONSTANTS, FRAGMENT_STAGE, 0, *real(*colour)),
        *command(SET_VERTEX_BUFFERS, 32, 0, vertices),
        *command(SET_VIEWPORTS, 0, *real(width / 2, height / 2, 0.5,
                                         width / 2, height / 2, 0.5)),
    )
