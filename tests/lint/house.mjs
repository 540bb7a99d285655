// Does the code keep the rules of the house that no compiler checks?
// SPDX-License-Identifier: MIT
//
// node tests/lint/house.mjs [folder of the project]. One line per violation: file:line: what is wrong; what to do.
// Everything that may be argued about is in the tables below.
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, extname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = process.argv[2] ?? join(dirname(fileURLToPath(import.meta.url)), '../..')

const FOLDERS = ['rtp', 'sfu', 'signaling', 'tests', 'bench', 'script', 'web', 'docker', '.ci']
const NOT_OURS = new Set(['node_modules', 'vectors', 'corpus', 'out', 'peers'])

const LIMITS = { fileLines: 600, testLines: 800, functionLines: 80, testFunctionLines: 120 } // a table of cases may be long
const FILE_LIMITS = { 'sfu/forward.c': 130 } // "if you read one file": it must stay a page or two

// What a product folder may include of the others. Inside a folder the order is the list in its CMakeLists.txt.
const MAY_INCLUDE = { rtp: [], sfu: ['rtp/'], signaling: ['sfu/sfu.h'] }

// Headers that stand before all others of their folder, though their .c stands last.
const FIRST = ['sfu/sfu.h']

// One library is known by one file; where there are more, each has a reason.
const LIBRARIES = [
  { name: 'libnice', header: /^(nice|agent\.h)/, files: ['sfu/ice_agent.c'] },
  { name: 'libsrtp', header: /^srtp/, files: ['sfu/cipher_srtp.c'] },
  { name: 'the multi-buffer library', header: /ipsec-mb/, files: ['sfu/cipher_ipsecmb.c'] },
  { name: 'usrsctp', header: /^usrsctp/, files: ['sfu/datachan_assoc.c'] },
  { name: 'libwebsockets', header: /^libwebsockets/, files: ['signaling/server.c', 'signaling/listener.c', 'signaling/listener.h'] },
  { name: 'libev', header: /^ev\.h/, files: ['signaling/loop.c'] },
  { name: 'libqrencode', header: /^(qrencode|png)/, files: ['signaling/qr.c'] },
  { name: 'SQLite', header: /^sqlite3/, files: ['signaling/db.c'] },
  { name: 'libcurl', header: /^curl\//, files: ['signaling/courier.c'] },
  { name: 'libav', header: /^libav/, files: ['sfu/record_file.c'] },
  {
    name: 'OpenSSL',
    header: /^openssl\//,
    files: [
      'sfu/dtls.c', 'sfu/dtls_cert.c', 'sfu/dtls_cert.h', // the handshake and its certificate
      'sfu/dtls_record.c', 'sfu/dtls_record.h', // AES-GCM of DTLS records
      'sfu/cipher_keys.c', 'sfu/cipher_gcm.c', 'sfu/cipher_rtcp.c', 'sfu/cipher_ipsecmb.c', // key derivation, SRTCP, tags compared safely
      'signaling/crypto.c', // tokens
    ],
  },
  { name: 'GLib', header: /^(glib|gio)/, folders: ['sfu', 'signaling', 'tests', 'bench'] },
  { name: 'jansson', header: /^jansson/, folders: ['signaling', 'tests', 'bench'], files: ['sfu/record_manifest.c'] },
]

// Where threads meet. Everything else belongs to one thread and says in its header to which.
const THREADS = {
  'sfu/mailbox.c': 'the crossing',
  'sfu/mailbox.h': 'the crossing',
  'sfu/log.c': 'every thread writes',
  'sfu/worker.c': 'start and stop',
  'sfu/sfu.c': 'start and stop',
  'sfu/ice.c': 'starts the ICE threads',
  'sfu/ice_event.c': 'counts what is under way to a worker',
  'sfu/datachan.c': 'starts the SCTP thread',
  'sfu/outbox.c': 'one flag for the process: the kernel knows UDP_SEGMENT',
  'signaling/courier.c': 'the crossing to the webhook thread',
  'signaling/store.c': 'the queue to the writer thread',
  'signaling/librarian.c': 'the queues to the thread that reads recordings',
  'sfu/record.c': 'starts the writer thread',
  'sfu/record_queue.c': 'the crossing to the writer',
  'sfu/record_queue.h': 'the crossing to the writer',
}

// ---- reading ---------------------------------------------------------------------------------------------

const violations = []

function report(file, line, what) {
  violations.push(`${file}:${line}: ${what}`)
}

function* walk(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (NOT_OURS.has(entry.name)) continue
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* walk(path)
    else if (entry.isFile()) yield path
  }
}

const exists = (path) => statSync(join(ROOT, path), { throwIfNoEntry: false }) !== undefined

// A file of ours: its path from the root and its lines.
function load(path) {
  const text = readFileSync(path, 'utf8')
  const name = relative(ROOT, path)
  return { name, text, lines: text.split('\n'), folder: name.split('/')[0], ext: extname(name) }
}

const isC = (file) => file.ext === '.c' || file.ext === '.h'
const isScript = (file) => ['.js', '.mjs', '.sh'].includes(file.ext) || file.text.startsWith('#!')

// The code without comments and without what is in quotes, line by line.
function codeOf(file) {
  const blank = (match) => match.replace(/[^\n]/g, ' ')
  return file.text.replace(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\/[^\n]*|\/\*[^]*?\*\//g, blank).split('\n')
}

// ---- rules for one file ----------------------------------------------------------------------------------

function checkOpening(file) {
  const top = file.lines.slice(0, 5)
  if (top[0].startsWith('#!')) top.shift()
  const comment = file.name.endsWith('.c') || file.name.endsWith('.h') || ['.js', '.mjs'].includes(file.ext) ? '//' : '#'
  if (!top.some((line) => line.startsWith(`${comment} SPDX-License-Identifier: MIT`)))
    report(file.name, 1, `no SPDX line; add "${comment} SPDX-License-Identifier: MIT" below the first sentence`)
  const sentence = top[0].startsWith(`${comment} `) && !top[0].includes('SPDX')
  if (!sentence && basename(file.name) !== 'CMakeLists.txt')
    report(file.name, 1, 'does not open with a sentence; say which question the file answers')
}

function checkLength(file) {
  const max = FILE_LIMITS[file.name] ?? (file.name.startsWith('tests/') ? LIMITS.testLines : LIMITS.fileLines)
  const count = file.lines.length - 1
  if (count > max) report(file.name, count, `${count} lines, at most ${max}; ask which question was mixed in and split`)
}

const UNDONE = new RegExp(`\\b(TO${''}DO|FIX${''}ME|XX${''}X|HA${''}CK)\\b`)

function checkUndone(file) {
  file.lines.forEach((line, i) => {
    if (UNDONE.test(line)) report(file.name, i + 1, 'unfinished work; finish it or take it out')
  })
}

function checkFunctions(file, code) {
  let open = -1
  code.forEach((line, i) => {
    if (line === '{') open = i
    if (line !== '}' || open < 0) return
    let start = open
    while (start > 0 && /\S/.test(code[start - 1]) && !/^[}#]/.test(code[start - 1])) start--
    const count = i - start + 1
    const max = file.name.startsWith('tests/') ? LIMITS.testFunctionLines : LIMITS.functionLines
    if (count > max) report(file.name, start + 1, `function of ${count} lines, at most ${max}; name its parts`)
    const labels = code.slice(open, i).filter((l) => /^[a-z_]+:$/.test(l)).length
    if (labels > 1) report(file.name, start + 1, `${labels} labels in one function; one exit is enough`)
    open = -1
  })
}

function checkStyle(file, code) {
  if (file.ext === '.h' && !file.lines.includes('#pragma once'))
    report(file.name, 1, 'header without "#pragma once"; add it below the opening comment')
  code.forEach((line, i) => {
    if (/\btypedef\s+(struct|union|enum)\b/.test(line)) report(file.name, i + 1, 'typedef of a struct; write struct noun')
  })
}

const THREAD_WORDS = /\b(pthread_\w+|g_(mutex|rec_mutex|rw_lock|cond|thread|atomic)_\w+|G(Mutex|RWLock|RecMutex|Cond|Thread)|atomic_\w+|_Atomic|_Thread_local|__atomic_\w+|__sync_\w+)\b/

function checkThreads(file, code) {
  if (!(file.folder in MAY_INCLUDE) || file.name in THREADS) return
  const i = code.findIndex((line) => THREAD_WORDS.test(line))
  if (i >= 0)
    report(file.name, i + 1, `${code[i].match(THREAD_WORDS)[0]} outside the files where threads meet; post to a mailbox`)
}

function checkLibraries(file) {
  file.lines.forEach((line, i) => {
    const header = line.match(/^#include <([^>]+)>/)?.[1]
    const library = header && LIBRARIES.find((l) => l.header.test(header))
    if (!library || (!library.folders && !(file.folder in MAY_INCLUDE))) return
    if (library.files?.includes(file.name) || library.folders?.includes(file.folder)) return
    const where = [...(library.folders ?? []), ...(library.files ?? [])].join(', ')
    report(file.name, i + 1, `<${header}>: ${library.name} is known by ${where} only; ask there for what you need`)
  })
}

// ---- includes: one way between folders, one way inside each ------------------------------------------------

// The folder's files in their order: {'rtcp': 4, ...}.
function readOrder(folder) {
  const text = readFileSync(join(ROOT, folder, 'CMakeLists.txt'), 'utf8')
  const list = text.match(/set\(\w+_SOURCES\s([^)]*)\)/)[1].replace(/#[^\n]*/g, '').split(/\s+/).filter(Boolean)
  for (const [, file, behind] of text.matchAll(/list\(APPEND \w+_SOURCES (\S+)\) *# in the order: behind (\S+)/g))
    list.splice(list.indexOf(behind) + 1, 0, file)
  return new Map(list.map((file, i) => [file.replace(/\.c$/, ''), i]))
}

const includesOf = (file) =>
  file.lines.flatMap((line, i) => {
    const path = line.match(/^#include "([^"]+)"/)?.[1]
    return path ? [{ path, line: i + 1 }] : []
  })

// The parts of a module (ice_agent) may include its header (ice.h).
const isPartOf = (file, header) => basename(file, extname(file)).startsWith(`${basename(header, '.h')}_`)

// A header without a .c stands where the last header stands that it includes.
function rankOf(name, order, files, seen = []) {
  const stem = basename(name, extname(name))
  if (FIRST.includes(name)) return -1
  if (order.has(stem)) return order.get(stem)
  if (seen.includes(name) || !files.has(name)) return -1
  const folder = dirname(name)
  const inside = includesOf(files.get(name)).filter((i) => dirname(i.path) === folder && !isPartOf(name, i.path))
  return Math.max(-1, ...inside.map((i) => rankOf(i.path, order, files, [...seen, name])))
}

function checkIncludes(file, order, files) {
  for (const { path, line } of includesOf(file)) {
    if (!exists(path)) report(file.name, line, `"${path}" is not a path from the project's root; write it so`)
    const folder = dirname(path)
    const allowed = MAY_INCLUDE[file.folder]
    if (folder !== file.folder && !allowed.some((a) => path === a || (a.endsWith('/') && path.startsWith(a))))
      report(file.name, line, `${file.folder}/ must not know "${path}"; includes go signaling -> sfu/sfu.h -> sfu -> rtp`)
    if (folder !== file.folder || isPartOf(file.name, path)) continue
    if (rankOf(path, order, files) > rankOf(file.name, order, files))
      report(file.name, line, `"${path}" stands later in ${folder}/CMakeLists.txt; move a file there, or what is needed`)
  }
}

// Headers that include each other would compile, thanks to "#pragma once", and mean nothing.
function checkCycles(files) {
  const done = new Set()
  const visit = (name, path) => {
    if (path.includes(name)) return report(name, 1, `includes itself by ${path.slice(path.indexOf(name) + 1).join(', ')}`)
    if (done.has(name) || !files.has(name)) return
    for (const { path: next } of includesOf(files.get(name))) visit(next, [...path, name])
    done.add(name)
  }
  for (const name of files.keys()) if (name.endsWith('.h')) visit(name, [])
}

// A .c file that no list names is never built.
function checkListed(file, order) {
  if (file.ext === '.c' && dirname(file.name) === file.folder && basename(file.name) !== 'main.c')
    if (!order.has(basename(file.name, '.c')))
      report(file.name, 1, `not in the source list of ${file.folder}/CMakeLists.txt; add it there or delete it`)
}

// ---- all of it --------------------------------------------------------------------------------------------

const files = new Map()
for (const folder of FOLDERS.filter(exists))
  for (const path of walk(join(ROOT, folder))) {
    const file = load(path)
    if (isC(file) || isScript(file) || basename(path) === 'CMakeLists.txt') files.set(file.name, file)
  }

const orders = Object.fromEntries(Object.keys(MAY_INCLUDE).map((folder) => [folder, readOrder(folder)]))

for (const file of files.values()) {
  checkOpening(file)
  checkLength(file)
  checkUndone(file)
  if (!isC(file)) continue
  const code = codeOf(file)
  checkFunctions(file, code)
  checkStyle(file, code)
  checkThreads(file, code)
  checkLibraries(file)
  if (!(file.folder in MAY_INCLUDE)) continue
  checkIncludes(file, orders[file.folder], files)
  checkListed(file, orders[file.folder])
}
checkCycles(files)

for (const violation of violations.sort()) console.log(violation)
console.log(`${files.size} files, ${violations.length} violations`)
process.exit(violations.length ? 1 : 0)
