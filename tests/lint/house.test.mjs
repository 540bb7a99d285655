// Does each rule of the house find what it forbids, and nothing else?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const HOUSE = join(dirname(fileURLToPath(import.meta.url)), 'house.mjs')
const OPENING = '// What is this?\n// SPDX-License-Identifier: MIT\n'
const HEADER = `${OPENING}#pragma once\n`

// A small house that keeps every rule.
const CLEAN = {
  'rtp/CMakeLists.txt': '# SPDX-License-Identifier: MIT\nset(RTP_SOURCES\n  a.c\n  b.c\n)\n',
  'rtp/a.h': HEADER,
  'rtp/a.c': `${OPENING}#include "rtp/a.h"\n`,
  'rtp/b.h': `${HEADER}#include "rtp/a.h"\n`,
  'rtp/b.c': `${OPENING}#include "rtp/b.h"\n`,
  'rtp/a_part.h': `${HEADER}#include "rtp/a.h"\n`,
  'sfu/CMakeLists.txt': '# SPDX-License-Identifier: MIT\nset(SFU_SOURCES\n  sfu.c\n)\n',
  'sfu/sfu.h': HEADER,
  'sfu/sfu.c': `${OPENING}#include "sfu/sfu.h"\n#include "rtp/b.h"\n#include <glib.h>\n`,
  'signaling/CMakeLists.txt': '# SPDX-License-Identifier: MIT\nset(SIGNALING_SOURCES\n  log.c\n)\n',
  'signaling/log.c': `${OPENING}#include "sfu/sfu.h"\n// pthread_create() and "atomic_load" are only words\n`,
  'script/test': '#!/usr/bin/env bash\n# Runs the tests.\n# SPDX-License-Identifier: MIT\n',
}

// What the rules say of the small house with some files changed.
function lint(changes) {
  const root = mkdtempSync(join(tmpdir(), 'house-'))
  for (const [name, text] of Object.entries({ ...CLEAN, ...changes })) {
    mkdirSync(join(root, dirname(name)), { recursive: true })
    writeFileSync(join(root, name), text)
  }
  const { stdout, status } = spawnSync(process.execPath, [HOUSE, root], { encoding: 'utf8' })
  rmSync(root, { recursive: true })
  return { lines: stdout.trimEnd().split('\n').slice(0, -1), status }
}

const body = (lines) => `void f(void)\n{\n${'    g();\n'.repeat(lines)}}\n`

const RULES = [
  ['a missing licence', { 'rtp/a.c': '// What is this?\n' }, /^rtp\/a\.c:1: no SPDX/],
  ['a missing sentence', { 'rtp/a.c': '// SPDX-License-Identifier: MIT\n' }, /^rtp\/a\.c:1: does not open/],
  ['a script without a licence', { 'script/test': '#!/bin/sh\n# Runs.\n' }, /^script\/test:1: no SPDX/],
  ['a long file', { 'rtp/a.c': OPENING + '\n'.repeat(600) }, /^rtp\/a\.c:602: 602 lines/],
  ['a long forward.c', {
    'sfu/CMakeLists.txt': '# SPDX-License-Identifier: MIT\nset(SFU_SOURCES forward.c sfu.c)\n',
    'sfu/forward.c': OPENING + '\n'.repeat(130),
  }, /^sfu\/forward\.c:132: 132 lines, at most 130/],
  ['a long function', { 'rtp/a.c': OPENING + body(78) }, /^rtp\/a\.c:3: function of 81 lines/],
  ['two labels', { 'rtp/a.c': `${OPENING}void f(void)\n{\nout:\nerror:\n}\n` }, /^rtp\/a\.c:3: 2 labels/],
  ['unfinished work', { 'rtp/a.c': `${OPENING}// TO${''}DO: more\n` }, /^rtp\/a\.c:3: unfinished/],
  ['a header that may come twice', { 'rtp/a.h': OPENING }, /^rtp\/a\.h:1: header without/],
  ['a typedef', { 'rtp/a.h': `${HEADER}typedef struct a a;\n` }, /^rtp\/a\.h:4: typedef/],
  ['a thread', { 'rtp/a.c': `${OPENING}static _Atomic int n;\n` }, /^rtp\/a\.c:3: _Atomic outside/],
  ['a library in the wrong file', { 'sfu/sfu.c': `${OPENING}#include <srtp2/srtp.h>\n` }, /^sfu\/sfu\.c:3: .*libsrtp/],
  ['glib in rtp', { 'rtp/a.c': `${OPENING}#include <glib.h>\n` }, /^rtp\/a\.c:3: .*GLib/],
  ['an include upwards', { 'rtp/a.c': `${OPENING}#include "sfu/sfu.h"\n` }, /^rtp\/a\.c:3: rtp\/ must not know/],
  ['an include past the waist', { 'signaling/log.c': `${OPENING}#include "rtp/a.h"\n` }, /^signaling\/log\.c:3: signal/],
  ['an include against the order', { 'rtp/a.c': `${OPENING}#include "rtp/b.h"\n` }, /^rtp\/a\.c:3: .*stands later/],
  ['an order broken by a header', {
    'rtp/c.h': `${HEADER}#include "rtp/b.h"\n`,
    'rtp/a.c': `${OPENING}#include "rtp/c.h"\n`,
  }, /^rtp\/a\.c:3: "rtp\/c\.h" stands later/],
  ['an include beside the root', { 'rtp/a.c': `${OPENING}#include "rtp/none.h"\n` }, /^rtp\/a\.c:3: .*not a path/],
  ['headers in a circle', {
    'rtp/x.h': `${HEADER}#include "rtp/y.h"\n`,
    'rtp/y.h': `${HEADER}#include "rtp/x.h"\n`,
  }, /^rtp\/[xy]\.h:1: includes itself/],
  ['a file nobody builds', { 'rtp/z.c': OPENING }, /^rtp\/z\.c:1: not in the source list/],
]

test('a house that keeps the rules', () => {
  assert.deepEqual(lint({}), { lines: [], status: 0 })
  assert.deepEqual(lint({ 'rtp/a.c': OPENING + body(77) }).lines, [])
})

for (const [name, changes, expected] of RULES)
  test(`finds ${name}`, () => {
    const { lines, status } = lint(changes)
    assert.equal(status, 1)
    assert.equal(lines.length, 1, lines.join('\n'))
    assert.match(lines[0], expected)
  })
